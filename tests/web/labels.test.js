// The page's own reader of label PNGs, without a browser.

import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";
import { countClasses, readLabels } from "../../managed/Atrous.Server/Web/files/labels.js";

function chunk(type, body) {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body, Buffer.alloc(4)]);
}

/** A PNG whose rows are filtered in turn by all filters of the format, its data in two chunks. */
function write(width, height, depth, bytesOf) {
  const size = depth / 8, stride = width * size, raw = Buffer.alloc(height * stride);
  for (let i = 0; i < width * height; i++) raw.set(bytesOf(i), i * size);
  const rows = Buffer.alloc(height * (stride + 1));
  for (let y = 0; y < height; y++) {
    const filter = y % 5;
    rows[y * (stride + 1)] = filter;
    for (let i = 0; i < stride; i++) {
      const left = i >= size ? raw[y * stride + i - size] : 0;
      const up = y > 0 ? raw[(y - 1) * stride + i] : 0;
      const corner = y > 0 && i >= size ? raw[(y - 1) * stride + i - size] : 0;
      const nearest = [left, up, corner].map((value, order) => [Math.abs(left + up - corner - value), order, value]).sort((a, b) => a[0] - b[0] || a[1] - b[1])[0][2];
      rows[y * (stride + 1) + 1 + i] = raw[y * stride + i] - [0, left, up, (left + up) >> 1, nearest][filter];
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = depth === 8 ? 3 : 0;
  const data = deflateSync(rows), half = data.length >> 1;
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", header), chunk("PLTE", Buffer.alloc(768)),
    chunk("IDAT", data.subarray(0, half)), chunk("IDAT", data.subarray(half)), chunk("IEND", Buffer.alloc(0)),
  ]);
}

test("8-bit indices come back, whatever filter a row has", async () => {
  const value = (i) => (i * 37 + (i >> 3)) % 256;
  const { width, height, labels } = await readLabels(write(23, 17, 8, (i) => [value(i)]));
  assert.deepEqual([width, height], [23, 17]);
  assert.deepEqual([...labels], Array.from({ length: 23 * 17 }, (_, i) => value(i)));
});

test("16-bit classes come back", async () => {
  const value = (i) => (i * 2657) % 65536;
  const { labels } = await readLabels(write(19, 11, 16, (i) => [value(i) >> 8, value(i) & 255]));
  assert.deepEqual([...labels], Array.from({ length: 19 * 11 }, (_, i) => value(i)));
});

test("what is no PNG is refused", async () => {
  await assert.rejects(readLabels(new Uint8Array(100)), /no PNG/);
});

test("classes are counted, the largest first", () => {
  assert.deepEqual(countClasses(Uint16Array.of(7, 2, 300, 2, 7)), [
    { index: 2, pixels: 2, share: 0.4 }, { index: 7, pixels: 2, share: 0.4 }, { index: 300, pixels: 1, share: 0.2 },
  ]);
});
