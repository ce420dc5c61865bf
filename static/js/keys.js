// One place that decides when a key means a command, and which.

const FIELDS = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

/** The command of `keys` (key -> command) that this event means, or "". */
export function commandOf(event, keys) {
  if (event.defaultPrevented || event.repeat) return "";
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  if (event.target.closest?.(FIELDS) || document.querySelector("dialog[open]")) return "";
  // on a keyboard without Latin letters the place of the key counts
  const latin = /^[a-z]$/i.test(event.key) || event.key.length > 1 || event.key === "?";
  const key = latin ? event.key : event.code.replace("Key", "");
  return keys[key.length === 1 ? key.toLowerCase() : key] ?? "";
}
