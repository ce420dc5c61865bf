// A photo of a gallery, larger, in a dialog: look, decide, draw.

import { drawBox } from "./draw.js";

const KEYS = {
  a: "approve",
  r: "reject",
  d: "draw",
  ArrowLeft: "previous",
  ArrowRight: "next",
};

export class Large {
  #dialog = document.getElementById("large");
  #place = document.getElementById("large-photo");
  #acts;
  #drawing = false;
  tile = null;

  /** `acts` has approve(tile), reject(tile), draw(tile, box) and beside(tile, step). */
  constructor(acts) {
    this.#acts = acts;
    for (const button of this.#dialog.querySelectorAll("[data-large]")) {
      button.addEventListener("click", () => this.#do(button.dataset.large));
    }
    this.#dialog.addEventListener("keydown", (event) => {
      const command = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (!command || this.#drawing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!this.#dialog.querySelector(`[data-large=${command}]`)) return;
      event.preventDefault();
      this.#do(command);
    });
    this.#dialog.addEventListener("close", () => this.tile?.querySelector("input, a")?.focus());
  }

  open(tile) {
    const content = tile.querySelector("template").content;
    this.tile = tile;
    this.#place.replaceChildren(document.importNode(content, true));
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Open it with the box of the face, or a new one, ready to be drawn. */
  async draw(tile) {
    this.open(tile);
    const svg = this.#place.querySelector(".boxed > svg");
    this.#drawing = true;
    this.#dialog.classList.add("is-drawing");
    const box = await drawBox(svg, document.getElementById("draw-bar"), boxOf(svg));
    this.#dialog.classList.remove("is-drawing");
    this.#drawing = false;
    if (!box) return;
    this.#dialog.close();
    this.#acts.draw(tile, box);
  }

  #do(command) {
    const tile = this.tile;
    if (command === "close") return this.#dialog.close();
    if (command === "draw") return this.draw(tile);
    const next = this.#acts.beside(tile, command === "previous" ? -1 : 1);
    if (command === "approve" || command === "reject") this.#acts[command](tile);
    if (next) this.open(next);
    else if (command !== "previous" && command !== "next") this.#dialog.close();
  }
}

function boxOf(svg) {
  const line = svg.querySelector(".line");
  if (!line) return null;
  const { width, height } = svg.viewBox.baseVal;
  const side = (name) => line[name].baseVal.value;
  return {
    x: side("x") / width,
    y: side("y") / height,
    w: side("width") / width,
    h: side("height") / height,
  };
}
