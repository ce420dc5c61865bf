// Drawing a box on a photo with mouse, touch or keyboard, in the picture's own coordinates.

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 0.01; // of the picture's sides; the server asks for the same
const STEP = 0.01;
const GRIP = 7; // radius of a corner's knob on screen, pixels
const HOLD = matchMedia("(pointer: coarse)").matches ? 22 : 11; // and of what one may hold
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Let a person draw on `svg`, whose viewBox is the picture. Resolves to {x, y, w, h} in 0–1 of
 * the picture, or null when cancelled. `bar` holds the buttons [data-draw=save|cancel] and a
 * live region [data-draw=place]; `from` is the box to begin with (0–1).
 */
export function drawBox(svg, bar, from = null) {
  return new Promise((resolve) => new Drawing(svg, bar, from, resolve));
}

class Drawing {
  #svg;
  #bar;
  #resolve;
  #layer = document.createElementNS(SVG, "g");
  #box;
  #grip = null; // what the pointer does: {kind, start, box}
  #listening = new AbortController();
  #cameFrom = document.activeElement;

  constructor(svg, bar, from, resolve) {
    this.#svg = svg;
    this.#bar = bar;
    this.#resolve = resolve;
    this.#box = from ?? this.#likely();
    this.#layer.setAttribute("class", "drawing");
    svg.append(this.#layer);
    svg.classList.add("drawn-on");
    svg.setAttribute("tabindex", "0");
    this.#listen();
    bar.hidden = false;
    this.#paint();
    svg.focus({ preventScroll: false });
  }

  /** A square near the middle, as large as the faces that were found here. */
  #likely() {
    const { width, height } = this.#svg.viewBox.baseVal;
    const sides = Array.from(this.#svg.querySelectorAll("rect"), (face) => face.height.baseVal.value);
    const side = sides.sort((a, b) => a - b)[sides.length >> 1] ?? Math.min(width, height) / 5;
    return { x: 0.4, y: 0.3, w: Math.min(side / width, 0.5), h: Math.min(side / height, 0.6) };
  }

  #listen() {
    const options = { signal: this.#listening.signal };
    const on = (node, name, act) => node.addEventListener(name, act, options);
    on(this.#svg, "pointerdown", (event) => this.#press(event));
    on(this.#svg, "pointermove", (event) => this.#drag(event));
    on(this.#svg, "pointerup", (event) => this.#release(event));
    on(this.#svg, "pointercancel", (event) => this.#release(event));
    // before the page's own keys
    document.addEventListener("keydown", (event) => this.#key(event), { ...options, capture: true });
    on(this.#button("save"), "click", () => this.#end(this.#box));
    on(this.#button("cancel"), "click", () => this.#end(null));
  }

  #button(name) {
    return this.#bar.querySelector(`[data-draw=${name}]`);
  }

  /** Where the pointer is, in 0–1 of the picture. */
  #at(event) {
    const { width, height } = this.#svg.viewBox.baseVal;
    const point = new DOMPoint(event.clientX, event.clientY);
    const place = point.matrixTransform(this.#svg.getScreenCTM().inverse());
    return { x: clamp(place.x / width, 0, 1), y: clamp(place.y / height, 0, 1) };
  }

  #press(event) {
    if (event.button || this.#grip) return;
    event.preventDefault();
    this.#svg.setPointerCapture(event.pointerId);
    const kind = event.target.dataset?.grip ?? "new";
    this.#grip = { kind, start: this.#at(event), box: this.#box, pointer: event.pointerId };
  }

  #drag(event) {
    if (this.#grip?.pointer !== event.pointerId) return;
    const { kind, start, box } = this.#grip;
    const now = this.#at(event);
    if (kind === "new") this.#box = between(start, now);
    else if (kind === "move") this.#box = moved(box, now.x - start.x, now.y - start.y);
    else this.#box = between(opposite(box, kind), now);
    this.#paint();
  }

  #release(event) {
    if (this.#grip?.pointer !== event.pointerId) return;
    const tooSmall = this.#box.w < SMALLEST || this.#box.h < SMALLEST;
    if (tooSmall) this.#box = this.#grip.box; // a click, or a slip
    this.#grip = null;
    this.#paint(true);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    const onButton = this.#bar.contains(document.activeElement);
    if (arrow) this.#nudge(arrow, event.shiftKey);
    else if (event.key === "Escape") this.#end(null);
    else if (event.key === "Enter" && !onButton) this.#end(this.#box);
    else if (event.key === "Tab" || onButton) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #nudge([x, y], resize) {
    const box = this.#box;
    this.#box = resize
      ? {
          ...box,
          w: clamp(box.w + x * STEP, SMALLEST, 1 - box.x),
          h: clamp(box.h + y * STEP, SMALLEST, 1 - box.y),
        }
      : moved(box, x * STEP, y * STEP);
    this.#paint(true);
  }

  #paint(say = false) {
    const { width, height } = this.#svg.viewBox.baseVal;
    const [x, y, w, h] = [
      this.#box.x * width,
      this.#box.y * height,
      this.#box.w * width,
      this.#box.h * height,
    ];
    const pixel = 1 / this.#svg.getScreenCTM().a;
    const grip = Math.min(GRIP * pixel, w / 4, h / 4);
    const corners = [
      ["nw", x, y],
      ["ne", x + w, y],
      ["sw", x, y + h],
      ["se", x + w, y + h],
    ];
    // what is held reaches further than what is seen, away from the box, so that a thumb finds it
    const hold = (name, cx, cy) =>
      shape(
        "circle",
        {
          class: `drawing-hold ${name}`,
          cx: cx + (name.endsWith("w") ? -1 : 1) * HOLD * pixel * 0.5,
          cy: cy + (name.startsWith("n") ? -1 : 1) * HOLD * pixel * 0.5,
          r: HOLD * pixel,
        },
        name,
      );
    this.#layer.replaceChildren(
      shape("path", {
        class: "drawing-shade",
        d: `M0 0H${width}V${height}H0ZM${x} ${y}v${h}h${w}v${-h}Z`,
      }),
      shape("rect", { class: "drawing-case", x, y, width: w, height: h }),
      ...corners.map((corner) => hold(...corner)),
      shape("rect", { class: "drawing-box", x, y, width: w, height: h }, "move"),
      ...corners.map(([, cx, cy]) => shape("circle", { class: "drawing-grip", cx, cy, r: grip })),
    );
    if (say) this.#say();
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

  #end(box) {
    this.#listening.abort();
    this.#layer.remove();
    this.#svg.classList.remove("drawn-on");
    this.#svg.removeAttribute("tabindex");
    this.#bar.hidden = true;
    if (this.#cameFrom?.isConnected) this.#cameFrom.focus({ preventScroll: true });
    this.#resolve(box);
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

function between(one, other) {
  const x = Math.min(one.x, other.x);
  const y = Math.min(one.y, other.y);
  return { x, y, w: Math.abs(one.x - other.x), h: Math.abs(one.y - other.y) };
}

function moved(box, x, y) {
  return { ...box, x: clamp(box.x + x, 0, 1 - box.w), y: clamp(box.y + y, 0, 1 - box.h) };
}

/** The corner across from the one that is being pulled. */
function opposite(box, grip) {
  return {
    x: grip.endsWith("w") ? box.x + box.w : box.x,
    y: grip.startsWith("n") ? box.y + box.h : box.y,
  };
}
