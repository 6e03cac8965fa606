"""Compares an exported model with the network in PyTorch that it was made from, on pictures.

    verify.py artifacts/train/state.pt models/atrous-street.safetensors PICTURE...

Prints the largest difference of the logits in standard deviations of PyTorch's, and the share of pixels with the same label.
Expected: float32 below 1e-4; float16 labels the same for all but about one pixel in a thousand.
"""

import argparse
import json
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import data
from export import trained


def read(path):
    blob = path.read_bytes()
    (length,) = struct.unpack("<Q", blob[:8])
    header, values = json.loads(blob[8 : 8 + length]), blob[8 + length :]
    return {
        name: np.frombuffer(values[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
        for name, entry in header.items() if name != "__metadata__"
    }


def write_input(path, x):
    header = json.dumps({"input": {"dtype": "F32", "shape": list(x.shape), "data_offsets": [0, x.nbytes]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + x.tobytes())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("state", type=Path, help="state.pt of train.py")
    arguments.add_argument("model", type=Path, help="what export.py or `atrous convert` made of it")
    arguments.add_argument("pictures", nargs="+", type=Path)
    arguments.add_argument("--atrous", default="artifacts/bin/Atrous.Cli/release/atrous", help="the program")
    options = arguments.parse_args()

    network = trained(options.state)
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "input.safetensors"), Path(folder, "output.safetensors")
        for path in options.pictures:
            picture = Image.open(path).convert("RGB")
            x = data.tensors(picture, picture.convert("L"))[0][None]
            write_input(given, x.numpy().astype("<f4"))
            subprocess.run([options.atrous, "infer", options.model, "--input", given, "-o", found, "-q"], check=True)
            with torch.no_grad():
                logits = network(x)
                labels = F.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=False).argmax(1).numpy()
            result = read(found)
            error = np.abs(result["logits"] - logits.numpy()).max() / logits.numpy().std()
            same = (result["output"].argmax(1) == labels).mean()
            print(f"{path.name}: largest difference {error:.1e} std, same label {same:.6f}")


if __name__ == "__main__":
    main()
