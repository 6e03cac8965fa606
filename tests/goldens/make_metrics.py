#!/usr/bin/env python3
"""Writes metrics.json: label maps, and what numpy makes of the masks beside them (tests/Atrous.Tests/Evaluation).

Each case is a few pictures of one data set. A mask of another size than its truth is brought to the truth's by taking the
nearest pixel. Needs numpy (made with 1.24); deterministic; run it in this folder after changing a case.
"""
import json

import numpy as np


def nearest(mask, shape):
    rows, columns = (((2 * np.arange(to) + 1) * have) // (2 * to) for to, have in zip(shape, mask.shape))
    return mask[np.ix_(rows, columns)]


def measure(pairs, classes, ignore):
    truth = np.concatenate([t.ravel() for t, _ in pairs])
    mask = np.concatenate([nearest(m, t.shape).ravel() for t, m in pairs])
    scored = truth != ignore
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (truth[scored], mask[scored]), 1)
    right = np.diag(confusion).astype(float)
    of_truth, of_mask = confusion.sum(1), confusion.sum(0)
    with np.errstate(invalid="ignore"):
        iou, accuracy = right / (of_truth + of_mask - right), right / of_truth
    return {
        "confusion": confusion.tolist(),
        "iou": [None if np.isnan(value) else value for value in iou],
        "accuracy": [None if np.isnan(value) else value for value in accuracy],
        "meanIou": np.nanmean(iou),
        "meanAccuracy": np.nanmean(accuracy),
        "pixelAccuracy": right.sum() / confusion.sum(),
        "frequencyWeightedIou": np.nansum(iou * of_truth) / confusion.sum(),
        "pixels": int(scored.sum()),
        "ignoredPixels": int((~scored).sum()),
    }


def case(name, seed, classes, ignore, shapes, absent=()):
    random = np.random.default_rng(seed)
    present = [label for label in range(classes) if label not in absent]
    pairs = []
    for truth_shape, mask_shape in shapes:
        truth = random.choice(present + [ignore], truth_shape)
        # Half of the mask right, so that the measures are not those of chance.
        mask = random.choice(present, mask_shape)
        guess = nearest(np.where(truth == ignore, present[0], truth), mask_shape)
        pairs.append((truth, np.where(random.random(mask_shape) < 0.5, guess, mask)))
    pictures = [{"truthShape": t.shape, "truth": t.ravel().tolist(), "maskShape": m.shape, "mask": m.ravel().tolist()}
                for t, m in pairs]
    return {"name": name, "classes": classes, "ignore": ignore, "pictures": pictures, **measure(pairs, classes, ignore)}


cases = [
    case("one picture", 1, 5, 255, [((7, 9), (7, 9))]),
    case("several pictures", 2, 11, 11, [((6, 8), (6, 8)), ((5, 5), (5, 5)), ((1, 1), (1, 1))]),
    case("absent classes", 3, 8, 255, [((9, 6), (9, 6))], absent=(0, 3, 7)),
    case("an ignored class", 4, 4, 2, [((8, 8), (8, 8))]),
    case("other sizes", 5, 6, 255, [((8, 12), (4, 6)), ((5, 7), (13, 9)), ((3, 3), (1, 1))]),
]
with open("metrics.json", "w") as file:
    json.dump(cases, file, indent=None, separators=(",", ":"))
    file.write("\n")
