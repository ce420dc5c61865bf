/* Small crops of faces that the server has to make first (503, Retry-After), as after a restore.
   They are asked for again, one after the other, while they are in view and somebody looks: at
   once after one that came, else ever more seldom, and no more after a while. Until then their
   place is empty (img.is-coming, see parts.css). */

const CROP = /^\/p\/[^/]+\/crops\//;
const FIRST = 1000, LAST = 30000, SLOWER = 1.5;  // ms
const TRIES = 15;  // in vain, one after the other: some five minutes

const given = new WeakSet();  // these came: one that is no picture after all stays away
const inView = new Set();
const watch = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inView.add(target);
    else inView.delete(target);
  }
  askLater();
});
let wait = FIRST, tries = 0, timer = 0, asking = false;

function isCrop(image) {
  return image instanceof HTMLImageElement && CROP.test(image.getAttribute("src") ?? "");
}

/* An image that did not come is asked for again. */
function miss(image) {
  image.classList.add("is-coming");
  if (given.has(image)) return;
  watch.observe(image);
  tries = 0;
}

function forget(image) {
  watch.unobserve(image);
  inView.delete(image);
}

function askLater() {
  if (timer || asking || !inView.size || document.hidden || tries >= TRIES) return;
  timer = setTimeout(ask, wait);
}

async function ask() {
  timer = 0;
  const [image] = inView;
  if (!image || document.hidden) return;
  forget(image);
  asking = true;
  const response = await fetch(image.src, { headers: { "X-Background": "1" } }).catch(() => null);
  await response?.arrayBuffer().catch(() => null);  // to its end, so that the browser keeps it
  asking = false;
  if (response?.ok) came(image);
  else if (!response || response.status === 503) comesLater(image, response);
  askLater();
}

function came(image) {
  [wait, tries] = [0, 0];
  given.add(image);
  image.src = image.getAttribute("src");  // the browser has it now
}

/* The others in view come first. */
function comesLater(image, response) {
  const told = 1000 * (response?.headers.get("Retry-After") ?? 0);
  wait = Math.max(told, FIRST, Math.min(SLOWER * wait, LAST));
  tries++;
  if (image.isConnected) watch.observe(image);
}

document.addEventListener("error", ({ target }) => isCrop(target) && miss(target), { capture: true });
document.addEventListener("load", ({ target }) => {
  if (!isCrop(target)) return;
  target.classList.remove("is-coming");
  given.delete(target);
  forget(target);
}, { capture: true });
document.addEventListener("visibilitychange", askLater);

// Those that failed before this script was there.
for (const image of document.images) {
  if (isCrop(image) && image.complete && !image.naturalWidth) miss(image);
}
