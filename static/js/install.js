/* Registers the service worker, and offers a quiet link where a browser can install the site. */

const here = document.querySelector("script[data-worker]");
if (here && "serviceWorker" in navigator) navigator.serviceWorker.register(here.dataset.worker);

const link = document.getElementById("install");
let asked;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  asked = event;
  if (link) link.hidden = false;
});
link?.addEventListener("click", async () => {
  await asked?.prompt();
  link.hidden = true;
});
