"""Kills a small run of train.py again and again, and compares what it came to with a run that was left alone.

    resume_test.py

Prints "the same" and exits with 0 when every weight, every moment of the optimiser and every loss agrees bit for bit.
"""

import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

STEPS = 10


def pictures(folder):
    dice = np.random.default_rng(1)
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for i in range(5):
        labels = np.zeros((90, 120), np.uint8)
        for c in range(12):
            y, x = dice.integers(0, 70), dice.integers(0, 90)
            labels[y : y + 30, x : x + 30] = c
        picture = labels[..., None] * 20 + dice.integers(0, 20, (90, 120, 3))
        Image.fromarray(picture.astype(np.uint8)).save(folder / "images" / f"{i}.png")
        Image.fromarray(labels).save(folder / "labels" / f"{i}.png")


def start(data, out):
    script = Path(__file__).with_name("train.py")
    return subprocess.Popen(
        [sys.executable, script, "--camvid", data, "--renders", data / "train", "--out", out, "--steps", str(STEPS),
         "--batch", "4", "--crop", "64", "96", "--whole-from", "0.8", "--every", "1"], stdout=subprocess.DEVNULL)


def losses(out):
    return [re.sub(" in .*", "", line) for line in (out / "train.log").read_text().splitlines()]


def differences(a, b, place=""):
    if isinstance(a, dict):
        keys = a.keys() | b.keys()
        return [d for key in keys for d in differences(a.get(key), b.get(key), f"{place}/{key}")]
    if isinstance(a, torch.Tensor):
        return [] if torch.equal(a, b) else [place]
    if isinstance(a, (list, tuple)) and len(a) == len(b):
        return [d for i, (x, y) in enumerate(zip(a, b)) for d in differences(x, y, f"{place}/{i}")]
    return [] if a == b else [place]


def main():
    dice = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        data, left_alone, killed = (Path(folder, name) for name in ("data", "left_alone", "killed"))
        pictures(data / "train")
        began = time.time()
        if start(data, left_alone).wait() != 0:
            raise SystemExit("The run that was left alone failed.")
        took, kills = time.time() - began, 0
        while True:
            run = start(data, killed)
            try:
                code = run.wait(took * dice.uniform(0.25, 0.6))
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
                run.wait()
                kills += 1
                continue
            if code != 0:
                raise SystemExit(f"The run failed after {kills} kills.")
            break
        states = [torch.load(out / "state.pt") for out in (left_alone, killed)]
        for state in states:
            del state["log"]  # has times
        found = differences(*states)
        if found or losses(left_alone) != losses(killed):
            raise SystemExit(f"After {kills} kills {len(found)} values differ: {' '.join(sorted(found)[:5])}")
        print(f"the same after {kills} kills")


if __name__ == "__main__":
    main()
