/* What every page needs: the CSRF header of htmx, toasts, and what happens when a
   request fails. A toast is asked for by an event that bubbles to the body:
     new CustomEvent("toast", {bubbles: true, detail: {text, undo, kind, link, linkText}})
   or by the server: HX-Trigger: {"toast": {"text": "…"}}. `undo` is a function. */

const toasts = document.getElementById("toasts");
const words = toasts?.dataset ?? {};  // translated by the template
const sprite = document.querySelector(".icon use")?.getAttribute("href").split("#")[0];

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite ?? "/static/icons.svg"}#${name}`);
  svg.append(use);
  return svg;
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function showToast({ text, undo, kind = "", link, linkText, undoText = words.undo }) {
  if (!toasts || !text) return;
  const toast = element("div", { class: `toast ${kind}` });
  toast.append(icon(kind === "bad" ? "warn" : "check"), element("span", {}, text));
  if (link) toast.append(element("a", { href: link }, linkText ?? link));
  if (undo) {
    const button = element("button", { type: "button", class: "action" }, undoText);
    button.addEventListener("click", () => { toast.remove(); undo(); });
    toast.append(button);
  }
  const close = element("button", { type: "button", class: "close", "aria-label": words.close }, icon("x"));
  close.addEventListener("click", () => toast.remove());
  toast.append(close);
  toasts.replaceChildren(toast);
}

document.body.addEventListener("toast", (event) => showToast(event.detail));

document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
});

// Polls end with the session or go on quietly when the network is back; a deed that
// failed says so.
document.body.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (requestConfig.verb === "get" && xhr.status !== 401) return;
  const text = [401, 429, 503].includes(xhr.status) ? xhr.responseText : words.failed;
  const login = `/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
  showToast({ text, kind: "bad", ...(xhr.status === 401 && { link: login, linkText: words.login }) });
});
document.body.addEventListener("htmx:sendError", (event) => {
  if (event.detail.requestConfig.verb !== "get") {
    showToast({ text: words.offline, kind: "bad" });
  }
});

// Answers that a page of another day could not send; see leftover.js.
try {
  if (Object.keys(localStorage).some((key) => key.startsWith("wikivisage:"))) {
    if (document.getElementById("left-behind")) import("./leftover.js");
  }
} catch { /* no storage, no answers */ }

// Closes an open menu on Escape and on a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.menu[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// <button data-copy="text">: copies, and says so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    showToast({ text: button.dataset.copied ?? words.copied });
  } catch { // not allowed, or no https: show it to be copied by hand
    showToast({ text: button.dataset.copy });
  }
});

// What somebody opened in a polled part stays open when it is replaced.
const place = (details) => details.closest("[id]")?.id;
let opened = new Set();
document.body.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (!target.hasAttribute("data-poll")) return;
  opened = new Set([...target.querySelectorAll("details[open]:not(.menu)")].map(place));
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const details of document.querySelectorAll("[data-poll] details:not(.menu)")) {
    if (opened.has(place(details))) details.open = true;
  }
});

// A polled part says in data-said how far things are; what changed is read out once.
document.body.addEventListener("htmx:afterSettle", () => {
  const told = document.querySelector("[data-said]")?.dataset.said;
  const region = document.getElementById("said");
  if (region && told !== undefined && region.textContent !== told) region.textContent = told;
});
