#!/usr/bin/env python3
"""Writes the files of this folder: networks that were saved whole, and what their state_dict() is (expected.json).

Needs PyTorch (made with 1.13) and writes the same names and values every time. Run it in this folder.
"""
import functools
import json
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
script = torch.jit.script(plain)
expected = {}
for name, saved, weights in [
    ("module.pth", net, net),
    ("parallel.pth", nn.DataParallel(net), nn.DataParallel(net)),
    ("in_dict.pth", {"epoch": 3, "model": net}, net),
    ("in_list.pth", [net, {"lr": 0.1}], net),
    ("learner.pth", Learner(net), net),
    ("averaged.pth", averaged, averaged),
    ("fx.pth", fx.symbolic_trace(plain), plain),
]:
    torch.save(saved, name)
    expected[name] = values(weights)
torch.jit.trace(plain, torch.zeros(1, 2, 8, 8)).save("traced.pt")
script.save("scripted.pt")
torch.jit.freeze(script).save("frozen.pt")
for name in ["traced.pt", "scripted.pt", "frozen.pt"]:
    without_debug_records(name)
expected["traced.pt"] = expected["scripted.pt"] = values(plain)
with open("expected.json", "w") as file:
    json.dump(expected, file, indent=1)
    file.write("\n")
