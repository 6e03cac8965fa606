"""The ResNet-18 of the NuGet package Microsoft.ML.DnnImageFeaturizer.ResNet18 (MIT), trained on ImageNet.

Needs the .NET SDK, which fetches the package as it would any other, and Debian's python3-onnx.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import torch

import data
from network import STAGES

PACKAGE, VERSION = "Microsoft.ML.DnnImageFeaturizer.ResNet18", "0.23.1"
PROJECT = f"""<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="{PACKAGE}" Version="[{VERSION}]" /></ItemGroup>
</Project>
"""


def fetch(folder):
    """Restores the package into the folder, unless it is there, and returns the path of what it holds."""
    package = Path(folder, PACKAGE.lower(), VERSION)
    if not package.exists():
        with tempfile.TemporaryDirectory() as project:
            Path(project, "fetch.csproj").write_text(PROJECT)
            subprocess.run(["dotnet", "restore", project, "--packages", Path(folder).resolve()], check=True)
    return package


def read(path):
    graph = onnx.load(path).graph
    return graph.node, {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def backbone(folder):
    """The state of network.Backbone.

    The package pads what has stride 2 by one less at the bottom and right: at even sizes that is what PyTorch's symmetric
    padding comes to. It takes B, G, R from 0 to 255 less a mean picture; what that differs from data.py's input goes into
    the first convolution: exactly, but for the border, where zeros mean another colour, and with the mean picture's mean.
    """
    models = fetch(folder) / "tools" / "DnnImageModels"
    nodes, values = read(models / "ResNet18Onnx" / "ResNet18.onnx")
    mean = next(iter(read(models / "ResNetPrepOnnx" / "ResNetPreprocess.onnx")[1].values())).mean((0, 2, 3))

    # Each convolution is followed by its norm. A block's shortcut, where it has one, comes first.
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    norms = {node.input[0]: node for node in nodes if node.op_type == "BatchNormalization"}
    names = ["stem"]
    for stage, (_, stride) in enumerate(STAGES):
        for block in range(2):
            place = f"stages.{stage}.{block}."
            names += ([place + "shortcut"] if stride > 1 and block == 0 else []) + [place + "conv1", place + "conv2"]
    state = {}
    for name, node in zip(names, convolutions):
        norm = norms[node.output[0]]
        state[name + ".0.weight"] = values[node.input[1]]
        for tensor, given in zip(("weight", "bias", "running_mean", "running_var"), norm.input[1:]):
            state[f"{name}.1.{tensor}"] = values[given]
        state[name + ".1.num_batches_tracked"] = np.int64(0)

    rgb = state["stem.0.weight"][:, ::-1]
    state["stem.0.weight"] = rgb * (255 * data.STD)[None, :, None, None]
    offset = (rgb * (255 * data.MEAN - mean[::-1])[None, :, None, None]).sum((1, 2, 3))
    state["stem.1.running_mean"] = state["stem.1.running_mean"] - offset
    return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
