"""Writes 04-06-wrapped: one small network in the wrappers that training scripts put around it.

Run with torch 1.13 in this folder: python3 make_wrapped.py
Every tensor is a strided view of one of two small storages, so that a file is little more than its names.
"""

import collections
import pathlib

import torch

FOLDER = pathlib.Path(__file__).parent / "04-06-wrapped"
CLASSES, BLOCKS, WIDTHS, ASPP = 4, (2, 2, 2, 2), (8, 8, 12, 16, 20), 16


def convolution(shapes, name, outputs, inputs, kernel, bias=False):
    shapes[name + ".weight"] = (outputs, inputs, kernel, kernel)
    if bias:
        shapes[name + ".bias"] = (outputs,)


def norm(shapes, name, channels):
    for part in ("weight", "bias", "running_mean", "running_var"):
        shapes[f"{name}.{part}"] = (channels,)
    shapes[name + ".num_batches_tracked"] = ()


def smp_deeplabv3plus():
    """Names and shapes of segmentation_models.pytorch's DeepLabV3Plus with a narrow ResNet-18."""
    s = collections.OrderedDict()
    convolution(s, "encoder.conv1", WIDTHS[0], 3, 7)
    norm(s, "encoder.bn1", WIDTHS[0])
    inputs = WIDTHS[0]
    for stage, (blocks, width) in enumerate(zip(BLOCKS, WIDTHS[1:]), 1):
        for block in range(blocks):
            layer = f"encoder.layer{stage}.{block}"
            convolution(s, layer + ".conv1", width, inputs, 3)
            norm(s, layer + ".bn1", width)
            convolution(s, layer + ".conv2", width, width, 3)
            norm(s, layer + ".bn2", width)
            if block == 0 and stage > 1:
                convolution(s, layer + ".downsample.0", width, inputs, 1)
                norm(s, layer + ".downsample.1", width)
            inputs = width
    aspp = "decoder.aspp.0"
    convolution(s, aspp + ".convs.0.0", ASPP, inputs, 1)
    norm(s, aspp + ".convs.0.1", ASPP)
    for branch in (1, 2, 3):
        convolution(s, f"{aspp}.convs.{branch}.0.0", inputs, 1, 3)
        convolution(s, f"{aspp}.convs.{branch}.0.1", ASPP, inputs, 1)
        norm(s, f"{aspp}.convs.{branch}.1", ASPP)
    convolution(s, aspp + ".convs.4.1", ASPP, inputs, 1)
    norm(s, aspp + ".convs.4.2", ASPP)
    convolution(s, aspp + ".project.0", ASPP, 5 * ASPP, 1)
    norm(s, aspp + ".project.1", ASPP)
    convolution(s, "decoder.aspp.1.0", ASPP, 1, 3)
    convolution(s, "decoder.aspp.1.1", ASPP, ASPP, 1)
    norm(s, "decoder.aspp.2", ASPP)
    convolution(s, "decoder.block1.0", 12, WIDTHS[1], 1)
    norm(s, "decoder.block1.1", 12)
    convolution(s, "decoder.block2.0.0", ASPP + 12, 1, 3)
    convolution(s, "decoder.block2.0.1", ASPP, ASPP + 12, 1)
    norm(s, "decoder.block2.1", ASPP)
    convolution(s, "segmentation_head.0", CLASSES, ASPP, 1, bias=True)
    return s


def network(seed):
    torch.manual_seed(seed)
    kernels, vectors = torch.randn(400) * 0.3, torch.rand(40) + 0.5
    weights = collections.OrderedDict()
    for i, (name, shape) in enumerate(smp_deeplabv3plus().items()):
        if not shape:
            weights[name] = torch.tensor(1)
        elif len(shape) == 1:
            weights[name] = vectors[i % 16 :][: shape[0]]
        else:
            strides = [1 + (i + 5 * axis) % 3 for axis in range(4)]
            strides = [stride if size > 1 else 1 for stride, size in zip(strides, shape)]
            span = sum((size - 1) * stride for size, stride in zip(shape, strides))
            weights[name] = torch.as_strided(kernels, shape, strides, (31 * i) % (400 - span))
    return weights


def under(prefix, weights):
    return collections.OrderedDict((prefix + name, value) for name, value in weights.items())


def renamed(weights, *pairs):
    result = collections.OrderedDict()
    for name, value in weights.items():
        for old, new in pairs:
            name = name.replace(old, new, 1)
        result[name] = value
    return result


def part(prefix, weights):
    return collections.OrderedDict((k[len(prefix) :], v) for k, v in weights.items() if k.startswith(prefix))


def together(*weights):
    return collections.OrderedDict(row for one in weights for row in one.items())


def main():
    raw, ema = network(1), network(2)
    learned = {k: v for k, v in ema.items() if "running" not in k and "num_batches" not in k}
    beside = {"criterion.weight": torch.ones(4), "train_metrics.iou.confmat": torch.zeros(4, 4)}
    discriminator = {f"main.{i}.weight": torch.zeros(()).expand(8, 8, 4, 4) for i in range(20)}
    files = {
        "plain": raw,
        "ema_alone": ema,
        "lightning": {"epoch": 7, "state_dict": together(under("model.", raw), beside, under("ema_model.", ema))},
        "two_keys": {"state_dict_ema": under("module.", ema), "state_dict": under("module.", raw), "epoch": 7},
        "student_teacher": together(under("teacher.", ema), under("student.", raw)),
        "averaged": together(under("module.", raw), {"n_averaged": torch.tensor(3)}),
        "inside": under(
            "0.",
            renamed(raw, ("layer2.", "layer2._orig_mod._checkpoint_wrapped_module."), ("encoder.", "encoder.module.")),
        ),
        "gan": {
            "generator": raw,
            "discriminator": discriminator,
            "optimizer": {"state": {"a": {"exp_avg": torch.zeros(3)}}},
        },
        "deep_list": {"nets": [{"weights": {"seg": raw}}, 3]},
        "parts": {name: part(name + ".", raw) for name in ("encoder", "decoder", "segmentation_head")},
        "mmcv_ema": together(raw, {"ema_" + k.replace(".", "_"): v for k, v in learned.items()}),
    }
    for name, contents in files.items():
        torch.save(contents, FOLDER / f"{name}.pth")


if __name__ == "__main__":
    main()
