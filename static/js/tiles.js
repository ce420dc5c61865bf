// Tiles in a grid of any number of columns: moving through them by key, choosing many of them, and
// keeping no more of a long gallery in the page than one can look at.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const MOST = 360; // tiles that stay in the page
const AHEAD = "900px"; // how far from the edge of the window more is fetched
const SLIP = 6; // pixels that a press may move and is still a click
const EDGE = 48; // pixels from the window's edges where it scrolls along with a rectangle
const HOLD = 480; // ms until a press of a finger chooses

/** How many tiles stand in a row. */
export function columnsOf(tiles) {
  const first = tiles.find((tile) => tile.isConnected);
  if (!first) return 1;
  return tiles.filter((tile) => tile.offsetTop === first.offsetTop).length || 1;
}

/** The tile that an arrow key leads to from `tile`, or null. */
export function tileTowards(tiles, tile, key) {
  const at = tiles.indexOf(tile);
  if (at < 0) return tiles[0] ?? null;
  const rightToLeft = document.documentElement.dir === "rtl" ? -1 : 1;
  if (key in STEPS) return tiles[at + STEPS[key] * rightToLeft] ?? null;
  const columns = columnsOf(tiles);
  return tiles[at + (key === "ArrowDown" ? columns : -columns)] ?? null;
}

/** All tiles from one to the other, both included. */
export function tilesBetween(tiles, one, other) {
  const [first, last] = [tiles.indexOf(one), tiles.indexOf(other)].sort((a, b) => a - b);
  return tiles.slice(Math.max(first, 0), last + 1);
}

/** A page of the server, as a document; null when it can't be had. */
export async function fetchPage(address) {
  const response = await fetch(address, { headers: { "X-Background": "1" } }).catch(() => null);
  if (!response?.ok) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Fetch the address of a "Show more" and put its tiles after those of `list`. */
export async function showMore(link, list) {
  if (link.getAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  const page = await fetchPage(link.href);
  if (!page) return link.removeAttribute("aria-busy");
  const there = new Set(Array.from(list.children, idOf));
  const fresh = [...page.querySelectorAll("#tiles > .tile")].filter((tile) => !there.has(idOf(tile)));
  list.append(...fresh.map((tile) => document.importNode(tile, true)));
  const next = page.querySelector("[data-more]");
  const more = link.closest(".more");
  if (next) link.replaceWith(document.importNode(next, true));
  else more?.remove();
}

function idOf(tile) {
  return tile.dataset.region ?? tile.dataset.photo;
}

/** More is fetched when the link to it comes near the window; `act(link)` fetches. */
export function whenNear(act) {
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) act(target);
    },
    { rootMargin: AHEAD },
  );
  let watched = null;
  return () => {
    const link = document.querySelector("[data-more]");
    if (link === watched) return;
    if (watched) watch.unobserve(watched);
    watched = link;
    if (link) watch.observe(link);
  };
}

/**
 * A window on a gallery of any length. What scrolled far away leaves the page, a gap of its height
 * stands in its place, and it is fetched again by its key when one comes back.
 */
export class Reel {
  #busy = false;
  #watch = new IntersectionObserver(
    (entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#back();
    },
    { rootMargin: AHEAD },
  );
  #gap = null;
  #changed;

  /** `changed()` is called when tiles have come or gone. */
  constructor(changed) {
    this.#changed = changed;
  }

  get #list() {
    return document.getElementById("tiles");
  }

  get #tiles() {
    return [...this.#list.querySelectorAll(":scope > .tile")];
  }

  /** Begin with the list that is in the page now. */
  begin() {
    this.#gap?.remove();
    this.#gap = null;
    this.#watch.disconnect();
  }

  /** Let whole rows go from the top, those that are chosen or in focus stay. */
  trim() {
    const tiles = this.#tiles;
    const over = tiles.length - MOST;
    if (over <= 0) return;
    const columns = columnsOf(tiles);
    const kept = tiles.findIndex((tile) => tile.querySelector(":checked") || tile.contains(document.activeElement));
    const rows = Math.floor(Math.min(over, kept < 0 ? over : kept) / columns);
    const gone = tiles.slice(0, rows * columns);
    if (!gone.length || gone.at(-1).getBoundingClientRect().bottom > 0) return;
    const height = tiles[gone.length].offsetTop - tiles[0].offsetTop;
    this.#gapOf(height);
    for (const tile of gone) tile.remove();
  }

  #gapOf(height) {
    if (!this.#gap) {
      this.#gap = document.createElement("li");
      this.#gap.className = "gap";
      this.#gap.setAttribute("aria-hidden", "true");
      this.#list.prepend(this.#gap);
      this.#watch.observe(this.#gap);
      height -= rowGap(this.#list); // the gap is a row of its own
    }
    this.#gap.style.blockSize = `${Math.max(0, this.#gap.offsetHeight + height)}px`;
  }

  /** What stood before the first tile comes back, as far as it fills whole rows. */
  async #back() {
    const first = this.#tiles[0];
    if (this.#busy || !this.#gap || !first) return;
    const { whole } = document.getElementById("gallery").dataset;
    const isTop = scrollY < innerHeight && first.getBoundingClientRect().top > 4 * innerHeight;
    const here = isTop ? whole : `${whole}&before=${encodeURIComponent(first.dataset.key)}`;
    this.#busy = true;
    const page = await fetchPage(here);
    this.#busy = false;
    if (!page || !this.#gap || !first.isConnected) return;
    if (isTop) return this.#anew(page);
    const columns = columnsOf(this.#tiles);
    const there = new Set(this.#tiles.map(idOf));
    const found = [...page.querySelectorAll("#tiles > .tile")].filter((tile) => !there.has(idOf(tile)));
    const isAll = !page.getElementById("gallery")?.dataset.earlier;
    const back = isAll ? found : found.slice(found.length % columns);
    const before = first.offsetTop;
    this.#gap.after(...back.map((tile) => document.importNode(tile, true)));
    const grown = first.offsetTop - before;
    if (isAll) this.begin();
    else {
      this.#gapOf(-grown);
      this.#watch.unobserve(this.#gap);
      this.#watch.observe(this.#gap);
    }
    this.#drop();
    this.#changed();
  }

  /** All the way back to the first page. */
  #anew(page) {
    this.begin();
    const tiles = [...page.querySelectorAll("#tiles > .tile")];
    this.#list.replaceChildren(...tiles.map((tile) => document.importNode(tile, true)));
    const link = document.querySelector("[data-more]") ?? this.#moreLink();
    const next = page.querySelector("[data-more]");
    if (next) link.href = next.href;
    else link.closest(".more").remove();
    this.#changed();
  }

  /** At the other end the last ones go, and "Show more" begins where the rest ends. */
  #drop() {
    const tiles = this.#tiles;
    const over = tiles.slice(MOST);
    if (!over.length || over.some((tile) => tile.querySelector(":checked"))) return;
    for (const tile of over) tile.remove();
    const { whole } = document.getElementById("gallery").dataset;
    const link = document.querySelector("[data-more]") ?? this.#moreLink();
    link.href = `${whole}&after=${encodeURIComponent(tiles[MOST - 1].dataset.key)}`;
  }

  #moreLink() {
    const place = document.createElement("p");
    place.className = "more";
    const link = document.createElement("a");
    link.className = "button";
    link.dataset.more = "";
    link.textContent = this.#list.dataset.label;
    place.append(link);
    this.#list.after(place);
    return link;
  }
}

function rowGap(list) {
  return parseFloat(getComputedStyle(list).rowGap) || 0;
}

/**
 * A rectangle drawn with the mouse chooses the tiles it touches; a finger that holds still does
 * the same with one. `acts`: tiles(), start(), touched(tiles), held(tile).
 */
export function rectangles(area, acts) {
  let from = null; // where the press began, in pixels of the page
  let shape = null;
  let timer = 0;
  let swallow = false; // the click that follows a rectangle or a hold

  area.addEventListener("dragstart", (event) => event.preventDefault());
  area.addEventListener("pointerdown", (event) => {
    swallow = false;
    if (event.target.closest("a, button, input, summary, .float-bar")) return;
    if (event.pointerType === "touch") {
      const tile = event.target.closest(".tile");
      if (!tile) return;
      from = pageOf(event);
      timer = setTimeout(() => {
        swallow = true;
        acts.held(tile);
      }, HOLD);
    } else if (event.button === 0) {
      from = pageOf(event);
    }
  });
  area.addEventListener("contextmenu", (event) => {
    if (swallow || timer) event.preventDefault(); // of a finger that holds
  });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = pageOf(event);
    const far = Math.hypot(to.x - from.x, to.y - from.y) > SLIP;
    if (event.pointerType === "touch") {
      if (far) end();
      return;
    }
    if (!(event.buttons & 1)) return end();
    if (!shape && far) begin();
    if (shape) stretch(to, event.clientY);
  });
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
  area.addEventListener(
    "click",
    (event) => {
      if (!swallow) return;
      swallow = false;
      event.preventDefault();
      event.stopPropagation();
    },
    { capture: true },
  );

  function begin() {
    shape = document.createElement("div");
    shape.className = "rectangle";
    document.body.append(shape);
    document.body.classList.add("is-choosing");
    swallow = true;
    acts.start();
  }

  function stretch(to, y) {
    if (y < EDGE) scrollBy(0, -EDGE / 3);
    if (y > innerHeight - EDGE) scrollBy(0, EDGE / 3);
    const [left, right] = [from.x, to.x].sort((a, b) => a - b);
    const [top, bottom] = [from.y, to.y].sort((a, b) => a - b);
    Object.assign(shape.style, {
      left: `${left}px`,
      top: `${top}px`,
      width: `${right - left}px`,
      height: `${bottom - top}px`,
    });
    acts.touched(
      acts.tiles().filter((tile) => {
        const box = tile.firstElementChild.getBoundingClientRect();
        const [x, above] = [box.left + scrollX, box.top + scrollY];
        return x < right && x + box.width > left && above < bottom && above + box.height > top;
      }),
    );
  }

  function end() {
    clearTimeout(timer);
    timer = 0;
    from = null;
    shape?.remove();
    shape = null;
    document.body.classList.remove("is-choosing");
  }
}

function pageOf(event) {
  return { x: event.clientX + scrollX, y: event.clientY + scrollY };
}
