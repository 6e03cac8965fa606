#!/usr/bin/env python3
"""Segments a large GeoTIFF of four bands that it makes, and prints time, memory and what seams there are, as Markdown.

    bench/map.py [HEIGHTxWIDTH] [FOLDER] [--tile N] [--overlap SHARE]

The map's size in pixels is 6144x6144 unless given; FOLDER keeps what is made (HEIGHT * WIDTH * 4 bytes, and the mask and
its GeoJSON). The map is written in strips of rows, so that it is never held: the sample street, again and again. The
network is that in the box, with a first convolution of four channels. The GeoJSON is filled by GDAL and compared with the
mask.

Build first: dotnet build -c Release. Needs Python with numpy and GDAL (python3-gdal).
"""
import argparse
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
ROWS, GRID = 64, 16
CROP, NEAR = 1537, 16
STREET, STEM = ROOT / "samples/street.png", "backbone.stem.conv1.weight"

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
    tensors = {name: numpy.frombuffer(body[slice(*tensor["data_offsets"])], numpy.float16).reshape(tensor["shape"])
               for name, tensor in header.items() if name != "__metadata__"}
    weights = tensors[STEM]
    half = weights[:, 1:2] / 2
    tensors[STEM] = numpy.concatenate([weights[:, :1], half, weights[:, 2:], half], axis=1).astype(numpy.float16)
    path = folder / "four.safetensors"
    header, begin = {"__metadata__": described}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F16", "shape": values.shape, "data_offsets": [begin, begin + values.nbytes]}
        begin += values.nbytes
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(values.tobytes() for values in tensors.values()))
    return path


def rows_of(photo, noise, top, count):
    """Streets, mirrored where they meet, with a sensor's noise."""
    def mirrored(at, length):
        at = at % (2 * length)
        return numpy.where(at < length, at, 2 * length - 1 - at)
    width = noise.shape[1]
    rows, columns = mirrored(numpy.arange(top, top + count), photo.shape[0]), mirrored(
        numpy.arange(width), photo.shape[1])
    moved = numpy.roll(noise[:count], top * 37 % width, axis=1)
    strip = (photo[rows[:, None], columns[None, :]] + moved).clip(1, 255).astype(numpy.uint8)
    return [strip[..., 0], strip[..., 1], strip[..., 2], strip[..., 1]]


def make_map(path, height, width):
    file = gdal.GetDriverByName("GTiff").Create(
        str(path), width, height, 4, gdal.GDT_Byte, ["BIGTIFF=IF_SAFER", "INTERLEAVE=PIXEL"])
    file.SetGeoTransform((400000, 0.2, 0, 5800000, 0, -0.2))
    srs = osr.SpatialReference()
    srs.ImportFromEPSG(32633)
    file.SetProjection(srs.ExportToWkt())
    photo = gdal.Open(str(STREET)).ReadAsArray()[:3].transpose(1, 2, 0).astype(numpy.int16)
    noise = numpy.random.default_rng(1).normal(0, 4, (ROWS, width, 3)).astype(numpy.int16)
    for top in range(0, height, ROWS):
        count = min(ROWS, height - top)
        for band, values in enumerate(rows_of(photo, noise, top, count)):
            file.GetRasterBand(band + 1).WriteArray(values, 0, top)
    file.FlushCache()


def segment(picture, model, mask, *options):
    start = time.time()
    command = [TOOL, "segment", picture, "-m", model, "-o", mask, "--json", "-q", *options]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return report["results"][0], time.time() - start


def filled(shapes, mask):
    """The share of the map's pixels that the polygons give the label of the mask, as GDAL fills them."""
    labels, drawn = gdal.Open(str(mask)), shapes.with_suffix(".filled.tif")
    left, step, _, top, _, down = labels.GetGeoTransform()
    height, width = labels.RasterYSize, labels.RasterXSize
    gdal.Rasterize(
        str(drawn), str(shapes), attribute="class", outputType=gdal.GDT_Byte, initValues=[255], width=width,
        height=height, outputBounds=(left, top + down * height, left + step * width, top),
        creationOptions=["COMPRESS=DEFLATE", "ZLEVEL=1"])
    again, equal = gdal.Open(str(drawn)), 0
    for first in range(0, height, ROWS):
        window = 0, first, width, min(ROWS, height - first)
        equal += int((labels.ReadAsArray(*window) == again.ReadAsArray(*window)).sum())
    return equal / (height * width)


def margin(tile, length):
    return min(tile // 2, length // 4)


def near_edges(tile, stride, first, count, length):
    at, near = numpy.arange(first, first + count), numpy.zeros(count, bool)
    for start in range(stride, length, stride):
        near |= numpy.abs(at - min(start, length - tile)) <= NEAR
        near |= numpy.abs(at - min(start - stride + tile, length)) <= NEAR
    return near


def seams(source, mask, model, height, width, folder, tile, stride):
    """Labels of a crop that is segmented whole, beside those of the map: near the edges of windows, and elsewhere."""
    counts = {"near": [0, 0], "elsewhere": [0, 0]}
    rows, columns = min(CROP, height), min(CROP, width)
    first = [max((side // 2 - CROP // 2) // stride * stride, 0) for side in (height, width)]
    for top, left in [(first[0], first[1]), (first[0], 0), (0, first[1])]:
        crop, whole = folder / "crop.tif", folder / "crop.mask.tif"
        gdal.Translate(str(crop), str(source), srcWin=[left, top, columns, rows])
        segment(crop, model, whole, "--resize", "none")
        of_map = gdal.Open(str(mask)).ReadAsArray(left, top, columns, rows)
        of_crop = gdal.Open(str(whole)).ReadAsArray()
        equal = of_map == of_crop
        # Where the crop's own edge is not seen.
        inside = slice(margin(tile, rows), rows - margin(tile, rows)), slice(
            margin(tile, columns), columns - margin(tile, columns))
        near = near_edges(tile, stride, top, rows, height)[:, None] | near_edges(
            tile, stride, left, columns, width)[None, :]
        for name, where in (("near", near), ("elsewhere", ~near)):
            chosen = equal[inside][where[inside]]
            counts[name][0] += int(chosen.sum())
            counts[name][1] += chosen.size
    return {name: equal / size for name, (equal, size) in counts.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("size", nargs="?", default="6144x6144")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--tile", type=int, default=513)
    parser.add_argument("--overlap", type=float, default=0.33)
    given = parser.parse_args()
    height, width = map(int, given.size.split("x"))
    stride = int(given.tile * (1 - given.overlap)) // GRID * GRID
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(given.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        model, source, mask = make_network(folder), folder / "map.tif", folder / "map.mask.tif"
        make_map(source, height, width)
        result, seconds = segment(
            source, model, mask, "--tile", str(given.tile), "--overlap", str(given.overlap), "--format", "geojson")
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print("| map | bytes | window | seconds | of a core | million pixels a second | peak MB | classes |")
        print("|---|---|---|---|---|---|---|---|")
        speed = height * width / 1e6 / seconds
        print(f"| {height} x {width}, 4 bands | {source.stat().st_size:,} | {given.tile}, one each {stride} "
              f"| {seconds:.0f} | {used.ru_utime + used.ru_stime:.0f} | {speed:.2f} | {used.ru_maxrss * 1024 / 1e6:.0f} "
              f"| {len(result['classes'])} |", flush=True)
        shapes = folder / "map.geojson"
        print(f"\nGeoJSON: {shapes.stat().st_size:,} bytes, {filled(shapes, mask):.4%} of the pixels as in the mask.",
              flush=True)
        agreement = seams(source, mask, model, height, width, folder, given.tile, stride)
        print(f"\nLabels as of a crop of up to {CROP} x {CROP} that is looked at whole: {agreement['near']:.4%} within "
              f"{NEAR} pixels of a window's edge, {agreement['elsewhere']:.4%} elsewhere.")


if __name__ == "__main__":
    main()
