// The server's label PNG as numbers. Browsers show an indexed PNG only in its colours, so it is read here: its pixels are
// the classes, 8 bits each with a palette, or 16 bits of grey beyond 256 classes.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** The classes of a label PNG: {width, height, labels}, row by row. */
export async function readLabels(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (SIGNATURE.some((value, i) => bytes[i] !== value)) throw new Error("The server's mask is no PNG.");
  let width = 0, height = 0, depth = 0;
  const parts = [];
  for (let at = SIGNATURE.length; at < bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const body = at + 8;
    if (type === "IHDR") {
      width = view.getUint32(body);
      height = view.getUint32(body + 4);
      depth = bytes[body + 8];
    } else if (type === "IDAT") {
      parts.push(bytes.subarray(body, body + length));
    }
    at = body + length + 4;
  }
  const rows = await inflate(parts);
  const size = depth / 8;
  unfilter(rows, width * size, height, size);
  return { width, height, labels: pack(rows, width, height, size) };
}

async function inflate(parts) {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undoes the filters of PNG (section 9 of its specification) in place; every row begins with its filter's number. */
function unfilter(rows, stride, height, size) {
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1) + 1;
    const filter = rows[start - 1];
    if (filter === 0) continue;
    for (let i = 0; i < stride; i++) {
      const left = i >= size ? rows[start + i - size] : 0;
      const up = y > 0 ? rows[start + i - stride - 1] : 0;
      const corner = y > 0 && i >= size ? rows[start + i - stride - 1 - size] : 0;
      rows[start + i] += prediction(filter, left, up, corner);
    }
  }
}

function prediction(filter, left, up, corner) {
  switch (filter) {
    case 1: return left;
    case 2: return up;
    case 3: return (left + up) >> 1;
    default: return paeth(left, up, corner);
  }
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function pack(rows, width, height, size) {
  const labels = new Uint16Array(width * height);
  for (let y = 0, to = 0; y < height; y++) {
    let from = y * (width * size + 1) + 1;
    for (let x = 0; x < width; x++, from += size, to++) {
      labels[to] = size === 1 ? rows[from] : rows[from] * 256 + rows[from + 1];
    }
  }
  return labels;
}

/** How many pixels each class has: [{index, pixels, share}], the largest first. */
export function countClasses(labels) {
  const counts = new Map();
  for (let start = 0; start < labels.length;) {
    let end = start + 1;
    while (end < labels.length && labels[end] === labels[start]) end++;
    counts.set(labels[start], (counts.get(labels[start]) ?? 0) + end - start);
    start = end;
  }
  return [...counts].map(([index, pixels]) => ({ index, pixels, share: pixels / labels.length }))
    .sort((a, b) => b.pixels - a.pixels || a.index - b.index);
}
