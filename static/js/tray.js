// Photos in which no face was found: draw one, or say that the person is there all the same.

import { commandOf, ownKeys } from "./keys.js";
import { Large } from "./large.js";
import { Outbox } from "./outbox.js";
import { showMore, tileTowards, whenNear } from "./tiles.js";
import { toast, troubleOn } from "./trouble.js";

const root = document.getElementById("tray-page");
const words = JSON.parse(document.getElementById("words").textContent);
const outbox = new Outbox(root);
const past = []; // {uuid, tile, before}
const tiles = () => [...document.querySelectorAll("#tiles > .tile")];
const focused = () => document.activeElement.closest?.(".tile");

const keys = ownKeys({ d: "draw", n: "no", u: "nousableface", z: "undo" });
const watchMore = whenNear((link) => showMore(link, document.getElementById("tiles")).then(ready));

const large = new Large(
  {
    draw: (tile, box) => give(tile, "draw", { photo: tile.dataset.photo, ...box }, words.drawn),
    beside: (tile, step) => tiles()[tiles().indexOf(tile) + step],
  },
  keys,
);

const commands = {
  draw: (tile) => tile && large.draw(tile),
  nousableface: (tile) =>
    tile && give(tile, "nousableface", { photo: tile.dataset.photo }, words.nousableface),
  nothere: (tile) => tile && give(tile, "nothere", { photo: tile.dataset.photo }, words.nothere),
  no: (tile) => commands.nothere(tile),
  open: (tile) => tile && large.open(tile),
  undo,
  flush: () => outbox.flush(),
};

function give(tile, op, fields, sentence) {
  const uuid = outbox.add(op, fields);
  const next = tile.nextElementSibling;
  past.push({ uuid, tile, before: next });
  tile.remove();
  (next ?? tiles().at(-1))?.querySelector("a").focus({ preventScroll: true });
  toast(sentence, undo);
}

function undo() {
  const deed = past.pop();
  if (!deed) return void outbox.add("undo", {});
  outbox.add("undo", { target: deed.uuid }, deed.uuid);
  const list = document.getElementById("tiles");
  list.insertBefore(deed.tile, deed.before?.parentNode === list ? deed.before : null);
  deed.tile.querySelector("a").focus();
  toast(words.undone);
}

outbox.addEventListener("change", troubleOn(outbox, words));
outbox.addEventListener("sent", ({ detail: { item, body } }) => {
  if (item.op !== "undo" || item.target) return;
  if (body.undone) location.reload();
  else toast(body.told);
});
outbox.addEventListener("refused", ({ detail: { sentence } }) => {
  toast(sentence || words.refused, null, "bad");
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (commands[button?.dataset.do]) {
    event.preventDefault();
    return commands[button.dataset.do](button.closest(".tile"));
  }
  const open = event.target.closest("[data-open]");
  if (open && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    return large.open(open.closest(".tile"));
  }
  const more = event.target.closest("[data-more]");
  if (more) {
    event.preventDefault();
    showMore(more, document.getElementById("tiles")).then(ready);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key.startsWith("Arrow") && commandOf(event, { [event.key]: "move" })) {
    const to = tileTowards(tiles(), focused(), event.key);
    if (!to) return;
    event.preventDefault();
    return to.querySelector("a").focus();
  }
  const command = commandOf(event, keys);
  if (!command) return;
  event.preventDefault();
  commands[command](focused());
});

function ready() {
  watchMore();
  for (const button of document.querySelectorAll("button[data-do][hidden]")) button.hidden = false;
}

ready();
outbox.flush();
