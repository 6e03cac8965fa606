// The list of classes: switches, colours, shares.

export class Legend {
  #list = document.getElementById("legend");
  #rows = new Map();
  #onHidden;
  #onPoint;

  /** Says which classes are switched off, and which one is pointed at (null for none). */
  constructor(onHidden, onPoint) {
    this.#onHidden = onHidden;
    this.#onPoint = onPoint;
    document.getElementById("all").addEventListener("click", () => this.#switch(() => true));
    document.getElementById("none").addEventListener("click", () => this.#switch(() => false));
  }

  /** Shows classes, each {index, name, colour, share}, all switched on. */
  show(classes) {
    this.#rows = new Map(classes.map((entry) => [entry.index, this.#row(entry)]));
    this.#list.replaceChildren(...[...this.#rows.values()].map((row) => row.item));
    document.getElementById("legend-empty").hidden = classes.length > 0;
    document.getElementById("legend-buttons").hidden = classes.length < 2;
  }

  /** The classes that are switched off. */
  get hidden() {
    return new Set([...this.#rows].filter(([, row]) => !row.box.checked).map(([index]) => index));
  }

  set colours(colours) {
    for (const [index, row] of this.#rows) row.swatch.style.backgroundColor = colours.get(index);
  }

  /** Marks the class that the pointer is on. */
  set current(label) {
    for (const [index, row] of this.#rows) row.item.classList.toggle("current", index === label);
  }

  #row({ index, name, colour, share }) {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => this.#changed());
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.backgroundColor = colour;
    const text = document.createElement("span");
    text.textContent = name;
    label.append(box, swatch, text);
    const only = document.createElement("button");
    only.type = "button";
    only.className = "link only";
    only.textContent = "only";
    only.setAttribute("aria-label", `Only ${name}`);
    only.addEventListener("click", () => this.#switch((other) => other === index));
    const part = document.createElement("span");
    part.className = "share";
    part.textContent = percent(share);
    item.append(label, only, part);
    item.addEventListener("pointerenter", () => this.#onPoint(index));
    item.addEventListener("pointerleave", () => this.#onPoint(null));
    item.addEventListener("focusin", (event) => {
      if (event.target.matches(":focus-visible")) this.#onPoint(index);
    });
    item.addEventListener("focusout", () => this.#onPoint(null));
    return { item, box, swatch, text };
  }

  #switch(isOn) {
    for (const [index, row] of this.#rows) row.box.checked = isOn(index);
    this.#changed();
  }

  #changed() {
    for (const row of this.#rows.values()) row.text.classList.toggle("off", !row.box.checked);
    this.#onHidden([...this.#rows].filter(([, row]) => !row.box.checked).map(([index]) => index));
  }
}

/** 0.3091 as "30.9 %"; what is there but rounds to nothing as "< 0.1 %". */
export function percent(share) {
  return share > 0 && share < 0.0005 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`;
}
