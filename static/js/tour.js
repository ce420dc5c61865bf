/* A tour of the page: a few steps, each a small dialog beside the thing it speaks of. It takes
   the focus only after "Show me", gives it back at the end, and keeps the page's own keys from
   acting meanwhile. Escape ends it. */

const offer = document.getElementById("tour");
const form = offer?.querySelector("form");
const start = document.getElementById("tour-start");
const steps = JSON.parse(document.getElementById("tour-steps")?.textContent ?? "[]");
const GAP = 12; // px between the thing and the dialog

let dialog, shown, at = 0;

function there(step) {
  const thing = document.querySelector(step.at);
  return thing && thing.getClientRects().length > 0;
}

function begin() {
  shown = steps.filter(there);
  if (!shown.length) return finish();
  dialog = document.importNode(document.getElementById("tour-step").content, true).firstElementChild;
  document.body.append(dialog);
  dialog.addEventListener("click", ({ target }) => act(target.closest("[data-tour]")?.dataset.tour));
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // the page's keys answer questions
    if (event.key === "Escape") finish();
  });
  addEventListener("resize", place);
  addEventListener("scroll", place, { passive: true });
  offer.hidden = true;
  go(0);
}

function act(what) {
  if (what === "end") finish();
  if (what === "back") go(at - 1);
  if (what === "next") go(at + 1);
}

function go(to) {
  mark(false);
  if (to >= shown.length) return finish();
  at = Math.max(0, to);
  const step = shown[at];
  const [count, heading, text] = dialog.querySelectorAll("p, h2");
  count.textContent = count.dataset.count.replace("{n}", at + 1).replace("{all}", shown.length);
  heading.textContent = step.heading;
  text.textContent = step.text;
  dialog.querySelector("[data-tour=back]").hidden = at === 0;
  const next = dialog.querySelector("[data-tour=next]");
  next.dataset.usual ??= next.textContent;
  next.textContent = at === shown.length - 1 ? next.dataset.last : next.dataset.usual;
  mark(true);
  document.querySelector(step.at).scrollIntoView({ block: "center" });
  place();
  dialog.focus({ preventScroll: true });
}

function mark(on) {
  for (const thing of document.querySelectorAll(".tour-target")) thing.classList.remove("tour-target");
  if (on) document.querySelector(shown[at].at)?.classList.add("tour-target");
}

/** Below the thing if there is room, else above it, else at the window's end. */
function place() {
  const thing = document.querySelector(shown[at].at)?.getBoundingClientRect();
  if (!thing) return;
  const { offsetWidth: width, offsetHeight: height } = dialog;
  const below = thing.bottom + GAP, above = thing.top - GAP - height;
  const fits = below + height <= innerHeight - GAP ? below : above >= GAP ? above : innerHeight - GAP - height;
  const middle = thing.left + thing.width / 2 - width / 2;
  dialog.style.insetBlockStart = `${fits}px`;
  dialog.style.left = `${Math.min(Math.max(middle, GAP), innerWidth - width - GAP)}px`;
}

async function finish() {
  mark(false);
  removeEventListener("resize", place);
  removeEventListener("scroll", place);
  dialog?.remove();
  offer.remove();
  const main = document.querySelector("main");
  main.tabIndex = -1;
  main.focus({ preventScroll: true });
  const body = new FormData(form, form.querySelector("[name=seen]"));
  const headers = { "X-Background": "1" };
  await fetch(form.action, { method: "POST", body, headers, keepalive: true }).catch(() => {}); // though one leaves
}

if (offer) {
  start.hidden = false;
  start.addEventListener("click", begin);
  form.addEventListener("submit", (event) => { event.preventDefault(); finish(); });
}
