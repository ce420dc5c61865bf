"""From a key to the next face on the screen, in real Chromium: what somebody who answers feels.

The web server is the one of `make run`, the project the large one of `make bench-pages`; the
wiki's pictures are played by one real photo. A face is there when its crop and its
photo are decoded and the frame that shows them has been painted.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image, ImageOps
from playwright.sync_api import Route, expect

from bench.browser import DESK, Window, chromium
from bench.truth import photos

if TYPE_CHECKING:
    from django.http.cookie import SimpleCookie

PAUSE = 800  # ms from a face to the next key: somebody quick
WATCH = """
() => {
  window.took = [];
  let pressed = 0;
  addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true });
  new MutationObserver(async () => {
    const shown = document.querySelector("#main > .question");
    if (!shown || !pressed) return;
    const since = pressed;
    pressed = 0;
    const pictures = [...shown.querySelectorAll(".framed img, .boxed > img")];
    await Promise.all(pictures.map((picture) => picture.decode()));
    requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - since)));
  }).observe(document.getElementById("main"), { childList: true });
}
"""


def times(address: str, cookies: SimpleCookie, answers: int) -> list[float]:
    """Milliseconds from key to face, for each of so many answers; `address` is the project's page
    to answer one at a time, `cookies` has the session of a member."""
    origin = "/".join(address.split("/")[:3])
    picture = _photo()
    with chromium() as browser:
        window = Window(browser, DESK)
        page = window.page
        # photos of the wiki, and crops, of which the benchmark has none
        elsewhere = re.compile(rf"^(?!{re.escape(origin)}/)|/crops/")
        page.route(elsewhere, lambda route: _play(route, picture))
        page.context.add_cookies(
            [{"name": each.key, "value": each.value, "url": origin} for each in cookies.values()]
        )
        page.goto(address)
        expect(page.locator(".question")).to_be_visible()
        page.wait_for_load_state("networkidle")  # the next ones are here
        page.evaluate(WATCH)
        for number in range(answers):
            page.wait_for_timeout(PAUSE)
            page.keyboard.press("y" if number % 3 == 0 else "n")
            page.wait_for_function("(n) => window.took.length > n", arg=number)
        took: list[float] = page.evaluate("window.took")
        window.close()
    return took


@contextmanager
def server(port: int, environment: dict[str, str]) -> Iterator[str]:
    """The web server of `make run` by itself; its origin."""
    command = [sys.executable, "-m", "gunicorn", "wikivisage.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", "2", "--threads", "8", "--log-level", "error"]
    process = subprocess.Popen(command, env=os.environ | environment)
    origin = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{origin}/robots.txt", process)
        yield origin
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:  # not yet
            time.sleep(0.2)
    raise RuntimeError("the web server did not start")


def _play(route: Route, picture: bytes) -> None:
    route.fulfill(body=picture, content_type="image/jpeg")


def _photo() -> bytes:
    """A real photo as its thumbnail of 960 pixels."""
    path = max((each.path for each in photos().values()), key=lambda path: path.stat().st_size)
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    upright.thumbnail((960, 960))
    made = io.BytesIO()
    upright.save(made, "JPEG", quality=85)
    return made.getvalue()
