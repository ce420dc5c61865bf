// The figures in the head of an answering page.

import { sayCount } from "./counts.js";

const read = (node) => Number(node.textContent.replace(/\D/g, ""));

export class Tally {
  #root;
  #outbox;
  #progress = document.getElementById("progress");

  constructor(root, outbox) {
    this.#root = root;
    this.#outbox = outbox;
  }

  /** What stands there: how many are answered, or are still worth giving. */
  get text() {
    return document.getElementById("tally").innerText.trim();
  }

  /** So many answers more (or fewer) than before; the server tells how it really is. */
  add(n) {
    // of what is worth giving one stays until the server says that it is enough
    for (const [name, by, least] of [["answered", n, 0], ["left", -n, 0], ["worth", -n, 1]]) {
      for (const node of this.#all(name)) {
        sayCount(node, Math.max(least, read(node) + by));
      }
    }
    this.#progress.value += n;
  }

  /** The server's figures, unless answers that it doesn't know of are still here. */
  told(counts) {
    if (this.#outbox.waiting.length > 0 || counts.answered === undefined) return false;
    for (const name of ["answered", "left", "matches", "worth"]) {
      for (const node of this.#all(name)) sayCount(node, Number(counts[name]));
    }
    const worth = Number(counts.worth) > 0;
    this.#root.querySelector("[data-worth]").hidden = !worth;
    this.#root.querySelector("[data-left]").hidden = worth || !Number(counts.left);
    this.#progress.max = Number(counts.answered) + Number(counts.left) || 1;
    this.#progress.value = counts.answered;
    return true;
  }

  #all(name) {
    return this.#root.querySelectorAll(`[data-count=${name}]`);
  }
}
