// The gallery: choosing faces with mouse, touch and keys, and one word for all that are chosen.

import { sayCount } from "./counts.js";
import { commandOf, labelKeys, ownKeys } from "./keys.js";
import "./keysform.js";
import { Large } from "./large.js";
import { Outbox, newUuid } from "./outbox.js";
import { Pace } from "./poll.js";
import { Sheet } from "./sheet.js";
import { Reel, fetchPage, rectangles, showMore, tileTowards, tilesBetween, whenNear } from "./tiles.js";
import { toast, troubleOn } from "./trouble.js";

const root = document.getElementById("review");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const tell = troubleOn(outbox, words);
const past = []; // {uuid, targets, places}: what undo takes back, the last one at the end
let anchor = null; // where a range of chosen faces began
let refreshWhenSent = false; // the gallery, which without what waits here would be an old one
let again = 0;

const pace = new Pace();
const DEEDS = ["approve", "reject", "background", "artwork", "not-a-face", "cant-tell"];
const keys = ownKeys({
  a: "approve",
  r: "reject",
  w: "else",
  d: "redraw",
  c: "compare",
  b: "background",
  f: "notaface",
  p: "review-artwork",
  t: "review-canttell",
  z: "undo",
  Enter: "open",
  "?": "keys",
});

const gallery = () => document.getElementById("gallery");
const list = () => document.getElementById("tiles");
const tiles = () => [...document.querySelectorAll("#tiles > .tile")];
const box = (tile) => tile.querySelector("input[type=checkbox]");
const isPaused = (tile) => "paused" in tile.dataset; // somebody objected: it can only be looked at
const chosen = () => tiles().filter((tile) => box(tile)?.checked);
const focused = () => document.activeElement.closest?.(".tile");
const canReview = () => Boolean(document.querySelector(".review-bar"));

const commands = {
  ...Object.fromEntries(DEEDS.map((deed) => [deed, () => decide(deed, subjects())])),
  all: () => decide("approve", tiles().filter((tile) => "seen" in tile.dataset)),
  else: () => somebodyElse(subjects()),
  draw: () => canReview() && subjects()[0] && large.draw(subjects()[0]),
  redraw: () => commands.draw(),
  notaface: () => commands["not-a-face"](),
  "review-artwork": () => commands.artwork(),
  "review-canttell": () => commands["cant-tell"](),
  compare,
  open: () => focused() && large.open(focused()),
  undo,
  clear: () => choose(tiles(), false),
  select: () => choose(tiles().filter(isOnScreen), true),
  keys: () => document.getElementById("keys")?.showModal(),
  flush: () => outbox.flush(),
};

const large = new Large(
  {
    approve: (tile) => decide("approve", [tile]),
    reject: (tile) => decide("reject", [tile]),
    else: (tile) => somebodyElse([tile]),
    draw: redrawn,
    beside: (tile, step) => tiles()[tiles().indexOf(tile) + step],
  },
  keys,
);
const sheet = new Sheet(document.getElementById("sheet"));
const reel = new Reel(() => ready());
const watchMore = whenNear(more);
const sight = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) target.dataset.seen = "";
    shown();
  },
  { threshold: 0.5 },
);

/** What a command means: the faces chosen, or else the one in focus. */
function subjects() {
  const some = chosen();
  return some.length || !focused() ? some : [focused()].filter((tile) => !isPaused(tile));
}

/** The faces of some tiles: a stack stands for all of its copies. */
function facesOf(some) {
  return some.flatMap((tile) => [tile.dataset.region, ...(tile.dataset.with ?? "").split(" ")]).filter(Boolean);
}

function isOnScreen(tile) {
  const { top, bottom } = tile.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

// Deeds ----------------------------------------------------------------------------------------
function decide(deed, subject) {
  if (!canReview() || !subject.length) return;
  const region = facesOf(subject);
  const targets = region.map(newUuid); // each face has an answer of its own
  const uuid = outbox.add("review", { deed, region, uuid: targets });
  const many = { approve: words.approvedMany, reject: words.rejectedMany };
  const one = { approve: words.approved, reject: words.rejected };
  const n = region.length;
  take(uuid, subject, targets);
  toast(n === 1 ? (one[deed] ?? words.said) : counted(many[deed] ?? words.saidMany, n), undo);
}

function redrawn(tile, drawn) {
  const { region, photo } = tile.dataset;
  const uuid = outbox.add("draw", { photo, replaces: region, ...drawn });
  take(uuid, [tile], [uuid]);
  toast(words.draw, undo);
}

function somebodyElse(subject) {
  if (!canReview() || !subject.length) return;
  const region = facesOf(subject);
  sheet.open(`${root.dataset.else}?${query(region)}`, (button) => {
    const targets = region.map(newUuid);
    const uuid = outbox.add("reassign", { deed: "else", other: button.value, region, uuid: targets });
    take(uuid, subject, targets);
    const n = region.length;
    if (!button.value) toast(n === 1 ? words.rejected : counted(words.rejectedMany, n), undo);
    else toast(counted(n === 1 ? words.else : words.elseMany, n).replace("{name}", button.dataset.name), undo);
    return true;
  }, box(subject[0]));
}

function compare() {
  const two = chosen();
  if (two.length !== 2) return toast(words.two);
  const done = new Set();
  sheet.open(`${root.dataset.compare}?${query(two.map((tile) => tile.dataset.region))}`, (button) => {
    const side = button.closest("[data-region]");
    const tile = two.find((each) => each.dataset.region === side.dataset.region);
    decide(button.dataset.one, [tile]);
    side.classList.add("is-done");
    side.querySelector("form").replaceChildren(words[button.dataset.one === "approve" ? "approved" : "rejected"]);
    return done.add(tile).size === two.length;
  });
}

function query(region) {
  return new URLSearchParams(region.map((each) => ["region", each])).toString();
}

function counted(text, n) {
  return text.replace("{n}", number(n));
}

function number(n) {
  return n.toLocaleString(document.documentElement.lang);
}

/** Take tiles off the screen, so that undo can put them back where they were. */
function take(uuid, subject, targets) {
  const all = tiles();
  const next = all.slice(all.indexOf(subject.at(-1)) + 1).find((tile) => !subject.includes(tile));
  const places = subject.map((tile) => ({ tile, before: tile.nextElementSibling }));
  choose(subject, false);
  for (const tile of subject) {
    large.forget(tile);
    tile.remove();
  }
  past.push({ uuid, places, targets });
  anchor = null;
  (next ?? tiles().at(-1))?.querySelector("input, a")?.focus({ preventScroll: true });
  if (!tiles().length) refresh(true);
  else shown();
}

function undo() {
  const deed = past.pop();
  if (!deed) return void outbox.add("undo", {});
  outbox.add("undo", { target: deed.targets }, deed.uuid);
  if (!list()) return void (refreshWhenSent = true);
  for (const { tile, before } of deed.places.reverse()) {
    list().insertBefore(tile, before?.parentNode === list() ? before : null);
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
  const some = chosen();
  const n = facesOf(some).length;
  const find = (name) => bar.querySelector(`[data-do="${name}"]`);
  bar.querySelector("[data-selected]").textContent = number(n);
  for (const name of ["else", "draw", ...DEEDS]) find(name).disabled = !n;
  find("compare").disabled = some.length !== 2;
  find("approve").classList.toggle("primary", n > 0);
  find("all")?.classList.toggle("primary", n === 0);
  bar.classList.add("is-live");
  bar.classList.toggle("has-some", n > 0);
  bar.querySelector("[data-selected-many]").textContent = n ? number(n) : "";
  find("clear").hidden = n === 0;
  find("select").hidden = n > 0;
  const all = bar.querySelector("[data-count=shown]");
  if (all) sayCount(all, facesOf(tiles().filter((tile) => "seen" in tile.dataset)).length);
  announce(n);
}

function announce(n) {
  const text = n ? counted(words.selected, n) : "";
  const place = document.getElementById("announce");
  if (place.textContent !== text) place.textContent = text;
}

/** The gallery anew: the next faces, or why there are none. `goOn` is for whoever was at one that
    is gone. */
async function refresh(goOn = false) {
  await outbox.flush();
  if (outbox.waiting.length) return void (refreshWhenSent = true);
  const page = await fetchPage(location.href);
  if (!page) return lookAgain();
  gallery().replaceWith(document.importNode(page.getElementById("gallery"), true));
  reel.begin();
  wire();
  ready();
  const isLost = goOn && document.activeElement === document.body;
  if (isLost) gallery().querySelector("#tiles input, #tiles a, .empty a")?.focus({ preventScroll: true });
}

async function more(link) {
  await showMore(link, list());
  reel.trim();
  ready();
}

function ready() {
  lookAgain();
  filters(JSON.parse(gallery().dataset.counts));
  labelKeys(gallery());
  for (const button of document.querySelectorAll("button[data-do=draw], .review-keys")) button.hidden = false;
  for (const tile of tiles()) sight.observe(tile);
  watchMore();
  shown();
}

/** While the learner is at work on the next faces, they come by themselves. */
function lookAgain() {
  clearTimeout(again);
  if (!("again" in gallery().dataset)) return pace.reset();
  again = setTimeout(() => (document.hidden ? lookAgain() : refresh()), pace.next());
}

function filters(counts) {
  for (const [name, n] of Object.entries(counts)) {
    for (const node of document.querySelectorAll(`[data-filter="${name}"]`)) node.textContent = number(n);
  }
}

// Wiring ---------------------------------------------------------------------------------------
outbox.addEventListener("change", tell);
outbox.addEventListener("sent", ({ detail: { item, body } }) => {
  filters(body.filters ?? {});
  if (item.op === "undo" && (refreshWhenSent || !item.target)) {
    refreshWhenSent = false;
    toast(body.undone ? words.undone : body.told);
    refresh(true);
  } else if (refreshWhenSent && !outbox.waiting.length) {
    refreshWhenSent = false;
    refresh();
  }
});
outbox.addEventListener("refused", ({ detail: { sentence } }) => {
  toast(sentence || words.refused, null, "bad");
  refresh();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (commands[button?.dataset.do]) {
    event.preventDefault();
    button.closest("details")?.removeAttribute("open");
    return commands[button.dataset.do]();
  }
  const open = event.target.closest("[data-open]");
  if (open && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    return large.open(open.closest(".tile"));
  }
  const link = event.target.closest("[data-more]");
  if (link) {
    event.preventDefault();
    return more(link);
  }
  const check = event.target.closest(".tile input[type=checkbox]");
  if (check) return pick(check, event.shiftKey);
  const face = event.target.closest(".tile .crop > label");
  // one looks at a photo by a tap on it, unless one is choosing
  if (face && (!face.htmlFor || (event.pointerType === "touch" && !chosen().length))) {
    event.preventDefault();
    large.open(face.closest(".tile"));
  }
});

function pick(check, range) {
  const tile = check.closest(".tile");
  if (range && anchor) choose(tilesBetween(tiles(), anchor, tile), check.checked);
  else anchor = tile;
  check.focus({ preventScroll: true });
  shown();
}

/** Of the gallery that is in the page now: it may be another one after a refresh. */
function wire() {
  if (!canReview()) return;
  let before = new Set();
  rectangles(gallery(), {
    tiles,
    start: () => (before = new Set(chosen())),
    touched: (some) => {
      for (const tile of tiles()) {
        if (box(tile)) box(tile).checked = before.has(tile) || some.includes(tile);
      }
      shown();
    },
    held: (tile) => {
      choose([tile], !box(tile)?.checked);
      anchor = tile;
      navigator.vibrate?.(15);
    },
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key.startsWith("Arrow") && commandOf(event, { [event.key]: "move" })) {
    return move(event);
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && isFree(event)) {
    event.preventDefault();
    return commands.select();
  }
  if (event.key === "Escape" && chosen().length && !document.querySelector("dialog[open], details.menu[open]")) {
    return commands.clear();
  }
  const command = commandOf(event, keys);
  if (!command || (command === "open" && event.target.closest("a, button, summary"))) return;
  event.preventDefault();
  commands[command]();
});

/** No dialog is open, and nothing is being written. */
function isFree({ target }) {
  return canReview() && !document.querySelector("dialog[open]") && !target.closest("input:not(.check), textarea");
}

function move(event) {
  const from = focused();
  const to = tileTowards(tiles(), from, event.key);
  if (!to || event.target.closest("details, nav")) return;
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

wire();
ready();
outbox.flush();
