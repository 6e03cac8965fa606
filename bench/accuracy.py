#!/usr/bin/env python3
"""Prints how right Atrous is, as Markdown tables.

    bench/accuracy.py cases
        every file of ../shared/cases: what the tool makes of it, and the test
    bench/accuracy.py goldens [cpu gpu onnx]
        every golden of ../shared/goldens/cases-2 on each backend: the largest error of the scores, in standard
        deviations of the original's, beside the noise of the original's own float32 run
    bench/accuracy.py loading
        the tool's time to open a checkpoint of 244 MB, and to load, pack and run it

Build first: dotnet build -c Release. The goldens are run by the tests themselves, which judge them too; a backend that
this machine has not is left out. Needs Python 3.9 and nothing else.
"""
import json
import math
import os
import pathlib
import platform
import re
import resource
import struct
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("ATROUS_SHARED", ROOT.parent / "shared"))
TOOL = ROOT / "artifacts/bin/Atrous.Cli/release/atrous"
CASES = SHARED / "cases"
PHOTO = "01-one-class-mask/photo.png"

# File, options, photo, right mask or what the tool has to say, and the class of its test.
FILES = [
    ("01-one-class-mask/smp_c1.pth", [], PHOTO, "01-one-class-mask/ref.png", "OneClassTests"),
    ("01-one-class-mask/hub", [], PHOTO, "", "SaidByTheFileTests"),
    ("01-one-class-mask/mmseg_one.pth", [], PHOTO, "01-one-class-mask/one_ref03.png", "OneClassTests"),
    ("03-whole-model/whole.pth", [], PHOTO, "01-one-class-mask/ref.png", "WholeModelTests"),
    ("03-whole-model/whole_dataparallel.pth", [], PHOTO, "04-tensors-beside-the-network/ref.png", "WholeModelTests"),
    ("04-tensors-beside-the-network/lit_criterion.ckpt", [], "04-tensors-beside-the-network/photo.png",
     "04-tensors-beside-the-network/ref.png", "StoredNetworkTests"),
    ("04-tensors-beside-the-network/lit_posweight.ckpt", [], "04-tensors-beside-the-network/photo.png",
     "04-tensors-beside-the-network/ref.png", "StoredNetworkTests"),
    *((f"05-wrapper-prefixes/{name}", [], "05-wrapper-prefixes/photo.png", "05-wrapper-prefixes/ref.png",
       "StoredNetworkTests")
      for name in ("compiled.pth", "compiled_ddp.pth", "lit_compiled.ckpt", "wrap_features.pth")),
    ("06-unknown-dictionary-key/key_state_dict_ema.pth", [], PHOTO, "05-wrapper-prefixes/ref.png",
     "StoredNetworkTests"),
    ("06-unknown-dictionary-key/timm_ema.pth", [], PHOTO, "", "StoredNetworkTests"),
    ("06-unknown-dictionary-key/timm_ema.pth", ["--option", "weights=state_dict_ema"], PHOTO, "", "SelectionTests"),
    ("07-smp-notebook-bytes/lit255.ckpt", [], "07-smp-notebook-bytes/photo.png", "07-smp-notebook-bytes/ref.png",
     "SaidByTheFileTests"),
    *((f"08-mmseg-meta-ignored/{name}.pth", [], "08-mmseg-meta-ignored/photo.png",
       f"08-mmseg-meta-ignored/{name}_ref.png", "MmSegmentationFileTests")
      for name in ("mg124", "r18", "r18b", "scale")),
    ("08-mmseg-meta-ignored/scale.pth", ["--option", "test_scale=none"], "08-mmseg-meta-ignored/photo.png",
     "08-mmseg-meta-ignored/native_ref.png", "MmSegmentationFileTests"),
    *((f"09-pickle-getattr-called-hostile/{name}.ckpt", [], "09-pickle-getattr-called-hostile/photo.png",
       "09-pickle-getattr-called-hostile/ref.png", "PickleTests")
      for name in ("bound", "dataclass", "enum", "interpolation")),
    ("10-smp-arguments/rates.pth", ["--option", "rates=6,12,18"], "10-smp-arguments/photo.png",
     "10-smp-arguments/hub_rates_ref.png", "SaidByTheFileTests"),
    ("10-smp-arguments/rates.pth", [], "10-smp-arguments/photo.png", "", "SaidByTheFileTests"),
    ("10-smp-arguments/hub_depth4", [], "10-smp-arguments/photo.png", "", "SaidByTheFileTests"),
]

# Commands that make no mask to compare: arguments, and the class of the test.
COMMANDS = [
    (["eval", "01-one-class-mask/smp_c1.pth", "--images", "02-one-class-eval/i", "--labels", "02-one-class-eval/l"],
     "EvalTests"),
    (["info", "11-hf-preprocessor-config/hf"], "HuggingFacePreprocessingTests"),
    (["eval", "--dataset", "cityscapes", "--images", "12-eval-layouts/city/img", "--labels", "12-eval-layouts/city/gt"],
     "EvalLayoutTests"),
    (["eval", "--dataset", "camvid", "--images", "12-eval-layouts/camvid/img", "--labels",
      "12-eval-layouts/camvid/lab"], "EvalLayoutTests"),
    *((["segment", f"13-pictures/{name}", "-o", "mask.png"], "PictureVariantsTests")
      for name in ("no_eoi.jpg", "no_iend.png", "png_exif6.png")),
    (["segment", "13-pictures/ortho.png", "-o", "mask.png", "--tile", "513", "--max-pixels", "300"],
     "SegmentBandsTests"),
]


def tool(arguments, folder):
    run = subprocess.run([TOOL, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr.strip().splitlines()


def line(cells):
    print("| " + " | ".join(cells) + " |")


def said(lines):
    """The first line, without the tool's name, and what comes after it."""
    words = " ".join(text.removeprefix("atrous: ") for text in lines).replace(f"{CASES}/", "").replace("|", "\\|")
    return re.sub(" +", " ", words)[:400]


def agreement(model, options, photo, right, folder):
    """The share of pixels that have the label of the right mask."""
    for name, source in (("photos", photo), ("masks", right)):
        place = pathlib.Path(folder) / name
        place.mkdir(exist_ok=True)
        for old in place.iterdir():
            old.unlink()
        (place / "picture.png").symlink_to(CASES / source)
    code, output, errors = tool(
        ["eval", CASES / model, "--images", "photos", "--labels", "masks", "--json", *options], folder)
    return f"{json.loads(output)['pixelAccuracy']:.2%}" if code == 0 else said(errors)


def cases():
    line(["file", "options", "exit", "pixels as the original's", "what the first line says", "test"])
    line(["---"] * 6)
    with tempfile.TemporaryDirectory() as folder:
        for model, options, photo, right, test in FILES:
            code, _, errors = tool(["segment", CASES / photo, "-m", CASES / model, "-o", "mask.png", *options], folder)
            share = agreement(model, options, photo, right, folder) if right else "no right mask is kept"
            line([f"`{model}`", " ".join(options), str(code), share, said(errors), test])
        print()
        line(["command", "exit", "result", "test"])
        line(["---"] * 4)
        for arguments, test in COMMANDS:
            there = [CASES / word if (CASES / word).exists() else word for word in arguments]
            code, output, errors = tool(there, folder)
            means = [row for row in output.splitlines() if re.match(r"mean IoU|mean |std |input ", row)]
            line([f"`{' '.join(arguments)}`", str(code), said([*means, *errors]), test])


def results(project, methods, environment):
    """Name of the golden: what its test wrote, and how it ended."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "run.trx"
        program = ROOT / f"artifacts/bin/{project}/release/{project}"
        run = [program, *(word for method in methods for word in ("-method", f"*.{method}")), "-trx", report]
        # Names of goldens are told whole.
        asked = {"ATROUS_TEST_ALL_GOLDENS": "1", "XUNIT_PRINT_MAX_STRING_LENGTH": "0", **environment}
        subprocess.run(run, env={**os.environ, **asked}, stdout=subprocess.DEVNULL, check=False)
        found = {}
        for test in xml.parse(report).getroot().findall(".//{*}UnitTestResult"):
            name = re.search(r'\(\w+: \\?"([^"\\]+)', test.get("testName"))
            written = "".join(test.itertext())
            if name and test.get("outcome") != "NotExecuted":
                found[name[1]] = (test.get("outcome"), written)
        return found


def worst(written):
    errors = [float(text) for text in re.findall(r"max\|d\|/std ([0-9.e+-]+)", written)]
    return f"{max(errors):.1e}" if errors else ""


def instruction_sets():
    flags = set()
    try:
        flags = set(pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        pass
    if platform.machine() in ("aarch64", "arm64"):
        return ["neon"]
    return ["baseline"] + [name for name, flag in (("avx2", "avx2"), ("avx512", "avx512bw")) if flag in flags]


def goldens():
    names = [case["name"] for case in json.loads((SHARED / "goldens/cases-2/index.json").read_text(encoding="utf-8"))]
    cpu = ["The_cpu_backend_gives_the_original_s_logits"]
    gpu = ["Fp32_gives_the_original_s_logits"]
    onnx = [
        "Onnx_runtime_computes_the_same_at_any_size_and_batch", "Attention_between_patches_is_written_for_one_size",
    ]
    backends = {
        "cpu": [(f"CPU, {isa}", "Atrous.Tests", cpu, {"ATROUS_ISA": isa}) for isa in instruction_sets()],
        "gpu": [("software GPU", "Atrous.Cuda.Tests", gpu, {})],
        "onnx": [("ONNX Runtime beside Atrous", "Atrous.Tests", onnx, {})],
    }
    for backend in sys.argv[2:] or backends:
        columns = {name: results(*run) for name, *run in backends[backend]}
        line(["golden", "noise", *columns])
        line(["---"] * (2 + len(columns)))
        for name in names:
            cells, noise = [], ""
            for found in columns.values():
                outcome, written = found.get(name, ("", ""))
                noise = noise or "".join(re.findall(r"noise ([0-9.e+-]+)", written)[:1])
                cells.append(worst(written) + ("" if outcome in ("Passed", "") else f" {outcome.upper()}"))
            line([name, noise, *cells])
        print(flush=True)


def checkpoint(path):
    """torchvision's DeepLabV3 on ResNet-101 with its auxiliary head, as published: 244 MB of small numbers."""
    keys = json.loads((SHARED / "goldens/manifests/torchvision_deeplabv3_r101_aux.json").read_text(encoding="utf-8"))
    header, end = {}, 0
    for name, shape in keys:
        whole = name.endswith("num_batches_tracked")
        size = (8 if whole else 4) * math.prod(shape)
        header[name] = {"dtype": "I64" if whole else "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.write(struct.pack("<1024f", *(0.001 * (1 + i % 7) for i in range(1024))) * (end // 4096 + 1))
        file.truncate(8 + len(text) + end)


def loading():
    line(["command", "bytes", "fastest of 5, ms", "its processor time, ms", "all, ms"])
    line(["---"] * 5)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "deeplabv3_resnet101.safetensors"
        checkpoint(path)
        for command in (["info", path], ["segment", CASES / PHOTO, "-m", path, "--resize", "none", "-o", "mask.png"]):
            runs = []
            for _ in range(5):
                start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
                code, _, errors = tool(command, folder)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                if code != 0:
                    sys.exit(said(errors))
                runs.append((1000 * (time.perf_counter() - start),
                             1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)))
            wall, processor = min(runs)
            line([f"`atrous {command[0]}`", f"{path.stat().st_size:,}", f"{wall:.0f}", f"{processor:.0f}",
                  ", ".join(f"{run[0]:.0f}" for run in runs)])


if __name__ == "__main__":
    commands = {"cases": cases, "goldens": goldens, "loading": loading}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]]()
