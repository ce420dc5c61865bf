"""A volunteer without a browser: reads the pages, presses their buttons, knows the truth.

Whatever they know of a face they take from the page (the photo's name, and the box that is
drawn over it) and from the manifest of the photo set.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urljoin

import mechanicalsoup
from bs4 import BeautifulSoup, Tag

from bench.truth import Box, TruePhoto

T = TypeVar("T")


@dataclass
class Looked:
    """A screen of faces that was answered: how many of its marks were right and wrong, how many
    faces of the person bore no mark, and what it cost."""

    right: int
    wrong: int
    unmarked: int

    @property
    def actions(self) -> int:
        """One to confirm, one more for each face that is not as marked."""
        return 1 + self.wrong + self.unmarked


@dataclass
class Seen:
    """A face as a page shows it: the photo's name, the box in pixels, and its ids."""

    photo: str
    box: Box
    region: str


class Volunteer:
    def __init__(self, url: str, name: str, truth: dict[str, TruePhoto]) -> None:
        self.url, self.name, self.truth = url, name, truth
        self.browser = mechanicalsoup.StatefulBrowser(
            raise_on_404=True, soup_config={"features": "lxml"}
        )

    def log_in(self) -> None:
        """Through the wiki's login page, picking the account there, and its approval page."""
        self.open("/login/")
        self.browser.select_form('form[action*="mediawiki/login"]')
        self.browser.submit_selected()
        form = self.browser.select_form("#userlogin")
        form.set_radio({"user": self.name})
        self.browser.submit_selected()
        self.browser.select_form("#mw-mwoauth-authorize-form")
        self.press("accept", "Allow")
        assert self.name in self.page.text, f"{self.name} is not logged in"

    def create(self, qid: str, category: str) -> str:
        """A new project; returns its address, relative to the site."""
        self.open("/projects/new")
        form = self.browser.select_form("#new-project")
        form["who"] = qid
        self.press("do", "find")
        if f"category:{category}" not in [box["value"] for box in self.page.select('[name="use"]')]:
            form = self.browser.select_form("#new-project")
            form["add"] = category
            self.press("do", "add")
        self.browser.select_form("#new-project")
        self.press("do", "start")
        address = str(self.browser.url)
        assert "/p/" in address, self.page.get_text(" ", strip=True)[:600]
        return address.removeprefix(self.url).rstrip("/")

    def question(self, project: str) -> Seen | None:
        """The question on the ask page, or None when there is none now."""
        self.open(f"{project}/ask")
        article = self.page.select_one("article.question[data-region]")
        if not article:
            return None
        return Seen(str(article["data-name"]), box_of(article), str(article["data-region"]))

    def answer(self, seen: Seen, qid: str) -> bool:
        """Say on the page just opened whether this is the person."""
        yes = (
            self.truth[seen.photo].person_at(seen.box) == qid if seen.photo in self.truth else False
        )
        self.browser.select_form("article.question form")
        self.press("verdict", "yes" if yes else "no")
        return yes

    def screens(self, page: str, qid: str) -> Iterator[Looked]:
        """Answer the screens of a project's page (its grid, or its second looks) until there is
        none now: tick the faces of the person, and no others."""
        for _ in range(200):
            self.open(page)
            if not (screen := self.page.select_one("article.screen")):
                return
            yield self._answer_one(qid) if "one" in screen["class"] else self._answer_many(qid)
        raise AssertionError(f"{page} has no end")

    def _answer_one(self, qid: str) -> Looked:
        screen = self.page.select_one("article.screen")
        assert screen, self.page.get_text(" ", strip=True)[:500]
        yes = self.is_right(screen, qid)
        self.browser.select_form("article.screen .q-answer form")
        self.press("all", "yes" if yes else "no")
        return Looked(0, 0, 0)  # nothing was marked, and the one key was the answer

    def _answer_many(self, qid: str) -> Looked:
        form = self.browser.select_form("article.screen form")
        tiles = self.page.select("article.screen li.tile")
        theirs, marked = set(), set()
        for tile in tiles:
            box = tile.select_one("input.face-yes")
            assert box, tile
            if self.is_right(tile, qid):
                theirs.add(str(box["value"]))
            if box.has_attr("checked"):
                marked.add(str(box["value"]))
                del box["checked"]
        search = bool(self.page.select("article.screen[data-rest=open]"))
        form.set_checkbox({"yes": sorted(theirs)[:1] if search else sorted(theirs)})
        for word in form.form.select("noscript"):  # a word for each face is for those who need it
            word.decompose()
        response = self.browser.submit_selected()
        assert response.status_code < 400, f"{response.status_code} at {response.url}"
        if search:  # one tap on a face of the person, or one on "nobody"
            return Looked(0, 0, 0)
        return Looked(len(marked & theirs), len(marked - theirs), len(theirs - marked))

    def review(self, project: str, qid: str) -> Iterator[tuple[int, int]]:
        """Go through the gallery of matches screen by screen: reject the wrong, approve the
        others. Yields (right, wrong) of each screen."""
        for _ in range(200):
            self.open(f"{project}/review")
            tiles = self.page.select("li.tile")
            if not tiles:
                return
            others = [tile for tile in tiles if not self._is_theirs(tile, qid)]
            wrong = [str(tile["data-region"]) for tile in others]
            deed = "reject" if wrong else "approve-all"
            form = self.browser.select_form("#gallery")
            if wrong:
                form.set_checkbox({"region": wrong})
            shown = len(self.page.select("#gallery [name=shown]"))  # copies lie under one tile
            self.press("deed", deed)
            yield (0, len(wrong)) if wrong else (shown, 0)
        raise AssertionError("the review has no end")

    def _is_theirs(self, tile: Tag, qid: str) -> bool:
        photo = self.truth.get(str(tile["data-name"]))
        left, top, width, height = map(float, str(tile["data-box"]).split())
        return bool(photo and photo.person_at((left, top, width, height)) == qid)

    def is_right(self, tile: Tag, qid: str) -> bool:
        picture = tile.find_all("img")[-1]  # of the whole photo
        photo = self.truth.get(str(picture["alt"]))
        return bool(photo and photo.person_at(box_of(tile)) == qid)

    def send(self, project: str) -> int:
        """Preview, confirm, wait until the batch is done, look at one's first edits; and again
        until nothing is left to send. Returns the number of edits."""
        sent = 0
        while batch := self.confirm(project):
            self.wait_for_batch(batch)
            sent += self.written(batch)
            self.look_at_first_edits(project)
        return sent

    def look_at_first_edits(self, project: str) -> None:
        """Open each diff of a first batch on the wiki, and say that they are right."""
        self.open(f"{project}/preview")
        form = self.page.select_one("form[action*='/looked']")
        if not form:
            return
        diffs = [str(link["href"]) for link in self.page.select(".first-edits a[href*='Diff/']")]
        assert diffs, "nothing to look at"
        for diff in diffs:
            self.browser.session.get(diff, timeout=20).raise_for_status()
        self.browser.select_form("form[action*='/looked']")
        self.browser.submit_selected()

    def left_out(self, project: str) -> int:
        """How many rows of the preview are not ticked: faces that are small in a crowd."""
        self.open(f"{project}/preview")
        return len(self.page.select(".preview-row .keep input:not([checked])"))

    def confirm(self, project: str) -> str:
        """Read the preview and press Send; the batch's address, or "" with nothing to send."""
        self.open(f"{project}/preview")
        if not self.page.select_one("form[action*='/confirm'] button:not([disabled])"):
            return ""
        self.browser.select_form("form[action*='/confirm']")
        self.browser.submit_selected()
        return str(self.browser.url)

    def wait_for_batch(self, batch: str) -> None:
        wait(lambda: self.batch_state(batch) in ("done", "stopped", "paused"), 180, "the batch")
        assert self.batch_state(batch) == "done", self.page.get_text(" ", strip=True)[:500]

    def written(self, batch: str) -> int:
        """How many statements of a batch were written, as its page says."""
        self.browser.open(batch)
        count = self.page.select_one(".legend li:has(.is-yes) b")
        assert count, self.page.get_text(" ", strip=True)[:500]
        return int(count.get_text(strip=True))

    def batch_state(self, address: str) -> str:
        self.browser.open(address)
        status = self.page.select_one("[data-state]")
        return str(status["data-state"]) if status else ""

    def press(self, name: str, value: str) -> None:
        """Submit the selected form by one of its buttons."""
        page, form = self.page, self.browser.form
        button = form.form.select_one(f'button[name="{name}"][value="{value}"]')
        assert button is not None, f"no button {name}={value} in {page.title}"
        form.choose_submit(button)
        response = self.browser.submit_selected()
        assert response.status_code < 400, f"{response.status_code} at {response.url}"

    def open(self, path: str) -> None:
        response = self.browser.open(urljoin(self.url, path))
        assert response.status_code < 400, f"{response.status_code} at {path}"

    @property
    def page(self) -> BeautifulSoup:
        page: BeautifulSoup = self.browser.page
        return page

    def json(self, path: str) -> Any:
        return self.browser.session.get(urljoin(self.url, path), timeout=20).json()


def box_of(part: Tag) -> Box:
    """The marked box of a photo in pixels of the original, as drawn in its SVG."""
    rect = part.find("rect", class_="line")  # CSS selectors don't look into <template>
    assert isinstance(rect, Tag), part
    left, top, width, height = (float(str(rect[side])) for side in ("x", "y", "width", "height"))
    return left, top, width, height


def wait(condition: Callable[[], T], seconds: float, what: str) -> T:
    """Ask until something true comes back, and return it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if result := condition():
            return result
        time.sleep(0.25)
    raise AssertionError(f"{what} did not come within {seconds} seconds")
