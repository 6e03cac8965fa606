"""Whether a run left what it should: check.py RUN REFERENCE COUNT.

Every mask is there once, whole by its checksums, and the same bytes as the reference's; nothing unfinished lies about;
every line is JSON, and every picture has one that says it is done.
"""
import json
import sys
import zlib
from pathlib import Path


def is_whole(png):
    at = 8
    while at < len(png):
        length = int.from_bytes(png[at:at + 4], "big")
        name_and_data, crc = png[at + 4:at + 8 + length], png[at + 8 + length:at + 12 + length]
        if zlib.crc32(name_and_data).to_bytes(4, "big") != crc:
            return False
        at += 12 + length
        if name_and_data[:4] == b"IEND":
            return at == len(png)
    return False


run, reference, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
masks = sorted(path.relative_to(run) for path in run.rglob("*.mask.png"))
whole = sum(is_whole((run / mask).read_bytes()) for mask in masks)
same = sum((run / mask).read_bytes() == (reference / mask).read_bytes() for mask in masks)
others = [path for path in (run / "masks").rglob("*") if path.is_file() and not path.name.endswith(".mask.png")]
lines = []
for path in sorted((run / "lines").glob("*.jsonl")):
    text = path.read_bytes()
    assert text.endswith(b"\n") or not text, f"{path.name} ends in the middle of a line"
    lines += [json.loads(line) for line in text.splitlines()]
done = [line["name"] for line in lines if "error" not in line]
print(f"masks: {len(masks)}, whole: {whole}, as of one process: {same}, unfinished files: {len(others)}; "
      f"lines: {len(lines)}, done: {len(done)}, pictures with one: {len(set(done))}")
ok = len(masks) == whole == same == count and not others and len(done) == len(set(done)) == count
sys.exit(0 if ok else 1)
