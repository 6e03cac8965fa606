#!/usr/bin/env python3
"""Segments a large GeoTIFF of four bands that it makes, and prints time, memory and what seams there are, as Markdown.

    bench/map.py [HEIGHTxWIDTH] [FOLDER]

The map's size in pixels is 6144x6144 unless given; FOLDER keeps what is made (HEIGHT * WIDTH * 4 bytes). The
map is written in strips of rows, so that it is never held: the sample street, again and again. The network is that in
the box, with a first convolution of four channels.

Build first: dotnet build -c Release. Needs Python with numpy and GDAL (python3-gdal).
"""
import json
import pathlib
import resource
import struct
import subprocess
import sys
import tempfile
import time

import numpy
from osgeo import gdal, osr

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOL = ROOT / "artifacts/bin/Atrous.Cli/release/atrous"
TILE, STRIDE, ROWS = 513, 336, 64
CROP, NEAR = 1537, 16

gdal.UseExceptions()


def make_network(folder):
    """The network in the box, whose second channel is shared between the second and the fourth band."""
    data = (ROOT / "models/atrous-street.safetensors").read_bytes()
    size, = struct.unpack_from("<Q", data)
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    described = header["__metadata__"]
    network, pictures = json.loads(described["network"]), json.loads(described["preprocessing"])
    network["inputChannels"] = 4
    for values in (pictures["mean"], pictures["std"]):
        values.append(values[1])
    described.update(network=json.dumps(network), preprocessing=json.dumps(pictures))
    stem = header["backbone.stem.weight"]
    begin, end = stem["data_offsets"]
    weights = numpy.frombuffer(body[begin:end], numpy.float16).reshape(stem["shape"])
    half = weights[:, 1:2] / 2
    wide = numpy.concatenate([weights[:, :1], half, weights[:, 2:], half], axis=1).astype(numpy.float16)
    stem["shape"] = list(wide.shape)
    # Bytes follow each other without a gap.
    body = body[:begin] + wide.tobytes() + body[end:]
    for name, tensor in header.items():
        if name != "__metadata__":
            start, stop = tensor["data_offsets"]
            more = wide.nbytes - (end - begin)
            tensor["data_offsets"] = [start + more * (start >= end), stop + more * (stop >= end)]
    text = json.dumps(header).encode()
    path = folder / "four.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def rows_of(photo, top, count, width):
    """Streets, mirrored where they meet, with a sensor's noise."""
    def mirrored(at, length):
        at = at % (2 * length)
        return numpy.where(at < length, at, 2 * length - 1 - at)
    rows, columns = mirrored(numpy.arange(top, top + count), photo.shape[0]), mirrored(
        numpy.arange(width), photo.shape[1])
    strip = photo[rows[:, None], columns[None, :]].astype(numpy.float32)
    noise = numpy.random.default_rng(top).normal(0, 4, strip.shape)
    strip = (strip + noise).clip(1, 255).astype(numpy.uint8)
    return [strip[..., 0], strip[..., 1], strip[..., 2], strip[..., 1]]


def make_map(path, height, width):
    file = gdal.GetDriverByName("GTiff").Create(
        str(path), width, height, 4, gdal.GDT_Byte, ["BIGTIFF=IF_SAFER", "INTERLEAVE=PIXEL"])
    file.SetGeoTransform((400000, 0.2, 0, 5800000, 0, -0.2))
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(32633)
    file.SetProjection(srs.ExportToWkt())
    photo = gdal.Open(str(ROOT / "samples/street.png")).ReadAsArray()[:3].transpose(1, 2, 0)
    for top in range(0, height, ROWS):
        count = min(ROWS, height - top)
        for band, values in enumerate(rows_of(photo, top, count, width)):
            file.GetRasterBand(band + 1).WriteArray(values, 0, top)
    file.FlushCache()


def segment(picture, model, mask, *options):
    start = time.time()
    command = [TOOL, "segment", picture, "-m", model, "-o", mask, "--json", "-q", *options]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return report["results"][0], time.time() - start


def margin(length):
    return min(TILE // 2, length // 4)


def near_edges(first, count, length):
    at, near = numpy.arange(first, first + count), numpy.zeros(count, bool)
    for start in range(STRIDE, length, STRIDE):
        near |= numpy.abs(at - min(start, length - TILE)) <= NEAR
        near |= numpy.abs(at - min(start - STRIDE + TILE, length)) <= NEAR
    return near


def seams(source, mask, model, height, width, folder):
    """Labels of a crop that is segmented whole, beside those of the map: near the edges of windows, and elsewhere."""
    counts = {"near": [0, 0], "elsewhere": [0, 0]}
    rows, columns = min(CROP, height), min(CROP, width)
    first = [max((side // 2 - CROP // 2) // STRIDE * STRIDE, 0) for side in (height, width)]
    for top, left in [(first[0], first[1]), (first[0], 0), (0, first[1])]:
        crop, whole = folder / "crop.tif", folder / "crop.mask.tif"
        gdal.Translate(str(crop), str(source), srcWin=[left, top, columns, rows])
        segment(crop, model, whole, "--resize", "none")
        of_map = gdal.Open(str(mask)).ReadAsArray(left, top, columns, rows)
        of_crop = gdal.Open(str(whole)).ReadAsArray()
        equal = of_map == of_crop
        # Where the crop's own edge is not seen.
        inside = slice(margin(rows), rows - margin(rows)), slice(margin(columns), columns - margin(columns))
        near = near_edges(top, rows, height)[:, None] | near_edges(left, columns, width)[None, :]
        for name, where in (("near", near), ("elsewhere", ~near)):
            chosen = equal[inside][where[inside]]
            counts[name][0] += int(chosen.sum())
            counts[name][1] += chosen.size
    return {name: equal / size for name, (equal, size) in counts.items()}


def main():
    height, width = map(int, (sys.argv[1] if len(sys.argv) > 1 else "6144x6144").split("x"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else temporary)
        model, source, mask = make_network(folder), folder / "map.tif", folder / "map.mask.tif"
        make_map(source, height, width)
        result, seconds = segment(source, model, mask, "--tile", str(TILE))
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print("| map | bytes | seconds | million pixels a second | peak MB | classes |")
        print("|---|---|---|---|---|---|")
        speed = height * width / 1e6 / seconds
        print(f"| {height} x {width}, 4 bands | {source.stat().st_size:,} | {seconds:.0f} | {speed:.2f} "
              f"| {peak * 1024 / 1e6:.0f} | {len(result['classes'])} |")
        agreement = seams(source, mask, model, height, width, folder)
        print(f"\nLabels as of a crop of up to {CROP} x {CROP} that is looked at whole: {agreement['near']:.4%} within "
              f"{NEAR} pixels of a window's edge, {agreement['elsewhere']:.4%} elsewhere.")


if __name__ == "__main__":
    main()
