#!/usr/bin/python3
"""Renders street scenes with exact labels. Needs POV-Ray 3.7, Pillow and numpy (Debian: povray python3-pil python3-numpy).

  samples/render.py --seeds 1..80 --size 480x360 --out artifacts/renders     images/NNNN.png and labels/NNNN.png
  samples/render.py --samples                                                the pictures that the repository keeps
  samples/render.py --clip                                                   the video that it keeps; needs ffmpeg too
  samples/render.py --check                                                  renders one seed twice and compares
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy
from PIL import Image, ImageFilter

from busy import BusyStreet
from street import Street

HERE = pathlib.Path(__file__).resolve().parent
CLASSES = 12

# The pictures in the repository: undeveloped, and of seeds far from those of the training set.
SAMPLES = [("street.png", 1021, (1280, 960))] + [(f"scenes/{seed}.jpg", seed, (480, 360)) for seed in (1005, 1010, 1013, 1024, 1025)]

# The video in the repository: a drive down the street of a seed, 6 cm a frame.
CLIP, CLIP_SEED, CLIP_SIZE, CLIP_FRAMES, CLIP_STEP = "street.mp4", 1010, (240, 180), 60, 0.06


def povray(scene, size, labels, out):
    # One thread, and no jitter: every run draws the same picture. The label map is drawn without smoothing and without gamma, so
    # that the number of the class arrives in the file as it stands.
    passes = ["-A", "File_Gamma=1.0"] if labels else ["+A0.25", "+AM1", "+R3", "File_Gamma=sRGB"]
    command = ["povray", f"+I{scene}", f"+L{HERE / 'parts'}", f"+O{out}", f"+W{size[0]}", f"+H{size[1]}", "+FN8", "-D", "-J", "+WT1",
               f"Declare=Labels={int(labels)}", *passes]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"povray failed on {scene}:\n" + "\n".join(line for line in run.stderr.splitlines() if "rror" in line))


def develop(picture, seed, grain=2.2):
    """What a camera does to a picture: a little blur, darker corners, paler colours, another curve, and grain."""
    dice = numpy.random.RandomState(seed)
    width, height = picture.size
    soft = picture.filter(ImageFilter.GaussianBlur(dice.uniform(0.25, 0.6) * width / 960))
    light = numpy.asarray(soft, dtype=numpy.float64)
    y, x = numpy.mgrid[0:height, 0:width]
    away = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) * 2
    light = light * (1 - dice.uniform(0.0, 0.25) * away[..., None])
    light = light * dice.uniform(0.97, 1.03, 3)
    grey = light.mean(axis=2, keepdims=True)
    light = grey + (light - grey) * dice.uniform(0.55, 1.0)
    light = 255 * (numpy.clip(light, 0, 255) / 255) ** dice.uniform(0.75, 1.2)
    light = light + dice.normal(0, grain * dice.uniform(0.5, 1.5), light.shape[:2])[..., None] + dice.normal(0, grain * 0.4, light.shape)
    return Image.fromarray(numpy.clip(numpy.rint(light), 0, 255).astype(numpy.uint8))


def clip():
    """Renders the frames and makes the video of them, 25 a second."""
    with tempfile.TemporaryDirectory() as folder:
        for frame in range(CLIP_FRAMES):
            street = Street(CLIP_SEED, *CLIP_SIZE)
            street.ahead = frame * CLIP_STEP
            scene = pathlib.Path(folder) / "street.pov"
            scene.write_text(street.text())
            povray(scene, CLIP_SIZE, False, pathlib.Path(folder) / f"{frame:02d}.png")
        subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-framerate", "25", "-i", f"{folder}/%02d.png", "-pix_fmt", "yuv420p",
                        "-c:v", "libx264", "-preset", "veryslow", "-crf", "24", "-movflags", "+faststart", str(HERE / CLIP)], check=True)
    print(HERE / CLIP, flush=True)


def render(seed, size, kind=Street):
    """The picture, undeveloped, and the label map (class index, 8 bits) of a seed."""
    with tempfile.TemporaryDirectory() as folder:
        scene = pathlib.Path(folder) / "street.pov"
        scene.write_text(kind(seed, *size).text())
        shots = []
        for labels in (False, True):
            out = pathlib.Path(folder) / f"{int(labels)}.png"
            povray(scene, size, labels, out)
            shots.append(Image.open(out).convert("RGB"))
    classes = numpy.asarray(shots[1])
    if (classes != classes[..., :1]).any() or classes.max() >= CLASSES:
        sys.exit(f"seed {seed}: the label map holds colours that are no class: {sorted(set(map(tuple, classes.reshape(-1, 3))))[:20]}")
    return shots[0], Image.fromarray(classes[..., 0].copy())


def span(text):
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def dimensions(text):
    width, _, height = text.partition("x")
    return int(width), int(height)


def check(size):
    first, second = (render(7, size) for _ in range(2))
    for name, a, b in zip(("picture", "label map"), first, second):
        if a.tobytes() != b.tobytes():
            sys.exit(f"the {name} of seed 7 differs between two renderings")
    print(f"seed 7 at {size[0]}x{size[1]}: two renderings agree in every pixel, classes {sorted(set(first[1].getdata()))}")


def keep(name, picture, labels):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    picture.save(path, **({"quality": 92} if path.suffix == ".jpg" else {"optimize": True}))
    labels.save(path.with_name(path.stem + ".labels.png"), optimize=True)
    print(path, flush=True)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=span, default=span("1"), help="one seed, or FIRST..LAST")
    options.add_argument("--size", type=dimensions, default=(480, 360), help="WIDTHxHEIGHT")
    options.add_argument("--out", type=pathlib.Path, default=pathlib.Path("artifacts/renders"))
    options.add_argument("--busy", action="store_true", help="streets of busy.py, for training: more of what is hard")
    options.add_argument("--samples", action="store_true", help="render the pictures that the repository keeps")
    options.add_argument("--clip", action="store_true", help="render the video that the repository keeps")
    options.add_argument("--check", action="store_true", help="render a seed twice and compare the pixels")
    chosen = options.parse_args()
    if shutil.which("povray") is None:
        sys.exit("povray is not installed; on Debian: apt-get install povray")
    if chosen.check:
        check(chosen.size)
        return
    if chosen.clip:
        clip()
        return
    if chosen.samples:
        for name, seed, size in SAMPLES:
            keep(name, *render(seed, size))
        return
    for folder in ("images", "labels"):
        (chosen.out / folder).mkdir(parents=True, exist_ok=True)
    for seed in chosen.seeds:
        if (chosen.out / "labels" / f"{seed:04d}.png").exists():
            continue  # of a run that was stopped
        picture, labels = render(seed, chosen.size, BusyStreet if chosen.busy else Street)
        develop(picture, seed).save(chosen.out / "images" / f"{seed:04d}.png")
        labels.save(chosen.out / "labels" / f"{seed:04d}.png")
        print(chosen.out / "images" / f"{seed:04d}.png", flush=True)


if __name__ == "__main__":
    main()
