"""Road scenes with a class index for every pixel, and what is done to them in training."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance

CLASSES = ["sky", "building", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian", "bicyclist"]
UNLABELLED = 11
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def load(folder):
    """(RGB picture, labels) pairs of folder/images/*.{jpg,png} and folder/labels/*.png, by name."""
    pairs = []
    for image in sorted(Path(folder, "images").iterdir()):
        labels = Image.open(Path(folder, "labels", image.stem + ".png"))
        pairs.append((Image.open(image).convert("RGB"), labels.copy()))
    if not pairs:
        raise SystemExit(f"'{folder}/images' has no pictures.")
    return pairs


def tensors(image, labels):
    x = (np.asarray(image, np.float32) / 255 - MEAN) / STD
    return torch.from_numpy(x.transpose(2, 0, 1)), torch.from_numpy(np.asarray(labels, np.int64))


def jitter(image, random):
    """Another light, another camera: brightness, contrast, saturation, white balance and gamma."""
    for enhance, amount in [(ImageEnhance.Brightness, 0.35), (ImageEnhance.Contrast, 0.35), (ImageEnhance.Color, 0.5)]:
        image = enhance(image).enhance(random.uniform(1 - amount, 1 + amount))
    gamma, balance = random.uniform(0.75, 1.35), random.uniform(0.9, 1.1, 3)
    ramp = (np.arange(256) / 255) ** gamma * 255
    return image.point(np.clip(np.concatenate([ramp * b for b in balance]), 0, 255).astype(np.uint8).tolist())


def augmented(pair, crop, scales, random):
    """A flipped, scaled, recoloured crop of (height, width) `crop`; what lies beyond the picture is unlabelled."""
    image, labels = pair
    scale = float(np.exp(random.uniform(np.log(scales[0]), np.log(scales[1]))))
    aspect = float(np.exp(random.uniform(-0.1, 0.1)))
    size = (max(1, round(image.width * scale * aspect)), max(1, round(image.height * scale / aspect)))
    # Only the part that the crop needs is resampled.
    width, height = min(crop[1], size[0]), min(crop[0], size[1])
    left, top = random.integers(0, size[0] - width + 1), random.integers(0, size[1] - height + 1)
    fx, fy = image.width / size[0], image.height / size[1]
    box = (left * fx, top * fy, (left + width) * fx, (top + height) * fy)
    image = jitter(image.resize((width, height), Image.BILINEAR, box), random)
    labels = labels.resize((width, height), Image.NEAREST, box)
    if random.random() < 0.5:
        image, labels = image.transpose(Image.FLIP_LEFT_RIGHT), labels.transpose(Image.FLIP_LEFT_RIGHT)
    x, y = tensors(image, labels)
    x_full, y_full = torch.zeros(3, *crop), torch.full(crop, UNLABELLED, dtype=torch.int64)
    dy, dx = random.integers(0, crop[0] - height + 1), random.integers(0, crop[1] - width + 1)
    x_full[:, dy : dy + height, dx : dx + width] = x
    y_full[dy : dy + height, dx : dx + width] = y
    return x_full, y_full


def class_weights(pairs):
    """1 / ln(1.05 + share), as ENet (arXiv:1606.02147, section 5.2) with a milder constant."""
    counts = np.zeros(256)
    for _, labels in pairs:
        counts += np.bincount(np.asarray(labels).ravel(), minlength=256)
    share = counts[: len(CLASSES)] / counts[: len(CLASSES)].sum()
    return torch.tensor(1 / np.log(1.05 + share), dtype=torch.float32)
