"""`make tour`: the pictures in docs/tour/, taken on the way.

The same walk as the browser test, on the running system with its demo project, once at the
width of a desk and once of a phone; each picture in both themes. docs/tour.md shows them.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, expect

from bench import stranger, truth
from bench.browser import CHROMIUM, DESK, PHONE, chromium
from bench.system import System
from bench.visitor import BOXES, LOOKING, Visitor
from bench.volunteer import wait

FOLDER = Path(__file__).parent.parent / "docs" / "tour"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LIMIT = 130_000  # bytes a picture; all of them together stay under 6 MB
COLOURS = (220, 160, 112, 80, 56, 40)  # as many as fit
# The colours that mean something in pages, in both themes.
SIGNALS = bytes.fromhex(
    "ffffff f8f9fa 202122 ffc42e 3366cc f1f4fd 177860 e6f5ef 404244 bf3c2c"
    "101418 181d23 eaecf0 a9b0b8 12302a 1c2740 464f59 fd7865 88a3e8 5fc4a6"
)
COMPARED = 7  # confirmed faces, so that the nearest of them stand beside the question
PAGES = {
    "members": "members",
    "sources": "sources/",
    "settings": "settings",
    "leaderboard": "/leaderboard",
    "notifications": "/notifications",
    "help": "/help",
    "style": "/style",
}
FROM = {"settings": "[name=rule] >> nth=0"}  # what stands at the top of the picture
WRITTEN = 4  # edits, before the picture of a batch that is being sent
WORDS = "See the talk page"
TAKEN = {
    "new": "new",
    "review": "review",
    "preview": "preview",
    "batch-running": "batch-running",
    "batch-watched": "batch",
    "second-look": "second-look",
    "undo": "undo",
    "moderation": "moderation",
}
SHOWN = """
tiles => tiles.map(tile => {
  const beside = tile.querySelector("template").content;
  const line = beside.querySelector("rect.line");
  return {
    region: tile.dataset.region,
    photo: beside.querySelector("b").textContent,
    box: ["x", "y", "width", "height"].map(side => Number(line.getAttribute(side))),
  };
})
"""
TOO_SOON = 600  # ms within which a screen takes no answer: it might be a double click's
LEARNING = 1500  # ms until what was answered is learned from
QUESTIONS = 25  # at most, until there is one fit for a picture


class Photographer(Visitor):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.taken: set[str] = set()  # the first of each kind: its preview has most to show

    def take(self, name: str) -> None:
        """A picture of what is on the screen, from the page's top, in each theme."""
        self._decline_tour()
        self.page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
        self._shoot(name)

    def _shoot(self, name: str) -> None:
        self.page.mouse.move(0, 0)
        self.page.wait_for_load_state("networkidle")
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme)
            shot = self.page.screenshot(animations="disabled", caret="initial")
            path = FOLDER / f"{name}-{self.screen.name}-{theme}.png"
            path.write_bytes(small(Image.open(BytesIO(shot)).convert("RGB")))
            print(f"{path.name}: {path.stat().st_size // 1024} KB", flush=True)
        self.page.emulate_media(color_scheme="light")

    def _decline_tour(self) -> None:
        """The offer of a tour at the page's top has a picture of its own."""
        offer = self.page.locator("#tour")
        if offer.count():
            with self.page.expect_response("**/account/tours"):
                self.press(offer.get_by_role("button", name="Not now"))
            expect(offer).to_have_count(0)

    def take_first_use(self) -> None:
        """A project's page as somebody new sees it, at the second step of its tour."""
        self.press(self.page.get_by_role("button", name="Show me"))
        self.press(self.page.get_by_role("button", name="Next"))
        expect(self.page.locator(".tour-step")).to_be_visible()
        self._shoot("first-use")
        with self.page.expect_response("**/account/tours"):
            self.press(self.page.get_by_role("button", name="End the tour"))

    def take_pages(self, project: str) -> None:
        """Those that the walk does not come by."""
        for name, path in PAGES.items():
            self.page.goto(f"{project}{path}" if not path.startswith("/") else self.url + path)
            self.page.wait_for_load_state("networkidle")
            if name in FROM:
                self.page.locator(FROM[name]).evaluate("(it) => it.scrollIntoView()")
                self._shoot(name)
            else:
                self.take(name)
        self.page.goto(f"{self.url}/account")
        work = self.page.locator("a[href^='/u/']").first.get_attribute("href")
        self.page.goto(f"{self.url}{work}")
        self.take("contributor")

    def arrive(self, at: str, heading: str) -> None:
        super().arrive(at, heading)
        if at == "batch-running":
            expect(self.page.locator(".batch-rows .chip.yes").nth(WRITTEN - 1)).to_be_visible()
        if at in TAKEN and at not in self.taken:
            self.taken.add(at)
            self.take(TAKEN[at])

    def take_home(self) -> None:
        """As a visitor sees it, with a question of the demo project to try."""
        self.page.goto(self.url)
        wait(lambda: self.page.reload() and self.page.locator("#try").count(), 60, "a question")
        self.take("home")

    def walk(self, wiki: str, typed: str, person: str) -> None:
        self.log_in()
        self.start_project(typed, person)
        self.wait_until_looked()
        project = self.page.url
        self.take_first_use()
        self.take_grid()
        self.open_questions()
        self.wait_for_a_fine_question()
        expect(self.page.locator(".toast")).to_have_count(0)
        self.take("ask")
        self.open_project()
        self.wait_until_looked()
        self.take("project")
        self.review()
        self.open_project()
        self.wait_until_looked()
        self.answer_screens()
        self.take_second_looks()
        sent = self.preview()
        self.send()
        self.look_at_first_edits()
        somebody_else = sent[len(sent) // 2]
        stranger.remove_statement(wiki, f"File:{somebody_else.photo}", self.qid, WORDS)
        self.check_now(somebody_else)
        self.press(self._line(somebody_else).get_by_role("link", name="Look again"))
        self.arrive("second-look", "1 face to look at again")
        self.page.goto(self.batch)
        self.press("#undo")
        self.arrive("undo", "back")
        self.take_pages(project)

    def take_grid(self) -> None:
        """The first screen, once all photos are looked at; it stays unanswered."""
        project = self.page.url
        self.page.goto(f"{project}grid")
        expect(self.page.locator(".screen")).to_be_visible()
        self.take("grid")
        self.page.goto(project)

    def answer_screens(self) -> None:
        """Tell the truth in the grid, until nothing more is worth asking."""
        project = self.page.url
        self.page.goto(f"{project}grid")
        enough = self.page.locator(".no-question:is([data-why=enough], [data-why=all-answered])")
        for _ in range(QUESTIONS):
            expect(self.page.locator(".screen").or_(enough).first).to_be_visible(timeout=LOOKING)
            if enough.count():
                break
            self._answer_screen(self.page.locator(".screen"))
        self.page.goto(project)

    def _answer_screen(self, screen: Locator) -> None:
        self.page.wait_for_timeout(TOO_SOON)
        if screen.locator("#tiles").count():
            for region, right in self._on_screen(screen).items():
                tick = self._tile(region).locator(".face-yes")
                if tick.is_checked() != right:
                    self.press(self._tile(region).locator("label"))
            self.press(screen.locator("[data-do=confirm]"))
        else:
            box, *_others = screen.locator(".boxed > svg").evaluate(BOXES)
            photo = screen.locator(".q-caption b").inner_text()
            right = self.truth[photo].person_at(tuple(box)) == self.qid
            self.press(screen.locator(f"[data-do={'yes' if right else 'no'}]"))
        expect(self.page.locator(".toast")).to_be_visible()
        self.page.wait_for_timeout(LEARNING)

    def _on_screen(self, screen: Locator) -> dict[str, bool]:
        """The faces of a grid, and whether each is the person: as the photo beside it shows."""
        tiles: list[dict[str, Any]] = screen.locator("#tiles > .face").evaluate_all(SHOWN)
        return {
            tile["region"]: self.truth[tile["photo"]].person_at(tuple(tile["box"])) == self.qid
            for tile in tiles
        }

    def take_second_looks(self) -> None:
        self.press(self.page.locator("#also-again, #next-button[href$='/again']").first)
        expect(self.page.locator(".screen")).to_be_visible()
        self.take("again")
        self.page.go_back()

    def moderate(self) -> None:
        """What a moderator sees first: what needs eyes."""
        self.log_in()
        self.page.goto(f"{self.url}/admin/")
        self.arrive("moderation", "")

    def wait_for_a_fine_question(self) -> None:
        """Answer until there are confirmed faces to compare with, and the person is asked about."""
        for _ in range(QUESTIONS):
            asked = self.question()
            assert asked, "the questions ended early"
            right = self.truth[asked.photo].person_at(asked.box) == self.qid
            if right and self.deeds.yes >= COMPARED:
                return
            self.answer(asked)


def small(picture: Image.Image) -> bytes:
    """A PNG of few colours: the photos' own, and exactly those that mean something in pages."""
    pixels = np.asarray(picture)
    file = BytesIO()
    for colours in COLOURS:
        few = picture.quantize(colours, dither=Image.Dither.NONE)
        indices, palette = np.array(few), (few.getpalette() or [])[: 3 * colours]
        for at in range(0, len(SIGNALS), 3):
            here = (pixels == tuple(SIGNALS[at : at + 3])).all(axis=2)
            indices[here] = (len(palette) + at) // 3
        exact = Image.fromarray(indices, "P")
        exact.putpalette(bytes(palette) + SIGNALS)
        file = BytesIO()
        exact.save(file, "PNG", optimize=True)
        if file.tell() <= LIMIT:
            break
    return file.getvalue()


def main() -> int:
    if not CHROMIUM:
        sys.exit("This needs Chromium: apt install chromium")
    FOLDER.mkdir(parents=True, exist_ok=True)
    photos = truth.photos()
    with System(demo=True) as system, chromium() as browser:
        desk = Photographer(browser, DESK, system.url, "Alice", "Q76", photos)
        phone = Photographer(browser, PHONE, system.url, "Bob", "Q7186", photos)
        for visitor in (desk, phone):
            visitor.take_home()
        desk.walk(system.wiki, "barack", "Barack Obama")
        phone.walk(system.wiki, "marie cu", "Marie Curie")
        for screen in (DESK, PHONE):
            Photographer(browser, screen, system.url, "Mona", "", photos).moderate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
