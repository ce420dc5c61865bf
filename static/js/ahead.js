// What is asked next is here before it is needed, and stays ours while the page is open.
//
// What is asked is an article with data-asks, about the faces named by data-region on it or in
// it; any other article that the server sends says why nothing is asked now (data-why), and in
// how many seconds to ask again (data-again).

const RENEW = 80_000; // ms; the server keeps a face for us for two minutes

export function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return document.importNode(template.content, true).querySelector("article");
}

/** The faces that an article asks about. */
export function facesOf(node) {
  if (!node) return [];
  const named = [node, ...node.querySelectorAll("[data-region]")];
  return named.map((each) => each.dataset.region).filter(Boolean);
}

/** Events: `shown` {node}, and `told` {counts}: figures of the server that no deed has overtaken. */
export class Ahead extends EventTarget {
  #address;
  #stage;
  #outbox;
  #size;
  #nodes = []; // to come
  #filling = null;
  #later = 0;
  #turn = 0; // what was fetched in an earlier one is asked no more
  #awaited = null; // the item of the outbox without which nothing is fetched
  #deeds = 0; // given or sent so far: what was asked of the server before is older

  /** `size` articles are fetched beyond the one in `stage`, from data-url-next of `root`. */
  constructor(root, stage, outbox, size) {
    super();
    this.#address = root.dataset.urlNext;
    this.#stage = stage;
    this.#outbox = outbox;
    this.#size = size;
    outbox.addEventListener("sent", () => this.#deeds++);
    for (const end of ["sent", "refused"]) {
      outbox.addEventListener(end, ({ detail: { item } }) => this.#ended(item.uuid));
    }
    document.addEventListener("visibilitychange", () => document.hidden || this.fill());
    setInterval(() => this.#renew(), RENEW);
  }

  get current() {
    return this.#stage.querySelector("[data-asks]");
  }

  /** Begin with what the page came with, unless it was answered just before a reload. */
  start() {
    const unsent = this.#unsent();
    if (facesOf(this.current).some((face) => unsent.includes(face))) this.advance("wait");
    else this.fill();
  }

  /** Something was given, so that the figures on their way are old. */
  deed() {
    this.#deeds++;
  }

  advance(from) {
    const next = this.#nodes.shift();
    if (next) this.show(next, from);
    else this.#showWaiting();
    this.fill();
  }

  /** What was fetched is asked no more, and nothing is until the item `uuid` has been sent. */
  wait(uuid) {
    this.#turn++;
    this.#nodes = [];
    this.#awaited = uuid;
    this.#showWaiting();
  }

  #ended(uuid) {
    if (uuid !== this.#awaited) return;
    this.#awaited = null;
    this.fill();
  }

  #showWaiting() {
    const waiting = document.getElementById("waiting").content;
    this.#stage.setAttribute("aria-busy", "true");
    this.#stage.replaceChildren(document.importNode(waiting, true));
  }

  /** Show this again, and what is on screen after it. */
  back(node) {
    const shown = this.current;
    if (node === shown) return;
    if (shown) this.#nodes.unshift(shown);
    this.show(node, "back");
  }

  show(node, from) {
    const within = this.#stage.contains(document.activeElement);
    const focused = within ? document.activeElement.dataset.do : undefined;
    node.dataset.from = from;
    node.style.transform = "";
    ready(node);
    this.#stage.removeAttribute("aria-busy");
    this.#stage.replaceChildren(node);
    if (focused) node.querySelector(`[data-do=${focused}]`)?.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("shown", { detail: { node, within } }));
  }

  /** Fetch until enough waits behind what is on screen; one fetch after the other. */
  fill() {
    clearTimeout(this.#later);
    this.#filling ??= this.#fetchAhead().finally(() => (this.#filling = null));
  }

  /** Faces that must not be asked now: on screen, fetched, or with an answer that is still here. */
  held() {
    return [...[this.current, ...this.#nodes].flatMap(facesOf), ...this.#unsent()];
  }

  async fetchNext(exclude) {
    const address = new URL(this.#address, location.href);
    for (const face of exclude) address.searchParams.append("exclude", face);
    const before = this.#deeds;
    let response;
    try {
      response = await fetch(address, {
        headers: { "X-Background": "1" },
        signal: AbortSignal.timeout(15_000),
      });
    } catch {
      return null;
    }
    if (response.status === 401) this.#outbox.signedOut();
    if ([403, 404].includes(response.status)) location.reload(); // no member any more: it says why
    const node = response.ok ? parse(await response.text()) : null;
    if (node && before === this.#deeds) {
      this.dispatchEvent(new CustomEvent("told", { detail: { counts: node.dataset } }));
    }
    return node;
  }

  async #fetchAhead() {
    while (this.#nodes.length < this.#size && !this.#awaited) {
      const turn = this.#turn;
      const node = await this.fetchNext(this.held());
      if (turn !== this.#turn) continue;
      if (!node) return this.#fillAgainIn(3);
      if (!("asks" in node.dataset)) {
        if (!this.current) this.#showWhyNot(node);
        return this.#fillAgainIn(Number(node.dataset.again));
      }
      const held = this.held();
      if (facesOf(node).some((face) => held.includes(face))) return this.#fillAgainIn(1); // an undo was quicker
      for (const { src } of node.querySelectorAll("img")) new Image().src = src;
      if (this.current) this.#nodes.push(node);
      else this.show(node, "wait");
    }
  }

  #fillAgainIn(seconds) {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => document.hidden || this.fill(), 1000 * seconds);
  }

  /** The same reason again only changes its figures. */
  #showWhyNot(node) {
    const shown = this.#stage.querySelector(".no-question");
    if (shown?.dataset.why === node.dataset.why) shown.replaceChildren(...node.childNodes);
    else this.show(node, "wait");
  }

  #unsent() {
    return this.#outbox.waiting
      .flatMap(({ fields }) => fields.region ?? fields.shown ?? [])
      .filter(Boolean);
  }

  /** Asking again for what is here keeps it ours for two more minutes; in the same order, since
      a reload brings back what we were given first. */
  async #renew() {
    if (document.hidden) return;
    for (const node of [this.current, ...this.#nodes].filter(Boolean)) {
      const mine = facesOf(node);
      await this.fetchNext(this.held().filter((face) => !mine.includes(face)));
    }
  }
}

/** Buttons that need the page's script are hidden without it. */
export function ready(node) {
  for (const button of node.querySelectorAll("button[data-do][hidden]")) button.hidden = false;
}
