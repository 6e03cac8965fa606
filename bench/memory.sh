#!/usr/bin/env bash
# What a picture in windows costs the tool in resident memory, on Linux:
#   bench/memory.sh
# Eight times the rows cost the picture, its labels and their file, some 8 bytes a pixel. The scores, which would be 44 more with
# the 11 classes of the model in the box, are not held: above 16 bytes a pixel it says so and fails.
set -euo pipefail
cd "$(dirname "$0")/.."

dotnet build -c Release managed/Atrous.Cli -v quiet --nologo >&2
python3 - artifacts/bin/Atrous.Cli/release/atrous <<'EOF'
import os
import struct
import sys
import tempfile
import zlib

WIDTH, ROWS, TIMES, MOST = 512, 1024, 8, 16


def write_png(path, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress((b"\0" + bytes(3 * WIDTH)) * height)
    head = struct.pack(">IIBBBBB", WIDTH, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def peak_of(tool, height):
    """The most bytes that the process had resident, as the kernel counts them."""
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "a.png")
        write_png(picture, height)
        line = [tool, "segment", picture, "-q", "--tile", "257", "--overlap", "0", "--threads", "1", "--device", "cpu"]
        _, status, usage = os.wait4(os.posix_spawn(tool, line, os.environ), 0)
        if status != 0:
            sys.exit("error: the tool failed")
        return usage.ru_maxrss * 1024


small, large = peak_of(sys.argv[1], ROWS), peak_of(sys.argv[1], TIMES * ROWS)
per_pixel = (large - small) / ((TIMES - 1) * ROWS * WIDTH)
print(f"{per_pixel:.1f} bytes a pixel: {small / 1e6:.0f} MB, then {large / 1e6:.0f} MB")
sys.exit(per_pixel >= MOST)
EOF
