// One place that decides when a key means a command, and which.
//
// The usual keys stand with who uses them; what a user has changed stands on the body as
// data-keys (JSON, command -> key), and changes there and on every <kbd data-key> when they
// change it again (the event `keys` {keys, labels}, see classify/asking/views/keys.py).

const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

let labels = null; // command -> what stands on the buttons, once it has changed on this page

/** The command of `keys` (key -> command) that this event means, or "". */
export function commandOf(event, keys) {
  if (event.defaultPrevented || event.repeat) return "";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (event.target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return "";
  const named = event.key === " " ? "Space" : event.key;
  const key = named.length === 1 ? named.toLowerCase() : named;
  if (key in keys) return keys[key];
  // on a keyboard without Latin letters, or with the digits behind Shift, the place counts
  const latin = /^[a-z]$/i.test(event.key) || event.key.length > 1 || event.key === "?";
  return latin ? "" : (keys[event.code?.replace(/^(Key|Digit)/, "").toLowerCase()] ?? "");
}

/** `usual` (key -> command) with what the user has changed; stays up to date. */
export function ownKeys(usual) {
  const keys = {};
  const fill = (own) => {
    for (const key of Object.keys(keys)) delete keys[key];
    for (const [key, command] of Object.entries(usual)) {
      if (!(command in own) || key.startsWith("Arrow")) keys[key] = command; // these stay
    }
    for (const command of Object.values(usual)) if (own[command]) keys[own[command]] = command;
  };
  fill(JSON.parse(document.body.dataset.keys ?? "{}"));
  document.body.addEventListener("keys", ({ detail }) => fill(detail.keys));
  return keys;
}

/** What stands on the buttons of `node` is what was chosen since the page was made. */
export function labelKeys(node) {
  if (!labels) return;
  for (const shown of node.querySelectorAll("kbd[data-key]")) {
    shown.textContent = labels[shown.dataset.key] ?? "";
    shown.hidden = !shown.textContent;
  }
}

document.body.addEventListener("keys", ({ detail }) => {
  labels = detail.labels;
  document.body.dataset.keys = JSON.stringify(detail.keys);
  labelKeys(document);
});
