"""Every page in the made-up language from right to left: mirrored, whole, and all of it marked.

Every text is half as long again there, so what holds here holds in French; and a text without
accents was not marked for translation.
"""

from __future__ import annotations

import pytest

from projects.models import Project
from tests.pages.harness import PHONE, Visit
from tests.pages.test_every_page_browser import PAGES, _at, world

__all__ = ["world"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
]

# Texts of two words and more in plain letters: not names, not what people wrote, not code. What
# comes from the wiki stands in bdi or cite, or has a language of its own.
UNMARKED = """() => {
    const own = "bdi, [lang]:not(html), code, kbd, pre, script, noscript, template, textarea";
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) {
        const node = walker.currentNode;
        if (node.parentElement.closest(own)) continue;
        if (/[a-z]{3,} [a-z]{2,}/i.test(node.data)) found.push(node.data.trim());
    }
    return found;
}"""
NAMES = ("Marie Curie", "OpenCV Zoo", "Public domain")
SIDEWAYS = """() => {
    const root = document.documentElement;
    return root.scrollWidth - root.clientWidth;
}"""
# What one presses must be whole on the screen, or where one can scroll to it.
CUT_OFF = """() => {
    const wide = document.documentElement.clientWidth + 1;
    const scrolls = (node) => {
        for (let at = node; at; at = at.parentElement)
            if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
        return false;
    };
    return [...document.querySelectorAll("main :is(button, a.button, select, input)")]
        .filter((node) => node.checkVisibility() && node.getBoundingClientRect().width > 2)
        .filter((node) => {
            const { left, right } = node.getBoundingClientRect();
            return (left < -1 || right > wide) && !scrolls(node);
        })
        .map((node) => node.outerHTML.slice(0, 100));
}"""
# A number for the browser has a point, whatever the language: “12,5” draws nothing.
COMMAS = """() => [...document.querySelectorAll("svg *, svg, input, progress, [data-x]")].flatMap(
    (node) => [...node.attributes]
        .filter(({ name }) => !/^(aria-|title|placeholder|name|class|d$)/.test(name))
        .filter(({ value }) => /^-?[0-9]+,[0-9]+( -?[0-9,]+)*$/.test(value))
        .map(({ name, value }) => `${node.tagName} ${name}=${value}`))"""


def test_every_page_from_right_to_left_on_a_phone(world: Project, visit: Visit) -> None:
    faults: list[str] = []
    window = visit("/how", user=world.owner, screen=PHONE, language="ar-xb")
    for name, kwargs in PAGES.items():
        if name == "style":
            continue  # for developers, in English
        window.page.goto(_at(window, name, kwargs(world)))
        window.page.wait_for_load_state("load")
        if window.page.evaluate("() => document.documentElement.dir") != "rtl":
            faults.append(f"{name}: not from right to left")
        if sideways := window.page.evaluate(SIDEWAYS):
            faults.append(f"{name}: {sideways} px sideways")
        faults += [f"{name}: cut off: {node}" for node in window.page.evaluate(CUT_OFF)]
        faults += [f"{name}: {attribute}" for attribute in window.page.evaluate(COMMAS)]
        texts = window.page.evaluate(UNMARKED)
        faults += [f"{name}: {text!r}" for text in texts if not any(each in text for each in NAMES)]
    assert not faults, "\n".join(faults)
