"""Networks from files and files from networks."""
import json
import os
import struct

import torch
from torch import nn

from mobile import MobileDeepLabV3Plus
from networks import NETWORKS


def made(name, classes=21, seed=1):
    """A network with random weights that keep activations and their differences in bounds through all of its layers.

    Batch norms are given statistics, not those of the network's own activations: random networks that are normalised layer by layer
    amplify every rounding error exponentially with depth, which no trained one does.
    """
    torch.manual_seed(seed)
    network = NETWORKS[name](classes)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            gain = 1.0 if module.groups > 1 else 1.3125
            bound = gain * (6 / module.weight[0].numel()) ** 0.5
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -0.1, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.4, 0.8)
            nn.init.uniform_(module.bias, -0.1, 0.1)
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def read(path):
    """The network of a file that `made` was saved in, named after it, or of a checkpoint of the mobile DeepLabV3+."""
    if path.endswith(".safetensors"):
        weights, metadata = read_safetensors(path)
        network = MobileDeepLabV3Plus(metadata)
    else:
        weights = torch.load(path, map_location="cpu")
        classifier = [tensor for tensor in weights.values() if tensor.dim() == 4][-1]
        network = NETWORKS[os.path.splitext(os.path.basename(path))[0]](classifier.shape[0])
    network.load_state_dict(weights)
    return network.eval()


def read_safetensors(path):
    """Names to float32 tensors, and the metadata."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "F32":
            raise ValueError(f"{path}: {name} is {entry['dtype']}; only F32 is read here.")
        start, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(bytearray(data[start:end]), dtype=torch.float32).reshape(entry["shape"])
    return tensors, metadata


def write_safetensors(path, tensors):
    """Float32 tensors by name."""
    header, at, parts = {}, 0, []
    for name, tensor in tensors.items():
        data = tensor.detach().float().contiguous().cpu().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
