"""Trains the default model from a ResNet-18 that knows ImageNet. models/README.md has the recipe; train.sh does it all.

A run can be killed at any moment and started again with the same options: OUT/state.pt is its last checkpoint, every step
has its own random streams, and so the weights are those of a run that was not interrupted (resume_test.py).
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
import pretrained
from export import folded
from network import Network


def lovasz(logits, labels):
    """Lovász-softmax (arXiv:1705.08790, equation 11): a stand-in for 1 - mean IoU, over the classes that are there."""
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


class Run:
    """What a checkpoint holds: the network, the average of its weights, the optimiser, the steps done, and the log."""

    def __init__(self, options):
        torch.manual_seed(options.seed)
        self.network = Network(len(data.CLASSES)).to(memory_format=torch.channels_last)
        if options.start:
            start = options.start
            self.network.load_state_dict(
                folded(start) if start.suffix == ".safetensors" else torch.load(start, map_location="cpu")["average"])
        elif options.packages:
            self.network.backbone.load_state_dict(pretrained.backbone(options.packages))
        backbone = {id(p) for p in self.network.backbone.parameters()}
        groups = {}
        for p in self.network.parameters():
            groups.setdefault((id(p) in backbone, p.ndim > 1), []).append(p)
        self.optimiser = torch.optim.AdamW([
            {"params": parameters, "weight_decay": options.decay if decays else 0.0,
             "peak": options.lr * (options.backbone_rate if in_backbone else 1)}
            for (in_backbone, decays), parameters in groups.items()], lr=options.lr)
        self.average = copy.deepcopy(self.network)
        self.step, self.log = 0, []

    def save(self, path):
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        torch.save({**state, "step": self.step, "log": self.log}, path.with_suffix(".new"))
        os.replace(path.with_suffix(".new"), path)
        (path.parent / "train.log").write_text("".join(line + "\n" for line in self.log))

    def load(self, path):
        state = torch.load(path, map_location="cpu")
        for name in ("network", "average", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.step, self.log = state["step"], state["log"]

    def note(self, line):
        print(line, flush=True)
        self.log.append(line)


def batch(run, options, train, renders, rare, random):
    """Crops at first, with more of what is rare; at the end whole pictures as they are."""
    whole = run.step >= options.whole_from * options.steps
    crop, scales = (tuple(options.whole), tuple(options.whole_scales)) if whole else (tuple(options.crop), (0.7, 2.0))
    size = options.batch // 2 if whole else options.batch
    picked = []
    for i in range(size):
        # Every picture once, in another order each time: the crops of a step are numbered through the run.
        number = run.step * options.batch + i
        order = np.random.default_rng([options.seed, number // len(train)]).permutation(len(train))
        pair, wanted = train[order[number % len(train)]], None
        if not whole and random.random() < options.rare:
            # Every rare class as often as any other, however few pictures have it.
            wanted = data.RARE[random.integers(len(data.RARE))]
            pair = train[rare[wanted][random.integers(len(rare[wanted]))]] if rare[wanted] else pair
        elif renders and random.random() < options.render_share:
            pair = renders[random.integers(len(renders))]
        other = None
        if not whole and random.random() < options.paste:
            source = renders if renders and random.random() < 0.3 else train
            other = source[random.integers(len(source))]
        poles = random.random() < options.poles
        picked.append(data.augmented(pair, crop, scales, random, other, wanted, poles))
    # PyTorch's convolutions are fastest where the channels of a pixel lie side by side.
    x = torch.stack([x for x, _ in picked]).contiguous(memory_format=torch.channels_last)
    return whole, x, torch.stack([y for _, y in picked])


def step(run, options, train, renders, rare, weights):
    random = np.random.default_rng([options.seed, run.step, 1])
    torch.manual_seed(options.seed * 1000003 + run.step)
    whole, x, y = batch(run, options, train, renders, rare, random)
    run.network.train(norms=not whole)
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate((run.step + 1) / options.steps, group["peak"])
    # The loss is fastest where the pixels of a class do.
    full = F.interpolate(run.network(x).contiguous(), y.shape[1:], mode="bilinear", align_corners=False)
    # The weights teach rare classes early, but too many pixels of them: at the end every pixel counts the same.
    loss = F.cross_entropy(full, y, None if whole else weights, ignore_index=data.UNLABELLED)
    if whole:
        # Every fourth pixel is enough for it, and sorting is what it costs.
        loss = loss + lovasz(full[:, :, ::2, ::2], y[:, ::2, ::2])
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(run.network.parameters(), 5.0)
    if not torch.isfinite(norm):
        raise SystemExit(f"The gradient of step {run.step + 1} is not finite; the checkpoint is of a step before.")
    run.optimiser.step()
    run.step += 1
    keep = min(options.keep, run.step / (run.step + 10))
    with torch.no_grad():
        for a, b in zip(run.average.state_dict().values(), run.network.state_dict().values()):
            a.copy_(b if not a.is_floating_point() else a * keep + b * (1 - keep))
    return loss.item()


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--camvid", required=True, type=Path, help="folder with train/images/ and train/labels/, and val/")
    arguments.add_argument("--with-val", action="store_true", help="train on val/ too, when nothing is chosen by it any more")
    arguments.add_argument("--renders", type=Path, help="folder with images/ and labels/ of rendered scenes, mixed in")
    arguments.add_argument("--packages", type=Path, help="where NuGet puts the first weights; without, from scratch")
    arguments.add_argument("--start", type=Path, help="state.pt of another run, whose average this one begins with, or a folded file")
    arguments.add_argument("--out", required=True, type=Path)
    arguments.add_argument("--steps", type=int, default=2000, help="46 of them show every CamVid picture once")
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--crop", type=int, nargs=2, default=(320, 384), metavar=("HEIGHT", "WIDTH"))
    arguments.add_argument("--whole-from", type=float, default=0.82,
                           help="share of the steps after which crops are whole pictures, half as many, and the loss is "
                           "plain cross entropy + Lovász-softmax with fixed batch norms")
    arguments.add_argument("--whole", type=int, nargs=2, default=(352, 480), metavar=("HEIGHT", "WIDTH"),
                           help="size of a whole picture")
    arguments.add_argument("--whole-scales", type=float, nargs=2, default=(0.9, 1.25), metavar=("LEAST", "MOST"),
                           help="how much whole pictures are enlarged")
    arguments.add_argument("--render-share", type=float, default=0.2, help="of the crops, with --renders")
    arguments.add_argument("--rare", type=float, default=0.3, help="share of the crops that are around something rare")
    arguments.add_argument("--paste", type=float, default=0.35, help="share of the crops that get another's rare things")
    arguments.add_argument("--poles", type=float, default=0.35, help="share of the pictures that get planted poles")
    arguments.add_argument("--lr", type=float, default=1.5e-3)
    arguments.add_argument("--backbone-rate", type=float, default=0.133, help="share of --lr for the backbone")
    arguments.add_argument("--decay", type=float, default=0.03)
    arguments.add_argument("--keep", type=float, default=0.985, help="of the average of the weights, per step")
    arguments.add_argument("--seed", type=int, default=20261129)
    arguments.add_argument("--threads", type=int, default=1, help="another number may round otherwise")
    arguments.add_argument("--every", type=int, default=10, help="steps between checkpoints")
    options = arguments.parse_args()

    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    options.out.mkdir(parents=True, exist_ok=True)
    state_file = options.out / "state.pt"
    train = data.load(options.camvid / "train") + (data.load(options.camvid / "val") if options.with_val else [])
    renders = data.load(options.renders) if options.renders else []
    weights, rare = data.class_weights(train), data.places_of_rare(train)
    fresh = not state_file.exists()
    run = Run(options if fresh else argparse.Namespace(**{**vars(options), "start": None, "packages": None}))
    if fresh:
        settings = {k: v for k, v in vars(options).items() if not isinstance(v, Path)}
        run.note(f"# {settings}, {len(train)} pictures, {len(renders)} renders")
    else:
        run.load(state_file)

    losses, began = [], time.time()
    while run.step < options.steps:
        losses.append(step(run, options, train, renders, rare, weights))
        if run.step % options.every == 0 or run.step == options.steps:
            run.note(f"step {run.step} loss {np.mean(losses):.4f} in {time.time() - began:.0f} s")
            run.save(state_file)
            losses, began = [], time.time()


if __name__ == "__main__":
    main()
