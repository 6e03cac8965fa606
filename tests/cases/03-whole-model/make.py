#!/usr/bin/env python3
"""Writes the files of this folder: networks that were saved whole, and what their state_dict() is (expected.json).

Needs PyTorch (made with 1.13) and writes the same names and values every time. Run it in this folder.
"""
import functools
import json
import pickle
import warnings
import zipfile

import torch
from torch import fx, nn
from torch.optim.swa_utils import AveragedModel

warnings.filterwarnings("ignore")
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=2, dilation=2, bias=False)
        self.norm = nn.BatchNorm2d(3, eps=1e-3)
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("scratch", torch.zeros(3), persistent=False)
        self.register_buffer("nothing", None)
        self.activation = torch.relu  # pickled as getattr of a built-in module

    def forward(self, x):
        return self.activation(self.norm(self.conv(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(), Block()])
        self.scale = nn.Parameter(torch.tensor([1.5]))
        self.table = nn.ParameterDict({"a": nn.Parameter(torch.ones(1))})
        self.tied = self.layers[0].norm
        self.empty = None

    def forward(self, x):
        return self.layers[0](x) * self.scale


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(2, 3, 3, dilation=2), nn.BatchNorm2d(3))
        self.head = nn.Conv2d(3, 1, 1)

    def forward(self, x):
        return self.head(self.block(x))


class Learner:
    def __init__(self, model):
        self.model = model
        self.optimiser = functools.partial(torch.optim.SGD, lr=0.1)
        self.callbacks = []


class Activation(nn.Module):
    """As segmentation_models.pytorch wraps what it applies to the scores."""

    def __init__(self, function):
        super().__init__()
        self.activation = function


def ending(upsampling, function):
    """DeepLabV3+ with what comes behind the scores."""
    model = deeplab(16, [12, 24, 36])
    model.segmentation_head = nn.Sequential(
        model.segmentation_head._modules["0"], nn.UpsamplingBilinear2d(scale_factor=upsampling), Activation(function)
    )
    return model


def tree(layers):
    """A module that has these layers under their dotted names, and can do nothing."""
    root = nn.Module()
    for path, layer in layers:
        *parents, name = path.split(".")
        module = root
        for parent in parents:
            if parent not in module._modules:
                module.add_module(parent, nn.Module())
            module = module._modules[parent]
        module.add_module(name, layer)
    return root


def convolution(layers, path, norm, inputs, outputs, kernel, stride=1, dilation=1, groups=1):
    padding = kernel // 2 * dilation
    layers.append((path, nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)))
    if norm:
        layers.append((norm, nn.BatchNorm2d(outputs)))


def decoder(rates):
    """That of DeepLabV3+, on features of 16 channels, and of 2 early ones."""
    layers, aspp = [], "decoder.aspp.0"
    layer = functools.partial(convolution, layers)

    def separable(path, norm, inputs, outputs, dilation=1):
        layer(path + ".0", None, inputs, inputs, 3, dilation=dilation, groups=inputs)
        layer(path + ".1", norm, inputs, outputs, 1)

    layer(aspp + ".convs.0.0", aspp + ".convs.0.1", 16, 6, 1)
    for branch, rate in enumerate(rates, 1):
        separable(f"{aspp}.convs.{branch}.0", f"{aspp}.convs.{branch}.1", 16, 6, rate)
    layer(aspp + ".convs.4.1", aspp + ".convs.4.2", 16, 6, 1)
    layer(aspp + ".project.0", aspp + ".project.1", 30, 6, 1)
    separable("decoder.aspp.1", "decoder.aspp.2", 6, 6)
    layer("decoder.block1.0", "decoder.block1.1", 2, 5, 1)
    separable("decoder.block2.0", "decoder.block2.1", 11, 6)
    return layers + [("segmentation_head.0", nn.Conv2d(6, 3, 1))]


def convnext(epsilon):
    """The same on timm's ConvNeXt, whose layer norms add this much to the variance."""
    layers = [("stem_0", nn.Conv2d(3, 2, 4, 4)), ("stem_1", nn.LayerNorm(2, epsilon))]
    inputs = 2
    for stage, outputs in enumerate([2, 4, 8, 16]):
        path, last = f"stages_{stage}.", stage == 3
        if stage > 0:
            layers += [
                (path + "downsample.0", nn.LayerNorm(inputs, epsilon)),
                (path + "downsample.1", nn.Conv2d(inputs, outputs, 2, 1 if last else 2)),
            ]
        for block in range(2):
            path, dilation = f"stages_{stage}.blocks.{block}.", 2 if last else 1
            layers += [
                (path + "conv_dw", nn.Conv2d(outputs, outputs, 7, 1, 3 * dilation, dilation, outputs)),
                (path + "norm", nn.LayerNorm(outputs, epsilon)),
                (path + "mlp.fc1", nn.Linear(outputs, 4 * outputs)),
                (path + "mlp.fc2", nn.Linear(4 * outputs, outputs)),
            ]
        inputs = outputs
    return tree([("encoder.model." + path, layer) for path, layer in layers] + decoder([12, 24, 36]))


def deeplab(output_stride, rates):
    """segmentation_models.pytorch's DeepLabV3+ on ResNet-18, very narrow: it dilates every convolution of a stage."""
    layers = []
    layer = functools.partial(convolution, layers)
    layer("encoder.conv1", "encoder.bn1", 3, 2, 7, stride=2)
    inputs, reached = 2, 4
    for stage, outputs in enumerate([2, 4, 8, 16]):
        wanted = 1 if stage == 0 else 2
        stride = wanted if reached * wanted <= output_stride else 1
        reached *= wanted
        dilation = max(1, reached // output_stride)
        for block in range(2):
            path = f"encoder.layer{stage + 1}.{block}"
            first = stride if block == 0 else 1
            layer(path + ".conv1", path + ".bn1", inputs, outputs, 3, first, dilation)
            layer(path + ".conv2", path + ".bn2", outputs, outputs, 3, 1, dilation)
            if block == 0 and stage > 0:
                layer(path + ".downsample.0", path + ".downsample.1", inputs, outputs, 1, first, dilation)
            inputs = outputs
    return tree(layers + decoder(rates))


def average(averaged, current, count):
    return averaged + (current - averaged) / (count + 1)


def values(model):
    return {name: float(tensor.double().sum()) for name, tensor in model.state_dict().items()}


def without_debug_records(name):
    """They hold the paths of the sources."""
    with zipfile.ZipFile(name) as archive:
        records = {entry: archive.read(entry) for entry in archive.namelist() if not entry.endswith(".debug_pkl")}
    with zipfile.ZipFile(name, "w", zipfile.ZIP_STORED) as archive:
        for entry, content in records.items():
            archive.writestr(zipfile.ZipInfo(entry), content)


net, plain = Net().eval(), Plain().eval()
averaged = AveragedModel(plain, avg_fn=average)
stride8, rates = deeplab(8, [12, 24, 36]), deeplab(16, [6, 12, 18])
other = deeplab(16, [12, 24, 36])
other.encoder.layer1._modules["0"].conv1.dilation = (3, 3)
script = torch.jit.script(plain)
convnext_right, convnext_other = convnext(1e-6), convnext(1e-5)
sigmoid, tanh, plainest = ending(4, nn.Sigmoid()), ending(4, nn.Tanh()), ending(8, nn.Identity())
expected = {}
for name, saved, weights in [
    ("module.pth", net, net),
    ("parallel.pth", nn.DataParallel(net), nn.DataParallel(net)),
    ("in_dict.pth", {"epoch": 3, "model": net}, net),
    ("in_list.pth", [net, {"lr": 0.1}], net),
    ("learner.pth", Learner(net), net),
    ("averaged.pth", averaged, averaged),
    ("fx.pth", fx.symbolic_trace(plain), plain),
    ("smp_os8.pth", stride8, stride8),
    ("smp_rates.pth", rates, rates),
    ("smp_other.pth", other, other),
    ("smp_convnext.pth", convnext_right, convnext_right),
    ("smp_convnext_other.pth", convnext_other, convnext_other),
    ("smp_sigmoid.pth", sigmoid, sigmoid),
    ("smp_tanh.pth", tanh, tanh),
    ("smp_upsampling8.pth", plainest, plainest),
]:
    torch.save(saved, name)
    expected[name] = values(weights)
# Lightning keeps what a module was made with, a network too, beside the state_dict of the same tensors.
state = {"model." + name: tensor for name, tensor in rates.state_dict().items()}
torch.save({"state_dict": state, "hyper_parameters": {"model": rates, "lr": 0.1}}, "smp_arguments.ckpt")
# By Python's own pickle each storage is a file of its own in a text of bytes.
with open("pickled.pkl", "wb") as file:
    pickle.dump(net.state_dict(), file)
expected["pickled.pkl"] = values(net)
torch.jit.trace(plain, torch.zeros(1, 2, 8, 8)).save("traced.pt")
script.save("scripted.pt")
torch.jit.freeze(script).save("frozen.pt")
for name in ["traced.pt", "scripted.pt", "frozen.pt"]:
    without_debug_records(name)
expected["traced.pt"] = expected["scripted.pt"] = values(plain)
with open("expected.json", "w") as file:
    json.dump(expected, file, indent=1)
    file.write("\n")
