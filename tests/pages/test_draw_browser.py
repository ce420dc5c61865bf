"""Drawing a box in a real browser: mouse, keys, fingers, closer up, on a turned picture, and on one
that is overwritten meanwhile."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

import sandbox as sandbox_package
from bench.truth import overlap
from classify.models import Label, Origin
from crawler.detection import detect as detection_detect
from crawler.detection import drawn_boxes
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.models import Photo, Region
from crawler.pictures import crops
from projects.models import Project, Source
from sandbox import RunningSandbox, files
from tests import factories
from tests.conftest import MakeProject
from tests.pages.harness import PHONE, Axe, Visit, Window, eventually, everywhere

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
]

PHOTOS = Path(sandbox_package.__file__).parent / "data" / "photos"
TURNED = "File:Mariecurie (EXIF orientation 8).jpg"
FACE = (306, 387, 317, 315)  # in the upright picture, as the manifest has it
SIZE = (928, 1200)


@pytest.fixture
def turned(
    fresh_sandbox: RunningSandbox, shared_database: str, make_project: MakeProject
) -> Project:
    """A project with one photo, stored on its side, in which no face was found."""
    owner = factories.wiki_user(fresh_sandbox, "Alice")
    project = make_project(owner, "Q7186", [])
    Source.objects.create(project=project, kind=Source.Kind.FILE, value=TURNED)
    while listing_crawl.crawl(30):
        pass
    while detection_detect.detect(load, 30):
        pass
    Region.objects.all().delete()
    return project


def open_to_draw(visit: Visit, project: Project, **options: object) -> Window:
    window = visit(f"/p/{project.public_id}/tray", user=project.owner, **options)  # type: ignore[arg-type]
    start_to_draw(window)
    return window


def start_to_draw(window: Window) -> None:
    window.press("#tiles [data-do=draw]")
    expect(window.page.locator("#draw-bar")).to_be_visible()
    window.page.wait_for_function("() => document.querySelector('#large .boxed > img').complete")


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a pixel of the upright picture is in the window."""
    place = page.locator("#large .boxed > svg").evaluate(
        "(svg, [x, y]) => { const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());"
        " return [at.x, at.y]; }",
        [x, y],
    )
    return place[0], place[1]


def boxes(page: Page) -> list[float]:
    """The box as it is drawn, in pixels of the picture."""
    found: list[float] = page.locator("#large .drawing-box").evaluate(
        "(box) => ['x', 'y', 'width', 'height'].map((side) => box[side].baseVal.value)"
    )
    return found


def test_a_box_on_a_turned_picture_lands_on_the_pixels_that_one_sees(
    visit: Visit, turned: Project, axe: Axe
) -> None:
    window = open_to_draw(visit, turned)
    page = window.page
    assert axe(window) == []
    x, y, w, h = FACE
    window.drag(on_screen(page, x, y), on_screen(page, x + w, y + h))
    assert boxes(page) == pytest.approx(FACE, abs=3)
    # a handle at a side, then a corner: what is across from it stays
    window.drag(on_screen(page, x + w, y + h / 2), on_screen(page, x + w + 60, y + h / 2 + 40))
    assert boxes(page) == pytest.approx((x, y, w + 60, h), abs=4)
    window.drag(on_screen(page, x + w + 60, y + h), on_screen(page, x + w, y + h))
    assert boxes(page) == pytest.approx(FACE, abs=4)
    # too small: said, and the box stays
    at = on_screen(page, 30, 30)
    window.drag(at, (at[0] + 3, at[1] + 3))
    expect(page.locator("[data-draw=told]")).to_contain_text("too small")
    assert boxes(page) == pytest.approx(FACE, abs=4)
    # what the browser shows there, a screenshot of the inside of the box
    seen = page.screenshot(clip=_clip(page, FACE), caret="initial")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-bar")).to_be_hidden()
    page.wait_for_function("() => !Object.keys(localStorage).some((k) => k.includes(':tray:'))")
    region = Region.objects.get(origin=Region.Origin.PERSON)
    wanted = (x / SIZE[0], y / SIZE[1], w / SIZE[0], h / SIZE[1])
    assert region.box == pytest.approx(wanted, abs=0.006)
    label = Label.objects.get()
    assert (label.region, label.origin) == (region, Origin.DRAWN)
    drawn_boxes.embed(load, 30)
    made = np.asarray(Image.open(crops.path_of(region)).convert("L").resize((64, 64)), float)
    # the crop has 40 % air round the box, the screenshot none
    air = round(64 * 0.2 / 1.4)
    inside = Image.fromarray(made[air : 64 - air, air : 64 - air].astype(np.uint8)).resize((48, 48))
    shown = Image.open(io.BytesIO(seen)).convert("L").resize((48, 48))
    alike = np.corrcoef(np.asarray(inside, float).ravel(), np.asarray(shown, float).ravel())
    assert alike[0, 1] > 0.9, "the vector's pixels are those that were shown"


def _clip(page: Page, box: tuple[int, int, int, int]) -> Any:
    left, top = on_screen(page, box[0], box[1])
    right, bottom = on_screen(page, box[0] + box[2], box[1] + box[3])
    inset = 4  # without the lines of the box
    return {
        "x": left + inset,
        "y": top + inset,
        "width": right - left - 2 * inset,
        "height": bottom - top - 2 * inset,
    }


def test_keys_alone_move_resize_come_closer_and_cancel(visit: Visit, turned: Project) -> None:
    window = visit(f"/p/{turned.public_id}/tray", user=turned.owner)
    page, press = window.page, window.page.keyboard.press
    assert everywhere(window) == []
    page.locator("#tiles a").first.focus()
    press("d")
    expect(page.locator("#large svg[role=application]")).to_be_focused()
    before = boxes(page)
    press("ArrowRight")
    press("Shift+ArrowDown")
    moved = boxes(page)
    step = (SIZE[0] / 100, SIZE[1] / 100)
    assert moved == pytest.approx(
        [before[0] + step[0], before[1], before[2], before[3] + step[1]], abs=1
    )
    expect(page.locator("[data-draw=place]")).to_contain_text("41 %")
    press("+")
    press("+")
    press("ArrowLeft")  # closer up, steps are finer
    assert boxes(page)[0] == pytest.approx(moved[0] - step[0] / 4, abs=0.5)
    near = page.locator("#large svg.is-near").get_attribute("viewBox")
    assert near
    assert float(near.split()[2]) == pytest.approx(SIZE[0] / 4, abs=1)
    press("-")
    press("-")
    expect(page.locator("#large svg.is-near")).to_have_count(0)
    press("Escape")
    expect(page.locator("#draw-bar")).to_be_hidden()
    expect(page.locator("#large .boxed > svg")).to_have_attribute("aria-hidden", "true")
    assert not Region.objects.filter(origin=Region.Origin.PERSON).exists()


def test_fingers_say_and_draw_and_an_overwritten_file_is_told(
    visit: Visit, turned: Project, fresh_sandbox: RunningSandbox
) -> None:
    window = visit(f"/p/{turned.public_id}/tray", user=turned.owner, screen=PHONE)
    page, cards = window.page, window.page.locator("#tiles > .tile")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
    # the person is there, without a face
    window.press(cards.locator("[data-do=nousableface]"))
    eventually(lambda: Label.objects.filter(region__origin=Region.Origin.PHOTO).count() == 1)
    expect(cards).to_have_count(0)
    window.press(".toast .action")
    eventually(lambda: not Label.objects.exists())
    expect(cards).to_have_count(1)
    start_to_draw(window)
    x, y, w, h = FACE
    window.drag(on_screen(page, x, y), on_screen(page, x + w, y + h))
    assert boxes(page) == pytest.approx(FACE, abs=12)
    path = PHOTOS / "curie_1903_profile.jpg"
    fresh_sandbox.world.upload(TURNED, path, files.describe(path), user="Alice")
    page.locator("[data-draw=save]").click()  # Chromium may take a tap for the end of the stroke
    expect(page.locator(".toast.bad")).to_contain_text("Another picture was uploaded")
    assert not Label.objects.exists()
    assert not Region.objects.filter(origin=Region.Origin.PERSON).exists()
    photo = Photo.objects.select_related("picture").get()
    assert (photo.picture.width, photo.picture.height) != SIZE, "the new one is taken over"


def test_a_thumb_draws_a_face_that_is_small_on_screen(visit: Visit, turned: Project) -> None:
    """The box comes to the finger, and closer as it gets small; it is held beside its corners,
    which stay as far from the finger as they were, and no hold lies on another."""
    window = open_to_draw(visit, turned, screen=PHONE)
    page = window.page
    x, y, w, h = 600, 200, 48, 54
    width = on_screen(page, x + w, y)[0] - on_screen(page, x, y)[0]
    assert width < 25
    page.touchscreen.tap(*on_screen(page, x + w / 2, y + h / 2))
    left, top, side, _ = boxes(page)
    assert (left + side / 2, top + side / 2) == pytest.approx((x + w / 2, y + h / 2), abs=5)
    pull(window, "se", x + w + 12, y + h + 12)
    expect(page.locator("[data-draw=told]")).to_contain_text("Closer now")
    pull(window, "nw", x - 12, y - 12)
    assert on_screen(page, x + w, y)[0] - on_screen(page, x, y)[0] > 2 * width
    pull(window, "ne", x + w, y)
    pull(window, "sw", x, y + h)
    assert boxes(page) == pytest.approx((x, y, w, h), abs=2)
    near = page.locator("#large .boxed > svg").get_attribute("viewBox")
    page.locator("[data-draw=whole]").click()
    holds = [holds_of(page, corner) for corner in ("nw", "ne", "sw", "se")]
    for one, other in combinations(holds, 2):
        assert overlap(one, other) == 0
    assert all(min(hold[2:]) >= 23.9 for hold in holds)
    # two fingers come closer, and draw nothing
    pinch(window, on_screen(page, x, y), 40, 160)
    assert page.locator("#large .boxed > svg").get_attribute("viewBox") != near
    assert width * 3 < on_screen(page, x + w, y)[0] - on_screen(page, x, y)[0] < width * 5
    assert boxes(page) == pytest.approx((x, y, w, h), abs=2)


def pull(window: Window, corner: str, x: float, y: float) -> None:
    """A corner of the box to a pixel of the picture, by the middle of what one holds."""
    left, top, width, height = boxes(window.page)
    at = (left + width * ("e" in corner), top + height * ("s" in corner))
    here, there = on_screen(window.page, *at), on_screen(window.page, x, y)
    hold = holds_of(window.page, corner)
    start = (hold[0] + hold[2] / 2, hold[1] + hold[3] / 2)
    window.drag(start, (start[0] + there[0] - here[0], start[1] + there[1] - here[1]))


def holds_of(page: Page, corner: str) -> tuple[float, float, float, float]:
    box = page.locator(f"#large .drawing-hold.{corner}").bounding_box()
    assert box
    return box["x"], box["y"], box["width"], box["height"]


def pinch(window: Window, at: tuple[float, float], apart: float, until: float) -> None:
    """Two fingers, one at either side of a place, from so far apart until so far."""
    touch = window.page.context.new_cdp_session(window.page)
    for kind, wide in (("touchStart", apart), ("touchMove", until)):
        points = [{"x": at[0] + side * wide / 2, "y": at[1], "id": side} for side in (0, 1)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
