// Asking one face after the other without loading a page: answers go to the outbox, the next
// question is here before it is needed, and undo goes back through what was shown.

import { Ahead, parse, ready } from "./ahead.js";
import { drawBox } from "./draw.js";
import { commandOf } from "./keys.js";
import { Outbox } from "./outbox.js";
import { onSwipe } from "./swipe.js";
import { Tally } from "./tally.js";
import { toast, troubleOn } from "./trouble.js";
import { Zoom, onPinch } from "./zoom.js";

const AHEAD = 2; // questions fetched beyond the one on screen
const KEPT = 100; // questions that undo can show again without asking the server

const root = document.getElementById("ask");
const stage = document.getElementById("main");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const tellTrouble = troubleOn(outbox, words);
const zoom = new Zoom(document.getElementById("zoom"));

const tally = new Tally(root, outbox);
const ahead = new Ahead(root, stage, outbox, AHEAD);
const past = []; // {op, uuid, node}: what undo takes back, the last one at the end
let hushing = 0;
let needed = 0;
let drawing = false;

const current = () => ahead.current;

// What one can do ------------------------------------------------------------------------------
const commands = {
  yes: () => answer("yes"),
  no: () => answer("no"),
  background: () => answer("background"),
  artwork: () => answer("artwork"),
  notaface: () => answer("not-a-face"),
  canttell: () => answer("cant-tell"),
  skip: () => give("skip", faceOf(current()), words.skip),
  nousableface: () => give("nousableface", faceOf(current()), words.nousableface),
  undo,
  draw,
  zoom: () => current() && zoom.open(current().querySelector(".q-frame")),
  keys: () => document.getElementById("keys").showModal(),
  grid: () => root.querySelector("[data-way=grid]").click(),
  flush: () => outbox.flush(),
};

const keys = {
  y: "yes",
  ArrowRight: "yes",
  n: "no",
  ArrowLeft: "no",
  b: "background",
  a: "artwork",
  f: "notaface",
  c: "canttell",
  g: "grid",
  s: "skip",
  u: "nousableface",
  z: "undo",
  d: "draw",
  e: "zoom",
  "?": "keys",
};

function answer(verdict) {
  give("answer", { ...faceOf(current()), verdict }, words[verdict]);
}

function faceOf(node) {
  return node && { region: node.dataset.region, photo: node.dataset.photo };
}

/** Send it off, and go on with the next face at once. */
function give(op, fields, sentence) {
  const node = current();
  if (!node || drawing) return;
  const uuid = outbox.add(op, fields);
  remember({ op, uuid, node });
  if (op !== "skip") tally.add(1);
  tellUndo(sentence);
  ahead.advance(op === "answer" ? fields.verdict : op);
}

function remember(deed) {
  ahead.deed();
  past.push(deed);
  if (past.length > KEPT) past.shift();
}

async function undo() {
  if (drawing) return;
  const deed = past.pop();
  if (!deed) {
    outbox.add("undo", {}); // from before this page was opened; `sent` shows what came back
    return;
  }
  if (deed.op !== "skip") {
    outbox.add("undo", { target: deed.uuid }, deed.uuid);
    tally.add(-1);
  }
  ahead.back(deed.node);
  toast(words.undone);
}

async function draw() {
  const node = current();
  if (!node || drawing) return;
  drawing = true;
  hush();
  root.classList.add("is-drawing");
  const svg = node.querySelector(".boxed > svg");
  const box = await drawBox(svg, document.getElementById("draw-bar"));
  root.classList.remove("is-drawing");
  drawing = false;
  if (!box) return;
  const uuid = outbox.add("draw", { photo: node.dataset.photo, ...box });
  remember({ op: "draw", uuid, node });
  tally.add(1);
  tellUndo(words.draw);
}

// What people see of it ------------------------------------------------------------------------
function told(counts) {
  if (!tally.told(counts)) return;
  needed = Number(counts.needed);
  showNeeded();
}

/** How many more Yes it takes until the tool looks by itself. */
function showNeeded() {
  const line = stage.querySelector(".q-needed");
  if (!line) return;
  line.hidden = !needed;
  line.textContent = (needed === 1 ? words.needed : words.neededMany).replace("{n}", needed);
}

/** A toast that goes by itself: Undo stays in the header. */
function tellUndo(text) {
  toast(text, undo);
  clearTimeout(hushing);
  hushing = setTimeout(hush, 5000);
}

function hush() {
  document.getElementById("toasts").replaceChildren();
}

function say(text) {
  document.getElementById("announce").textContent = text;
}

// Wiring ---------------------------------------------------------------------------------------
outbox.addEventListener("change", tellTrouble);
outbox.addEventListener("sent", ({ detail: { item, body } }) => {
  told(body);
  if (item.op !== "undo" || item.target) return;
  if (!body.undone) return toast(words.nothing);
  toast(words.undone);
  const node = body.question && parse(body.question);
  if (node && !ahead.held().includes(node.dataset.region)) ahead.back(node);
});
ahead.addEventListener("told", ({ detail }) => told(detail.counts));
ahead.addEventListener("shown", ({ detail: { node } }) => {
  showNeeded();
  if (node.matches(".question")) say(words.question.replace("{photo}", node.dataset.name));
  else say(node.querySelector("h1").textContent);
});
outbox.addEventListener("refused", ({ detail: { item, sentence } }) => {
  const at = past.findIndex((deed) => deed.uuid === item.uuid);
  if (at >= 0) past.splice(at, 1);
  toast(sentence || words.refused, null, "bad");
});

document.addEventListener("click", (event) => {
  const command = event.target.closest("button[data-do]")?.dataset.do;
  if (commands[command]) {
    event.preventDefault();
    commands[command]();
  }
});
document.addEventListener("keydown", (event) => {
  const command = drawing ? "" : commandOf(event, keys);
  if (!command) return;
  event.preventDefault();
  commands[command]();
});
onSwipe(stage, current, document.getElementById("hint"), (direction) =>
  commands[{ right: "yes", left: "no", down: "skip" }[direction]](),
);
onPinch(stage, (event) => {
  if (event.target.closest(".q-frame") && !drawing) commands.zoom();
});

ready(root);
told(stage.firstElementChild.dataset);
ahead.start();
outbox.flush();
