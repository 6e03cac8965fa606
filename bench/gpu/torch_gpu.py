"""PyTorch on the GPU as a peer, and the GPU's own limits. Every command prints JSON lines as its results come.

  torch_gpu.py machine                              GPU, driver, versions, clocks
  torch_gpu.py floors                               matrix rate, memory bandwidth, copies to and from the device
  torch_gpu.py bench eager|compile SIZE BATCH MODEL...   fp16 channels last: pixels in, labels out, and the network alone
  torch_gpu.py compare ATROUS DEVICE SIZE MODEL...  fp32 logits of PyTorch and of `atrous infer` for the same input
"""
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
import checkpoints  # noqa: E402

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def tell(**result):
    print(json.dumps(result), flush=True)


def timed(run, seconds=2.0, least=20):
    """Milliseconds of each run, on the host's clock, from an idle device to an idle device."""
    times, until = [], time.perf_counter() + seconds
    while len(times) < least or time.perf_counter() < until:
        torch.cuda.synchronize()
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return times


def on_device(run, runs=50):
    """The median of the milliseconds between two events around each run."""
    times = []
    for _ in range(runs):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


def summary(times):
    ordered = sorted(times)
    p95, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.95, 0.99))
    return {"median": statistics.median(ordered), "min": ordered[0], "p95": p95, "p99": p99, "runs": len(ordered)}


class Pipeline(torch.nn.Module):
    """Bytes of pictures in, labels out, as `atrous bench` counts it."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255)

    def forward(self, pixels):
        x = ((pixels.permute(0, 3, 1, 2).float() - self.mean) / self.std).half()
        return self.network(x.contiguous(memory_format=torch.channels_last)).argmax(1).to(torch.uint8)


@torch.inference_mode()
def bench(mode, size, batch, *models):
    height, width = (int(side) for side in size.split("x"))
    torch.backends.cudnn.benchmark = True
    for model in models:
        network = checkpoints.read(model).cuda().half().to(memory_format=torch.channels_last)
        pipeline = Pipeline(network).cuda()
        pixels = torch.randint(0, 256, (int(batch), height, width, 3), dtype=torch.uint8).pin_memory()
        x = torch.randn(int(batch), 3, height, width, device="cuda").half().contiguous(memory_format=torch.channels_last)
        # One compiled program for each measurement; that of the network alone comes last, so that a time limit costs it first.
        start = time.perf_counter()
        whole = torch.compile(pipeline, mode="max-autotune") if mode == "compile" else pipeline
        labels = torch.empty((int(batch), height, width), dtype=torch.uint8).pin_memory()
        run = lambda: labels.copy_(whole(pixels.cuda(non_blocking=True)), non_blocking=True)
        for _ in range(5):
            run()
        torch.cuda.synchronize()
        name = os.path.splitext(os.path.basename(model))[0]
        facts = dict(peer=f"torch {torch.__version__} {mode}", model=name, precision="fp16", size=size, batch=int(batch))
        torch.cuda.reset_peak_memory_stats()
        latency = summary(timed(run))
        tell(**facts, milliseconds={"latency": latency}, warmUpSeconds=time.perf_counter() - start,
             picturesPerSecond=1e3 * int(batch) / latency["median"], peakDeviceBytes=torch.cuda.max_memory_reserved())
        alone = torch.compile(network, mode="max-autotune") if mode == "compile" else network
        for _ in range(5):
            alone(x)
        tell(**facts, milliseconds={"network": {"median": on_device(lambda: alone(x))}})
        del whole, alone, network, pipeline
        torch.cuda.empty_cache()


@torch.inference_mode()
def floors():
    size = 8192
    for name, dtype, tf32 in [("fp16", torch.float16, False), ("bf16", torch.bfloat16, False), ("tf32", torch.float32, True),
                              ("fp32", torch.float32, False)]:
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a, b = (torch.randn(size, size, device="cuda").to(dtype) for _ in range(2))
        for _ in range(3):
            a @ b
        tell(floor="matrix rate", precision=name, teraflops=2 * size**3 / on_device(lambda: a @ b, 20) / 1e9)
    a = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    b = torch.empty_like(a)
    tell(floor="memory, read and written", gigabytesPerSecond=2 * a.numel() / on_device(lambda: b.copy_(a)) / 1e6)
    host = torch.empty(1 << 28, dtype=torch.uint8).pin_memory()
    part = a[:host.numel()]
    tell(floor="to the device, pinned", gigabytesPerSecond=host.numel() / on_device(lambda: part.copy_(host, non_blocking=True), 20) / 1e6)
    tell(floor="from the device, pinned", gigabytesPerSecond=host.numel() / on_device(lambda: host.copy_(part, non_blocking=True), 20) / 1e6)
    one = torch.zeros(1, device="cuda")
    tell(floor="an empty launch, synchronised", milliseconds=statistics.median(timed(lambda: one.add_(1), 0.2)))


@torch.inference_mode()
def compare(atrous, device, size, *models):
    height, width = (int(side) for side in size.split("x"))
    place = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    every = True
    for model in models:
        torch.manual_seed(2)
        x = torch.randn(1, 3, height, width)
        expected = checkpoints.read(model).to(place)(x.to(place)).float().cpu()
        with tempfile.TemporaryDirectory() as folder:
            checkpoints.write_safetensors(f"{folder}/in.safetensors", {"input": x})
            subprocess.run([atrous, "infer", model, "--input", f"{folder}/in.safetensors", "-o", f"{folder}/out.safetensors",
                            "--device", device, "-q"], check=True)
            actual = checkpoints.read_safetensors(f"{folder}/out.safetensors")[0]["logits"]
        difference = (actual - expected).abs() / expected.std()
        tell(compare=os.path.basename(model), size=size, device=device, torch=place, maxError=difference.max().item(),
             meanError=difference.mean().item(), within=bool(difference.max() <= 1e-4))
        every = every and bool(difference.max() <= 1e-4)
    return 0 if every else 1


def machine():
    query = "name,driver_version,memory.total,clocks.sm,clocks.max.sm,power.limit"
    try:
        smi = subprocess.run(["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"], capture_output=True, text=True)
        facts = smi.stdout.strip().split("\n")[0]
    except FileNotFoundError:
        facts = "nvidia-smi is not there"
    usable = torch.cuda.is_available()
    tell(gpu=torch.cuda.get_device_name() if usable else None, nvidiaSmi=facts, torch=torch.__version__, cuda=torch.version.cuda,
         cudnn=torch.backends.cudnn.version() if usable else None)


COMMANDS = {"machine": machine, "floors": floors, "bench": bench, "compare": compare}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    sys.exit(COMMANDS[sys.argv[1]](*sys.argv[2:]))
