"""Writes small pictures that differ: pictures.py FOLDER COUNT."""
import random
import struct
import sys
import zlib
from pathlib import Path

WIDTH, HEIGHT = 320, 192


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def picture(seed):
    """Rectangles of one colour each, over a sky and a road."""
    dice = random.Random(seed)
    rows = [bytearray((150, 180, 220) * WIDTH) for _ in range(HEIGHT // 2)]
    rows += [bytearray((90, 90, 95) * WIDTH) for _ in range(HEIGHT - HEIGHT // 2)]
    for _ in range(12):
        colour = bytes(dice.randrange(256) for _ in range(3))
        left, top = dice.randrange(WIDTH - 40), dice.randrange(HEIGHT - 40)
        width, height = dice.randrange(8, 120), dice.randrange(8, 90)
        for y in range(top, min(HEIGHT, top + height)):
            right = min(WIDTH, left + width)
            rows[y][3 * left:3 * right] = colour * (right - left)
    raw = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


folder, count = Path(sys.argv[1]), int(sys.argv[2])
for i in range(count):
    path = folder / f"street{i % 10}" / f"{i:03}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture(i))
