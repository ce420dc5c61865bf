// Moving through a grid of tiles with the arrow keys, whatever its number of columns.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** The tile that an arrow key leads to from `tile`, or null. */
export function tileTowards(tiles, tile, key) {
  const at = tiles.indexOf(tile);
  if (at < 0) return tiles[0] ?? null;
  if (key in STEPS) return tiles[at + STEPS[key]] ?? null;
  const columns = tiles.filter((each) => each.offsetTop === tiles[0].offsetTop).length;
  return tiles[at + (key === "ArrowDown" ? columns : -columns)] ?? null;
}

/** All tiles from one to the other, both included. */
export function tilesBetween(tiles, one, other) {
  const [first, last] = [tiles.indexOf(one), tiles.indexOf(other)].sort((a, b) => a - b);
  return tiles.slice(Math.max(first, 0), last + 1);
}

/** Fetch the address of a "Show more" and put its tiles after those of `list`. */
export async function showMore(link, list) {
  link.setAttribute("aria-busy", "true");
  const response = await fetch(link.href, { headers: { "X-Background": "1" } });
  if (!response.ok) return link.removeAttribute("aria-busy");
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  list.append(...page.querySelectorAll("#tiles > .tile"));
  const next = page.querySelector("[data-more]");
  if (next) link.replaceWith(next);
  else link.remove();
}
