"""Chromium with a screen, and what a person does with it: mouse and keys, or fingers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Locator,
    Page,
    Response,
    expect,
    sync_playwright,
)

# The same engine without what a window on a screen needs takes a quarter less of the processor.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
BLOCKED = "Service Worker registration blocked"  # by us: see Window
PATIENCE = 30_000  # ms until a page that doesn't come is an error
MOVES, FRAME = 8, 16  # a finger's way across the screen: events, and ms between them
# Text that is cut off, or runs over what stands beside it, where one answers. What is hidden from
# eyes alone is a pixel wide.
CUT_OFF = """() => [...document.querySelectorAll(".ask-head *, .q-caption, .q-caption *")]
    .filter((e) => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1)
    .map((e) => `${e.className || e.localName} cuts off “${e.textContent.trim().slice(0, 40)}”`)"""
Place = tuple[float, float]  # CSS pixels from the left and the top of the window


@dataclass(frozen=True)
class Screen:
    name: str
    width: int
    height: int
    touch: bool = False


DESK = Screen("1280", 1280, 800)
PHONE = Screen("390", 390, 844, touch=True)


@contextmanager
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


class Window:
    """One page of a browser. Whatever goes wrong in it is kept in `complaints`.

    More about the browser's context (`color_scheme`, …) by the names that Playwright has for it.
    No service worker stands between unless asked for, so that each request is seen.
    """

    def __init__(self, browser: Browser, screen: Screen, **more: Any) -> None:
        self.screen = screen
        self.complaints: list[str] = []
        context = browser.new_context(
            viewport={"width": screen.width, "height": screen.height},
            has_touch=screen.touch,
            is_mobile=screen.touch,
            **{"service_workers": "block"} | more,
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", self._receive)
        self._fingers = context.new_cdp_session(self.page) if screen.touch else None

    def close(self) -> None:
        self.page.context.close()

    def press(self, target: Locator | str) -> None:
        """Click it, or tap it."""
        place = self.find(target)
        place.tap() if self.screen.touch else place.click()

    def find(self, target: Locator | str) -> Locator:
        return self.page.locator(target) if isinstance(target, str) else target

    def swipe(self, target: Locator | str, x: float, y: float) -> None:
        """One finger from the middle of the target, x to the right and y down."""
        left, top, width, height = self.where(target)
        start = (left + width / 2, top + height / 2)
        self.drag(start, (start[0] + x, start[1] + y))

    def drag(self, start: Place, end: Place) -> None:
        """Press at one place and let go at the other, with the mouse or a finger."""
        if not self._fingers:
            self.page.mouse.move(*start)
            self.page.mouse.down()
            self.page.mouse.move(*end, steps=5)
            self.page.mouse.up()
            return
        self._touch("touchStart", start)
        for part in range(1, MOVES + 1):
            self.page.wait_for_timeout(FRAME)
            across, down = (a + (b - a) * part / MOVES for a, b in zip(start, end, strict=True))
            self._touch("touchMove", (across, down))
        self._touch("touchEnd")

    def where(self, target: Locator | str) -> tuple[float, float, float, float]:
        """Left, top, width and height in the window; scrolls there first."""
        place = self.find(target)
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        assert box, f"{target} is not to be seen"
        return box["x"], box["y"], box["width"], box["height"]

    def faults(self) -> list[str]:
        """What is wrong with any page: its heading, its title, its width, text that is cut off."""
        page, found = self.page, []
        if (headings := page.locator("h1").count()) != 1:
            found.append(f"{headings} h1")
        if not page.title().strip():
            found.append("no title")
        wide, wide_enough = page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        if wide > wide_enough:
            found.append(f"{wide} px wide on a screen of {wide_enough}")
        found += page.evaluate(CUT_OFF)
        return [f"{page.url}: {fault}" for fault in found]

    def _touch(self, kind: str, *places: Place) -> None:
        assert self._fingers
        points: list[dict[str, Any]] = [{"x": x, "y": y} for x, y in places]
        self._fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and BLOCKED not in message.text:
            self.complaints.append(f"console, {self.page.url}: {message.text}")

    def _receive(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} at {response.url}")
