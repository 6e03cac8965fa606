// Several pictures that were chosen together: a row for each says how far it is, and shows it again.

const WORDS = { waiting: "waiting", running: "segmenting", stopped: "not segmented" };

export class Queue {
  #box = document.getElementById("queue");
  #list = document.getElementById("queue-list");
  #count = document.getElementById("queue-count");
  #progress = document.getElementById("queue-progress");
  #saveAll = document.getElementById("save-all");
  #rows = new Map();
  #onChoose;

  /** `onChoose` hears the picture whose row is taken, `onSaveAll` that all masks are wanted. */
  constructor(onChoose, onSaveAll) {
    this.#onChoose = onChoose;
    this.#saveAll.addEventListener("click", onSaveAll);
  }

  /** Shows pictures, each with a `name`; a single one needs no list. */
  show(pictures) {
    this.#rows = new Map(pictures.map((picture) => [picture, this.#row(picture)]));
    this.#list.replaceChildren(...[...this.#rows.values()].map((row) => row.item));
    this.#box.hidden = pictures.length < 2;
    for (const picture of pictures) this.mark(picture, "waiting");
  }

  /** A picture is "waiting", "running", "stopped", "done" or "refused"; `text` says with what. */
  mark(picture, state, text = WORDS[state]) {
    const row = this.#rows.get(picture);
    if (!row) return;
    row.state = state;
    row.item.className = state;
    row.text.textContent = text;
    const states = [...this.#rows.values()].map((other) => other.state);
    const ended = states.filter((other) => other === "done" || other === "refused").length;
    const refused = states.filter((other) => other === "refused").length;
    this.#count.textContent = `${ended} of ${states.length}${refused > 0 ? `, ${refused} refused` : ""}`;
    this.#progress.max = states.length;
    this.#progress.value = ended;
    this.#saveAll.hidden = !states.includes("done") || states.includes("running");
  }

  /** The picture on show. */
  set current(picture) {
    for (const [other, row] of this.#rows) row.button.setAttribute("aria-current", String(other === picture));
  }

  #row(picture) {
    const item = document.createElement("li"), button = document.createElement("button");
    const name = document.createElement("span"), text = document.createElement("span");
    button.type = "button";
    name.className = "name";
    name.textContent = picture.name;
    text.className = "soft";
    button.append(name, text);
    button.addEventListener("click", () => this.#onChoose(picture));
    item.append(button);
    return { item, button, text, state: "" };
  }
}
