"""What tests of pages in a real browser share: a visit, and what axe-core finds in a page.

    def test_a_page(visit: Visit, axe: Axe, real_project: Project) -> None:
        window = visit(f"/p/{real_project.public_id}/ask", user=real_project.owner, screen=PHONE)
        window.press("#yes")
        assert axe(window) == []

Loading a page is what costs: do many things on one, and use `everywhere`, which looks at the same
load in both themes and at both widths.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from axe_playwright_python.base import AXE_SCRIPT

from bench.browser import DESK, PHONE, Screen, Window
from classify.models import Label
from projects.models import Project, User

__all__ = [
    "ALL",
    "CROSSWISE",
    "DESK",
    "PHONE",
    "TOO_WIDE",
    "Axe",
    "Screen",
    "Visit",
    "Window",
    "eventually",
    "everywhere",
    "in_theme",
    "violations",
    "word_on",
]

THEMES = ("light", "dark")
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
RUN = """async (tags) => {
    const found = await axe.run(document, {
        runOnly: {type: "tag", values: tags},
        resultTypes: ["violations"],
    });
    return found.violations.flatMap(({id, help, nodes}) => nodes.map(
        (node) => `${id}: ${help}: ${node.target} ${node.html.slice(0, 160)} ${
            node.any[0]?.message ?? ""}`));
}"""
# Theme and width change without a load; what fades or slides is at its end before it is judged.
SETTLED = """() => document.getAnimations().forEach((motion) => {
    if (motion.effect.getComputedTiming().endTime === Infinity) motion.cancel();
    else motion.finish();
})"""

# What reaches beyond the window, also where that is cut off; some rows are meant to scroll.
TOO_WIDE = """() => [...document.body.querySelectorAll("*")]
    .filter((e) => !e.closest(".table-scroll, .places, .review-states, .visually-hidden, svg, pre"))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => `${e.tagName}.${e.className} is too wide`)"""


class Visit(Protocol):
    """`user` None is nobody; `language` is the choice of a cookie and of the browser; more about
    the browser as Playwright names it."""

    def __call__(
        self,
        path: str,
        user: User | None = None,
        screen: Screen = DESK,
        theme: str = "light",
        language: str = "en",
        **more: Any,
    ) -> Window: ...


class Axe(Protocol):
    def __call__(self, window: Window) -> list[str]: ...


def eventually(check: Callable[[], Any], seconds: float = 30) -> None:
    """It comes true, however long this machine takes."""
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def word_on(project: Project, region: str) -> str:
    label = Label.objects.filter(subject=project.subject, region__public_id=region).first()
    return label.verdict if label else ""


def violations(window: Window) -> list[str]:
    """What axe-core finds in the page as it is now, by WCAG 2.2 A and AA: a line for each place."""
    page = window.page
    page.wait_for_load_state("load")
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.evaluate(SETTLED)
    found: list[str] = page.evaluate(RUN, list(WCAG))
    return found


def in_theme(window: Window, theme: Any) -> None:
    """The page that is open as a browser of this theme shows it."""
    window.page.emulate_media(color_scheme=theme)


ALL = tuple((screen, theme) for screen in (DESK, PHONE) for theme in THEMES)
CROSSWISE = ((DESK, "light"), (PHONE, "dark"))  # both themes and both widths, in half the time


def everywhere(window: Window, looks: Sequence[tuple[Screen, str]] = ALL) -> list[str]:
    """What is wrong with the page that is open, in both themes and at both widths. Leaves it
    as it was, but in the light theme."""
    page, found, width = window.page, [], 0
    for screen, theme in looks:
        in_theme(window, theme)
        if width != screen.width:
            width = screen.width
            page.set_viewport_size({"width": screen.width, "height": screen.height})
            found += [f"at {screen.name}: {fault}" for fault in window.faults()]
        found += [f"{theme} at {screen.name}, {page.url}: {one}" for one in violations(window)]
    in_theme(window, "light")
    page.set_viewport_size({"width": window.screen.width, "height": window.screen.height})
    return found
