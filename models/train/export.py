"""Writes a trained network in Atrous's self-describing form, version 2: float32, batch norms as they are; reads it folded.

    export.py artifacts/train/state.pt artifacts/train/atrous-street.safetensors
    atrous convert artifacts/train/atrous-street.safetensors --fold --dtype fp16 -o models/atrous-street.safetensors

The file is written with the tensors in the order of their names, so that the same weights give the same bytes.
"""

import argparse
import json
import re
import struct
from pathlib import Path

import numpy as np
import torch

import data
from network import RATES, STAGES, Network

# Every picture is scaled to this longer side: to the network, poles and faces are as large as in the last part of the training.
LONG_SIDE = 576

# Added to the scores of a class. The network that was trained without the fold's frames finds more of their poles so (IoU 0.226
# instead of 0.216, all classes 0.605 instead of 0.604); more than that, or another class, loses what it gains.
RAISED = {"pole": 0.5}

# Module names -> the layer names of managed/Atrous/Models.
LAYERS = [
    (r"backbone\.stem", "backbone.stem.conv1"),
    (r"backbone\.stages\.(\d)\.(\d\.\w+)", lambda m: f"backbone.stage{int(m[1]) + 1}.{m[2]}"),
    (r"aspp\.(\d+)(\.depthwise|\.pointwise)?", lambda m: f"aspp.branch{m[1]}{m[2] or ''}"),
    (r"pool", "aspp.pool"),
    (r"project", "aspp.project"),
    (r"low_level", "decoder.low_level"),
    (r"fuse\.(\d+)(\.depthwise|\.pointwise)", lambda m: f"decoder.fuse{m[1]}{m[2]}"),
]


def trained(path):
    """The network of a state.pt, with what its scores are raised by."""
    network = Network(len(data.CLASSES))
    network.load_state_dict(torch.load(path, map_location="cpu")["average"])
    with torch.no_grad():
        for name, amount in RAISED.items():
            network.classifier.bias[data.CLASSES.index(name)] += amount
    return network.eval()


def canonical(name):
    """The name of a tensor in the file: "backbone.stem.1.bias" -> "backbone.stem.conv1.bn.bias"."""
    if name.startswith("classifier."):
        return name
    module, part, tensor = re.fullmatch(r"(.+)\.([01])\.(\w+)", name).groups()
    for pattern, layer in LAYERS:
        match = re.fullmatch(pattern, module)
        if match:
            layer = layer if isinstance(layer, str) else layer(match)
            return f"{layer}.bn.{tensor}" if part == "1" else f"{layer}.{tensor}"
    raise SystemExit(f"'{name}' is no tensor of this network.")


def description(network):
    """The network as Atrous's NetworkSpec; members that are left out have their defaults."""
    relu = {"kind": "relu", "slope": 0}
    return {
        "backbone": {
            "kind": "resNet",
            "name": "resnet18",
            "blocks": [2] * len(STAGES),
            "stages": [{"stride": stride, "firstDilation": 1, "dilation": 1} for _, stride in STAGES],
            "bottleneck": False,
            "normEpsilon": network.project[1].eps,
            "activation": relu,
        },
        "head": {
            "kind": "deepLabV3Plus",
            "aspp": {"rates": RATES, "style": "separableNormed", "activation": relu},
            "style": "separableNormed",
            "activation": relu,
            "sampling": "halfPixel",
            "normEpsilon": network.project[1].eps,
        },
        "outputStride": 16,
        "inputChannels": 3,
        "classes": len(data.CLASSES),
        "finalSampling": "halfPixel",
        "forward": {"factor": 1, "cropped": False},
    }


def preprocessing():
    return {
        "order": "rgb",
        "scale": 1 / 255,
        "mean": [round(float(m), 6) for m in data.MEAN],
        "std": [round(float(s), 6) for s in data.STD],
        "resize": {"kind": "longSide", "size": LONG_SIDE, "onlyShrink": False},
        "filter": "bilinear",
    }


def folded(path):
    """The state of network.Network in a file that `atrous convert --fold` made of an exported one: its norms are the biases."""
    with path.open("rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        values = file.read()
    header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(values[begin:end], {"F16": "<f2", "F32": "<f4"}[entry["dtype"]])
                                         .astype(np.float32).reshape(entry["shape"]))
    network = Network(len(data.CLASSES))
    state = network.state_dict()
    # A norm that only adds its bias.
    norm = {"weight": 1, "running_mean": 0, "running_var": 1 - network.project[1].eps}
    for name, values in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        layer, kind = canonical(name).rsplit(".", 1)
        if layer.endswith(".bn") and kind in norm:
            values.fill_(norm[kind])
        else:
            values.copy_(tensors[f"{layer.removesuffix('.bn')}.{kind}"])
    for name, amount in RAISED.items():
        state["classifier.bias"][data.CLASSES.index(name)] -= amount
    return state


def write(path, tensors, metadata):
    """A safetensors file: the header's length in 8 bytes, the header as JSON, the values."""
    header, offset = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        size = 4 * values.numel()
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.contiguous().numpy().astype("<f4").tobytes())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("state", type=Path, help="state.pt of train.py, whose average it takes")
    arguments.add_argument("output", type=Path, help="the .safetensors file to write")
    options = arguments.parse_args()

    network = trained(options.state)
    state = {canonical(name): values for name, values in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    write(options.output, {name: state[name] for name in sorted(state)}, {
        "atrous.version": "2",
        "network": json.dumps(description(network), separators=(",", ":")),
        "preprocessing": json.dumps(preprocessing(), separators=(",", ":")),
        "class_names": json.dumps(data.CLASSES),
        "dialect": "atrous",
    })


if __name__ == "__main__":
    main()
