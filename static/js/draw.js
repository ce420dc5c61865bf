// Drawing a box on a photo with mouse, touch or keyboard, in the picture's own coordinates.

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.01; // of the picture's sides; the server asks for the same
const STEP = 0.01; // of the picture's sides, and of the part that is shown of it closer up
const CLOSEST = 8; // times
const EASY = 1 / 3; // of what is shown: how large a box is made for a finger that is to hold it
const GRIP = 7; // radius of a corner's knob on screen, pixels
const SIDES = 64; // a box at least so large on screen, pixels, is held at its sides, too
const FINGER = matchMedia("(pointer: coarse)").matches;
const [REACH, INTO] = FINGER ? [24, 16] : [16, 5]; // one may hold it so far beyond a corner, and so
// far into a large box, pixels
const CORNERS = ["nw", "ne", "sw", "se"];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NEARER = { "+": 2, "=": 2, "-": 0.5 };

/**
 * Let a person draw on `svg`, whose viewBox is the picture. Resolves to {x, y, w, h} in 0–1 of
 * the picture and `picture`, which one that was (if the svg knows); or to null when cancelled.
 * `bar` holds the buttons [data-draw=save|cancel|nearer|whole] and live regions
 * [data-draw=place|told]; `from` is the box to begin with (0–1).
 */
export function drawBox(svg, bar, from = null) {
  return new Promise((resolve) => new Drawing(svg, bar, from, resolve));
}

class Drawing {
  #svg;
  #bar;
  #resolve;
  #layer = document.createElementNS(SVG, "g");
  #image = document.createElementNS(SVG, "image");
  #size; // of the picture, pixels
  #near = 1; // how many times larger than as a whole
  #before = {}; // attributes of the svg that are put back
  #box;
  #grip = null; // what the pointer does: {kind, start, box, off}
  #fingers = new Map(); // where each is: {x, y}
  #listening = new AbortController();
  #cameFrom = document.activeElement;

  constructor(svg, bar, from, resolve) {
    this.#svg = svg;
    this.#bar = bar;
    this.#resolve = resolve;
    const { width, height } = svg.viewBox.baseVal;
    this.#size = { width, height };
    this.#box = from ?? this.#likely();
    this.#take();
    this.#listen();
    bar.hidden = false;
    this.#told("");
    this.#paint();
    svg.focus({ preventScroll: false });
    if (from && FINGER) this.#comeNearer();
  }

  /** The svg becomes what one works on, with the photo inside, so that it can come closer. */
  #take() {
    const svg = this.#svg;
    const { width, height } = this.#size;
    const place = this.#bar.querySelector("[data-draw=place]");
    const working = {
      tabindex: "0",
      role: "application",
      "aria-label": this.#bar.dataset.label ?? "",
      "aria-describedby": place?.id ?? "",
    };
    for (const name of [...Object.keys(working), "viewBox", "aria-hidden", "focusable"]) {
      this.#before[name] = svg.getAttribute(name);
    }
    svg.removeAttribute("aria-hidden");
    svg.removeAttribute("focusable");
    for (const [name, value] of Object.entries(working)) svg.setAttribute(name, value);
    const photo = svg.parentElement.querySelector("img");
    if (photo) {
      const attributes = { href: photo.currentSrc || photo.src, width, height };
      for (const [name, value] of Object.entries(attributes)) this.#image.setAttribute(name, value);
      svg.prepend(this.#image);
    }
    this.#layer.setAttribute("class", "drawing");
    svg.append(this.#layer);
    svg.classList.add("drawn-on");
  }

  /** A square near the middle, as large as the faces that were found here. */
  #likely() {
    const { width, height } = this.#size;
    const sides = Array.from(this.#svg.querySelectorAll("rect"), (face) => face.height.baseVal.value);
    const side = sides.sort((a, b) => a - b)[sides.length >> 1] ?? Math.min(width, height) / 5;
    return { x: 0.4, y: 0.3, w: Math.min(side / width, 0.5), h: Math.min(side / height, 0.6) };
  }

  #listen() {
    const options = { signal: this.#listening.signal };
    const on = (node, name, act) => node?.addEventListener(name, act, options);
    on(this.#svg, "pointerdown", (event) => this.#press(event));
    on(this.#svg, "pointermove", (event) => this.#drag(event));
    on(this.#svg, "pointerup", (event) => this.#release(event));
    on(this.#svg, "pointercancel", (event) => this.#release(event));
    on(window, "resize", () => this.#paint());
    // before the page's own keys
    document.addEventListener("keydown", (event) => this.#key(event), { ...options, capture: true });
    on(this.#button("save"), "click", () => this.#end(this.#box));
    on(this.#button("cancel"), "click", () => this.#end(null));
    on(this.#button("nearer"), "click", () => this.#come(2));
    on(this.#button("whole"), "click", () => this.#come(1 / this.#near));
  }

  #button(name) {
    return this.#bar.querySelector(`[data-draw=${name}]`);
  }

  /** Where the pointer is, in 0–1 of the picture; less or more beyond its edges. */
  #at({ clientX, clientY }) {
    const { width, height } = this.#size;
    const at = new DOMPoint(clientX, clientY).matrixTransform(this.#svg.getScreenCTM().inverse());
    return { x: at.x / width, y: at.y / height };
  }

  #press(event) {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation(); // it is no swipe
    this.#svg.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, event);
    if (this.#fingers.size > 1) return this.#letGo();
    const kind = event.target.dataset?.grip ?? "new";
    const start = this.#at(event);
    const held = ["new", "move"].includes(kind) ? start : place(this.#box, kind);
    const off = { x: held.x - start.x, y: held.y - start.y }; // the finger may be beside what it holds
    this.#grip = { kind, start, box: this.#box, off, pointer: event.pointerId };
    this.#told("");
  }

  /** A second finger has come: what the first one began was no stroke. */
  #letGo() {
    this.#box = this.#grip?.box ?? this.#box;
    this.#grip = null;
    this.#paint();
  }

  #drag(event) {
    if (this.#fingers.size > 1) return this.#pinch(event);
    if (this.#grip?.pointer !== event.pointerId) return;
    const { kind, start, box, off } = this.#grip;
    const now = this.#at(event);
    if (kind === "new") this.#box = between(inside(start), inside(now));
    else if (kind === "move") this.#box = moved(box, now.x - start.x, now.y - start.y);
    else this.#box = pulled(box, kind, inside({ x: now.x + off.x, y: now.y + off.y }));
    this.#paint();
  }

  #release(event) {
    this.#fingers.delete(event.pointerId);
    const grip = this.#grip;
    if (grip?.pointer !== event.pointerId) return;
    this.#grip = null;
    const isSmall = this.#box.w < SMALLEST || this.#box.h < SMALLEST;
    const isTouch = event.pointerType === "touch";
    if (isSmall) this.#box = grip.box;
    if (isTouch && grip.kind === "new" && this.#box === grip.box) this.#bring(grip.start);
    else if (isSmall) this.#told("small");
    else if (grip.kind !== "move" && isOutside(this.#at(event), grip.off)) this.#told("outside");
    this.#paint(true);
    if (isTouch) this.#comeNearer();
  }

  /** A tap brings the box to the finger. */
  #bring({ x, y }) {
    this.#box = moved({ ...this.#box, x: 0, y: 0 }, x - this.#box.w / 2, y - this.#box.h / 2);
  }

  /** What was under two fingers stays under them. */
  #pinch(event) {
    const before = this.#fingers.get(event.pointerId);
    const other = [...this.#fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    if (!before || !other) return;
    this.#fingers.set(event.pointerId, event);
    const [from, to] = [this.#at(middle(before, other)), this.#at(middle(event, other))];
    const near = clamp((this.#near * apart(event, other)) / Math.max(apart(before, other), 1), 1, CLOSEST);
    const { x, y } = this.#svg.viewBox.baseVal;
    const { width, height } = this.#size;
    const scale = this.#near / near;
    this.#near = near;
    this.#show(from.x * width - (to.x * width - x) * scale, from.y * height - (to.y * height - y) * scale);
    this.#paint();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const onButton = this.#bar.contains(document.activeElement);
    if (arrow) this.#nudge(arrow, event.shiftKey);
    else if (event.key in NEARER) this.#come(NEARER[event.key]);
    else if (event.key === "Escape") this.#end(null);
    else if (event.key === "Enter" && !onButton) this.#end(this.#box);
    else if (event.key === "Tab" || onButton) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #nudge([x, y], resize) {
    const box = this.#box;
    const step = STEP / this.#near;
    this.#told("");
    this.#box = resize
      ? {
          ...box,
          w: clamp(box.w + x * step, SMALLEST, 1 - box.x),
          h: clamp(box.h + y * step, SMALLEST, 1 - box.y),
        }
      : moved(box, x * step, y * step);
    if (this.#near > 1) this.#look();
    this.#paint(true);
  }

  /** So many times closer to the box, or away from it. */
  #come(times) {
    this.#near = clamp(this.#near * times, 1, CLOSEST);
    this.#look();
    this.#paint();
  }

  /** So close that a finger can hold a box that is small on screen. */
  #comeNearer() {
    const { w, h } = this.#box;
    const small = Math.min(w * this.#size.width, h * this.#size.height) < SIDES * this.#pixel;
    const times = EASY / Math.max(w, h) / this.#near;
    if (!small || times <= 1 || this.#near >= CLOSEST) return;
    this.#come(times);
    this.#told("nearer");
  }

  /** The part of the picture round the box. */
  #look() {
    const { width, height } = this.#size;
    const { x, y, w, h } = this.#box;
    this.#show(
      (x + w / 2) * width - width / this.#near / 2,
      (y + h / 2) * height - height / this.#near / 2,
    );
  }

  /** Show the part of the picture that begins there, in its pixels, as close as it is now. */
  #show(left, top) {
    const { width, height } = this.#size;
    const [w, h] = [width / this.#near, height / this.#near];
    this.#svg.setAttribute("viewBox", `${clamp(left, 0, width - w)} ${clamp(top, 0, height - h)} ${w} ${h}`);
    this.#svg.classList.toggle("is-near", this.#near > 1);
  }

  /** How much of the picture's pixels one of the screen is. */
  get #pixel() {
    return 1 / this.#svg.getScreenCTM().a;
  }

  #paint(say = false) {
    const { width, height } = this.#size;
    const [x, y, w, h] = [
      this.#box.x * width,
      this.#box.y * height,
      this.#box.w * width,
      this.#box.h * height,
    ];
    const pixel = this.#pixel;
    const grip = Math.min(GRIP * pixel, w / 4, h / 4);
    const isLarge = Math.min(w, h) >= SIDES * pixel;
    const at = (name) => {
      const { x, y } = place(this.#box, name);
      return { cx: x * width, cy: y * height };
    };
    const seen = (name) =>
      shape("circle", { class: "drawing-grip", ...at(name), r: name.length > 1 ? grip : grip * 0.7 });
    const sides = isLarge ? ["n", "s", "w", "e"] : [];
    this.#layer.replaceChildren(
      shape("path", {
        class: "drawing-shade",
        d: `M0 0H${width}V${height}H0ZM${x} ${y}v${h}h${w}v${-h}Z`,
      }),
      shape("rect", { class: "drawing-case", x, y, width: w, height: h }),
      shape("rect", { class: "drawing-box", x, y, width: w, height: h }, "move"),
      ...[...sides, ...CORNERS].map((name) => this.#hold(name, isLarge)),
      ...[...CORNERS, ...sides].map(seen),
    );
    for (const [name, off] of [["nearer", this.#near >= CLOSEST], ["whole", this.#near === 1]]) {
      if (this.#button(name)) this.#button(name).disabled = off;
    }
    if (say) this.#say();
  }

  /** What one may hold of a corner or a side, so that a thumb finds it: beyond the box, and of a
      large one, or where there is no room beyond, some of its inside; never of what another holds. */
  #hold(name, isLarge) {
    const { x, y, width, height } = this.#svg.viewBox.baseVal;
    const { x: left, y: top, w, h } = this.#box;
    const pixel = this.#pixel;
    const along = (less, more, from, size, first, last) =>
      held(name.includes(less), name.includes(more), from, size, first, last, REACH * pixel, isLarge ? INTO * pixel : 0);
    const [x0, x1] = along("w", "e", left * this.#size.width, w * this.#size.width, x, x + width);
    const [y0, y1] = along("n", "s", top * this.#size.height, h * this.#size.height, y, y + height);
    const sides = { x: x0, y: y0, width: x1 - x0, height: y1 - y0 };
    return shape("rect", { class: `drawing-hold ${name}`, ...sides }, name);
  }

  #say() {
    const percent = (value) => `${Math.round(value * 100)} %`;
    const place = this.#bar.querySelector("[data-draw=place]");
    place.textContent = place.dataset.text
      .replace("{x}", percent(this.#box.x))
      .replace("{y}", percent(this.#box.y))
      .replace("{w}", percent(this.#box.w))
      .replace("{h}", percent(this.#box.h));
  }

  /** A sentence on what became of the last stroke, if it is not what one drew. */
  #told(what) {
    const told = this.#bar.querySelector("[data-draw=told]");
    if (told) told.textContent = what ? told.dataset[what] : "";
  }

  #end(box) {
    this.#listening.abort();
    this.#layer.remove();
    this.#image.remove();
    this.#svg.classList.remove("drawn-on", "is-near");
    for (const [name, value] of Object.entries(this.#before)) {
      if (value === null) this.#svg.removeAttribute(name);
      else this.#svg.setAttribute(name, value);
    }
    this.#bar.hidden = true;
    if (this.#cameFrom?.isConnected) this.#cameFrom.focus({ preventScroll: true });
    const { picture } = this.#svg.dataset;
    this.#resolve(box && picture ? { ...box, picture } : box);
  }
}

function shape(name, attributes, grip = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (grip) node.dataset.grip = grip;
  return node;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function inside({ x, y }) {
  return { x: clamp(x, 0, 1), y: clamp(y, 0, 1) };
}

function isOutside(at, off) {
  return [at.x + off.x, at.y + off.y].some((value) => value < 0 || value > 1);
}

function middle(one, other) {
  return { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 };
}

function apart(one, other) {
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
}

/** Where a corner or side of the box is: "nw", "e", … */
function place({ x, y, w, h }, name) {
  const part = (less, more) => (name.includes(less) ? 0 : name.includes(more) ? 1 : 0.5);
  return { x: x + w * part("w", "e"), y: y + h * part("n", "s") };
}

/** From where to where, along one side of the box (`from`, `size`), a corner is held: at its
    beginning (`less`), its end (`more`), or between the two; `reach` beyond it and `deep` into it.
    `first` and `last` are the ends of what is shown. */
function held(less, more, from, size, first, last, reach, deep) {
  const end = from + size;
  const into = (room) => Math.min(size / 3, Math.max(deep, reach - room));
  const [before, after] = [from + into(from - first), end - into(last - end)];
  if (less) return [Math.max(first, from - reach), before];
  if (more) return [after, Math.min(last, end + reach)];
  return [before, after];
}

function between(one, other) {
  const x = Math.min(one.x, other.x);
  const y = Math.min(one.y, other.y);
  return { x, y, w: Math.abs(one.x - other.x), h: Math.abs(one.y - other.y) };
}

function moved(box, x, y) {
  return { ...box, x: clamp(box.x + x, 0, 1 - box.w), y: clamp(box.y + y, 0, 1 - box.h) };
}

/** The box when the corner or side that is held comes to `now`; what is across from it stays. */
function pulled(box, grip, now) {
  const across = {
    x: grip.includes("w") ? box.x + box.w : box.x,
    y: grip.includes("n") ? box.y + box.h : box.y,
  };
  const drawn = between(across, now);
  if (!/[ew]/.test(grip)) return { ...drawn, x: box.x, w: box.w };
  return /[ns]/.test(grip) ? drawn : { ...drawn, y: box.y, h: box.h };
}
