// The class under the pointer, or under a cross-hair that the arrow keys move.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Probe {
  #frame = document.getElementById("frame");
  #crosshair = document.getElementById("crosshair");
  #tip = document.getElementById("tip");
  #viewport = document.getElementById("viewport");
  #viewer;
  #describe;
  #onLabel;
  #onSpoken;
  #at = null;

  /** `describe` gives {name, colour} of a class; `onLabel` hears the class or null, `onSpoken` what a screen reader is to say. */
  constructor(viewer, describe, onLabel, onSpoken) {
    this.#viewer = viewer;
    this.#describe = describe;
    this.#onLabel = onLabel;
    this.#onSpoken = onSpoken;
    this.#frame.addEventListener("pointermove", (event) => this.#point(event));
    this.#frame.addEventListener("pointerdown", (event) => this.#point(event));
    this.#frame.addEventListener("pointerleave", () => this.clear());
    this.#frame.addEventListener("keydown", (event) => this.#press(event));
    this.#frame.addEventListener("blur", () => this.clear());
  }

  clear() {
    this.#at = null;
    this.#crosshair.hidden = true;
    this.#tip.hidden = true;
    this.#onLabel(null);
  }

  #point(event) {
    this.#crosshair.hidden = true;
    const canvas = this.#viewer.canvas, box = canvas.getBoundingClientRect();
    this.#at = [
      Math.floor((event.clientX - box.left) / box.width * canvas.width),
      Math.floor((event.clientY - box.top) / box.height * canvas.height),
    ];
    this.#show();
  }

  #press(event) {
    if (event.key === "Escape") {
      this.clear();
      return;
    }
    const step = STEPS[event.key];
    if (!step || !this.#viewer.hasMask) return;
    event.preventDefault();
    const { width, height } = this.#viewer.canvas;
    if (this.#at === null) {
      this.#at = [width >> 1, height >> 1];
    } else {
      const far = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(width, height) / 64));
      this.#at = [clamp(this.#at[0] + step[0] * far, width), clamp(this.#at[1] + step[1] * far, height)];
    }
    this.#crosshair.style.left = `${(this.#at[0] + 0.5) / width * 100}%`;
    this.#crosshair.style.top = `${(this.#at[1] + 0.5) / height * 100}%`;
    this.#crosshair.hidden = false;
    const label = this.#show();
    this.#onSpoken(`${this.#describe(label).name}${this.#sure()}, at ${this.#at[0]}, ${this.#at[1]}`);
  }

  #show() {
    const label = this.#viewer.labelAt(...this.#at);
    this.#tip.hidden = label === null;
    this.#onLabel(label);
    if (label === null) return null;
    const { name, colour } = this.#describe(label);
    this.#tip.querySelector(".swatch").style.backgroundColor = colour;
    this.#tip.querySelector(".text").textContent = name + this.#sure();
    this.#place();
    return label;
  }

  /** ", 87 %" where the confidence is known. */
  #sure() {
    const confidence = this.#viewer.confidenceAt(...this.#at);
    return confidence === null ? "" : `, ${Math.round(confidence * 100)} %`;
  }

  // Beside the point, on the side where there is room.
  #place() {
    const canvas = this.#viewer.canvas, box = canvas.getBoundingClientRect();
    const around = this.#viewport.getBoundingClientRect(), own = this.#tip.getBoundingClientRect();
    const x = box.left - around.left + (this.#at[0] + 0.5) / canvas.width * box.width;
    const y = box.top - around.top + (this.#at[1] + 0.5) / canvas.height * box.height;
    const gap = 16;
    this.#tip.style.left = `${x + gap + own.width > around.width ? Math.max(0, x - gap - own.width) : x + gap}px`;
    this.#tip.style.top = `${y + gap + own.height > around.height ? y - gap - own.height : y + gap}px`;
  }
}

function clamp(value, size) {
  return Math.min(size - 1, Math.max(0, value));
}
