"""Makes the pictures in this folder, and table.json: what Pillow reads of each, or that it refuses it.

The hash is SHA-256 of the RGB bytes of ImageOps.exif_transpose(Image.open(file)).convert("RGB"). Where the picture should
be read in another way than Pillow reads it, the entry has a "why" and the pixels that the file holds. Needs Pillow (made
with 9.4.0, libjpeg-turbo 2.1.5, libtiff 4.5.0, libwebp 1.2.4) and numpy. Run it in this folder; it is deterministic.
"""

import hashlib
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

random = np.random.default_rng(15)
HEIGHT, WIDTH = 37, 53
small = Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=np.uint8))
photo = small.resize((WIDTH, HEIGHT), Image.BICUBIC)
grey = photo.convert("L")
rgba = photo.copy()
rgba.putalpha(grey.transpose(Image.FLIP_LEFT_RIGHT))
indexed = photo.quantize(40)
table = {}


def of_pixels(pixels):
    pixels = np.asarray(pixels)
    return {"height": pixels.shape[0], "width": pixels.shape[1], "rgb": hashlib.sha256(pixels.tobytes()).hexdigest()}


def note(name, data, holds=None, why=None):
    """holds: the RGB pixels of a file that Pillow reads in another way, or refuses."""
    open(name, "wb").write(data)
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
        # Pillow 9.4 turns a TIFF when it loads it, and would turn it a second time.
        upright = image if image.format == "TIFF" else ImageOps.exif_transpose(image)
        table[name] = of_pixels(upright.convert("RGB"))
    except Exception:  # whatever Pillow throws is a refusal
        table[name] = {"refused": True}
    if why:
        table[name] = {"pillow": table[name], "why": why, **(of_pixels(holds) if holds is not None else {"refused": True})}


def save(name, image, **options):
    data = io.BytesIO()
    image.save(data, name.rsplit(".")[-1].replace("jpg", "jpeg").replace("tif", "tiff"), **options)
    note(name, data.getvalue())
    return data.getvalue()


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


# JPEG
for sampling, number in (("444", 0), ("422", 1), ("420", 2)):
    save(f"jpeg_{sampling}.jpg", photo, quality=88, subsampling=number)
    save(f"jpeg_{sampling}_progressive.jpg", photo, quality=88, subsampling=number, progressive=True)
whole = save("jpeg_grey.jpg", grey, quality=90)
save("jpeg_grey_progressive.jpg", grey, quality=90, progressive=True)
save("jpeg_cmyk.jpg", photo.convert("CMYK"), quality=90)
save("jpeg_optimized.jpg", photo, quality=40, optimize=True)
save("jpeg_100.jpg", photo, quality=100, subsampling=0)
save("jpeg_1.jpg", photo, quality=1)
save("jpeg_one_pixel.jpg", photo.crop((0, 0, 1, 1)))
save("jpeg_narrow.jpg", photo.crop((0, 0, 2, 30)))
save("jpeg_flat.jpg", photo.crop((0, 0, 50, 1)))
for orientation in (2, 5, 6, 7, 8):
    save(f"jpeg_exif{orientation}.jpg", photo, exif=exif(orientation))
jpeg = open("jpeg_420.jpg", "rb").read()
start = jpeg.index(b"\xff\xda") + 14
note("broken_jpeg_cut.jpg", jpeg[:-200])
note("broken_jpeg_cut_with_end.jpg", jpeg[:-200] + b"\xff\xd9", why="pixels are missing, where Pillow paints grey")
note("broken_jpeg_no_end.jpg", jpeg[:-2], holds=Image.open("jpeg_420.jpg").convert("RGB"), why="all pixels are there")
middle = (start + len(jpeg)) // 2
note("broken_jpeg_marker_in_data.jpg", jpeg[:middle] + b"\xff\xd0" + jpeg[middle + 2:],
     why="a marker amid the data, from where on pixels are lost")
note("jpeg_rubbish_behind.jpg", jpeg + b"rubbish")
progressive = open("jpeg_420_progressive.jpg", "rb").read()
note("broken_jpeg_progressive_cut.jpg", progressive[:-60])
note("broken_jpeg_header_only.jpg", jpeg[:start])
note("broken_jpeg_12_bits.jpg", jpeg.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c"))

# PNG
png = save("png_rgb.png", photo)
save("png_rgba.png", rgba)
save("png_grey.png", grey)
save("png_grey_alpha.png", rgba.convert("LA"))
save("png_palette.png", indexed)
save("png_palette_clear.png", indexed, transparency=3)
save("png_1bit.png", grey.convert("1"))
save("png_exif6.png", photo, exif=exif(6))
levels = (np.asarray(grey).astype(np.int64) * 257 - 31 * (np.asarray(grey) > 9)).astype(np.uint16)
upper = np.repeat((levels >> 8).astype(np.uint8)[..., None], 3, 2)
data = io.BytesIO()
Image.fromarray(levels).save(data, "png")
note("png_grey16.png", data.getvalue(), holds=upper, why="Pillow's 16 bits become RGB by cutting off what is above 255")
note("broken_png_cut.png", png[:-40])
note("broken_png_no_end.png", png[:-12])
flipped = bytearray(png)
flipped[len(png) // 2] ^= 4
note("broken_png_flipped.png", bytes(flipped))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def own_png(data, header=(WIDTH, HEIGHT, 8, 2, 0, 0, 0)):
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header)) + data + chunk(b"IEND", b"")


rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(photo))
packed = zlib.compress(rows)
note("png_many_chunks.png", own_png(b"".join(chunk(b"IDAT", packed[i:i + 9]) for i in range(0, len(packed), 9))))
note("broken_png_few_rows.png", own_png(chunk(b"IDAT", zlib.compress(rows[:-100]))))
note("broken_png_filter9.png", own_png(chunk(b"IDAT", zlib.compress(b"\x09" + rows[1:]))))
note("broken_png_no_pixels.png", own_png(b""))
note("broken_png_depth3.png", own_png(chunk(b"IDAT", packed), (WIDTH, HEIGHT, 3, 2, 0, 0, 0)))

# GIF
gif = save("gif_palette.gif", indexed)
save("gif_clear.gif", indexed, transparency=7)
save("gif_interlaced.gif", indexed, interlace=1)
save("gif_frames.gif", indexed, save_all=True, append_images=[indexed.transpose(Image.FLIP_LEFT_RIGHT)])
note("broken_gif_cut.gif", gif[:len(gif) // 2])
note("broken_gif_no_end.gif", gif[:-1])

# BMP
bmp = save("bmp_rgb.bmp", photo)
save("bmp_grey.bmp", grey)
save("bmp_palette.bmp", indexed)
save("bmp_1bit.bmp", grey.convert("1"))
save("bmp_rgba.bmp", rgba)
note("broken_bmp_cut.bmp", bmp[:-500])

# WebP
save("webp_lossy.webp", photo, quality=80)
save("webp_lossless.webp", photo, lossless=True)
save("webp_alpha.webp", rgba, quality=80)
webp = save("webp_alpha_lossless.webp", rgba, lossless=True, exact=True)
save("webp_exif8.webp", photo, quality=60, exif=exif(8))
note("broken_webp_cut.webp", webp[:-100])

# TIFF
for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
    tiff = save(f"tiff_{compression}.tif", photo, compression=compression)
save("tiff_grey.tif", grey, compression="tiff_lzw")
save("tiff_palette.tif", indexed, compression="tiff_adobe_deflate")
save("tiff_1bit.tif", grey.convert("1"))
for orientation in (3, 6, 7):
    save(f"tiff_turned{orientation}.tif", photo, tiffinfo={274: orientation}, compression="tiff_lzw")
data = io.BytesIO()
Image.fromarray(levels).save(data, "tiff")
note("tiff_grey16.tif", data.getvalue(), holds=upper, why="Pillow's 16 bits become RGB by cutting off what is above 255")
data = io.BytesIO()
rgba.save(data, "tiff", compression="tiff_lzw")
note("tiff_rgba.tif", data.getvalue())
lzw = open("tiff_tiff_lzw.tif", "rb").read()
raw = open("tiff_raw.tif", "rb").read()
note("broken_tiff_cut.tif", raw[:-1500])
note("broken_tiff_lzw_zeros.tif", lzw[:60] + bytes(200) + lzw[260:])

# Neither
note("broken_empty.png", b"")
note("broken_text.jpg", b"This is no picture.")

json.dump(table, open("table.json", "w"), indent=1)
