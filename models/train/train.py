"""Trains the default model from scratch. `train.py --help`; models/README.md has the recipe that was used.

A run can be stopped and started again: after every epoch its state is in OUT/state.pt.
"""

import argparse
import copy
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
from network import Network


def score(network, pairs, device):
    """Confusion matrix (row = truth) at the pictures' own size."""
    n = len(data.CLASSES)
    matrix = np.zeros((n, n), np.int64)
    network.eval()
    with torch.no_grad():
        for pair in pairs:
            x, y = data.tensors(*pair)
            x = x[None].to(device, memory_format=torch.channels_last)
            logits = F.interpolate(network(x).float(), y.shape, mode="bilinear", align_corners=False)
            labels = logits.argmax(1)[0].cpu().numpy()
            known = y.numpy() < n
            matrix += np.bincount(y.numpy()[known] * n + labels[known], minlength=n * n).reshape(n, n)
    return matrix


def iou(matrix):
    hit = np.diag(matrix)
    return hit / np.maximum(1, matrix.sum(0) + matrix.sum(1) - hit)


def lovasz(logits, labels):
    """Lovász-softmax (arXiv:1705.08790, equation 11): a convex stand-in for 1 - mean IoU, over the classes that are there."""
    known = labels != data.UNLABELLED
    shares, labels = logits.softmax(1).permute(0, 2, 3, 1)[known], labels[known]
    losses = []
    for c in labels.unique():
        here = (labels == c).float()
        errors, order = (here - shares[:, c]).abs().sort(descending=True)
        here = here[order]
        union = here.sum() + (1 - here).cumsum(0)
        jaccard = 1 - (here.sum() - here.cumsum(0)) / union
        jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
        losses.append(errors @ jaccard)
    return torch.stack(losses).mean()


def learning_rate(progress, peak):
    """Linear warm-up over the first 4 %, then half a cosine to zero."""
    return peak * (progress / 0.04 if progress < 0.04 else 0.5 * (1 + math.cos(math.pi * (progress - 0.04) / 0.96)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--camvid", required=True, type=Path, help="folder with train/ and val/")
    arguments.add_argument("--renders", type=Path, help="folder with images/ and labels/ of rendered scenes, mixed in")
    arguments.add_argument("--render-share", type=float, default=0.12, help="of the samples, while --renders is given")
    arguments.add_argument("--start", type=Path, help="a best.pt whose weights are the first ones")
    arguments.add_argument("--first-epoch", type=int, default=0, help="of the schedule, with --start")
    arguments.add_argument("--out", required=True, type=Path)
    arguments.add_argument("--epochs", type=int, default=150)
    arguments.add_argument("--full-size-from", type=float, default=0.85, 
                           help="share of the epochs after which crops are whole pictures and the loss is plain cross entropy + Lovász-softmax")
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--lr", type=float, default=3e-3)
    arguments.add_argument("--decay", type=float, default=0.03)
    arguments.add_argument("--seed", type=int, default=20261122)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options = arguments.parse_args()

    torch.set_num_threads(options.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    options.out.mkdir(parents=True, exist_ok=True)
    train, val = data.load(options.camvid / "train"), data.load(options.camvid / "val")
    renders = data.load(options.renders) if options.renders else []
    weights = data.class_weights(train).to(device)
    torch.manual_seed(options.seed)
    network = Network(len(data.CLASSES)).to(device, memory_format=torch.channels_last)
    average = copy.deepcopy(network)
    decayed = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": options.decay}, {"params": others, "weight_decay": 0.0}], lr=options.lr)
    state_file, log_file = options.out / "state.pt", options.out / "train.log"
    first, best = options.first_epoch, 0.0
    if options.start:
        network.load_state_dict(torch.load(options.start, map_location=device))
        average.load_state_dict(network.state_dict())
    if state_file.exists():
        state = torch.load(state_file, map_location=device)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        first, best = state["epoch"], state["best"]

    steps = (len(train) + options.batch - 1) // options.batch
    for epoch in range(first, options.epochs):
        began = time.time()
        # Each epoch has its own stream, so that a run that was stopped continues as if it had not been.
        random = np.random.default_rng([options.seed, epoch])
        torch.manual_seed(options.seed + epoch)
        whole = epoch >= options.full_size_from * options.epochs
        crop, scales = ((352, 480), (0.85, 1.3)) if whole else ((256, 320), (0.6, 1.6))
        order, total = random.permutation(len(train)), 0.0
        network.train()
        for step in range(steps):
            picked = []
            for i in range(options.batch):
                if renders and random.random() < options.render_share:
                    pair = renders[random.integers(len(renders))]
                else:
                    pair = train[order[(step * options.batch + i) % len(train)]]
                picked.append(data.augmented(pair, crop, scales, random))
            x = torch.stack([x for x, _ in picked]).to(device, memory_format=torch.channels_last)
            y = torch.stack([y for _, y in picked]).to(device)
            rate = learning_rate((epoch * steps + step + 1) / (options.epochs * steps), options.lr)
            for group in optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast(device, dtype=torch.bfloat16):
                logits = network(x)
            logits = logits.float()
            full = F.interpolate(logits, crop, mode="bilinear", align_corners=False)
            # The weights teach rare classes early, but too many pixels of them: at the end every pixel counts the same.
            loss = F.cross_entropy(full, y, None if whole else weights, ignore_index=data.UNLABELLED)
            if whole:
                # Every fourth pixel is enough for it, and sorting is what it costs.
                loss = loss + lovasz(full[:, :, ::2, ::2], y[:, ::2, ::2])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            if not torch.isfinite(norm):
                raise SystemExit(f"The gradient of epoch {epoch + 1}, step {step + 1} is not finite; {state_file} is of the epoch before.")
            optimiser.step()
            total += loss.item()
            # The average of the weights over the last few epochs is what is scored and exported.
            done = epoch * steps + step + 1
            keep = min(0.995, done / (done + 10))
            with torch.no_grad():
                for a, b in zip(average.state_dict().values(), network.state_dict().values()):
                    a.copy_(b if not a.is_floating_point() else a * keep + b * (1 - keep))
        line = f"epoch {epoch + 1} lr {rate:.2e} loss {total / steps:.4f} renders {len(renders)} crop {crop[0]}x{crop[1]} {time.time() - began:.0f} s"
        if (epoch + 1) % 5 == 0 or epoch + 1 == options.epochs:
            per_class = iou(score(average, val, device))
            line += f" val mIoU {per_class.mean():.4f} [" + " ".join(f"{v:.3f}" for v in per_class) + "]"
            if per_class.mean() > best:
                best = per_class.mean()
                torch.save(average.state_dict(), options.out / "best.pt")
        state = {"network": network.state_dict(), "average": average.state_dict(), "optimiser": optimiser.state_dict(),
                 "epoch": epoch + 1, "best": best}
        torch.save(state, state_file.with_suffix(".new"))
        os.replace(state_file.with_suffix(".new"), state_file)
        print(line, flush=True)
        with log_file.open("a") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    main()
