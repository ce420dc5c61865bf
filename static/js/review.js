// The gallery: choosing faces with mouse, touch and keys, and one word for all that are chosen.

import { commandOf } from "./keys.js";
import { Large } from "./large.js";
import { Outbox, newUuid } from "./outbox.js";
import { showMore, tileTowards, tilesBetween } from "./tiles.js";
import { toast, troubleOn } from "./trouble.js";

const root = document.getElementById("review");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const tell = troubleOn(outbox, words);
const past = []; // {uuid, targets, places}: what undo takes back, the last one at the end
let anchor = null; // where a range of chosen faces began
let refreshWhenSent = false;
let again = 0;

const AGAIN = 1000; // ms between two looks

const gallery = () => document.getElementById("gallery");
const tiles = () => [...document.querySelectorAll("#tiles > .tile")];
const box = (tile) => tile.querySelector("input[type=checkbox]");
const chosen = () => tiles().filter((tile) => box(tile)?.checked);
const focused = () => document.activeElement.closest?.(".tile");
const canReview = () => Boolean(document.querySelector(".review-bar"));

const large = new Large({
  approve: (tile) => decide("approve", [tile]),
  reject: (tile) => decide("reject", [tile]),
  draw: redrawn,
  beside: (tile, step) => tiles()[tiles().indexOf(tile) + step],
});

const commands = {
  approve: () => decide("approve", subjects()),
  reject: () => decide("reject", subjects()),
  all: () => decide("approve", tiles()),
  redraw: () => subjects()[0] && large.draw(subjects()[0]),
  open: () => focused() && large.open(focused()),
  undo,
  clear: () => choose(tiles(), false),
  flush: () => outbox.flush(),
};

const keys = { a: "approve", r: "reject", d: "redraw", z: "undo", Enter: "open" };

/** What a command means: the faces chosen, or else the one in focus. */
function subjects() {
  const some = chosen();
  return some.length || !focused() ? some : [focused()];
}

function decide(deed, subject) {
  if (!canReview() || !subject.length) return;
  const region = subject.map((tile) => tile.dataset.region);
  const targets = region.map(newUuid); // each face has an answer of its own
  const uuid = outbox.add("review", { deed, region, uuid: targets });
  const one = { approve: words.approved, reject: words.rejected };
  const many = { approve: words.approvedMany, reject: words.rejectedMany };
  const n = subject.length;
  take(uuid, subject, targets);
  toast(n === 1 ? one[deed] : many[deed].replace("{n}", n), undo);
}

function redrawn(tile, drawn) {
  const { region, photo } = tile.dataset;
  const uuid = outbox.add("draw", { photo, replaces: region, ...drawn });
  take(uuid, [tile], [uuid]);
  toast(words.draw, undo);
}

/** Take tiles off the screen, so that undo can put them back where they were. */
function take(uuid, subject, targets) {
  const all = tiles();
  const next = all.slice(all.indexOf(subject.at(-1)) + 1).find((tile) => !subject.includes(tile));
  const places = subject.map((tile) => ({ tile, before: tile.nextElementSibling }));
  choose(subject, false);
  for (const tile of subject) tile.remove();
  past.push({ uuid, places, targets });
  anchor = null;
  (next ?? tiles().at(-1))?.querySelector("input, a")?.focus({ preventScroll: true });
  if (!tiles().length) refresh();
  else shown();
}

function undo() {
  const deed = past.pop();
  if (!deed) return void outbox.add("undo", {});
  outbox.add("undo", { target: deed.targets }, deed.uuid);
  if (!document.getElementById("tiles")) return void (refreshWhenSent = true);
  const list = document.getElementById("tiles");
  for (const { tile, before } of deed.places.reverse()) {
    list.insertBefore(tile, before?.parentNode === list ? before : null);
  }
  deed.places.at(-1).tile.querySelector("input, a")?.focus();
  shown();
  toast(words.undone);
}

// Choosing -------------------------------------------------------------------------------------
function choose(some, on) {
  for (const tile of some) if (box(tile)) box(tile).checked = on;
  shown();
}

/** Figures of the bar. */
function shown() {
  const bar = document.querySelector(".review-bar");
  if (!bar) return;
  const n = chosen().length;
  bar.querySelector("[data-selected]").textContent = n;
  for (const name of ["approve", "reject", "redraw"]) {
    bar.querySelector(`[data-do=${name}]`).disabled = !n;
  }
  bar.querySelector("[data-do=approve]").classList.toggle("primary", n > 0);
  bar.querySelector("[data-do=all]")?.classList.toggle("primary", n === 0);
  bar.querySelector("[data-selected-many]").textContent = n || "";
  bar.querySelector("[data-do=clear]").hidden = n === 0;
  const all = bar.querySelector("[data-shown]");
  if (all) all.textContent = tiles().length;
}

/** The gallery anew: the next faces, or why there are none. */
async function refresh() {
  await outbox.flush();
  const headers = { "X-Background": "1" };
  const response = await fetch(location.href, { headers }).catch(() => null);
  if (!response?.ok) return lookAgain();
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  gallery().replaceWith(document.importNode(page.getElementById("gallery"), true));
  ready();
}

function ready() {
  lookAgain();
  filters(JSON.parse(gallery().dataset.counts));
  for (const button of document.querySelectorAll("button[data-do][hidden]")) button.hidden = false;
  shown();
}

/** While the learner is at work on the next faces, they come by themselves. */
function lookAgain() {
  clearTimeout(again);
  if (!("again" in gallery().dataset)) return;
  again = setTimeout(() => (document.hidden ? lookAgain() : refresh()), AGAIN);
}

function filters(counts) {
  for (const [name, n] of Object.entries(counts)) {
    for (const node of document.querySelectorAll(`[data-filter=${name}]`)) node.textContent = n;
  }
}

// Wiring ---------------------------------------------------------------------------------------
outbox.addEventListener("change", tell);
outbox.addEventListener("sent", ({ detail: { item, body } }) => {
  filters(body.filters ?? {});
  if (item.op === "undo" && (refreshWhenSent || !item.target)) {
    refreshWhenSent = false;
    toast(body.undone ? words.undone : words.nothing);
    refresh();
  }
});
outbox.addEventListener("refused", ({ detail: { sentence } }) => {
  toast(sentence || words.refused, null, "bad");
  refresh();
});

document.addEventListener("click", async (event) => {
  const command = event.target.closest("button[data-do]")?.dataset.do;
  if (commands[command]) {
    event.preventDefault();
    return commands[command]();
  }
  const open = event.target.closest("[data-open]");
  if (open && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    return large.open(open.closest(".tile"));
  }
  const more = event.target.closest("[data-more]");
  if (more) {
    event.preventDefault();
    await showMore(more, document.getElementById("tiles"));
    return shown();
  }
  const check = event.target.closest(".tile input[type=checkbox]");
  if (check) pick(check, event.shiftKey);
});

function pick(check, range) {
  const tile = check.closest(".tile");
  if (range && anchor) choose(tilesBetween(tiles(), anchor, tile), check.checked);
  else anchor = tile;
  check.focus();
  shown();
}

document.addEventListener("keydown", (event) => {
  if (event.key.startsWith("Arrow") && commandOf(event, { [event.key]: "move" })) {
    return move(event);
  }
  const command = commandOf(event, keys);
  if (!command || (command === "open" && event.target.closest("a, button"))) return;
  event.preventDefault();
  commands[command]();
});

function move(event) {
  const from = focused();
  const to = tileTowards(tiles(), from, event.key);
  if (!to) return;
  event.preventDefault();
  to.querySelector("input, a").focus();
  to.scrollIntoView({ block: "nearest" });
  if (event.shiftKey) {
    anchor ??= from ?? to;
    choose(tilesBetween(tiles(), anchor, to), true);
  } else if (!box(to)?.checked) {
    anchor = to;
  }
}

ready();
outbox.flush();
