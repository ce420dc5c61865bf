// The photo, larger: a picture in SVG whose viewBox is what one sees of it.

const SVG = "http://www.w3.org/2000/svg";
const DEEPEST = 24; // times the whole photo
const STEP = 1.5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Zoom {
  #dialog;
  #svg;
  #view; // {x, y, w, h} in pixels of the picture
  #size;
  #face;
  #pointers = new Map();

  constructor(dialog) {
    this.#dialog = dialog;
    this.#svg = dialog.querySelector("svg");
    const acts = {
      in: () => this.#by(STEP),
      out: () => this.#by(1 / STEP),
      face: () => this.#toFace(),
      whole: () => this.#whole(),
      close: () => dialog.close(),
    };
    for (const [name, act] of Object.entries(acts)) {
      dialog.querySelector(`[data-zoom=${name}]`).addEventListener("click", act);
    }
    dialog.addEventListener("keydown", (event) => this.#key(event));
    this.#svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#svg.addEventListener("dblclick", () => this.#toggle());
    this.#svg.addEventListener("pointerdown", (event) => {
      this.#pointers.set(event.pointerId, event);
      this.#svg.setPointerCapture(event.pointerId);
    });
    this.#svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.#svg.addEventListener(name, (event) => this.#pointers.delete(event.pointerId));
    }
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** Show the photo of `frame` (a .boxed with data-zoom-src round or on it), its face first;
      `notes` (nodes) say more of it. */
  open(frame, notes = []) {
    const place = this.#dialog.querySelector("[data-zoom-note]");
    place.replaceChildren(...notes);
    place.hidden = !notes.length;
    const boxes = frame.querySelector(".boxed > svg");
    const { width, height } = boxes.viewBox.baseVal;
    const { currentSrc, src } = frame.querySelector("img");
    const small = currentSrc || src; // it may have been made just now
    const images = [small, frame.dataset.zoomSrc].map((href) => {
      const image = document.createElementNS(SVG, "image");
      const attributes = { href, width, height, preserveAspectRatio: "none" };
      for (const [name, value] of Object.entries(attributes)) image.setAttribute(name, value);
      return image;
    });
    const marks = Array.from(boxes.children, (mark) => mark.cloneNode(true));
    this.#svg.replaceChildren(...images, ...marks);
    this.#size = { w: width, h: height };
    const line = boxes.querySelector(".line");
    const side = (name) => line[name].baseVal.value;
    this.#face = line && { x: side("x"), y: side("y"), w: side("width"), h: side("height") };
    this.#dialog.showModal();
    this.#svg.focus();
    if (this.#face) this.#toFace();
    else this.#whole();
  }

  #whole() {
    this.#show({ x: 0, y: 0, ...this.#size });
  }

  /** The face at about a third of the height, so that what is round it stays in sight. */
  #toFace() {
    const { x, y, w, h } = this.#face ?? { x: 0, y: 0, ...this.#size };
    const tall = Math.min(h * 3, this.#size.h);
    const wide = tall * (this.#size.w / this.#size.h);
    this.#show({ x: x + w / 2 - wide / 2, y: y + h / 2 - tall / 2, w: wide, h: tall });
  }

  #toggle() {
    if (this.#view.w < this.#size.w * 0.99) this.#whole();
    else this.#toFace();
  }

  #by(factor, at = null) {
    const { x, y, w, h } = this.#view;
    const middle = at ?? { x: x + w / 2, y: y + h / 2 };
    const wide = Math.min(Math.max(w / factor, this.#size.w / DEEPEST), this.#size.w);
    const scale = wide / w;
    this.#show({
      x: middle.x - (middle.x - x) * scale,
      y: middle.y - (middle.y - y) * scale,
      w: wide,
      h: h * scale,
    });
  }

  #show(view) {
    const { w, h } = this.#size;
    const x = Math.min(Math.max(view.x, 0), w - view.w);
    const y = Math.min(Math.max(view.y, 0), h - view.h);
    this.#view = { ...view, x, y };
    this.#svg.setAttribute("viewBox", `${x} ${y} ${view.w} ${view.h}`);
  }

  #at(event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    return point.matrixTransform(this.#svg.getScreenCTM().inverse());
  }

  #wheel(event) {
    event.preventDefault();
    this.#by(event.deltaY < 0 ? 1.2 : 1 / 1.2, this.#at(event));
  }

  #move(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const other = [...this.#pointers.values()].find((each) => each.pointerId !== event.pointerId);
    if (other) {
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      this.#by(apart(event) / Math.max(apart(before), 1), this.#at(other));
    } else {
      const [from, to] = [this.#at(before), this.#at(event)];
      const { x, y } = this.#view;
      this.#show({ ...this.#view, x: x + from.x - to.x, y: y + from.y - to.y });
    }
    this.#pointers.set(event.pointerId, event);
  }

  #key(event) {
    const arrow = ARROWS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrow) {
      const { x, y, w, h } = this.#view;
      this.#show({ ...this.#view, x: x + (arrow[0] * w) / 8, y: y + (arrow[1] * h) / 8 });
    } else if (event.key === "+" || event.key === "=") this.#by(STEP);
    else if (event.key === "-") this.#by(1 / STEP);
    else if (event.key.toLowerCase() === "e") this.#dialog.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Two fingers, or two taps, on the photo ask for `open`. */
export function onPinch(area, open) {
  const down = new Set();
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    down.add(event.pointerId);
    if (down.size === 2) open(event);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => down.delete(event.pointerId));
  }
  area.addEventListener("dblclick", open);
}
