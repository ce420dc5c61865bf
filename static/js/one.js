// One face: Yes, No or another word, by button, key or swipe; a missed face is drawn beside it.

import { drawBox } from "./draw.js";
import { newUuid } from "./outbox.js";
import { onSwipe } from "./swipe.js";

const NOT_SENT = ["csrfmiddlewaretoken", "client_uuid", "next"];
export const NUMBERS = [..."0123456789"]; // which of a photo's faces it is; none of them is 0
const BADGE = 16; // size on screen of a number on the photo, pixels
const SWIPES = { right: "yes", left: "no", down: "skip" };

export function one(desk) {
  const root = document.body;

  /** What its button would send; each face of a screen has an answer of its own. */
  function press(name, op = "", said = "") {
    const button = desk.current.querySelector(`form [data-do=${name}]`);
    if (!button) return;
    const { form } = button;
    const data = new FormData(form, button);
    const fields = Object.fromEntries(
      [...new Set(data.keys())].filter((key) => !NOT_SENT.includes(key)).map((key) => [key, plain(data.getAll(key))]),
    );
    op ||= button.dataset.op ?? form.dataset.op;
    const targets = op === "screen" ? [fields.shown].flat().map(newUuid) : undefined;
    if (targets) fields.uuid = targets;
    said ||= desk.words[button.value || name];
    const from = button.value || op;
    desk.give(op, fields, said, { targets, n: targets?.length ?? 1, from });
  }

  async function draw() {
    const node = desk.current;
    const button = node.querySelector("[data-do=draw]");
    if (!button || desk.isBusy) return;
    desk.isBusy = true;
    desk.hush();
    root.classList.add("is-drawing");
    const svg = node.querySelector(".boxed > svg");
    const box = await drawBox(svg, document.getElementById("draw-bar"));
    root.classList.remove("is-drawing");
    desk.isBusy = false;
    if (!box) return;
    const uuid = desk.outbox.add("draw", { photo: node.dataset.photo, ...box });
    desk.remember({ op: "draw", uuid, n: 1, node });
    desk.tally.add(1);
    desk.tellUndo(desk.words.draw);
  }

  /** This one of the numbered faces is the person and the others are not; 0 is none of them. */
  function choose(n) {
    const said = n === "0" ? desk.words.choosenone : desk.words.choose.replace("{n}", n);
    press(`choose${n}`, "", said);
  }

  /** Numbers on the photo are as large on screen as text, however large the photo is. */
  function sizeNumbers() {
    for (const text of desk.stage.querySelectorAll(".number > text")) {
      const scale = text.ownerSVGElement.getScreenCTM()?.a;
      if (scale) text.setAttribute("font-size", BADGE / scale);
    }
  }

  addEventListener("resize", sizeNumbers);
  desk.stage.addEventListener("click", (event) => {
    const { number } = event.target.closest(".number")?.dataset ?? {};
    if (number && current() && !desk.isBusy) choose(number);
  });

  const words = ["yes", "no", "background", "artwork", "notaface", "canttell", "skip"];
  const commands = {
    ...Object.fromEntries(words.map((name) => [name, () => press(name)])),
    nousableface: () => press("nousableface", "nousableface"),
    ...Object.fromEntries(NUMBERS.map((n) => [`choose${n}`, () => choose(n)])),
    zoom: () => desk.zoom.open(desk.current.querySelector(".q-frame")),
    draw,
  };
  const asks = (node) => "one" in node.dataset;
  const current = () => (desk.current && asks(desk.current) ? desk.current : null);
  onSwipe(desk.stage, current, document.getElementById("hint"), (direction) => {
    if (current()) commands[SWIPES[direction]]();
  });
  return { asks, commands, begin: sizeNumbers, says: (node) => desk.words.question.replace("{photo}", node.dataset.name) };
}

function plain(values) {
  return values.length === 1 ? values[0] : values;
}
