// The figures in the head of an answering page.

export class Tally {
  #root;
  #outbox;
  #progress = document.getElementById("progress");

  constructor(root, outbox) {
    this.#root = root;
    this.#outbox = outbox;
  }

  /** So many answers more (or fewer) than before; the server tells how it really is. */
  add(n) {
    for (const [name, by] of [["answered", n], ["left", -n]]) {
      for (const node of this.#all(name)) {
        node.textContent = Math.max(0, Number(node.textContent) + by);
      }
    }
    this.#progress.value += n;
  }

  /** The server's figures, unless answers that it doesn't know of are still here. */
  told(counts) {
    if (this.#outbox.waiting.length > 0 || counts.answered === undefined) return false;
    for (const name of ["answered", "left", "matches", "worth"]) {
      for (const node of this.#all(name)) node.textContent = counts[name];
    }
    const worth = Number(counts.worth) > 0;
    this.#root.querySelector("[data-worth]").hidden = !worth;
    this.#root.querySelector("[data-left]").hidden = worth;
    this.#progress.max = Number(counts.answered) + Number(counts.left) || 1;
    this.#progress.value = counts.answered;
    return true;
  }

  #all(name) {
    return this.#root.querySelectorAll(`[data-count=${name}]`);
  }
}
