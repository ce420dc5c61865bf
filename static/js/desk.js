// What the pages on which one answers share: answers go to the outbox, what is asked next is here
// before it is needed, and undo goes back through what was shown. What is asked is either one face
// (one.js) or a screen of them (many.js): the modes of a desk.

import { Ahead, ready } from "./ahead.js";
import { commandOf, labelKeys, ownKeys } from "./keys.js";
import "./keysform.js";
import { NUMBERS } from "./one.js";
import { Outbox } from "./outbox.js";
import { Tally } from "./tally.js";
import { toast, troubleOn } from "./trouble.js";
import { Zoom, onPinch } from "./zoom.js";

const KEPT = 100; // articles that undo can show again without asking the server
const TOLD = 5000; // ms that is said what was done
const DOUBLE = 500; // ms within which a second click is the first one's
const TURNED = 800; // ms in which keys still mean the other mode, and do nothing
const SKIPS = ["skip", "skipscreen"];

const USUAL = {
  y: "yes",
  ArrowRight: "yes",
  n: "no",
  ArrowLeft: "no",
  Enter: "confirm",
  Space: "toggle",
  b: "background",
  a: "artwork",
  f: "notaface",
  c: "canttell",
  u: "nousableface",
  s: "skip",
  z: "undo",
  d: "draw",
  e: "zoom",
  t: "why",
  g: "way",
  "?": "keys",
  ...Object.fromEntries(NUMBERS.map((n) => [n, `choose${n}`])),
};
// Where a key does what it does anyway.
const NATIVE = { Enter: "a, button, summary", " ": "a, button, summary, input" };

export class Desk {
  words = JSON.parse(document.getElementById("words").textContent);
  stage = document.getElementById("main");
  zoom = new Zoom(document.getElementById("zoom"));
  shownAt = 0;
  isBusy = false; // with drawing: nothing else is done meanwhile
  #root;
  #modes;
  #past = []; // {op, uuid, targets, n, node}: what undo takes back, the last one at the end
  #hushing = 0;
  #needed = 0;
  #keys = ownKeys(USUAL);
  #asked = null; // the mode of what was asked last
  #turnedAt = -TURNED; // when that became another one

  /** `size` articles are fetched ahead; each mode has `asks(node)`, `commands`, and may have
      `begin(node)` and `arrow(event)`. */
  constructor(root, size, makeModes) {
    this.#root = root;
    this.outbox = new Outbox(root);
    this.tally = new Tally(root, this.outbox);
    this.ahead = new Ahead(root, this.stage, this.outbox, size);
    this.#modes = makeModes.map((make) => make(this));
    this.#listen();
    ready(root);
    this.#begin(this.stage.firstElementChild);
    this.#told(this.stage.firstElementChild.dataset);
    this.ahead.start();
    this.outbox.flush();
  }

  get current() {
    return this.ahead.current;
  }

  get #mode() {
    return this.current && this.#modes.find((mode) => mode.asks(this.current));
  }

  get commands() {
    return {
      undo: () => this.undo(),
      keys: () => document.getElementById("keys").showModal(),
      flush: () => this.outbox.flush(),
      way: () => this.#toOtherWay(),
      why: () => this.#why(),
      ...this.#mode?.commands,
    };
  }

  /** Send this off, and go on at once. `n` answers are given by it, under `targets`. */
  give(op, fields, sentence, { targets, n = 1, from = op } = {}) {
    const node = this.current;
    if (!node || this.isBusy) return "";
    const uuid = this.outbox.add(op, fields);
    const counted = SKIPS.includes(op) ? 0 : n;
    this.remember({ op, uuid, targets, n: counted, node });
    this.tally.add(counted);
    this.tellUndo(sentence);
    this.ahead.advance(from, [fields.shown ?? fields.region].flat());
    this.#tellWaiting();
    return uuid;
  }

  remember(deed) {
    this.ahead.deed();
    this.#past.push(deed);
    if (this.#past.length > KEPT) this.#past.shift();
  }

  undo() {
    if (this.isBusy) return;
    const deed = this.#past.pop();
    if (!deed) {
      this.outbox.add("undo", {}); // from before this page was opened; `sent` shows what came back
      return;
    }
    if (!SKIPS.includes(deed.op)) {
      this.outbox.add("undo", { target: deed.targets ?? deed.uuid }, deed.uuid);
      this.tally.add(-deed.n);
    }
    this.ahead.back(deed.node);
    toast(this.words.undone);
  }

  /** A toast that goes by itself: Undo stays in the header. */
  tellUndo(text) {
    toast(text, () => this.undo());
    clearTimeout(this.#hushing);
    this.#hushing = setTimeout(() => this.hush(), TOLD);
  }

  hush() {
    document.getElementById("toasts").replaceChildren();
  }

  /** Read out, and not shown. */
  say(text) {
    const place = document.getElementById("announce");
    place.textContent = place.textContent === text ? `${text}\u00a0` : text; // else it is no change
  }

  counted(name, n) {
    return (n === 1 ? this.words[name] : this.words[`${name}Many`]).replace("{n}", n);
  }

  #begin(node) {
    this.shownAt = performance.now();
    labelKeys(node);
    const mode = this.#mode;
    if (mode && this.#asked && mode !== this.#asked) this.#turnedAt = this.shownAt;
    this.#asked = mode ?? this.#asked;
    mode?.begin?.(node);
    this.#showNeeded();
  }

  #toOtherWay() {
    const way = this.#root.id === "ask" ? "grid" : "ask";
    this.#root.querySelector(`[data-way=${way}]`)?.click();
  }

  #why() {
    const hidden = [...this.stage.querySelectorAll(".q-why")];
    const open = hidden.some((each) => !each.open);
    for (const each of hidden) each.open = open;
    if (open) this.say(hidden.map((each) => each.lastElementChild.textContent).join(" "));
  }

  /** Where one waits for what is asked next: whether it is on its way, or the network is away. */
  #tellWaiting() {
    const away = this.outbox.trouble === "offline" || !navigator.onLine;
    for (const each of this.stage.querySelectorAll("[data-waits]")) {
      const hidden = away !== (each.dataset.waits === "away");
      if (each.hidden === hidden) continue;
      each.hidden = hidden;
      if (!hidden) this.say([...each.children].map((part) => part.textContent.trim()).join(" ").trim());
    }
  }

  #told(counts) {
    if (!this.tally.told(counts)) return;
    this.#needed = Number(counts.needed);
    this.#showNeeded();
  }

  /** How many more Yes it takes until the tool looks by itself. */
  #showNeeded() {
    const line = this.stage.querySelector(".q-needed");
    if (!line) return;
    line.hidden = !this.#needed;
    line.textContent = this.counted("needed", this.#needed);
  }

  #key(event) {
    if (this.isBusy) return;
    const move = this.#mode?.arrow;
    if (move && event.key.startsWith("Arrow")) {
      if (commandOf(event, { [event.key]: "move" })) move(event);
      return;
    }
    const name = commandOf(event, this.#keys);
    if (name !== "undo" && performance.now() - this.#turnedAt < TURNED) return;
    const act = this.commands[name];
    if (!act || (NATIVE[event.key] && event.target.closest?.(NATIVE[event.key]))) return;
    event.preventDefault();
    act();
  }

  async #sent({ item, body }) {
    this.#told(body);
    if (item.op === "undo") this.ahead.recount();
    if (body.told && !item.target) toast(body.told);
    if (item.op !== "undo" || item.target || !body.undone) return;
    if (!body.question) return; // it was no question
    const node = await this.ahead.fetchNext(this.ahead.held()); // what was put back comes first
    if (node && "asks" in node.dataset) this.ahead.back(node);
  }

  #refused({ item, sentence }) {
    const at = this.#past.findIndex((deed) => deed.uuid === item.uuid);
    if (at >= 0) this.#past.splice(at, 1);
    clearTimeout(this.#hushing); // this stays
    toast(sentence || this.words.refused, null, "bad");
  }

  #listen() {
    const { outbox, ahead } = this;
    outbox.addEventListener("change", troubleOn(outbox, this.words));
    outbox.addEventListener("change", () => this.#tellWaiting());
    for (const turn of ["online", "offline"]) addEventListener(turn, () => this.#tellWaiting());
    outbox.addEventListener("sent", ({ detail }) => this.#sent(detail));
    outbox.addEventListener("refused", ({ detail }) => this.#refused(detail));
    ahead.addEventListener("told", ({ detail }) => this.#told(detail.counts));
    ahead.addEventListener("gone", () => toast(this.words.gone));
    ahead.addEventListener("shown", ({ detail: { node, within } }) => {
      this.#begin(node);
      const heading = node.querySelector("h1");
      // where a button was pressed that is not there any more, reading goes on at the question
      if (within && !this.stage.contains(document.activeElement)) heading.focus({ preventScroll: true });
      if (scrollY > 0 && !node.matches("[data-one]")) scrollTo({ top: 0 });
      const asked = this.#mode?.says?.(node) ?? heading.textContent;
      this.say(this.current ? `${asked} ${this.tally.text}` : asked);
    });
    document.addEventListener("click", (event) => {
      const act = this.commands[event.target.closest("button[data-do]")?.dataset.do];
      if (!act) return;
      event.preventDefault();
      const isSecond = event.detail > 1 && performance.now() - this.shownAt < DOUBLE;
      if (!isSecond) act();
    });
    document.addEventListener("keydown", (event) => this.#key(event));
    this.stage.addEventListener("submit", (event) => event.preventDefault()); // by a key in a field
    onPinch(this.stage, (event) => {
      // the second tap of two is not for the next face, if the first one chose
      if (performance.now() - this.shownAt < DOUBLE) return;
      if (event.target.closest(".q-frame") && !this.isBusy) this.commands.zoom?.();
    });
  }
}
