"""Makes the tables of kernels and sizes and the charts of a folder that bench/run.sh wrote: report.py FOLDER."""
import json
import os
import re
import sys

import matplotlib

matplotlib.use("svg")
# The same data gives the same file, and text stays text.
matplotlib.rcParams.update({"svg.hashsalt": "atrous", "svg.fonttype": "none", "font.size": 9, "font.family": "sans-serif"})
from matplotlib import pyplot  # noqa: E402

OURS, BF16, INT8, ORT, ORT_INT8 = "#0b6e4f", "#6bbf59", "#1f6fb2", "#e07a1f", "#f2b880"
TORCH, TORCH_BF16, GREY = "#8c5fa8", "#c3a6d4", "#b8bec4"


def read(folder, name):
    path = os.path.join(folder, name)
    return json.load(open(path)) if os.path.exists(path) else None


def save(figure, folder, name):
    figure.savefig(os.path.join(folder, name), metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def colour(runtime):
    if runtime.startswith("Atrous"):
        return BF16 if runtime.endswith("bf16") else INT8 if "int8" in runtime else OURS
    if "onnx" in runtime:
        return ORT_INT8 if runtime.endswith("int8") else ORT
    return TORCH_BF16 if runtime.endswith("bf16") else TORCH


def bars(folder, name, title, models, value, unit):
    """A group of horizontal bars for every model, one for each runtime, with the numbers at their ends."""
    rows = [(f"{m['network'].split(',')[0]}\n{m['height']}x{m['width']}",
             [(r["name"], value(r, m)) for r in m["runtimes"] if value(r, m) is not None]) for m in models]
    height = sum(len(cells) for _, cells in rows) * 0.19 + len(rows) * 0.25 + 0.9
    figure, axes = pyplot.subplots(figsize=(7.5, height))
    at, ticks, seen = 0.0, [], {}
    longest = max(number for _, cells in rows for _, number in cells)
    for label, cells in rows:
        ticks.append((at + (len(cells) - 1) / 2, label))
        for runtime, number in cells:
            bar = axes.barh(at, number, height=0.85, color=colour(runtime))
            seen.setdefault(runtime, bar)
            axes.text(number + longest * 0.01, at, f"{number:.2f}" if longest < 10 else f"{number:.0f}", va="center", fontsize=7.5)
            at += 1
        at += 1.2
    axes.set_yticks([tick for tick, _ in ticks], [label for _, label in ticks])
    axes.invert_yaxis()
    axes.set_xlim(0, longest * 1.12)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(seen.values(), seen.keys(), fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.5 / height), ncol=min(len(seen), 4))
    save(figure, folder, name)


def peers(folder):
    document = read(folder, "peers.json")
    if document is None:
        return
    models, threads = document["models"], document["threads"]
    mask = "picture in, mask out"
    ort = lambda m: named(m, "onnxruntime")["median"]
    bars(folder, "time.svg", f"Time of a run over onnxruntime's in fp32, {threads} threads: shorter is faster", models,
         lambda r, m: None if mask in r["name"] else r["median"] / ort(m), "times onnxruntime's fp32 median")
    bars(folder, "memory.svg", "Peak resident memory of a process that makes one mask", models,
         lambda r, m: r["start"] and r["start"]["peakMiB"], "MiB")
    bars(folder, "start.svg", "From the start of a process to its first mask", models,
         lambda r, m: r["start"] and r["start"]["milliseconds"], "ms")
    int8(folder, [m for m in models if named(m, "Atrous int8")], threads)


def named(model, runtime):
    """What a runtime did with a model; ONNX Runtime's name has its version, which is left out."""
    return next((r for r in model["runtimes"] if re.sub(r" [0-9][^ ]*", "", r["name"]) == runtime), None)


def int8(folder, models, threads):
    """Networks in 8 bits beside the same file in ONNX Runtime and beside fp32."""
    if not models:
        return
    others = {"onnxruntime int8": "onnxruntime's int8", "onnxruntime": "onnxruntime's fp32", "Atrous": "Atrous's fp32", "Atrous bf16": "Atrous's bf16"}
    with open(os.path.join(folder, "int8.md"), "w") as file:
        file.write(f"Quantised networks, {threads} threads, tensor in, logits out: the time of Atrous over that of others, and what a process that makes\n"
                   "one mask takes.\n\n"
                   f"| network | size | Atrous int8: ms | {' | '.join(f'of {name}' for name in others.values())} | "
                   "start to first mask ms: Atrous int8 | onnxruntime int8 | peak MiB: Atrous int8 | onnxruntime int8 |\n"
                   f"|---{'|---' * (len(others) + 6)}|\n")
        for m in models:
            ours, theirs = named(m, "Atrous int8"), named(m, "onnxruntime int8")
            ratios = [f"{ours['median'] / named(m, name)['median']:.2f}" if named(m, name) else "" for name in others]
            file.write(f"| {m['network']} | {m['height']}x{m['width']} | {ours['median']:.1f} | {' | '.join(ratios)} | "
                       f"{ours['start']['milliseconds']:.0f} | {theirs['start']['milliseconds']:.0f} | "
                       f"{ours['start']['peakMiB']:.0f} | {theirs['start']['peakMiB']:.0f} |\n")


def ops(folder):
    document = read(folder, "ops.json")
    if document is None:
        return
    peak = float(document["context"]["peak of one thread, GFLOP/s"])
    layers = {}
    for run in document["benchmarks"]:
        layer, way, threads = re.fullmatch(r"(.*)/(\w+)/threads:(\d+)(?:/.*)?", run["name"]).groups()
        layers.setdefault(layer, {})[way] = run
    ways = list(dict.fromkeys(way for runs in layers.values() for way in runs))
    with open(os.path.join(folder, "ops.md"), "w") as file:
        file.write(
            f"Kernels at the networks' layer shapes, {threads} threads; one thread's multiply-adds reach {peak:.0f} GFLOP/s in a loop without\n"
            "memory. Rates count the multiply-adds of the direct algorithm on cells of the picture alone, so Winograd's can pass the peak.\n\n"
            f"| layer | {' | '.join(f'{way}: ms | GFLOP/s | of peak' for way in ways)} |\n|---{'|---' * 3 * len(ways)}|\n")
        for layer, runs in layers.items():
            cells = [f"{runs[way]['real_time']:.2f} | {runs[way]['best']:.0f} | {100 * runs[way]['best_of_peak']:.0f} %" if way in runs else " | | "
                     for way in ways]
            file.write(f"| {layer} | {' | '.join(cells)} |\n")
    figure, axes = pyplot.subplots(figsize=(7.5, 0.24 * len(layers) + 0.9))
    for i, way in enumerate(ways):
        shares = [100 * runs[way]["best_of_peak"] if way in runs else 0 for runs in layers.values()]
        axes.barh([at + 0.4 * i - 0.2 * (len(ways) - 1) for at in range(len(layers))], shares, height=0.38, label=way,
                  color=[GREY, OURS, BF16, TORCH][i % 4])
    axes.axvline(100, color="black", linewidth=0.6)
    axes.set_yticks(range(len(layers)), layers, fontsize=7.5)
    axes.invert_yaxis()
    axes.set_xlabel("% of the measured multiply-add peak (direct multiply-adds counted)")
    axes.set_title(f"Convolutions at the networks' layer shapes, {threads} threads", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    save(figure, folder, "ops.svg")


def sizes(folder):
    """One document after the other, as the tool wrote them."""
    path = os.path.join(folder, "sizes.json")
    if not os.path.exists(path):
        return
    text, decoder, at, rows = open(path).read(), json.JSONDecoder(), 0, []
    while (at := text.find("{", at)) >= 0:
        run, at = decoder.raw_decode(text, at)
        rows.append((run["height"], run["width"], run["milliseconds"]["latency"]["min"], run["peakResidentBytes"] / 2**20, run["threads"]))
    with open(os.path.join(folder, "sizes.md"), "w") as file:
        file.write(f"DeepLabV3+ ResNet-101, output stride 16, fp32, {rows[0][4]} threads: picture in, mask out, one run after the first mask.\n\n"
                   "| size | ms | ms a megapixel | peak resident MiB |\n|---|---|---|---|\n")
        for height, width, ms, peak, _ in rows:
            file.write(f"| {height}x{width} | {ms:.0f} | {ms / (height * width / 1e6):.0f} | {peak:.0f} |\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    peers(sys.argv[1])
    ops(sys.argv[1])
    sizes(sys.argv[1])
