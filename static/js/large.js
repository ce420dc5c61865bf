// A photo of a gallery, larger, in a dialog: look, decide, draw.

import { drawBox } from "./draw.js";
import { fetchPage } from "./tiles.js";

const STEPS = ["previous", "next", "close"]; // what is no verdict
const ARROWS = { ArrowLeft: "previous", ArrowRight: "next" };

export class Large {
  #dialog = document.getElementById("large");
  #place = document.getElementById("large-photo");
  #acts;
  #drawing = false;
  #fetched = new Map(); // address -> promise of what is shown
  tile = null;

  /**
   * `acts` has approve(tile), reject(tile), else(tile), draw(tile, box) and beside(tile, step);
   * `keys` is key -> command.
   */
  constructor(acts, keys) {
    this.#acts = acts;
    for (const button of this.#dialog.querySelectorAll("[data-large]")) {
      button.addEventListener("click", () => this.#do(button.dataset.large));
    }
    this.#dialog.addEventListener("keydown", (event) => {
      if (this.#drawing || event.ctrlKey || event.metaKey || event.altKey) return;
      const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
      const command = ARROWS[key] ?? keys[key];
      if (!command || !this.#dialog.querySelector(`[data-large="${command}"]:enabled`)) return;
      event.preventDefault();
      this.#do(command);
    });
    this.#dialog.addEventListener("close", () => this.tile?.querySelector("input, a")?.focus());
  }

  async open(tile) {
    this.tile = tile;
    for (const button of this.#dialog.querySelectorAll("[data-large]")) {
      button.disabled = "paused" in tile.dataset && !STEPS.includes(button.dataset.large);
    }
    if (!this.#dialog.open) {
      this.#dialog.showModal();
      this.#dialog.focus(); // not the first button: an Enter that is held would press it
    }
    this.#dialog.setAttribute("aria-busy", "true");
    const content = await this.#contentOf(tile);
    if (this.tile !== tile) return; // somebody was quicker with the arrows
    this.#dialog.removeAttribute("aria-busy");
    if (content) this.#place.replaceChildren(document.importNode(content, true));
    else this.#place.textContent = this.#dialog.dataset.offline;
    for (const step of [1, -1]) {
      const near = this.#acts.beside(tile, step);
      if (near) this.#contentOf(near).then(preload);
    }
  }

  /** Open it with the box of the face, or a new one, ready to be drawn. */
  async draw(tile) {
    await this.open(tile);
    const svg = this.#place.querySelector(".boxed > svg");
    if (!svg || this.#drawing) return;
    this.#drawing = true;
    this.#dialog.classList.add("is-drawing");
    const box = await drawBox(svg, document.getElementById("draw-bar"), boxOf(svg));
    this.#dialog.classList.remove("is-drawing");
    this.#drawing = false;
    if (!box) return;
    this.#dialog.close();
    this.#acts.draw(tile, box);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  /** What is shown of a tile: from its own template, or from the page that it links to. */
  #contentOf(tile) {
    const own = tile.querySelector("template");
    if (own) return Promise.resolve(own.content);
    const { href } = tile.querySelector("[data-open]");
    if (!this.#fetched.has(href)) {
      const found = fetchPage(href).then((page) => page?.body.querySelector("article") ?? null);
      this.#fetched.set(href, found);
      found.then((content) => content ?? this.#fetched.delete(href));
    }
    return this.#fetched.get(href);
  }

  /** What was fetched of a tile is no longer so. */
  forget(tile) {
    this.#fetched.delete(tile.querySelector("[data-open]")?.href);
  }

  #do(command) {
    const tile = this.tile;
    if (command === "close") return this.#dialog.close();
    if (command === "draw" || command === "redraw") return this.draw(tile);
    const next = this.#acts.beside(tile, command === "previous" ? -1 : 1);
    if (command === "else") {
      this.#dialog.close();
      return this.#acts.else(tile);
    }
    const isDeed = command !== "previous" && command !== "next";
    if (isDeed) this.#acts[command](tile);
    if (next) this.open(next);
    else if (isDeed) this.#dialog.close();
  }
}

function preload(content) {
  const image = content?.querySelector(".boxed > img");
  if (image) new Image().src = image.getAttribute("src");
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
