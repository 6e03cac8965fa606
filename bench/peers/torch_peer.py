"""PyTorch on the CPU as a peer.

  torch_peer.py make FOLDER [NAME ...]   saves the networks of networks.py with random weights, FOLDER/NAME.pth
  torch_peer.py serve MODEL N,C,H,W THREADS [bf16]
                                         loads a network, then answers every line on stdin with one run
  torch_peer.py first MODEL N,C,H,W THREADS
                                         one run, in a process of its own
`serve` prints one JSON line when it is ready and one per run, {"ms": ..., "peakMiB": ...}; a line with a path on it has the
output written there as raw float32. The input is the same pseudo-random tensor as everywhere.
"""
import json
import os
import sys
import time

import torch

import checkpoints
import networks


def pseudo_random(shape):
    count, seed, values = torch.Size(shape).numel(), 1, []
    for _ in range(count):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        values.append(seed / 2**31 - 1)
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def peak_mib():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1024


def make(folder, names):
    for name in names or networks.NETWORKS:
        network = checkpoints.made(name, classes=19 if name.startswith("denseaspp") else 21)
        torch.save(network.state_dict(), os.path.join(folder, f"{name}.pth"))


def load(model, threads):
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    # Channels last is what oneDNN computes in; without it every run reorders.
    return checkpoints.read(model).to(memory_format=torch.channels_last)


@torch.inference_mode()
def serve(model, shape, threads, precision="fp32"):
    network = load(model, threads)
    x = pseudo_random(shape).contiguous(memory_format=torch.channels_last)
    bf16 = precision == "bf16"
    print(json.dumps({"ready": True, "version": torch.__version__}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            y = network(x)
        ms = 1e3 * (time.perf_counter() - start)
        if line.strip():
            y.float().contiguous().numpy().tofile(line.strip())
        print(json.dumps({"ms": ms, "peakMiB": peak_mib()}), flush=True)


@torch.inference_mode()
def first(model, shape, threads):
    network = load(model, threads)
    network(torch.zeros(shape).contiguous(memory_format=torch.channels_last)).argmax(1)
    print(json.dumps({"peakMiB": peak_mib()}), flush=True)


def main(command, *arguments):
    if command == "make":
        make(arguments[0], arguments[1:])
        return
    model, shape, threads = arguments[0], [int(side) for side in arguments[1].split(",")], int(arguments[2])
    {"serve": serve, "first": first}[command](model, shape, threads, *arguments[3:])


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("make", "serve", "first"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
