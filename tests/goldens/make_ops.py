#!/usr/bin/env python3
"""Writes ops.json: what torch (float64) gives for the cases of tests/Atrous.Tests/Backends/OpCases.cs.

Every number follows from the case's name, as in OpCase.cs, so only shapes, a sample of the values and their sum are stored.
Needs torch (made with 1.13); run it by hand after changing a case that is listed here.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

from generator import uniform


def numbers(name, count, spread, shift=0.0):
    """float32 values, held as float64."""
    return torch.from_numpy(((2 * uniform(name, count) - 1) * spread + shift).astype(np.float32).astype(np.float64))


def inputs(name, shapes, spread=2.0, coarse=False, shift=0.0):
    """NHWC numbers as NCHW tensors."""
    made = []
    for i, (n, h, w, c) in enumerate(shapes):
        x = numbers(f"{name}.input{i}", n * h * w * c, spread, shift).reshape(n, h, w, c).permute(0, 3, 1, 2).contiguous()
        made.append(torch.round(x) if coarse else x)
    return made


CASES = {}


def case(name, shapes, compute, **how):
    CASES[name] = compute(*inputs(name, shapes, **how))


def conv(name, shape, outputs, kernel, stride=1, pad=0, dilation=1, groups=1, lopsided=None, bias=False, scale=False,
         residual=False, activation=None, spread=2.0):
    fan_in = shape[3] // groups * kernel * kernel
    gain = 1.0 if shape[3] // groups == 1 else 1.3125
    weight = numbers(f"{name}.weight", outputs * fan_in, math.sqrt(6.0 / fan_in) * gain)
    weight = weight.reshape(outputs, shape[3] // groups, kernel, kernel)
    x = inputs(name, [shape], spread)[0]
    if lopsided:
        top, left, bottom, right = lopsided
        x = F.pad(x, (left, right, top, bottom))
    y = F.conv2d(x, weight, None, stride, pad, dilation, groups)
    if scale:
        y = y * numbers(f"{name}.scale", outputs, 0.5, 1).reshape(1, -1, 1, 1)
    if bias:
        y = y + numbers(f"{name}.bias", outputs, 1).reshape(1, -1, 1, 1)
    if residual:
        n, c, h, w = y.shape
        y = y + numbers(f"{name}.input1", y.numel(), spread).reshape(n, h, w, c).permute(0, 3, 1, 2)
    CASES[name] = activation(y) if activation else y


ACTIVATIONS = {
    "Relu": F.relu, "Relu6": F.relu6, "LeakyRelu": lambda x: F.leaky_relu(x, 0.01), "HardSwish": F.hardswish,
    "HardSigmoid": F.hardsigmoid, "Sigmoid": torch.sigmoid, "Silu": F.silu, "Gelu": F.gelu,
}

conv("conv_1x1", (1, 7, 9, 5), 7, 1)
conv("conv_1x1_stride2", (1, 8, 7, 16), 24, 1, stride=2)
conv("conv_1x1_picture", (1, 1, 1, 320), 64, 1, bias=True)
conv("conv_3x3", (1, 9, 11, 8), 16, 3, pad=1)
conv("conv_3x3_stride2", (1, 9, 12, 8), 16, 3, stride=2, pad=1)
conv("conv_3x3_deep", (1, 5, 5, 256), 20, 3, pad=1)
conv("conv_3x3_batch", (3, 5, 6, 6), 10, 3, pad=1)
conv("conv_3x3_atrous6", (1, 17, 13, 8), 12, 3, pad=6, dilation=6)
conv("conv_3x3_atrous2_stride2", (1, 12, 13, 6), 9, 3, stride=2, pad=2, dilation=2)
conv("conv_3x3_atrous_beyond", (1, 7, 9, 16), 12, 3, pad=18, dilation=18)
conv("conv_3x3_atrous_pixel", (1, 1, 1, 8), 8, 3, pad=12, dilation=12)
conv("conv_7x7_stem", (1, 21, 23, 3), 64, 7, stride=2, pad=3)
conv("conv_4x4", (1, 8, 9, 5), 6, 4, pad=1)
conv("conv_groups", (1, 6, 7, 16), 24, 3, pad=1, groups=4)
conv("conv_groups_tails", (1, 5, 6, 9), 15, 3, pad=1, groups=3)
conv("conv_same", (1, 8, 10, 4), 8, 3, stride=2, lopsided=(0, 0, 1, 1))
conv("conv_lopsided", (1, 6, 7, 5), 6, 3, lopsided=(2, 1, 0, 3))
conv("conv_folded", (1, 4, 5, 6), 10, 3, pad=1, bias=True, scale=True)
conv("conv_residual", (1, 5, 6, 12), 20, 1, bias=True, scale=True, residual=True, activation=F.relu)
for kind, function in ACTIVATIONS.items():
    conv(f"conv_{kind}", (1, 4, 6, 7), 11, 1, bias=True, activation=function, spread=8)
    case(f"activate_{kind}", [(2, 5, 7, 11)], function, spread=8)
conv("depthwise_3x3", (1, 8, 9, 16), 16, 3, pad=1, groups=16)
conv("depthwise_atrous", (1, 14, 11, 16), 16, 3, pad=4, dilation=4, groups=16)
conv("depthwise_5x5_stride2", (1, 9, 8, 12), 12, 5, stride=2, pad=2, groups=12)
conv("depthwise_multiplier", (1, 6, 7, 6), 12, 3, pad=1, groups=6)

case("max_pool", [(1, 9, 12, 6)], lambda x: F.max_pool2d(x, 3, 2, 1))
case("max_pool_negative", [(1, 6, 6, 5)], lambda x: F.max_pool2d(x, 3, 2, 1), shift=-3.0)
case("max_pool_ceil", [(1, 8, 11, 5)], lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True))
case("max_pool_ceil_unpadded", [(1, 8, 10, 5)], lambda x: F.max_pool2d(x, 3, 2, 0, ceil_mode=True))
case("max_pool_ceil_dropped", [(1, 5, 6, 4)], lambda x: F.max_pool2d(x, 2, 2, 1, ceil_mode=True))
case("max_pool_5x5", [(1, 6, 7, 8)], lambda x: F.max_pool2d(x, 5, 1, 2))
case("average_pool", [(1, 9, 8, 12)], lambda x: F.avg_pool2d(x, 2, 2))
case("average_pool_ceil", [(1, 9, 8, 12)],
     lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False))
case("average_pool_ceil_pixel", [(2, 1, 1, 5)],
     lambda x: F.avg_pool2d(x, 2, 2, ceil_mode=True, count_include_pad=False))
case("average_pool_overlapping", [(2, 6, 7, 5)], lambda x: F.avg_pool2d(x, (3, 4), 1))
case("global_pool", [(1, 7, 9, 33)], lambda x: F.adaptive_avg_pool2d(x, 1))

for sampling, align in (("HalfPixel", False), ("AlignCorners", True)):
    for what, shape, size in (
        ("up", (1, 7, 9, 8), (25, 33)), ("uneven", (1, 5, 8, 5), (13, 9)), ("down", (1, 13, 17, 7), (5, 6)),
        ("from_pixel", (1, 1, 1, 24), (5, 7)), ("to_pixel", (1, 5, 7, 6), (1, 1)), ("batch", (2, 4, 5, 21), (9, 11))):
        case(f"resize_{sampling}_{what}", [shape],
             lambda x: F.interpolate(x, size, mode="bilinear", align_corners=align))
    case(f"argmax_{sampling}", [(1, 7, 9, 19)],
         lambda x: F.interpolate(x, (25, 33), mode="bilinear", align_corners=align).argmax(1, keepdim=True))
    case(f"confidence_{sampling}", [(1, 7, 9, 19)], spread=4.0, compute=lambda x: F.interpolate(
        x, (25, 33), mode="bilinear", align_corners=align).softmax(1).max(1, keepdim=True).values)
case("resize_scale", [(1, 7, 9, 5)], lambda x: torch._C._nn.upsample_bilinear2d(x, (55, 71), False, 8.0, 8.0))
case("resize_scale_down", [(1, 15, 11, 5)], lambda x: torch._C._nn.upsample_bilinear2d(x, (11, 8), False, 0.75, 0.75))

SHAPE = (2, 5, 7, 11)
for kind, function in (("Add", torch.add), ("Multiply", torch.mul), ("Maximum", torch.maximum)):
    case(f"binary_{kind}", [SHAPE, SHAPE], function)
    case(f"binary_{kind}_relu", [SHAPE, SHAPE], lambda a, b: F.relu(function(a, b)))
    case(f"binary_{kind}_broadcast", [SHAPE, (2, 1, 1, 11)], function)


def layer_norm(name, shape, epsilon, whole, shift=0.0):
    """F.layer_norm over the channels, or F.group_norm of one group."""
    gamma, beta = numbers(f"{name}.scale", shape[3], 0.5, 1), numbers(f"{name}.shift", shape[3], 1)
    case(name, [shape], (lambda x: F.group_norm(x, 1, gamma, beta, epsilon)) if whole else lambda x: F.layer_norm(
        x.permute(0, 2, 3, 1), shape[3:], gamma, beta, epsilon).permute(0, 3, 1, 2), shift=shift)


def sequences(x, patch):
    """[N, C, H, W] to [N, places of a patch, pixels, C]."""
    n, c, h, w = x.shape
    x = x.reshape(n, c, h // patch, patch, w // patch, patch).permute(0, 3, 5, 2, 4, 1)
    return x.reshape(n, patch * patch, h * w // patch**2, c)


def picture(x, h, w, patch):
    n, _, _, c = x.shape
    x = x.reshape(n, patch, patch, h // patch, w // patch, c).permute(0, 5, 3, 1, 4, 2)
    return x.reshape(n, c, h, w)


def attention(heads, scale, patch):
    def compute(*parts):
        h, w = parts[0].shape[2:]
        if len(parts) < 3:
            parts = [*parts[:-1], *parts[-1].chunk(4 - len(parts), 1)]
        q, k, v = ([head for head in sequences(part, patch).chunk(heads, 3)] for part in parts)
        mixed = [(scale * a @ b.transpose(2, 3)).softmax(3) @ c for a, b, c in zip(q, k, v)]
        return picture(torch.cat(mixed, 3), h, w, patch)
    return compute


def linear_attention(patch):
    def compute(x):
        channels = x.shape[1] // 2
        s, k, v = (sequences(part, patch) for part in x.split([1, channels, channels], 1))
        return picture(F.relu(v) * (s.softmax(2) * k).sum(2, keepdim=True), *x.shape[2:], patch)
    return compute


def global_response(name, shape):
    """What timm's GlobalResponseNorm multiplies with: x + weight * x * x_n is x times this."""
    weight = numbers(f"{name}.scale", shape[3], 1).reshape(1, -1, 1, 1)
    def compute(x):
        norms = x.norm(p=2, dim=(2, 3), keepdim=True)
        return 1 + weight * norms / (norms.mean(dim=1, keepdim=True) + 1e-6)
    case(name, [shape], compute)


global_response("global_response", (2, 5, 7, 40))
layer_norm("layer_norm", (2, 5, 6, 64), 1e-5, False)
layer_norm("layer_norm_shifted", (1, 4, 5, 144), 1e-5, False, shift=30.0)
layer_norm("picture_norm", (2, 6, 7, 24), 1e-5, True)
case("attention_patches", [(1, 4, 6, 36)] * 3, attention(4, 1 / 3, 2))
case("attention_reduced", [(2, 6, 5, 64), (2, 3, 2, 128)], attention(2, 32**-0.5, 1))
case("attention_fused", [(1, 6, 8, 144)], attention(4, 12**-0.5, 2))
case("attention_parts", [(1, 4, 5, 12), (1, 33, 34, 24)], attention(2, 0.4, 1), spread=4.0)
case("linear_attention", [(2, 4, 6, 129)], linear_attention(2), spread=4.0)
case("linear_attention_whole", [(1, 5, 3, 25)], linear_attention(1), spread=4.0)
case("concat", [(2, 4, 5, 7), (2, 4, 5, 16), (2, 4, 5, 1)], lambda *x: torch.cat(x, 1))
case("crop", [(2, 7, 6, 5)], lambda x: x[:, :, 2:6, 1:4])
case("mirror", [(2, 7, 6, 5)], lambda x: torch.nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"))
case("softmax", [(2, 4, 5, 5)], lambda x: x.softmax(1), spread=5.0)
case("softmax_far", [(1, 4, 5, 21)], lambda x: x.softmax(1), spread=2000.0)
case("softmax_slices", [(2, 1, 1, 96)], lambda x: x.unflatten(1, (4, 24)).softmax(1).flatten(1, 2), spread=5.0)
case("argmax", [(2, 9, 11, 21)], lambda x: x.argmax(1, keepdim=True))
case("confidence", [(2, 5, 6, 21)], lambda x: x.softmax(1).max(1, keepdim=True).values, spread=4.0)

described = {}
for name, y in CASES.items():
    y = y.permute(0, 2, 3, 1).contiguous()
    values = y.double().flatten()
    step = max(1, -(-len(values) // 40)) | 1
    described[name] = {"shape": list(y.shape), "sum": float(f"{values.sum().item():.12g}"), "step": step,
                       "values": [float(f"{v:.8g}") for v in values[::step].tolist()]}
lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(entry)}" for name, entry in described.items())
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops.json"), "w") as file:
    file.write(f"{{\n{lines}\n}}\n")
print(len(described), "cases")
