// What is asked next is here before it is needed, and stays ours while the page is open.
//
// What is asked is an article with data-asks, about the faces named by data-region on it or in
// it; any other article that the server sends says why nothing is asked now (data-why), and in
// how many seconds to ask again (data-again); ever more seldom while nothing changes, which the
// server tells cheaply by the ticket of that article (data-ticket, see poll.js).

import { Pace } from "./poll.js";

const RENEW = 80_000; // ms; the server keeps a face for us for two minutes
const SETTLE = 600; // ms that an answer has to be learned from before more is fetched ahead
const LEARNED = 2500; // ms in which the tool has learned from an undo
const ENOUGH = 4000; // ms that the next to come waits for answers that are still on their way

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

/**
 * Events: `shown` {node, within}; `told` {counts}: figures of the server that no deed has overtaken;
 * `lost` {node, faces}: these are asked no more, but others of that article are; `gone`: what was on
 * screen is asked no more, and the next is shown.
 */
export class Ahead extends EventTarget {
  #address;
  #stage;
  #outbox;
  #size;
  #nodes = []; // to come
  #filling = null;
  #later = 0;
  #pace = new Pace();
  #ticket = "";
  #turn = 0; // what was fetched in an earlier one is asked no more
  #awaited = null; // the item of the outbox without which nothing is fetched
  #isOver = false; // nothing is asked of us here any more
  #deeds = 0; // given or sent so far: what was asked of the server before is older
  #keep; // where the server is asked whether what is here is still ours
  #kept = performance.now(); // when it was

  /** `size` articles are fetched beyond the one in `stage`, from data-url-next of `root`. */
  constructor(root, stage, outbox, size) {
    super();
    this.#address = root.dataset.urlNext;
    this.#keep = root.dataset.urlKeep;
    this.#stage = stage;
    this.#outbox = outbox;
    this.#size = size;
    outbox.addEventListener("sent", () => this.deed());
    for (const end of ["sent", "refused"]) {
      outbox.addEventListener(end, ({ detail: { item } }) => this.#ended(item.uuid));
    }
    document.addEventListener("visibilitychange", () => document.hidden || this.#returned());
    addEventListener("pageshow", (event) => event.persisted && this.#returned()); // the back button
    setInterval(() => this.#renew(), RENEW);
  }

  get current() {
    return this.#stage.querySelector("[data-asks]");
  }

  /** Begin with what the page came with, unless it was answered just before a reload. */
  start() {
    const answered = [...this.#outbox.unsent, ...this.#outbox.sentMeanwhile];
    if (facesOf(this.current).some((face) => answered.includes(face))) this.advance("wait");
    else this.fill();
  }

  /** Read the figures again once the tool has learned from an undo. */
  recount() {
    setTimeout(() => this.#renew(), LEARNED);
  }

  /** Something was given, so that the figures on their way are old. */
  deed() {
    this.#deeds++;
    this.#pace.reset();
  }

  /** Go on; the faces in `answered` are asked no more, wherever they were fetched ahead. */
  advance(from, answered = []) {
    this.#nodes = this.#nodes.filter((node) => !facesOf(node).some((face) => answered.includes(face)));
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
    tellMissing(node);
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
    return [...[this.current, ...this.#nodes].flatMap(facesOf), ...this.#outbox.unsent];
  }

  async fetchNext(exclude) {
    const before = this.#deeds;
    const ticket = this.current || !this.#ticket ? [] : [this.#ticket];
    const response = await this.#ask(this.#address, { exclude, ticket });
    const node = response && parse(await response.text());
    if (node) this.#ticket = node.dataset.ticket ?? "";
    if (node && before === this.#deeds) {
      this.dispatchEvent(new CustomEvent("told", { detail: { counts: node.dataset } }));
    }
    return node;
  }

  /** null where the server can't be reached, or has nothing for us. */
  async #ask(url, fields) {
    const address = new URL(url, location.href);
    for (const [name, values] of Object.entries(fields)) {
      for (const value of values) address.searchParams.append(name, value);
    }
    try {
      const signal = AbortSignal.timeout(15_000);
      const response = await fetch(address, { headers: { "X-Background": "1" }, signal });
      if (response.status === 401) this.#outbox.signedOut();
      if ([403, 404].includes(response.status)) this.#end();
      return response.ok ? response : null;
    } catch {
      return null;
    }
  }

  /** No member any more. */
  #end() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#nodes = [];
    const over = document.getElementById("over").content;
    this.show(document.importNode(over, true).querySelector("article"), "wait");
  }

  async #fetchAhead() {
    while (this.#nodes.length < this.#size && !this.#awaited && !this.#isOver) {
      await this.#learned();
      const turn = this.#turn;
      const node = await this.fetchNext(this.held());
      if (turn !== this.#turn) continue;
      if (this.#isOver) return;
      if (!node) return this.#fillAgain(); // nothing changed, or the network is away
      if (!("asks" in node.dataset)) {
        if (!this.current) this.#showWhyNot(node);
        return this.#fillAgain();
      }
      this.#pace.reset();
      const held = this.held();
      if (facesOf(node).some((face) => held.includes(face))) return this.#fillAgain(); // an undo was quicker
      for (const { src } of node.querySelectorAll("img")) new Image().src = src;
      if (this.current) this.#nodes.push(node);
      else this.show(node, "wait");
    }
  }

  #fillAgain() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => document.hidden || this.fill(), this.#pace.next());
  }

  /** The same reason again only changes its figures. */
  #showWhyNot(node) {
    const shown = this.#stage.querySelector(".no-question");
    if (shown?.dataset.why !== node.dataset.why) this.#pace.reset(1000 * node.dataset.again);
    if (shown?.dataset.why === node.dataset.why) shown.replaceChildren(...node.childNodes);
    else this.show(node, "wait");
  }

  /** While something is on screen there is time to learn from the last answers, so that what is
      fetched knows of them. */
  async #learned() {
    const [until, step] = [performance.now() + ENOUGH, 50];
    const isEnough = () => this.#nodes.length >= this.#size - 1; // one short of what is wanted
    const hasTime = () => this.current && isEnough() && performance.now() < until;
    const rest = () => new Promise((resolve) => setTimeout(resolve, step));
    if (!this.#outbox.waiting.length) return;
    while (hasTime() && this.#outbox.waiting.length) await rest();
    for (let at = 0; hasTime() && at < SETTLE; at += step) await rest();
  }

  /** Somebody is back at the page: what it shows may be asked no more. */
  async #returned() {
    if (performance.now() - this.#kept > RENEW) await this.#renew();
    this.#pace.reset();
    this.fill();
  }

  /** Keep what is here for two more minutes, with one request: a reload may end it at any time.
      What others have taken or answered meanwhile is asked no more. */
  async #renew() {
    // an answer or an undo on its way changes what is asked: not now
    if (document.hidden || !this.#keep || this.#outbox.waiting.length) return;
    this.#kept = performance.now();
    const deeds = this.#deeds;
    const held = [this.current, ...this.#nodes].filter(Boolean);
    const response = await this.#ask(this.#keep, { face: held.flatMap(facesOf) });
    if (!response || deeds !== this.#deeds) return;
    const { kept, ...counts } = await response.json();
    this.dispatchEvent(new CustomEvent("told", { detail: { counts } }));
    for (const node of held.reverse()) { // what is on screen goes last
      const [mine, isKept] = [facesOf(node), (face) => kept.includes(face)];
      const lost = mine.filter((face) => !isKept(face));
      if (lost.length) this.#lose(node, lost, mine.filter(isKept));
    }
  }

  #lose(node, faces, kept) {
    if (kept.length && !("one" in node.dataset)) {
      this.dispatchEvent(new CustomEvent("lost", { detail: { node, faces } }));
    } else if (node === this.current) {
      this.advance("wait");
      this.dispatchEvent(new Event("gone"));
    } else {
      this.#nodes = this.#nodes.filter((each) => each !== node);
      this.fill();
    }
  }
}

/** A crop that failed to come while its article was ahead said so to nobody: see crops.js. */
function tellMissing(node) {
  for (const image of node.querySelectorAll("img")) {
    if (image.complete && !image.naturalWidth) image.dispatchEvent(new Event("error"));
  }
}

/** Buttons that need the page's script are hidden without it. */
export function ready(node) {
  for (const button of node.querySelectorAll("button[data-do][hidden]")) button.hidden = false;
}
