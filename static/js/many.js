// A screen of faces: mark, look closer, confirm.

import { newUuid } from "./outbox.js";
import { tileTowards } from "./tiles.js";

const LOOK = 500; // ms that a screen must be seen before it is answered: no double click's second
const HOLD = 500; // ms after which a finger on a face means its photo
const DOS = { "cant-tell": "canttell", "not-a-face": "notaface" }; // where data-do is not the word

export function many(desk) {
  const { stage, words } = desk;
  let inFocus = null; // the face whose photo is shown, and to which the words belong
  let held = false; // a finger that held a face lets go of it: that is no tap

  const asks = (node) => !("one" in node.dataset);
  const isMine = () => Boolean(desk.current && asks(desk.current));
  const isSearch = () => Boolean(desk.current?.matches("[data-rest=open]"));
  const tiles = () => [...stage.querySelectorAll("#tiles > .face")];
  const box = (tile) => tile.querySelector(".face-yes");
  const isSeen = () => performance.now() - desk.shownAt >= LOOK;

  // What one can do ------------------------------------------------------------------------------
  const commands = {
    confirm: () => give(),
    none: () => give("no"),
    no: () => give("no"),
    toggle: () => inFocus && box(inFocus).click(),
    canttell: () => word("cant-tell"),
    background: () => word("background"),
    notaface: () => word("not-a-face"),
    artwork: () => word("artwork"),
    zoom: look,
    skip,
  };

  /** Send the marks off, or `all` for every face without another word, and go on at once. */
  function give(all = "") {
    if (!isMine() || !isSeen()) return;
    const faces = tiles();
    const shown = faces.map((tile) => tile.dataset.region);
    const uuids = shown.map(newUuid); // each face has an answer of its own
    const yes = all ? [] : faces.filter((tile) => box(tile).checked).map((tile) => tile.dataset.region);
    const word = faces.map((tile) => tile.dataset.word ?? "");
    const found = isSearch() && yes.length > 0; // nothing is said of the others
    const fields = { shown, uuid: uuids, word, yes, ...(all && { all }), ...(found && { rest: "open" }) };
    const said = (face, at) => !found || word[at] || yes.includes(face);
    const targets = uuids.filter((_uuid, at) => said(shown[at], at));
    const n = targets.length;
    const uuid = desk.give("screen", fields, desk.counted("screen", n), { targets, n, from: "give" });
    if (found && uuid) desk.ahead.wait(uuid); // what comes next depends on it
  }

  function skip() {
    if (!isMine() || !stage.querySelector("[data-do=skip]") || !isSeen()) return;
    desk.give("skipscreen", { shown: tiles().map((tile) => tile.dataset.region) }, words.skip);
  }

  // Marks ----------------------------------------------------------------------------------------
  /** Another word than Yes and No on the face in focus. */
  function word(verdict) {
    if (inFocus) setWord(inFocus, inFocus.dataset.word === verdict ? "" : verdict);
  }

  /** A face with another word is not ticked; it is again what it was when that is taken back. */
  function setWord(tile, verdict) {
    if (!tile.dataset.word) tile.dataset.was = box(tile).checked;
    box(tile).checked = !verdict && tile.dataset.was === "true";
    if (verdict) tile.dataset.word = verdict;
    else delete tile.dataset.word;
    tile.querySelector("[data-said]").textContent = words[`mark-${verdict || "no"}`];
    if (verdict) desk.say(words[`mark-${verdict}`]);
    tell();
  }

  /** What the button says it will do, and which word the face in focus has. */
  function tell() {
    const label = stage.querySelector("[data-confirm]");
    if (!label) return;
    const all = tiles();
    const other = all.filter((tile) => tile.dataset.word).length;
    const yes = all.filter((tile) => !tile.dataset.word && box(tile).checked).length;
    const no = all.length - other - yes;
    const parts = [yes ? words.confirm.replace("{n}", yes) : words.nobody];
    if (yes && no) parts.push(desk.counted("others", no));
    if (other) parts.push(desk.counted("else", other));
    label.textContent = parts.join(" · ");
    for (const button of stage.querySelectorAll("[data-words] [aria-pressed]")) {
      const said = inFocus?.dataset.word;
      button.setAttribute("aria-pressed", String(Boolean(said) && button.dataset.do === (DOS[said] ?? said)));
    }
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
    tell();
  }

  function photoOf(tile) {
    return document.importNode(tile.querySelector("template").content, true);
  }

  /** The whole photo of the face in focus, larger. */
  function look() {
    if (!inFocus) return;
    const photo = photoOf(inFocus);
    desk.zoom.open(photo.querySelector(".q-frame"), [...photo.querySelectorAll(".focus-caption, .q-named")]);
  }

  function arrow(event) {
    const from = document.activeElement.closest?.(".face") ?? inFocus;
    const to = tileTowards(tiles(), from?.isConnected ? from : null, event.key);
    if (!to) return;
    event.preventDefault();
    box(to).focus();
    to.scrollIntoView({ block: "nearest" });
  }

  function begin() {
    inFocus = null;
    if (tiles().length) focusOn(tiles()[0]);
    tell();
  }

  // Faces that others have answered meanwhile leave the screen; the marks of the rest stay.
  desk.ahead.addEventListener("lost", ({ detail: { node, faces } }) => {
    for (const tile of node.querySelectorAll(".face")) if (faces.includes(tile.dataset.region)) tile.remove();
    if (node === desk.current && !inFocus?.isConnected) focusOn(tiles()[0]);
    if (node === desk.current) tell();
  });

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

  return { asks, commands, begin, arrow };
}
