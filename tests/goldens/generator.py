"""The numbers that goldens are made of: they follow from names, so that none has to be stored (README of the shared goldens)."""
import math

import numpy as np
import torch

MASK = (1 << 64) - 1


def uniform(name, count):
    """Numbers from 0 to 1: splitmix64, which the FNV-1a hash of the name seeds."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) * 2.0**-24


def weight(key, shape):
    """The tensor of a checkpoint that has this key."""
    last = key.split(".")[-1]
    if last == "num_batches_tracked":
        return torch.zeros(shape, dtype=torch.int64)
    u = uniform(key, math.prod(shape))
    if len(shape) >= 2:
        gain = 1.0 if len(shape) == 4 and shape[1] == 1 else 1.3125
        values = (2 * u - 1) * (math.sqrt(6.0 / math.prod(shape[1:])) * gain)
    else:
        values = {"running_var": 0.5 + u, "running_mean": (2 * u - 1) * 0.2, "bias": (2 * u - 1) * 0.1}.get(
            last, 0.4 + 0.4 * u)
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)
