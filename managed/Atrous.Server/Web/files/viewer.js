// The picture with its mask: three canvases on top of each other, for the photo, the classes' colours, and marks on them.

const HATCH = 14;

export class Viewer {
  #photo = document.getElementById("photo");
  #mask = document.getElementById("mask");
  #marks = document.getElementById("marks");
  #labels = null;
  #confidence = null;
  #colours = new Map();
  #hidden = new Set();
  #highlighted = null;
  #outlined = false;
  #opacity = 0.6;

  constructor() {
    new ResizeObserver(() => this.#drawMarks()).observe(this.#photo);
  }

  /** The canvas whose box on the page is the picture's. */
  get canvas() {
    return this.#photo;
  }

  get hasMask() {
    return this.#labels !== null;
  }

  /** Shows a picture that has no mask yet. */
  showPhoto(bitmap) {
    this.#photo.width = bitmap.width;
    this.#photo.height = bitmap.height;
    this.#photo.getContext("2d").drawImage(bitmap, 0, 0);
    this.clearMask();
  }

  clearMask() {
    this.#labels = null;
    this.#confidence = null;
    this.#hidden.clear();
    this.#highlighted = null;
    this.#mask.width = this.#photo.width;
    this.#mask.height = this.#photo.height;
    this.#drawMarks();
  }

  /** Shows the mask of the picture: {width, height, labels}, and a colour "#rrggbb" by class. */
  showMask(mask, colours) {
    this.#labels = mask;
    this.#colours = colours;
    this.#drawMask();
    this.#drawMarks();
  }

  set colours(colours) {
    this.#colours = colours;
    this.#drawMask();
  }

  set opacity(opacity) {
    this.#opacity = opacity;
    this.#mask.style.opacity = opacity;
  }

  /** Classes that are not drawn. */
  set hidden(classes) {
    this.#hidden = new Set(classes);
    this.#drawMask();
    this.#drawMarks();
  }

  /** Draws the borders of all classes. */
  set outlined(outlined) {
    this.#outlined = outlined;
    this.#drawMarks();
  }

  /** Hatches a class and draws its border, so that it is found without its colour; null for none. */
  set highlighted(label) {
    if (label === this.#highlighted) return;
    this.#highlighted = label;
    this.#drawMarks();
  }

  /** Shows the mask right of a share of the width alone, so that the photo can be compared with it. */
  set compared(share) {
    for (const canvas of [this.#mask, this.#marks]) canvas.style.clipPath = share > 0 ? `inset(0 0 0 ${share * 100}%)` : "";
  }

  /** The confidence of every pixel, {width, height, labels}, 255 for certain; null where it is not known. */
  set confidence(confidence) {
    this.#confidence = confidence;
  }

  /** The confidence at a pixel, 0 to 1, or null. */
  confidenceAt(x, y) {
    const known = this.#confidence;
    return known && x >= 0 && y >= 0 && x < known.width && y < known.height ? known.labels[y * known.width + x] / 255 : null;
  }

  /** The class of a pixel of the picture, or null outside of it. */
  labelAt(x, y) {
    const mask = this.#labels;
    return mask && x >= 0 && y >= 0 && x < mask.width && y < mask.height ? mask.labels[y * mask.width + x] : null;
  }

  /** The picture as it is seen, without marks, at its own size: a PNG. */
  overlay() {
    const canvas = new OffscreenCanvas(this.#photo.width, this.#photo.height);
    const context = canvas.getContext("2d");
    context.drawImage(this.#photo, 0, 0);
    context.globalAlpha = this.#opacity;
    context.drawImage(this.#mask, 0, 0);
    return canvas.convertToBlob({ type: "image/png" });
  }

  #drawMask() {
    if (!this.#labels) return;
    const { width, height, labels } = this.#labels;
    const context = this.#mask.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const table = new Uint32Array(65536);
    for (const [label, colour] of this.#colours) table[label] = this.#hidden.has(label) ? 0 : opaque(colour);
    for (let i = 0; i < labels.length; i++) pixels[i] = table[labels[i]];
    context.putImageData(image, 0, 0);
  }

  // At the screen's resolution, so that lines are as thick for large pictures as for small ones.
  #drawMarks() {
    const box = this.#photo.getBoundingClientRect();
    const scale = window.devicePixelRatio;
    const width = Math.round(box.width * scale), height = Math.round(box.height * scale);
    this.#marks.width = width;
    this.#marks.height = height;
    if (!this.#labels || width === 0 || height === 0 || (this.#highlighted === null && !this.#outlined)) return;
    const seen = this.#sample(width, height);
    const context = this.#marks.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const light = rgba(255, 255, 255, 235), dark = rgba(0, 0, 0, 215), veil = rgba(0, 0, 0, 26);
    const line = Math.max(1, Math.round(scale));
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const label = seen[i];
        const border = this.#isBorder(seen, i, x, y, width, height, line);
        if (border) pixels[i] = border > 1 ? light : dark;
        else if (label === this.#highlighted) pixels[i] = (x + y) / scale % HATCH < 2 ? light : veil;
      }
    }
    context.putImageData(image, 0, 0);
  }

  /** 0 within a class, 2 just inside of a border that is to be drawn, 1 just outside of it. */
  #isBorder(seen, i, x, y, width, height, line) {
    const own = this.#isMarked(seen[i]);
    const neighbours = [
      x >= line ? seen[i - line] : -1, x < width - line ? seen[i + line] : -1,
      y >= line ? seen[i - line * width] : -1, y < height - line ? seen[i + line * width] : -1,
    ];
    for (const other of neighbours) {
      if (other < 0 || other === seen[i]) continue;
      if (own && (this.#highlighted === null ? other < seen[i] || !this.#isMarked(other) : true)) return 2;
      if (this.#isMarked(other)) return 1;
    }
    return 0;
  }

  #isMarked(label) {
    return this.#highlighted === null ? this.#outlined && !this.#hidden.has(label) : label === this.#highlighted;
  }

  #sample(width, height) {
    const { width: from, height: rows, labels } = this.#labels;
    const seen = new Int32Array(width * height);
    const columns = Uint32Array.from({ length: width }, (_, x) => Math.floor((x + 0.5) * from / width));
    for (let y = 0, i = 0; y < height; y++) {
      const row = Math.floor((y + 0.5) * rows / height) * from;
      for (let x = 0; x < width; x++, i++) seen[i] = labels[row + columns[x]];
    }
    return seen;
  }
}

function opaque(colour) {
  const value = Number.parseInt(colour.slice(1), 16);
  return rgba(value >> 16, value >> 8 & 255, value & 255, 255);
}

/** As canvases have it in memory, on the little-endian machines that browsers run on. */
function rgba(red, green, blue, alpha) {
  return (alpha << 24 | blue << 16 | green << 8 | red) >>> 0;
}
