/* The service worker: keeps the frame of the site (style, scripts, icons) and a page to show
   without network. It never keeps a page, a photo or a crop, and touches nothing that is sent.
   The server puts `told` before this: what to keep, the offline page, and a version. */

const CACHE = `wikivisage-${told.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

async function keep() {
  const cache = await caches.open(CACHE);
  await cache.addAll([...told.kept, told.offline].map((url) => new Request(url, { cache: "reload" })));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOlder());
});

async function dropOlder() {
  const ours = (await caches.keys()).filter((name) => name.startsWith("wikivisage-"));
  await Promise.all(ours.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(withoutNetwork));
  else if (told.kept.includes(url.pathname)) event.respondWith(kept(request));
});

async function withoutNetwork() {
  return (await caches.match(told.offline)) ?? Response.error();
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, { ignoreVary: true })) ?? fetch(request);
}
