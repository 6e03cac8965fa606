"""Road scenes with a class index for every pixel, and what is done to them in training."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

CLASSES = ["sky", "building", "pole", "road", "pavement", "tree", "sign symbol", "fence", "car", "pedestrian", "bicyclist"]
UNLABELLED = 11
RARE = [CLASSES.index(name) for name in ("pole", "sign symbol", "pedestrian", "bicyclist")]
POLE, ROAD, SIGN = (CLASSES.index(name) for name in ("pole", "road", "sign symbol"))
STANDS_ON = [CLASSES.index(name) for name in ("pavement", "tree", "fence", "building")]
IN_FRONT = RARE + [CLASSES.index("car")]
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
    """Another light, another camera: brightness to dusk, contrast, saturation, gamma, white balance, blur, noise, JPEG."""
    dark = random.uniform(0.35, 0.7) if random.random() < 0.1 else 1
    for enhance, amount in [(ImageEnhance.Brightness, 0.35), (ImageEnhance.Contrast, 0.4), (ImageEnhance.Color, 0.6)]:
        image = enhance(image).enhance(random.uniform(1 - amount, 1 + amount))
    gamma, balance = random.uniform(0.7, 1.4), random.uniform(0.88, 1.12, 3) * dark
    ramp = (np.arange(256) / 255) ** gamma * 255
    image = image.point(np.clip(np.concatenate([ramp * b for b in balance]), 0, 255).astype(np.uint8).tolist())
    if random.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(random.uniform(0.3, 1.3)))
    if random.random() < 0.2:
        noisy = np.asarray(image, np.float32) + random.normal(0, random.uniform(2, 10), (image.height, image.width, 3))
        image = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    if random.random() < 0.2:
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=int(random.integers(30, 85)))
        image = Image.open(packed).convert("RGB")
    return image


def planted(pair, random):
    """One to three poles put where they could stand, of any colour, most without much contrast, some with a traffic light.

    A network that is trained without sees few of the poles that stand before walls and trees.
    """
    image, labels = pair
    y = np.asarray(labels)
    rows = np.flatnonzero((y == ROAD).sum(1) >= 3)
    if not len(rows):
        return pair
    # The camera is some 1.4 m above the road, so that a metre on the ground at row b has (b - horizon) / 1.4 pixels.
    horizon = rows[0]
    ground = np.flatnonzero(np.isin(y[horizon + 6 :], STANDS_ON))
    if not len(ground):
        return pair
    image, labels = image.copy(), labels.copy()
    for _ in range(random.integers(1, 4)):
        row, x = divmod(int(ground[random.integers(len(ground))]), labels.width)
        plant(image, labels, x, horizon + 6 + row, (6 + row) / 1.4, random)
    return image, labels


def plant(image, labels, x, base, metre, random):
    """A pole whose foot is at column `x` of row `base`, where a metre has `metre` pixels."""
    fine = 4
    width, height = metre * random.uniform(0.08, 0.22), metre * random.uniform(2.2, 7)
    lean = height * random.normal(0, 0.008)
    # In its own small picture: as wide as its head, and up to the picture's upper edge.
    side = int(metre * 0.8 + width + abs(lean)) + 3
    top = max(0, int(base - height))
    left, tall = x - side, base - top
    if tall < 4:
        return
    size = (2 * side, tall)
    pole, head = (Image.new("L", (size[0] * fine, size[1] * fine)) for _ in range(2))
    foot, tip = (side * fine, size[1] * fine), ((side + lean) * fine, (size[1] - height) * fine)
    half = width * fine / 2
    narrow = half * random.uniform(0.5, 1)
    ImageDraw.Draw(pole).polygon([(foot[0] - half, foot[1]), (tip[0] - narrow, tip[1]), (tip[0] + narrow, tip[1]),
                                  (foot[0] + half, foot[1])], fill=255)
    if random.random() < 0.35:
        # A traffic light's box, or a sign, 2.2 to 3 m above the ground, in the middle or at one side.
        wide, high = metre * random.uniform(0.25, 0.6), metre * random.uniform(0.5, 1)
        cx = side + lean * 0.4 + random.choice([-0.7, 0, 0.7]) * (wide + width) / 2
        cy = size[1] - metre * random.uniform(2.2, 3) - high / 2
        box = [(cx - wide / 2) * fine, (cy - high / 2) * fine, (cx + wide / 2) * fine, (cy + high / 2) * fine]
        shape = ImageDraw.Draw(head)
        (shape.rectangle if random.random() < 0.6 else shape.ellipse)(box, fill=255)
    box = (left, top, left + size[0], top + size[1])
    behind = np.asarray(image.crop(box), np.float32)
    free = ~np.isin(np.asarray(labels.crop(box)), IN_FRONT)
    blurred = ImageFilter.GaussianBlur(fine * random.uniform(0.2, 0.6))
    pole, head = (np.asarray(m.filter(blurred).resize(size, Image.BOX), np.float32) / 255 * free for m in (pole, head))
    # Most are painted somewhat darker or lighter than what is behind them; the rest from black to nearly white.
    mean = behind.reshape(-1, 3).mean(0)
    near = mean.mean() * random.choice([random.uniform(0.35, 0.85), random.uniform(1.15, 1.8)])
    paint = (near if random.random() < 0.6 else random.uniform(10, 220)) + random.normal(0, 8, 3)
    across = np.linspace(-1, 1, size[0])[None, :, None] * size[0] / max(width, 1)
    round_ = 1 + np.clip(across, -1, 1) * random.uniform(-0.35, 0.35)
    down = 1 + np.linspace(-1, 1, tall)[:, None, None] * random.uniform(-0.25, 0.25)
    mixed = behind + pole[..., None] * (paint * round_ * down - behind)
    light = random.uniform(10, 60, 3) if random.random() < 0.6 else random.uniform(30, 230, 3)
    mixed += head[..., None] * (light - mixed)
    image.paste(Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8)), box[:2])
    for c, mask in ((POLE, pole), (SIGN, head)):
        labels.paste(c, box, Image.fromarray(mask >= 0.5))


def places_of_rare(pairs):
    """For each rare class, the pictures that have enough of it to be seen."""
    counts = [np.bincount(np.asarray(labels).ravel(), minlength=256) for _, labels in pairs]
    return {c: [i for i, count in enumerate(counts) if count[c] >= 100] for c in RARE}


def crop_of(pair, crop, scales, random, wanted=None):
    """A flipped, scaled part of at most (height, width) `crop`; around a pixel of the class `wanted`, if there is one."""
    image, labels = pair
    scale = float(np.exp(random.uniform(np.log(scales[0]), np.log(scales[1]))))
    aspect = float(np.exp(random.uniform(-0.1, 0.1)))
    size = (max(1, round(image.width * scale * aspect)), max(1, round(image.height * scale / aspect)))
    # Only the part that the crop needs is resampled.
    width, height = min(crop[1], size[0]), min(crop[0], size[1])
    left, top = random.integers(0, size[0] - width + 1), random.integers(0, size[1] - height + 1)
    fx, fy = image.width / size[0], image.height / size[1]
    there = np.flatnonzero(np.asarray(labels) == wanted) if wanted is not None else []
    if len(there):
        y, x = divmod(int(there[random.integers(len(there))]), labels.width)
        left = int(np.clip(x / fx - width * random.uniform(0.25, 0.75), 0, size[0] - width))
        top = int(np.clip(y / fy - height * random.uniform(0.25, 0.75), 0, size[1] - height))
    box = (left * fx, top * fy, (left + width) * fx, (top + height) * fy)
    image = image.resize((width, height), Image.BILINEAR, box)
    labels = labels.resize((width, height), Image.NEAREST, box)
    if random.random() < 0.5:
        image, labels = image.transpose(Image.FLIP_LEFT_RIGHT), labels.transpose(Image.FLIP_LEFT_RIGHT)
    return image, labels


def augmented(pair, crop, scales, random, other=None, wanted=None, poles=False):
    """A recoloured crop of (height, width) `crop`; what lies beyond the picture is unlabelled.

    The rare things of another pair are put where they stand in a crop of that; `poles` plants some first.
    """
    image, labels = crop_of(planted(pair, random) if poles else pair, crop, scales, random, wanted)
    if other:
        donor, donor_labels = crop_of(other, crop, scales, random)
        rare = np.isin(np.asarray(donor_labels), RARE)
        image.paste(donor, (0, 0), Image.fromarray(rare))
        labels.paste(donor_labels, (0, 0), Image.fromarray(rare))
    x, y = tensors(jitter(image, random), labels)
    x_full, y_full = torch.zeros(3, *crop), torch.full(crop, UNLABELLED, dtype=torch.int64)
    dy, dx = random.integers(0, crop[0] - image.height + 1), random.integers(0, crop[1] - image.width + 1)
    x_full[:, dy : dy + image.height, dx : dx + image.width] = x
    y_full[dy : dy + image.height, dx : dx + image.width] = y
    return x_full, y_full


def class_weights(pairs):
    """1 / ln(1.05 + share), as ENet (arXiv:1606.02147, section 5.2) with a milder constant."""
    counts = np.zeros(256)
    for _, labels in pairs:
        counts += np.bincount(np.asarray(labels).ravel(), minlength=256)
    share = counts[: len(CLASSES)] / counts[: len(CLASSES)].sum()
    return torch.tensor(1 / np.log(1.05 + share), dtype=torch.float32)
