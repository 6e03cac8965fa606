#!/usr/bin/env python3
"""Reads what `atrous segment --format` wrote with the libraries of those who take it, and counts the pixels that differ.

    tests/formats/read_back.py FOLDER COUNT

FOLDER has 0.mask.tif, 0.mask.png, 0.geojson and so on, and the files about all pictures. GDAL reads the masks and fills
GeoJSON; pycocotools, where it is installed, reads COCO, else its run-lengths are decoded by its rules; OpenCV fills all other
polygons. Prints a line for each format: its name, the library, and the number of pixels that have another label than in
the mask, or one more. Needs Debian's python3-gdal, python3-opencv and python3-lxml.
"""
import json
import pathlib
import sys

import cv2
import numpy
from lxml import etree
from osgeo import gdal

gdal.UseExceptions()
try:
    import pycocotools.mask as coco_masks
except ImportError:
    coco_masks = None

# OpenCV draws the pixels of the lines as well. At four times the size lines lie between nine samples of each pixel, of which
# a slit to a hole, drawn there and back, meets three at most.
SCALE = 4


def fill(shape, rings):
    """The pixels inside an odd number of rings, each a list of x, y in pixels."""
    inside = numpy.zeros(shape, bool)
    rings = [numpy.asarray(ring, float).reshape(-1, 2) for ring in rings]
    points = numpy.concatenate(rings)
    left, top = numpy.floor(points.min(axis=0)).astype(int)
    right, bottom = numpy.ceil(points.max(axis=0)).astype(int)
    canvas = numpy.zeros(((bottom - top) * SCALE + 1, (right - left) * SCALE + 1), numpy.uint8)
    cv2.fillPoly(canvas, [numpy.rint((ring - (left, top)) * SCALE).astype(numpy.int32) for ring in rings], 1)
    samples = sum(canvas[y:-1:SCALE, x:-1:SCALE].astype(int) for y in (1, 2, 3) for x in (1, 2, 3))
    inside[top:bottom, left:right] = samples > 4
    return inside


def runs(shape, counts, by_columns):
    """Runs of other pixels and the region's by turns, others first."""
    flat = numpy.repeat(numpy.arange(len(counts)) % 2 == 1, counts)
    return flat.reshape(shape[::-1]).T if by_columns else flat.reshape(shape)


def coco_counts(text):
    """As pycocotools' rleFrString: five bits a letter, and from the third number on the difference to the one before last."""
    counts, at = [], 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            letter = ord(text[at]) - 48
            value |= (letter & 0x1F) << shift
            more, shift, at = bool(letter & 0x20), shift + 5, at + 1
            if not more and letter & 0x10:
                value |= -1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def numbers(text, *separators):
    for separator in separators:
        text = text.replace(separator, " ")
    return [float(number) for number in text.split()]


def label(name):
    return int(name.removeprefix("class "))


class Folder:
    def __init__(self, path):
        self.path = path
        self.coco = json.loads((path / "annotations.coco.json").read_text())
        self.studio = json.loads((path / "annotations.labelstudio.json").read_text())
        self.cvat = etree.parse(str(path / "annotations.cvat.xml")).getroot().findall("image")

    def formats(self):
        return {
            "coco": ("pycocotools" if coco_masks else "OpenCV", self.read_coco), "cvat": ("OpenCV", self.read_cvat),
            "labelstudio": ("OpenCV", self.read_studio), "yolo": ("OpenCV", self.read_yolo),
            "labelme": ("OpenCV", self.read_labelme), "svg": ("OpenCV", self.read_svg),
        }

    def file(self, index, end):
        return self.path / f"{index}{end}"

    def read_coco(self, index, shape):
        image = self.coco["images"][index]
        assert (image["height"], image["width"], image["file_name"]) == (*shape, f"{index}.png")
        for entry in self.coco["annotations"]:
            if entry["image_id"] == image["id"]:
                region = self.coco_region(entry["segmentation"], shape)
                rows, columns = numpy.nonzero(region)
                left, top = int(columns.min()), int(rows.min())
                assert entry["area"] == region.sum()
                assert entry["bbox"] == [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
                yield entry["category_id"] - 1, region

    @staticmethod
    def coco_region(segmentation, shape):
        if coco_masks:
            whole = coco_masks.merge(coco_masks.frPyObjects(segmentation, *shape)) \
                if isinstance(segmentation, list) else segmentation
            return coco_masks.decode(whole).astype(bool)
        if isinstance(segmentation, list):
            return fill(shape, segmentation)
        assert segmentation["size"] == list(shape)
        return runs(shape, coco_counts(segmentation["counts"]), by_columns=True)

    def read_cvat(self, index, shape):
        image = self.cvat[index]
        assert (int(image.get("height")), int(image.get("width"))) == shape
        for entry in image:
            if entry.tag == "polygon":
                yield label(entry.get("label")), fill(shape, [numbers(entry.get("points"), ",", ";")])
                continue
            left, top, width, height = (int(entry.get(name)) for name in ("left", "top", "width", "height"))
            region = numpy.zeros(shape, bool)
            counts = [int(count) for count in numbers(entry.get("rle"), ",")]
            region[top:top + height, left:left + width] = runs((height, width), counts, by_columns=False)
            yield label(entry.get("label")), region

    def read_studio(self, index, shape):
        for entry in self.studio[index]["predictions"][0]["result"]:
            assert (entry["original_height"], entry["original_width"]) == shape
            points = numpy.asarray(entry["value"]["points"]) * shape[::-1] / 100
            yield label(entry["value"]["polygonlabels"][0]), fill(shape, [points])

    def read_yolo(self, index, shape):
        for line in self.file(index, ".txt").read_text().splitlines():
            name, *points = line.split()
            yield int(name), fill(shape, [numpy.asarray(points, float).reshape(-1, 2) * shape[::-1]])

    def read_labelme(self, index, shape):
        file = json.loads(self.file(index, ".json").read_text())
        assert (file["imageHeight"], file["imageWidth"]) == shape
        for entry in file["shapes"]:
            yield label(entry["label"]), fill(shape, [entry["points"]])

    def read_svg(self, index, shape):
        root = etree.parse(str(self.file(index, ".svg"))).getroot()
        for group in root.iterfind("{*}g"):
            assert group.get("fill-rule") == "evenodd"
            for path in group.iterfind("{*}path"):
                rings = [numbers(ring, "M", "L") for ring in path.get("d").split("Z") if ring]
                yield int(group.get("data-class")), fill(shape, rings)


def main():
    path, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder, lost = Folder(path), {}
    for index in range(count):
        mask = gdal.Open(str(folder.file(index, ".mask.png"))).ReadAsArray().astype(int)
        add(lost, "tiff", "GDAL", gdal.Open(str(folder.file(index, ".mask.tif"))).ReadAsArray() != mask)
        # A picture's y goes down.
        shapes = gdal.OpenEx(str(folder.file(index, ".geojson")))
        filled = gdal.GetDriverByName("MEM").Create("", *mask.shape[::-1], 1, gdal.GDT_Int32)
        filled.GetRasterBand(1).Fill(-1)
        filled.SetGeoTransform((0, 1, 0, 0, 0, 1))
        gdal.RasterizeLayer(filled, [1], shapes.GetLayer(), options=["ATTRIBUTE=class"])
        add(lost, "geojson", "GDAL", filled.ReadAsArray() != mask)
        for name, (library, read) in folder.formats().items():
            drawn, times = numpy.full(mask.shape, -1), numpy.zeros(mask.shape, int)
            for number, region in read(index, mask.shape):
                drawn[region] = number
                times += region
            add(lost, name, library, (drawn != mask) | (times != 1))
    for (name, library), pixels in lost.items():
        print(name, library, pixels)


def add(lost, name, library, wrong):
    lost[name, library] = lost.get((name, library), 0) + int(wrong.sum())


if __name__ == "__main__":
    main()
