// A dialog with a page of the server in it: somebody else, or two faces side by side. What its
// forms send goes through the page's outbox, so that the network may be away; a search goes on
// within the dialog.

import { fetchPage } from "./tiles.js";

export class Sheet {
  #dialog;
  #act = null;
  #home = null; // what has the focus afterwards, where nothing else took it

  constructor(dialog) {
    this.#dialog = dialog;
    dialog.addEventListener("submit", (event) => this.#submit(event));
    dialog.addEventListener("click", (event) => {
      if (event.target.closest("[data-sheet=close]")) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.replaceChildren();
      const { activeElement } = document;
      if (!activeElement || activeElement === document.body) this.#home?.focus();
    });
  }

  /** `act(button)` is called with what was pressed; where it answers true the dialog closes. */
  async open(address, act, home = null) {
    this.#act = act;
    this.#home = home;
    const page = await fetchPage(address);
    const content = page?.body.querySelector("article");
    if (!content) return location.assign(address); // the page itself says what is the matter
    this.#show(content);
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#dialog.querySelector("input[type=search]")?.focus();
  }

  #show(content) {
    this.#dialog.replaceChildren(document.importNode(content, true));
    this.#dialog.setAttribute("aria-labelledby", "sheet-title");
    for (const button of this.#dialog.querySelectorAll("[data-sheet]")) button.hidden = false;
  }

  async #submit(event) {
    event.preventDefault();
    const { target: form, submitter } = event;
    if (form.method === "get") {
      const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
      const page = await fetchPage(address);
      const content = page?.body.querySelector("article");
      if (!content) return;
      this.#show(content);
      const field = this.#dialog.querySelector("input[type=search]");
      field?.focus();
      field?.setSelectionRange(field.value.length, field.value.length);
    } else if (submitter && this.#act(submitter)) {
      this.#dialog.close();
    }
  }
}
