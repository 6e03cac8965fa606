"""Pictures of noise, for networks of random weights: noise.py FOLDER writes a few small PNGs, the same every time."""
import os
import random
import struct
import sys
import zlib

SIDE, COUNT = 192, 3


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(pixels):
    rows = b"".join(b"\0" + pixels[y * SIDE * 3:(y + 1) * SIDE * 3] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for seed in range(COUNT):
        with open(os.path.join(sys.argv[1], f"{seed}.png"), "wb") as file:
            file.write(png(random.Random(seed).randbytes(SIDE * SIDE * 3)))
