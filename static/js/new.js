/* The pages that choose places: lists of options that open as one types, and the sum. htmx
   fetches the options and swaps the form in place, so everything here listens from above. */

const boxOf = (node) => node.closest?.("[data-combobox]");
const inputOf = (box) => box.querySelector("[role=combobox]");
const listOf = (box) => box.querySelector("[role=listbox]");
const optionsOf = (box) => [...listOf(box).querySelectorAll("[role=option]")];
const activeOf = (box) => listOf(box).querySelector("[aria-selected=true]");

function open(box, isOpen) {
  listOf(box).hidden = !isOpen;
  inputOf(box).setAttribute("aria-expanded", isOpen);
  if (!isOpen) activate(box, null);
}

function activate(box, option) {
  activeOf(box)?.setAttribute("aria-selected", "false");
  if (!option) return inputOf(box).removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  inputOf(box).setAttribute("aria-activedescendant", option.id);
}

function move(box, step) {
  const options = optionsOf(box);
  if (!options.length) return;
  open(box, true);
  const from = options.indexOf(activeOf(box));
  const to = from < 0 && step < 0 ? options.length - 1 : from + step;
  activate(box, options[(to + options.length) % options.length]);
}

/* Posts the form as if its button had been pressed: htmx knows a button by its click. */
function press(box, name, value) {
  const button = document.createElement("button");
  Object.assign(button, { name, value, hidden: true });
  box.append(button);
  button.click();
  button.remove();
}

function choose(box, option) {
  open(box, false);
  if (box.dataset.combobox === "choice") return press(box, "choice", option.dataset.value);
  inputOf(box).value = option.dataset.value;
  press(box, "do", "add");
}

document.addEventListener("keydown", (event) => {
  const box = event.target.matches?.("[role=combobox]") && boxOf(event.target);
  if (!box || event.isComposing) return;
  if (event.key === "ArrowDown") move(box, 1);
  else if (event.key === "ArrowUp") move(box, -1);
  else if (event.key === "Escape" && !listOf(box).hidden) open(box, false);
  else if (event.key === "Enter" && activeOf(box)) choose(box, activeOf(box));
  else if (event.key === "Enter") press(box, "do", box.dataset.combobox === "choice" ? "find" : "add");
  else return;
  event.preventDefault();
});

document.addEventListener("mousedown", (event) => {
  if (event.target.closest("[role=option]")) event.preventDefault();  // the field keeps the focus
});

document.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]");
  if (option) choose(boxOf(option), option);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[role=combobox]") && !event.target.value.trim()) open(boxOf(event.target), false);
});

document.addEventListener("focusout", (event) => {
  const box = boxOf(event.target);
  if (box && !box.contains(event.relatedTarget)) open(box, false);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const list = event.detail.target;
  if (list.getAttribute("role") === "listbox") {
    const box = boxOf(list);
    const isWanted = list.childElementCount > 0 && inputOf(box) === document.activeElement;
    open(box, isWanted);
    if (isWanted) activate(box, optionsOf(box)[0]);
  }
  if (list.matches(".counts")) {
    list.removeAttribute("data-waiting");
    if (list.closest(".source")?.querySelector("[name=use]:checked")) sum();
  }
  if (list.id === "start" || !list.isConnected) startAnew();
});

/* After a swap of the whole form: what is known is summed up already by the server. */
function startAnew() {
  if (document.querySelector("#sum[data-waiting]")) sum();
}

document.addEventListener("change", (event) => {
  if (event.target.name === "use") sum();
  if (event.target.name === "kind") document.getElementById("add")?.focus();
});

/* Asks for the sum over what is ticked, once all of that is counted. */
function sum() {
  const shown = document.getElementById("sum");
  if (!shown) return;
  const ticked = [...document.querySelectorAll(".source:has([name=use]:checked) > .counts")];
  if (ticked.some((counts) => counts.hasAttribute("data-waiting"))) return;
  shown.removeAttribute("data-waiting");
  shown.dispatchEvent(new CustomEvent("sum"));
}
