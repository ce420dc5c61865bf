"""A volunteer with a browser: the whole path, from the first page to the sent batch.

Like `bench.volunteer` they know of a face what the page shows (the photo's name, and the box that
is drawn over it) and, from the photos' manifest, who is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from playwright.sync_api import Browser, Locator, expect

from bench import wikipage
from bench.browser import Place, Screen, Window
from bench.truth import Box, TruePhoto, overlap
from bench.wikipage import FilePage

LOOKING = 90_000  # ms until all photos are looked at and learned from
SENDING = 60_000
CHECKS = 40  # looks at the batch's page, half a second apart
MISSED = 0.1  # a face of which no drawn box covers as much (intersection over union) was missed
ALIKE = 0.7  # a drawn box (intersection over union) is where it is meant to be
USABLE = 40  # pixels: of a smaller face this volunteer says that it is no usable one
SIDES = "rect => ['x', 'y', 'width', 'height'].map(side => rect[side].baseVal.value)"
BOXES = """
svg => {
  const box = rect => ["x", "y", "width", "height"].map(side => rect[side].baseVal.value);
  const line = svg.querySelector("rect.line");
  return [line && box(line), ...Array.from(svg.querySelectorAll("rect.other"), box)];
}
"""


# Where a box of the picture stands in the window: its frame may leave room beside the picture.
IN_WINDOW = """
(svg, [x, y, w, h]) => {
  const onto = svg.getScreenCTM();
  const place = (x, y) => {
    const at = new DOMPoint(x, y).matrixTransform(onto);
    return [at.x, at.y];
  };
  return [...place(x, y), ...place(x + w, y + h)];
}
"""
TILES = """
tiles => tiles.map(tile => ({
  region: tile.dataset.region,
  photo: tile.dataset.name,
  box: tile.dataset.box.split(" ").map(Number),
}))
"""


@dataclass
class Question:
    """The face on the ask page: its photo's name, its box, and the other faces found there."""

    region: str
    photo: str
    box: Box
    others: list[Box]


@dataclass
class Row:
    """A row of the preview: a photo's name, the P2677 that it would get ("" without one)."""

    photo: str
    place: str
    address: str


@dataclass
class Deeds:
    """What was done, to be compared with what the pages and the wiki say of it."""

    yes: int = 0
    no: int = 0
    skipped: int = 0
    undone: int = 0
    drawn: list[str] = field(default_factory=list)  # names of photos
    no_usable_face: list[str] = field(default_factory=list)
    rejected: int = 0
    approved: int = 0


class Visitor(Window):
    def __init__(
        self,
        browser: Browser,
        screen: Screen,
        url: str,
        name: str,
        qid: str,
        truth: dict[str, TruePhoto],
    ) -> None:
        super().__init__(browser, screen)
        self.url, self.name, self.qid, self.truth = url, name, qid, truth
        self.deeds = Deeds()
        self.batch = ""  # the address of what was sent last
        self.batches: list[str] = []  # and of all that was sent
        self._ways = {verdict: cycle(self._ways_to(verdict)) for verdict in ("yes", "no")}

    def arrive(self, at: str, heading: str) -> None:
        """Wait for the page with this heading, and see whether anything is wrong with it."""
        expect(self.page.locator("h1")).to_contain_text(heading)
        self.page.wait_for_load_state()
        self.complaints += self.faults()

    # The way in --------------------------------------------------------------------------------
    def log_in(self) -> None:
        self.page.goto(self.url)
        self.arrive("home", "Who is in this photo?")
        self.press(self.page.get_by_role("link", name="Log in", exact=True))
        self.arrive("login", "Log in")
        self.press(self.page.get_by_role("button", name="Log in with your wiki account"))
        self.arrive("wiki", "Log in")
        self.press(self.page.get_by_role("radio", name=self.name))
        self.press(self.page.get_by_role("button", name="Log in"))
        self.arrive("approval", "Allow access?")
        self.press(self.page.get_by_role("button", name="Allow"))
        expect(self.page.locator("summary", has_text=self.name)).to_be_visible()

    def start_project(self, typed: str, person: str) -> dict[str, int]:
        """Type a name, choose from the list, take the offered category; what it is said to hold."""
        page = self.page
        self.press(page.get_by_role("link", name=re.compile("start a project", re.I)).first)
        self.arrive("new-empty", "Start a project")
        self.press("#who")
        page.keyboard.type(typed, delay=20)
        option = page.locator("#who-list [role=option]", has=page.get_by_text(person, exact=True))
        option = option.filter(has=page.get_by_text(self.qid, exact=True))  # there are namesakes
        expect(option).to_be_visible()
        self._choose(option)
        count = page.locator(".source").first.locator(".count")
        expect(count).to_be_visible()
        self.arrive("new", "Start a project")
        said = {
            name: int(count.get_attribute(f"data-{name}") or 0) for name in ("files", "lacking")
        }
        self.press(page.get_by_role("button", name="Start looking"))
        self.arrive("project-new", person)
        return said

    def choose_rule(self, rule: str) -> None:
        """In the project's settings; back on its page."""
        address = self.page.url
        self.press(self.page.locator("a[href$='/settings']").first)
        self.press(self.page.locator(f"label:has([name=rule][value={rule}])"))
        with self.page.expect_navigation():
            self.press(self.page.get_by_role("button", name="Save"))
        self.page.goto(address)
        expect(self.page.locator("#status")).to_be_visible()

    def _choose(self, option: Locator) -> None:
        """From a list below a field: with the arrow keys, or with a finger."""
        if self.screen.touch:
            return option.tap()
        for _ in range(20):
            if option.get_attribute("aria-selected") == "true":
                return self.page.keyboard.press("Enter")
            self.page.keyboard.press("ArrowDown")
        raise AssertionError("the arrow keys do not reach the option")

    # Asking ------------------------------------------------------------------------------------
    def open_questions(self) -> None:
        """From the project's page, by its button, as soon as there is one."""
        link = self.page.get_by_role("link", name=re.compile("^Answer ")).last
        expect(link).to_be_visible(timeout=LOOKING)
        self.press(link)
        self.page.wait_for_url(re.compile("/(grid|ask)$"))  # until its style says what is visible
        self.press(self.page.locator("[data-way=ask]:visible").first)
        assert self.question(), "nothing is asked"
        self.arrive("ask", "Is this ")

    def question(self) -> Question | None:
        """The question on screen, once it is there; None when nothing is left to ask."""
        page = self.page
        there = page.locator(
            ".question, .no-question:is([data-why=all-answered], [data-why=enough],"
            " [data-why=no-faces])"
        )
        expect(there).to_have_count(1, timeout=LOOKING)
        if not page.locator(".question").count():
            return None
        article = page.locator(".question")
        box, *others = article.locator(".boxed > svg").evaluate(BOXES)
        region, photo = (article.get_attribute(f"data-{each}") for each in ("region", "name"))
        assert region, article
        assert photo, article
        return Question(region, photo, tuple(box), [tuple(other) for other in others])

    def answer(self, asked: Question) -> bool:
        """The truth about the face, each time in another way: by key, button or finger."""
        yes = self.truth[asked.photo].person_at(asked.box) == self.qid
        next(self._ways["yes" if yes else "no"])()
        self.wait_for_another(asked)
        if yes:
            self.deeds.yes += 1
        else:
            self.deeds.no += 1
        return yes

    def skip(self, asked: Question) -> None:
        if self.screen.touch:
            self.swipe(".q-pair", 0, 220)
        else:
            self.page.keyboard.press("s")
        self.wait_for_another(asked)
        self.deeds.skipped += 1

    def answer_wrongly_and_undo(self, asked: Question) -> None:
        """A slip, taken back: the same question is on screen again."""
        wrong = "no" if self.truth[asked.photo].person_at(asked.box) == self.qid else "yes"
        self.press(f".question [data-do={wrong}]")
        self.wait_for_another(asked)
        if self.screen.touch:
            self.press(".ask-head [data-do=undo]")
        else:
            self.page.keyboard.press("z")
        expect(self.page.locator(f".question[data-region='{asked.region}']")).to_be_visible()
        self.deeds.undone += 1

    def missed_face(self, asked: Question) -> Box | None:
        """Where the person is in the photo on screen, if no box there is about them."""
        boxes = [asked.box, *asked.others]
        for face in self.truth[asked.photo].faces:
            if face.qid == self.qid and all(overlap(face.box, box) < MISSED for box in boxes):
                return face.box
        return None

    def draw(self, asked: Question, box: Box) -> None:
        self.press(".question [data-do=draw]")
        self._draw_on(self.page.locator(".question .boxed > svg"), box)
        expect(self.page.locator("#draw-bar")).to_be_hidden()
        self.deeds.drawn.append(asked.photo)

    def wait_for_another(self, asked: Question) -> None:
        same = self.page.locator(f".question[data-region='{asked.region}']")
        expect(same).to_have_count(0)

    def _draw_on(self, svg: Locator, box: Box) -> None:
        """Put the suggested box round a face given in the picture's own pixels, and save."""
        svg.scroll_into_view_if_needed()
        (left, top), (right, bottom) = self._corners(svg, box)
        if self.screen.touch:  # the box comes to the finger, and a small one nearer
            self.page.touchscreen.tap((left + right) / 2, (top + bottom) / 2)
        else:
            self.drag((left, top), (right, bottom))  # unless that moves the suggested one
        for _ in range(5):  # a finger slips where the page has little time for it
            if self._fits(svg, box):
                break
            if not self._is_seen(svg, box):
                self.page.locator("[data-draw=whole]:visible").click()
            for corner in ("se", "nw", "se"):
                self._pull(svg, corner, box)
        if self.screen.touch:
            # after a stroke Chromium takes a tap that it emulates for a part of it now and then
            self.page.locator("[data-draw=save]:visible").click()
        else:
            self.page.keyboard.press("Enter")

    def _pull(self, svg: Locator, corner: str, box: Box) -> None:
        """A corner of the drawn box to where it is meant to be, by what one holds of it.

        Where that is on screen is asked anew: around the photo the page makes room meanwhile.
        """
        which = 0 if corner == "nw" else 1
        there, here = (self._corners(svg, each)[which] for each in (box, self._drawn(svg)))
        hold = svg.locator(f".drawing-hold.{corner}").bounding_box()
        assert hold, corner
        start = (hold["x"] + hold["width"] / 2, hold["y"] + hold["height"] / 2)
        self.drag(start, (start[0] + there[0] - here[0], start[1] + there[1] - here[1]))

    def _fits(self, svg: Locator, box: Box) -> bool:
        return overlap(box, self._drawn(svg)) > ALIKE

    def _drawn(self, svg: Locator) -> Box:
        left, top, width, height = svg.locator("rect.drawing-box").evaluate(SIDES)
        return left, top, width, height

    def _corners(self, svg: Locator, box: Box) -> tuple[Place, Place]:
        """Where two corners of a box of the picture stand in the window by now."""
        left, top, right, bottom = svg.evaluate(IN_WINDOW, list(box))
        return (left, top), (right, bottom)

    def _is_seen(self, svg: Locator, box: Box) -> bool:
        """Whether the part of the picture that is shown holds all of the box."""
        x, y, width, height = map(float, (svg.get_attribute("viewBox") or "").split())
        left, top, w, h = box
        return x <= left and y <= top and left + w <= x + width and top + h <= y + height

    def _ways_to(self, verdict: str) -> list[Callable[[], None]]:
        button = f".question [data-do={verdict}]"
        right = 1 if verdict == "yes" else -1
        if self.screen.touch:
            return [lambda: self.swipe(".q-pair", 150 * right, 0), lambda: self.press(button)]
        keyboard = self.page.keyboard
        return [
            lambda: keyboard.press(verdict[0]),
            lambda: self.press(button),
            lambda: keyboard.press("ArrowRight" if verdict == "yes" else "ArrowLeft"),
        ]

    # The project's page ------------------------------------------------------------------------
    def open_project(self) -> None:
        self.press(self.page.locator("a.back, a.review-who, a.crumb").first)
        expect(self.page.locator("#status")).to_be_visible()

    def wait_until_looked(self) -> None:
        """Until the project's page says that listing, looking and learning have ended."""
        steps = self.page.locator(".steps > li")
        for at in range(3):
            expect(steps.nth(at)).to_have_class(re.compile("done"), timeout=LOOKING)

    # Photos without a face ---------------------------------------------------------------------
    def go_through_tray(self) -> None:
        """Photos of the person: a missed face is drawn; one too small to know only named."""
        self.press(self.page.locator("#also-tray, #next-button[href$='/tray']").first)
        self.arrive("tray", "without a face")
        names = [img.get_attribute("alt") or "" for img in self.tiles.locator("a img").all()]
        for name in names:
            face = self._face_in(name)
            if face:
                self._settle(name, face)

    def _face_in(self, name: str) -> Box | None:
        faces = self.truth[name].faces if name in self.truth else ()
        return next((face.box for face in faces if face.qid == self.qid), None)

    def _settle(self, name: str, face: Box) -> None:
        tile = self.tiles.filter(has=self.page.locator(f"a img[alt={json.dumps(name)}]"))
        if min(face[2:]) < USABLE:
            self.press(tile.locator("[data-do=nousableface]"))
            self.deeds.no_usable_face.append(name)
        else:
            self.press(tile.locator("[data-do=draw]"))
            self._draw_on(self.page.locator("#large-photo .boxed > svg"), face)
            self.deeds.drawn.append(name)
        expect(tile).to_have_count(0)

    # Review ------------------------------------------------------------------------------------
    def review(self) -> None:
        """Screen by screen until nothing is left to review: out with the wrong, then the rest."""
        self.press(self.page.locator("#also-review, #next-button[href$='/review']").first)
        self.arrive("review", "to review")
        self._approve_one_and_undo()
        while self.tiles.count():
            self._reject_wrong()
            if self.tiles.count():
                self._approve_screen()
            expect(self.page.locator("#tiles > .tile, #gallery .empty").first).to_be_visible()

    @property
    def tiles(self) -> Locator:
        return self.page.locator("#tiles > .tile")

    def _reject_wrong(self) -> None:
        wrong = [region for region, right in self._shown().items() if not right]
        if not wrong:
            return
        for region in wrong:
            self.press(self._tile(region).locator(".check"))
        expect(self.page.locator("[data-selected]")).to_have_text(str(len(wrong)))
        if self.screen.touch:
            self.press(".review-bar [data-do=reject]")
        else:
            self.page.keyboard.press("r")
        expect(self._tile(wrong[0])).to_have_count(0)
        self.deeds.rejected += len(wrong)

    def _approve_one_and_undo(self) -> None:
        right = next(region for region, right in self._shown().items() if right)
        self.press(self._tile(right).locator(".check"))
        self.press(".review-bar [data-do=approve]")
        expect(self._tile(right)).to_have_count(0)
        if self.screen.touch:
            self.press(self.page.locator(".toast").get_by_role("button", name="Undo"))
        else:
            self.page.keyboard.press("z")
        expect(self._tile(right)).to_be_visible()
        self.deeds.undone += 1

    def _approve_screen(self) -> None:
        self._look_at_all()
        shown = list(self._shown())
        self.press(".review-bar [data-do=all]")
        expect(self._tile(shown[0])).to_have_count(0)
        self.deeds.approved += len(shown)

    def _look_at_all(self) -> None:
        """What was not on the screen is not approved: down to the last one of those there are."""
        for tile in self.tiles.all():
            tile.scroll_into_view_if_needed()
            expect(tile).to_have_attribute("data-seen", "")

    def _tile(self, region: str) -> Locator:
        return self.page.locator(f".tile[data-region='{region}']")

    def _shown(self) -> dict[str, bool]:
        """The faces on the screen, and whether each is the person."""
        tiles: list[dict[str, Any]] = self.tiles.evaluate_all(TILES)
        return {
            tile["region"]: self.truth[tile["photo"]].person_at(tuple(tile["box"])) == self.qid
            for tile in tiles
        }

    # Sending -----------------------------------------------------------------------------------
    def preview(self) -> list[Row]:
        """What will be written, as the preview says."""
        self.press(self.page.locator("#also-send, #next-button[href$='/preview']").first)
        self.arrive("preview", "What will be written")
        return self.rows()

    def rows(self) -> list[Row]:
        """The rows that are ticked."""
        ticked = self.page.locator(".preview-row", has=self.page.locator(".keep input:checked"))
        return [
            Row(
                row.locator(".about > a").inner_text().strip(),
                row.locator(".added .mono").inner_text()
                if row.locator(".added .mono").count()
                else "",
                row.locator(".about > a").get_attribute("href") or "",
            )
            for row in ticked.all()
        ]

    def leave_out(self, row: Row) -> None:
        send = self.page.locator("#send")
        n = int(re.sub(r"\D", "", send.inner_text()))
        kept = self.page.locator(".preview-row").filter(has_text=row.photo)
        self.press(kept.locator("input[type=checkbox]"))
        expect(send).to_contain_text(f"Send {n - 1} edit")

    def send(self) -> None:
        """Send, and watch the batch's page until it says that it is done."""
        self.press("#send")
        self.arrive("batch-running", "Batch")
        expect(self.page.locator("#batch-status")).to_have_attribute(
            "data-state", "done", timeout=SENDING
        )
        self.arrive("batch", "Batch")
        self.batch = self.page.url
        self.batches.append(self.batch)

    # What others do with it --------------------------------------------------------------------
    def check_now(self, row: Row) -> None:
        """Let the tool look whether all stands, until its page says that this one does not."""
        self.page.goto(self.batch)
        self.arrive("batch", "Batch")
        self.press("#check-now")
        line = self._line(row)
        for _look in range(CHECKS):
            if line.get_by_text("Removed", exact=True).count():
                break
            self.page.wait_for_timeout(500)
            self.page.goto(self.batch)
        expect(line).to_contain_text("Removed by")
        self.arrive("batch-watched", "Batch")

    def look_again(self, row: Row, verdict: str) -> None:
        """A second look at the face that somebody removed."""
        self.press(self._line(row).get_by_role("link", name="Look again"))
        self.arrive("second-look", "1 face to look at again")
        expect(self.page.locator("#look")).to_contain_text(row.photo)
        self.press(f"#look [data-do={verdict}]")
        self.arrive("second-looks", "Looked at again")

    def take_back(self, row: Row, batch: str) -> None:
        """One edit of a batch: the page says what will happen, and then that it did."""
        self.page.goto(batch)
        self.arrive("batch", "Batch")
        self.press(self._line(row).get_by_role("link", name="Undo"))
        self.arrive("undo-one", "Take one edit back")
        expect(self.page.locator(".undo-one")).to_contain_text(row.photo)
        self._confirm_undo()

    def take_back_the_rest(self, batch: str) -> None:
        self.page.goto(batch)
        self.press("#undo")
        self.arrive("undo", "back")
        self._confirm_undo()

    def _confirm_undo(self) -> None:
        self.press("#undo-now")
        expect(self.page.locator("h1")).to_contain_text("takes back")
        expect(self.page.locator("#batch-status")).to_have_attribute(
            "data-state", "done", timeout=SENDING
        )
        self.arrive("batch-undone", "takes back")

    def _line(self, row: Row) -> Locator:
        """The line of the batch's page about a photo."""
        link = self.page.get_by_role("link", name=row.photo, exact=True)
        return self.page.locator(".batch-rows > li").filter(has=link)

    def look_at_first_edits(self) -> list[Row]:
        """On a first batch's page: say that its edits are right; what the next preview says."""
        expect(self.page.locator("#first-batch a[href*='Special:Diff']").first).to_be_visible()
        self.press("#looked")
        self.arrive("preview", "What will be written")
        expect(self.page.locator("#first-batch")).to_have_count(0)
        return self.rows()

    # On the wiki -------------------------------------------------------------------------------
    def summaries(self) -> list[str]:
        """The edit summaries, as the batch's page shows them."""
        return self.page.locator("p.summary").all_inner_texts()

    def open_edit(self, row: Row) -> FilePage:
        """From the batch's page to the revision, and from there to the file's page."""
        self.press(self._line(row).locator("a.diff").first)
        self.arrive("diff", "what revision")
        expect(self.page.locator("#data-diff ins")).to_contain_text([self.qid])
        self.press(self.page.get_by_role("link", name="Page", exact=True))
        return self._read_file(row.photo)

    def open_file(self, address: str) -> FilePage:
        self.page.goto(address)
        return self._read_file("File:")

    def _read_file(self, title: str) -> FilePage:
        self.arrive("file", title)
        return wikipage.read(self.page)
