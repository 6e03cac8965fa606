#!/usr/bin/env python3
"""Instructions per product of the innermost loops of an object file, from its disassembly:

    bench/native/inner_loops.py artifacts/native/linux-arm64/native/CMakeFiles/atrous_neon.dir/src/kernels/conv2d.cpp.o

A loop is what lies between a branch backwards and its target with no other branch in it. The stack's column counts reads
and writes of it: sums that found no register.
"""
import argparse
import collections
import re
import subprocess

BRANCH = re.compile(r"(?:b\.\w+|b|j\w+|cbn?z \w+,|tbn?z \w+, #\d+,) ([0-9a-f]+)(?: |$)")
PRODUCT = re.compile(r"fmla|bfdot|bfmmla|smlal|usdot|vfmadd|vdpbf16|vpdpbusd")
LOAD = re.compile(r"ld[rpu1]")


def functions(disassembly):
    """Lists of (address, instruction), one per function."""
    lines = []
    for line in disassembly.splitlines():
        if re.match(r"[0-9a-f]+ <.*>:$", line):
            yield lines
            lines = []
        elif match := re.match(r"\s*([0-9a-f]+):\t(.*)", line):
            lines.append((int(match[1], 16), " ".join(match[2].split())))
    yield lines


def loops(lines):
    places = {address: place for place, (address, _) in enumerate(lines)}
    for place, (address, text) in enumerate(lines):
        match = BRANCH.match(text)
        start = places.get(int(match[1], 16)) if match else None
        if start is None or start > place:
            continue
        body = [instruction for _, instruction in lines[start : place + 1]]
        if not any(BRANCH.match(instruction) for instruction in body[:-1]):
            yield body


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("object")
    parser.add_argument("--objdump", default="aarch64-linux-gnu-objdump", help="one that knows the object's processor")
    parser.add_argument("--least", type=int, default=32, help="leave out loops with fewer products")
    options = parser.parse_args()
    text = subprocess.run(
        [options.objdump, "-d", "--no-show-raw-insn", options.object], check=True, capture_output=True, text=True
    ).stdout
    found = collections.Counter()
    for lines in functions(text):
        for body in loops(lines):
            count = sum(bool(PRODUCT.match(instruction)) for instruction in body)
            loads = sum(bool(LOAD.match(instruction)) for instruction in body)
            stack = sum("[sp" in instruction or "(%rsp)" in instruction for instruction in body)
            if count >= options.least:
                found[count, len(body), loads, stack] += 1
    print("products  instructions  per product  loads  stack  loops")
    for (count, size, loads, stack), copies in sorted(found.items(), reverse=True):
        print(f"{count:8} {size:13} {size / count:12.3f} {loads:6} {stack:6} {copies:6}")


if __name__ == "__main__":
    main()
