"""Makes the summary of a folder of results that run.sh wrote: report.py FOLDER, Markdown on standard output."""
import json
import os
import re
import sys


def documents(folder, name):
    """All JSON documents of a file, whether a line each or indented; what a time limit cut off is left out."""
    path = os.path.join(folder, name)
    text, at, found = (open(path).read() if os.path.exists(path) else ""), 0, []
    decoder = json.JSONDecoder()
    while (at := text.find("{", at)) >= 0:
        try:
            document, at = decoder.raw_decode(text, at)
            found.append(document)
        except ValueError:
            break
    return found


def table(title, columns, rows):
    if not rows:
        return
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")


def name_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def ms(value):
    return "" if value is None else f"{value:.3f}"


def measured(folder):
    """Rows of every measurement of speed, the peers' after ours."""
    rows = []
    for result in documents(folder, "bench.jsonl"):
        if result["runs"] == 0:
            continue
        times, network = result["milliseconds"]["latency"], result["milliseconds"].get("network", {})
        rows.append((name_of(result["model"]["path"]), result["batch"], "Atrous", result["precision"], times["median"],
                     network.get("median"), times["p95"], result["picturesPerSecond"], result.get("peakDeviceBytes")))
    alone = {(r["model"], r["batch"], r["peer"]): r["milliseconds"]["network"]["median"]
             for r in documents(folder, "peers.jsonl") if "network" in r.get("milliseconds", {})}
    for result in documents(folder, "peers.jsonl"):
        if "peer" not in result or "latency" not in result.get("milliseconds", {}):
            continue
        times, key = result["milliseconds"]["latency"], (result["model"], result["batch"], result["peer"])
        rows.append((result["model"], result["batch"], result["peer"], result["precision"], times["median"], alone.get(key),
                     times["p95"], result["picturesPerSecond"], result["peakDeviceBytes"]))
    return sorted(rows, key=lambda row: (row[0], row[1]))


def totals_of(text):
    """The sums over all classes of tests, which run one by one; none where none was run."""
    found = [{key: int(count) for key, count in re.findall(r"(Total|Errors|Failed|Skipped): (\d+)", line)}
             for line in re.findall(r"Total: \d+.*", text)]
    return [", ".join(f"{key}: {sum(part.get(key, 0) for part in found)}" for key in ("Total", "Errors", "Failed", "Skipped"))] if found else []


def ratio(row, rows):
    """Our median in this precision over the peer's."""
    ours = [other for other in rows if other[:2] == row[:2] and other[2] == "Atrous" and other[3] == row[3]]
    return f"{ours[0][4] / row[4]:.2f}" if ours and row[2] != "Atrous" else ""


def main(folder):
    facts = {key: value for document in documents(folder, "machine.jsonl") for key, value in document.items()}
    software = os.path.basename(os.path.normpath(folder)) == "software-device"
    print(f"# {facts.get('gpu') or facts.get('device') or os.path.basename(os.path.normpath(folder))}\n")
    if software:
        print("A trial run on the test-only software device: nothing here speaks of a GPU's speed.\n")
    print("\n".join(f"- {key}: {value}" for key, value in facts.items()))

    path = os.path.join(folder, "tests.log")
    totals = totals_of(open(path).read()) if os.path.exists(path) else []
    sanitizer = os.path.join(folder, "sanitizer.log")
    findings = re.findall(r"(?:ERROR|RACECHECK) SUMMARY.*", open(sanitizer).read()) if os.path.exists(sanitizer) else []
    table("Tests", ["what", "result"], [("GPU tests", total) for total in totals] + [("compute-sanitizer", line) for line in findings])

    rows = []
    for result in documents(folder, "verify.jsonl"):
        for picture in result.get("pictures", []):
            rows.append((name_of(result["model"]["path"]), result["precision"], os.path.basename(picture["picture"]),
                         f"{picture['max'] or float('nan'):.1e}", f"{picture['rms'] or float('nan'):.1e}",
                         f"{100 * picture['labels']:.3f} %", f"{100 * picture['labelsOfDecided']:.3f} %",
                         "within" if picture["within"] else "ABOVE"))
    table("Against the CPU in fp32 (`atrous verify`)",
          ["network", "precision", "picture", "max error / std", "rms / std", "same labels", "of the decided", "tolerance"], rows)
    table("Against PyTorch in fp32", ["network", "size", "device", "PyTorch on", "max error / std", "tolerance 1e-4"], [
        (name_of(r["compare"]), r["size"], r["device"], r["torch"], f"{r['maxError']:.1e}", "within" if r["within"] else "ABOVE")
        for r in documents(folder, "verify.jsonl") if "compare" in r])

    path = os.path.join(folder, "smoke.txt")
    table("What the log of the small network says", ["line", "times"],
          [line.strip().rsplit(": ", 1) for line in open(path)] if os.path.exists(path) else [])

    rows = []
    for part in ("branched", "in_turn", "proposed", "strict"):
        for result in documents(folder, os.path.join("parts", "smoke", part + ".out")):
            rows.append((part, result["precision"], ms(result["milliseconds"]["network"]["median"])))
    table("The small network, a picture at a time: milliseconds of the network", ["part of smoke", "precision", "median"], rows)

    rows = measured(folder)
    table("Speed: pixels in, labels out; milliseconds a batch",
          ["network", "batch", "runtime", "precision", "median", "network alone", "p95", "pictures/s", "peak device MiB", "Atrous / it"],
          [(*row[:4], ms(row[4]), ms(row[5]), ms(row[6]), f"{row[7]:.1f}", row[8] >> 20 if row[8] else "", ratio(row, rows)) for row in rows])
    table("Start-up with a warm engine cache, milliseconds", ["network", "precision", "process", "load", "first mask", "in all"], [
        (name_of(r["model"]["path"]), r["precision"], *(ms(r["startUp"][part]) for part in ("process", "load", "firstMask", "total")))
        for r in documents(folder, "bench.jsonl") if r["runs"] == 0])
    table("The GPU's own limits", ["what", "measured"], [
        (f"{r['floor']} {r.get('precision', '')}".strip(), ", ".join(f"{value:.4g} {key}" for key, value in r.items() if key not in ("floor", "precision")))
        for r in documents(folder, "peers.jsonl") if "floor" in r])
    path = os.path.join(folder, "run.log")
    notes = [line.strip() for line in open(path) if re.search(r"skipped:|not finished|exit code", line)] if os.path.exists(path) else []
    if notes:
        print("\n## What was left out or failed\n\n" + "\n".join(f"- {note}" for note in notes))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
