// Keys for the second look: each presses the button that says the same.

import { commandOf } from "./keys.js";

const keys = { y: "yes", n: "no", b: "background", z: "undo", ArrowRight: "yes", ArrowLeft: "no" };

document.addEventListener("keydown", (event) => {
  const button = document.querySelector(`button[data-do="${commandOf(event, keys)}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});

// One answer a page: a second click while it is on its way says nothing new.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
