// A screen of faces: mark, confirm, undo, without loading a page. Answers go to the outbox, the
// next screen is here before it is needed.

import { Ahead, ready } from "./ahead.js";
import { commandOf } from "./keys.js";
import { Outbox, newUuid } from "./outbox.js";
import { Tally } from "./tally.js";
import { tileTowards } from "./tiles.js";
import { toast, troubleOn } from "./trouble.js";
import { Zoom, onPinch } from "./zoom.js";

const AHEAD = 1; // screens fetched beyond the one on screen
const KEPT = 30; // screens that undo can show again without asking the server
const LOOK = 500; // ms that a screen must be seen before it can be answered: no double click's second
const HOLD = 500; // ms after which a finger on a face means its photo

const root = document.getElementById("grid");
const stage = document.getElementById("main");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const tellTrouble = troubleOn(outbox, words);
const zoom = new Zoom(document.getElementById("zoom"));
const tally = new Tally(root, outbox);
const ahead = new Ahead(root, stage, outbox, AHEAD);
const past = []; // {op, uuid, targets, node}: what undo takes back, the last one at the end

let shownAt = 0;
let inFocus = null; // the face whose photo is shown, and to which the words belong
let hushing = 0;
let held = false; // a finger that held a face lets go of it: that is no tap

const current = () => ahead.current;
const isOne = () => Boolean(current()?.matches(".one"));
const isSearch = () => Boolean(current()?.matches("[data-rest=open]"));
const tiles = () => [...stage.querySelectorAll("#tiles > .face")];
const box = (tile) => tile.querySelector(".face-yes");

// What one can do ------------------------------------------------------------------------------
const commands = {
  confirm: () => !isOne() && give(),
  none: () => give("no"),
  toggle: () => inFocus && box(inFocus).click(),
  yes: () => isOne() && give("yes"),
  no: () => isOne() && give("no"),
  canttell: () => word("cant-tell"),
  background: () => word("background"),
  notaface: () => word("not-a-face"),
  artwork: () => word("artwork"),
  skipscreen: skip,
  undo,
  zoom: look,
  ask: () => root.querySelector("[data-way=ask]").click(),
  keys: () => document.getElementById("keys").showModal(),
  flush: () => outbox.flush(),
};

const keys = {
  Enter: "confirm",
  Space: "toggle",
  y: "yes",
  n: "no",
  c: "canttell",
  b: "background",
  f: "notaface",
  a: "artwork",
  s: "skipscreen",
  z: "undo",
  e: "zoom",
  g: "ask",
  "?": "keys",
};

/** Send the marks off, or `all` for every face without another word, and go on at once. */
function give(all = "") {
  const node = current();
  if (!node || performance.now() - shownAt < LOOK) return;
  const shown = facesShown(node);
  const uuids = shown.map(newUuid); // each face has an answer of its own
  const fields = { shown, uuid: uuids };
  if (all) fields.all = all;
  if (!isOne()) {
    fields.word = tiles().map((tile) => tile.dataset.word ?? "");
    fields.yes = all ? [] : tiles().filter((tile) => box(tile).checked).map((tile) => tile.dataset.region);
  }
  const found = isSearch() && fields.yes.length > 0; // nothing is said of the others
  if (found) fields.rest = "open";
  const said = (face, at) => !found || fields.word[at] || fields.yes.includes(face);
  const targets = uuids.filter((_uuid, at) => said(shown[at], at));
  const uuid = outbox.add("screen", fields);
  remember({ op: "screen", uuid, targets, node });
  tally.add(targets.length);
  tellUndo(targets.length === 1 ? words.screen : words.screenMany.replace("{n}", targets.length));
  if (found) ahead.wait(uuid); // what comes next depends on it
  else ahead.advance("give");
}

function skip() {
  const node = current();
  if (!node || !root.querySelector("[data-do=skipscreen]") || performance.now() - shownAt < LOOK) return;
  const uuid = outbox.add("skipscreen", { shown: facesShown(node) });
  remember({ op: "skipscreen", uuid, targets: [], node });
  tellUndo(words.skipscreen);
  ahead.advance("skip");
}

function facesShown(node) {
  return [...node.querySelectorAll("[name=shown]")].map((input) => input.value);
}

function remember(deed) {
  ahead.deed();
  past.push(deed);
  if (past.length > KEPT) past.shift();
}

function undo() {
  const deed = past.pop();
  if (!deed) {
    outbox.add("undo", {}); // from before this page was opened; `sent` shows what came back
    return;
  }
  if (deed.op === "screen") {
    outbox.add("undo", { target: deed.targets }, deed.uuid);
    tally.add(-deed.targets.length);
  }
  ahead.back(deed.node);
  toast(words.undone);
}

// Marks ----------------------------------------------------------------------------------------
/** Another word than Yes and No: on the face in focus, or the answer to a single face. */
function word(verdict) {
  if (isOne()) return give(verdict);
  if (!inFocus) return;
  setWord(inFocus, inFocus.dataset.word === verdict ? "" : verdict);
}

/** A face with another word is not ticked; it is again what it was when that is taken back. */
function setWord(tile, verdict) {
  if (!tile.dataset.word) tile.dataset.was = box(tile).checked;
  box(tile).checked = !verdict && tile.dataset.was === "true";
  if (verdict) tile.dataset.word = verdict;
  else delete tile.dataset.word;
  tile.querySelector("[data-said]").textContent = words[verdict || "no"];
  if (verdict) say(words[verdict]);
  shown();
}

/** What the button says it will do, and which word the face in focus has. */
function shown() {
  const label = stage.querySelector("[data-confirm]");
  if (!label) return;
  const all = tiles();
  const other = all.filter((tile) => tile.dataset.word).length;
  const yes = all.filter((tile) => !tile.dataset.word && box(tile).checked).length;
  const no = all.length - other - yes;
  const parts = [yes ? words.confirm.replace("{n}", yes) : words.nobody];
  if (yes && no) parts.push(counted("others", no));
  if (other) parts.push(counted("else", other));
  label.textContent = parts.join(" · ");
  for (const button of stage.querySelectorAll("[data-words] [aria-pressed]")) {
    const mine = { canttell: "cant-tell", notaface: "not-a-face" }[button.dataset.do] ?? button.dataset.do;
    button.setAttribute("aria-pressed", String(inFocus?.dataset.word === mine));
  }
}

function counted(name, n) {
  return (n === 1 ? words[name] : words[`${name}Many`]).replace("{n}", n);
}

/** The face in focus: its photo stands beside the grid, and the words are about it. */
function focusOn(tile) {
  inFocus?.classList.remove("in-focus");
  inFocus = tile;
  const [place, bar] = [stage.querySelector("[data-focus]"), stage.querySelector("[data-words]")];
  if (!place || !tile) return;
  tile.classList.add("in-focus");
  bar.hidden = false;
  place.hidden = false;
  if (place.getClientRects().length) place.replaceChildren(photoOf(tile));
  shown();
}

function photoOf(tile) {
  return document.importNode(tile.querySelector("template").content, true);
}

/** The whole photo of the face in focus, larger. */
function look() {
  const frame = isOne()
    ? current().querySelector(".q-frame")
    : inFocus && photoOf(inFocus).querySelector(".q-frame");
  if (frame) zoom.open(frame);
}

function move(event) {
  const from = document.activeElement.closest?.(".face") ?? inFocus;
  const to = tileTowards(tiles(), from?.isConnected ? from : null, event.key);
  if (!to) return;
  event.preventDefault();
  box(to).focus();
  to.scrollIntoView({ block: "nearest" });
}

// What people see of it ------------------------------------------------------------------------
function begin() {
  shownAt = performance.now();
  inFocus = null;
  ready(stage);
  const first = tiles()[0];
  if (first) focusOn(first);
  shown();
}

/** A toast that goes by itself: Undo stays in the header. */
function tellUndo(text) {
  toast(text, undo);
  clearTimeout(hushing);
  hushing = setTimeout(() => document.getElementById("toasts").replaceChildren(), 5000);
}

function say(text) {
  document.getElementById("announce").textContent = text;
}

// Wiring ---------------------------------------------------------------------------------------
outbox.addEventListener("change", tellTrouble);
outbox.addEventListener("sent", async ({ detail: { item, body } }) => {
  tally.told(body);
  if (item.op !== "undo" || item.target) return;
  if (!body.undone) return toast(words.nothing);
  toast(words.undone);
  const node = await ahead.fetchNext(ahead.held()); // what was put back comes before all others
  if (node && "asks" in node.dataset) ahead.back(node);
});
outbox.addEventListener("refused", ({ detail: { item, sentence } }) => {
  const at = past.findIndex((deed) => deed.uuid === item.uuid);
  if (at >= 0) past.splice(at, 1);
  toast(sentence || words.refused, null, "bad");
});
ahead.addEventListener("told", ({ detail }) => tally.told(detail.counts));
ahead.addEventListener("shown", ({ detail: { node, within } }) => {
  begin();
  if (within && !stage.contains(document.activeElement)) tiles()[0] && box(tiles()[0]).focus();
  scrollTo({ top: 0 });
  say(node.querySelector("h1").textContent);
});

document.addEventListener("click", (event) => {
  const command = event.target.closest("button[data-do]")?.dataset.do;
  if (commands[command]) {
    event.preventDefault();
    commands[command]();
  }
});
stage.addEventListener("submit", (event) => event.preventDefault()); // by a key in a check box
stage.addEventListener("change", (event) => {
  const tile = event.target.closest(".face");
  if (!tile) return;
  if (tile.dataset.word) tile.dataset.was = true; // a tap on another word means Yes
  setWord(tile, "");
  focusOn(tile);
  if (isSearch() && box(tile).checked) give(); // one tap is enough
});
stage.addEventListener("focusin", (event) => {
  const tile = event.target.closest(".face");
  if (tile && tile !== inFocus) focusOn(tile);
});
document.addEventListener("keydown", (event) => {
  if (event.key.startsWith("Arrow") && commandOf(event, { [event.key]: "move" })) return move(event);
  const command = commandOf(event, keys);
  if (!command) return;
  const natively = { confirm: "a, button, summary", toggle: "a, button, summary, input" }[command];
  if (natively && event.target.closest(natively)) return;
  event.preventDefault();
  commands[command]();
});

// Holding a face shows its photo.
let holding = 0;
stage.addEventListener("pointerdown", (event) => {
  const tile = event.target.closest(".face");
  held = false;
  if (!tile || event.pointerType === "mouse") return;
  const { clientX, clientY } = event;
  const stop = new AbortController();
  const end = () => (clearTimeout(holding), stop.abort());
  holding = setTimeout(() => {
    held = true;
    focusOn(tile);
    look();
  }, HOLD);
  const moved = (move) => Math.hypot(move.clientX - clientX, move.clientY - clientY) > 10 && end();
  addEventListener("pointermove", moved, { signal: stop.signal });
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end, { signal: stop.signal });
});
stage.addEventListener("click", (event) => held && event.target.closest(".face") && event.preventDefault(), true);
stage.addEventListener("contextmenu", (event) => event.target.closest(".face label") && event.preventDefault());
onPinch(stage, (event) => event.target.closest(".q-frame") && look());

ready(root);
begin();
tally.told(stage.firstElementChild.dataset);
ahead.start();
outbox.flush();
