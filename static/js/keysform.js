// The form in which keys are changed: a field takes the key that is pressed, and says at once
// which other command has it.

const NAMES = { " ": "Space" };
const KEPT = ["Tab", "Escape", "Shift", "Control", "Alt", "Meta", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "?"];

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.(".key-cap");
  if (!field || KEPT.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && !("enter" in field.dataset)) return; // it saves
  const none = ["Backspace", "Delete"].includes(event.key);
  if (!none && event.key.length > 1 && event.key !== "Enter") return;
  event.preventDefault();
  take(field, none ? "" : event.key);
});

// A keyboard on glass tells no keys: what was written last counts.
document.addEventListener("input", (event) => {
  const field = event.target.closest?.(".key-cap");
  if (field) take(field, event.data ?? field.value.slice(-1));
});

document.addEventListener("focusin", (event) => event.target.closest?.(".key-cap")?.select());

function take(field, key) {
  field.value = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  field.select();
  for (const each of field.form.querySelectorAll(".key-cap")) tell(each);
}

function tell(field) {
  const all = [...field.form.querySelectorAll(".key-cap")];
  const other = all.find((each) => each !== field && field.value && each.value === field.value && meet(each, field));
  field.setAttribute("aria-invalid", String(Boolean(other)));
  const text = other ? field.form.dataset.clash.replace("{other}", other.labels[0].textContent) : "";
  document.getElementById(field.id.replace("key-", "wrong-")).textContent = text;
}

function meet(one, other) {
  const pages = one.dataset.pages.split(" ");
  return other.dataset.pages.split(" ").some((page) => pages.includes(page));
}
