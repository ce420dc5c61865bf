"""What a file's page on the sandbox wiki says, as a person reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playwright.sync_api import Locator, Page

from bench.truth import Box


@dataclass(frozen=True)
class Statement:
    """A *depicts* statement. `place` is the value of its P2677, "" without one."""

    item: str
    rank: str
    place: str


@dataclass(frozen=True)
class WikiEdit:
    user: str
    comment: str


@dataclass(frozen=True)
class FilePage:
    title: str
    size: tuple[int, int]  # pixels
    depicts: list[Statement]
    history: list[WikiEdit]  # the newest first

    def of(self, qid: str) -> list[Statement]:
        return [each for each in self.depicts if each.item == qid]

    def box(self, place: str) -> Box:
        """The box in pixels that a P2677 (`pct:left,top,width,height`) means in this file."""
        left, top, width, height = (float(part) / 100 for part in place[4:].split(","))
        return left * self.size[0], top * self.size[1], width * self.size[0], height * self.size[1]


def read(page: Page) -> FilePage:
    """The file's page that is open."""
    size = re.search(r"\((\d+) × (\d+) pixels", page.locator("figcaption").inner_text())
    assert size, page.url
    return FilePage(
        page.locator("h1").inner_text(),
        (int(size[1]), int(size[2])),
        [_statement(each) for each in page.locator("#depicts .statement").all()],
        [
            WikiEdit(each.get_attribute("data-user") or "", each.locator(".comment").inner_text())
            for each in page.locator("#history .edit").all()
        ],
    )


def _statement(shown: Locator) -> Statement:
    places = shown.locator(".qualifier[data-property=P2677]").all_inner_texts()
    return Statement(
        shown.get_attribute("data-item") or "",
        shown.get_attribute("data-rank") or "",
        places[0].partition(": ")[2] if places else "",
    )
