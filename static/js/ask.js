// Asking one face after the other without loading a page: answers go to the outbox, the next
// question is here before it is needed, and undo goes back through what was shown.

import { drawBox } from "./draw.js";
import { commandOf } from "./keys.js";
import { Outbox } from "./outbox.js";
import { onSwipe } from "./swipe.js";
import { toast, troubleOn } from "./trouble.js";
import { Zoom, onPinch } from "./zoom.js";

const AHEAD = 2; // questions fetched beyond the one on screen
const RENEW = 80_000; // ms; the server keeps a face for us for two minutes
const KEPT = 100; // questions that undo can show again without asking the server

const root = document.getElementById("ask");
const stage = document.getElementById("main");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const tellTrouble = troubleOn(outbox, words);
const zoom = new Zoom(document.getElementById("zoom"));

const ahead = []; // questions to come
const past = []; // {op, uuid, node}: what undo takes back, the last one at the end
let filling = null;
let later = 0;
let hushing = 0;
let needed = 0;
let deeds = 0; // given or sent so far: what was asked of the server before is older
let drawing = false;

const current = () => stage.querySelector(".question");
const regionOf = (node) => node?.dataset.region;

// What one can do ------------------------------------------------------------------------------
const commands = {
  yes: () => answer("yes"),
  no: () => answer("no"),
  skip: () => give("skip", faceOf(current()), words.skip),
  nousableface: () => give("nousableface", faceOf(current()), words.nousableface),
  undo,
  draw,
  zoom: () => current() && zoom.open(current().querySelector(".q-frame")),
  keys: () => document.getElementById("keys").showModal(),
  flush: () => outbox.flush(),
};

const keys = {
  y: "yes",
  ArrowRight: "yes",
  n: "no",
  ArrowLeft: "no",
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
  return node && { region: regionOf(node), photo: node.dataset.photo };
}

/** Send it off, and go on with the next face at once. */
function give(op, fields, sentence) {
  const node = current();
  if (!node || drawing) return;
  const uuid = outbox.add(op, fields);
  remember({ op, uuid, node });
  if (op !== "skip") count(1);
  tellUndo(sentence);
  advance(op === "answer" ? fields.verdict : op);
}

function remember(deed) {
  deeds++;
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
    count(-1);
  }
  if (deed.node !== current()) {
    const shown = current();
    if (shown) ahead.unshift(shown);
    show(deed.node, "back");
  }
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
  count(1);
  tellUndo(words.draw);
}

// Questions ------------------------------------------------------------------------------------
function advance(from) {
  const next = ahead.shift();
  if (next) show(next, from);
  else {
    stage.setAttribute("aria-busy", "true");
    stage.replaceChildren(document.importNode(document.getElementById("waiting").content, true));
  }
  fill();
}

function show(node, from) {
  const within = stage.contains(document.activeElement);
  const focused = within ? document.activeElement.dataset.do : undefined;
  node.dataset.from = from;
  node.style.transform = "";
  ready(node);
  stage.removeAttribute("aria-busy");
  stage.replaceChildren(node);
  showNeeded();
  if (focused) node.querySelector(`[data-do=${focused}]`)?.focus({ preventScroll: true });
  if (node.matches(".question")) say(words.question.replace("{photo}", node.dataset.name));
  else say(node.querySelector("h1").textContent);
}

/** Buttons that need this script are hidden without it. */
function ready(node) {
  for (const button of node.querySelectorAll("button[data-do][hidden]")) button.hidden = false;
}

/** Fetch until two questions wait behind the one on screen; one fetch after the other. */
function fill() {
  clearTimeout(later);
  filling ??= fetchAhead().finally(() => (filling = null));
}

function fillAgainIn(seconds) {
  clearTimeout(later);
  later = setTimeout(() => document.hidden || fill(), 1000 * seconds);
}

async function fetchAhead() {
  while (ahead.length < AHEAD) {
    const node = await fetchNext(held());
    if (!node) return fillAgainIn(3);
    if (!node.matches(".question")) {
      if (!current()) showWhyNot(node);
      return fillAgainIn(Number(node.dataset.again));
    }
    if (held().includes(regionOf(node))) return fillAgainIn(1); // an undo was quicker
    preload(node);
    if (current()) ahead.push(node);
    else show(node, "wait");
  }
}

/** The same reason again only changes its figures. */
function showWhyNot(node) {
  const shown = stage.querySelector(".no-question");
  if (shown?.dataset.why === node.dataset.why) shown.replaceChildren(...node.childNodes);
  else show(node, "wait");
}

async function fetchNext(exclude) {
  const address = new URL(root.dataset.urlNext, location.href);
  for (const region of exclude) address.searchParams.append("exclude", region);
  const before = deeds;
  let response;
  try {
    response = await fetch(address, {
      headers: { "X-Background": "1" },
      signal: AbortSignal.timeout(15_000),
    });
  } catch {
    return null;
  }
  if (response.status === 401) {
    outbox.trouble = "signed-out";
    tellTrouble();
  }
  if ([403, 404].includes(response.status)) location.reload(); // no member any more: it says why
  const node = response.ok ? parse(await response.text()) : null;
  if (node && before === deeds) trueCounts(node.dataset); // else they are older than an answer
  return node;
}

/** Faces that must not be asked now: on screen, fetched, or with an answer that is still here. */
function held() {
  const nodes = [current(), ...ahead].filter(Boolean);
  return [...nodes.map(regionOf), ...unsent()];
}

function unsent() {
  return outbox.waiting.map((item) => item.fields.region).filter(Boolean);
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return document.importNode(template.content, true).querySelector("article");
}

function preload(node) {
  for (const { src } of node.querySelectorAll("img")) new Image().src = src;
}

// What people see of it ------------------------------------------------------------------------
function count(by) {
  const [answered, left] = ["answered", "left"].map((name) =>
    root.querySelector(`[data-count=${name}]`),
  );
  answered.textContent = Math.max(0, Number(answered.textContent) + by);
  left.textContent = Math.max(0, Number(left.textContent) - by);
  document.getElementById("progress").value = Number(answered.textContent);
}

/** The server's figures, unless answers that it doesn't know of are still here. */
function trueCounts(told) {
  if (outbox.waiting.length > 0 || told.answered === undefined) return;
  for (const name of ["answered", "left", "matches"]) {
    root.querySelectorAll(`[data-count=${name}]`).forEach((node) => (node.textContent = told[name]));
  }
  const progress = document.getElementById("progress");
  progress.max = Number(told.answered) + Number(told.left) || 1;
  progress.value = told.answered;
  needed = Number(told.needed);
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
  deeds++;
  trueCounts(body);
  if (item.op !== "undo" || item.target) return;
  if (!body.undone) return toast(words.nothing);
  toast(words.undone);
  const node = body.question && parse(body.question);
  if (!node || held().includes(regionOf(node))) return;
  if (current()) ahead.unshift(current());
  show(node, "back");
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
document.addEventListener("visibilitychange", () => document.hidden || fill());
// asking again for what is here keeps it ours for two more minutes; in the same order, since a
// reload brings back what we were given first
setInterval(async () => {
  if (document.hidden) return;
  for (const mine of [current(), ...ahead].map(regionOf).filter(Boolean)) {
    await fetchNext(held().filter((region) => region !== mine));
  }
}, RENEW);

ready(root);
trueCounts(stage.firstElementChild.dataset);
if (unsent().includes(regionOf(current()))) advance("wait"); // answered just before a reload
else fill();
outbox.flush();
