"""Writes bench/results/pictures.md: what Pillow and Atrous read of each file of tests/Atrous.Tests/Imaging/pictures.

Needs Pillow (Debian: python3-pil) and the .NET SDK. Run it anywhere:  python3 bench/pictures.py
"""

import hashlib
import json
import pathlib
import subprocess

import PIL
from PIL import Image, ImageOps

root = pathlib.Path(__file__).resolve().parent.parent
folder = root / "tests/Atrous.Tests/Imaging/pictures"
table = json.load(open(folder / "table.json"))


def of_pillow(path):
    try:
        image = Image.open(path)
        image.load()
        mode = image.mode
        # Pillow before 10 turns a TIFF when it loads it, and would turn it a second time.
        if image.format != "TIFF" or int(PIL.__version__.split(".")[0]) >= 10:
            image = ImageOps.exif_transpose(image)
        rgb = image.convert("RGB")
        return f"{rgb.width}x{rgb.height}", mode, hashlib.sha256(rgb.tobytes()).hexdigest()
    except Exception:  # whatever Pillow throws is a refusal
        return "refused", "", ""


lines = subprocess.run(
    ["dotnet", "run", "-c", "Release", "--project", root / "bench/Atrous.Bench", "--", "pictures"]
    + [folder / name for name in table], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
rows, same = [], 0
for line in lines:
    name, size, channels, pixels, remark = line.split("\t")
    pillow_size, mode, pillow_pixels = of_pillow(folder / name)
    equal = (size, pixels) == (pillow_size, pillow_pixels)
    same += equal
    verdict = "the same" if equal else table[name].get("why", "DIFFERENT")
    pillow = " ".join(filter(None, (pillow_size, mode, pillow_pixels[:8])))
    ours = " ".join(filter(None, (size, channels, pixels[:8])))
    rows.append(f"| {name} | {pillow} | {ours} | {verdict} | {remark} |")
(root / "bench/results/pictures.md").write_text(f"""# Picture files

`python3 bench/pictures.py`: {len(rows)} files of all formats, depths and orientations, and broken ones, as Pillow {PIL.__version__} and as Atrous read
them: size, kind of pixels, the first digits of the SHA-256 of their RGB. {same} are the same in both; the others say why not.
`PictureTableTests` holds them.

| file | Pillow | Atrous | | what Atrous says |
|---|---|---|---|---|
""" + "\n".join(rows) + "\n")
