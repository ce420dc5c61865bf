"""Answering and reviewing in a real Chromium, as people do it: keys, clicks, swipes, drawing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from classify.models import Answer, Label, Origin, Skip, Verdict
from classify.tasks import infer
from crawler.models import Region
from crawler.selectors import photos_without_faces
from projects.models import Project
from tests.classify_pages.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def eventually(check: Callable[[], Any], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def region_of(page: Any) -> str:
    return str(page.locator(".question").get_attribute("data-region"))


def wait_for_another(page: Any, region: str) -> None:
    page.wait_for_selector(f".question:not([data-region='{region}'])")


def word_on(project: Project, region: str) -> str:
    label = Label.objects.filter(project=project, region__public_id=region).first()
    return label.verdict if label else ""


def swipe(page: Any, selector: str, x: int, y: int) -> None:
    """One finger across an element, as Chromium itself makes touches."""
    box = page.locator(selector).bounding_box()
    start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: dict[str, float]) -> None:
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    send("touchStart", {"x": start[0], "y": start[1]})
    for step in range(1, 6):
        send("touchMove", {"x": start[0] + x * step / 5, "y": start[1] + y * step / 5})
    send("touchEnd")


def test_answers_by_key_click_and_swipe_and_undoes_them(
    real_project: Project, open_page: OpenPage
) -> None:
    page = open_page(f"/p/{real_project.public_id}/ask")
    by_key = region_of(page)
    page.keyboard.press("y")
    page.wait_for_function(
        "(r) => document.querySelector('.question')?.dataset.region != r", arg=by_key
    )
    eventually(lambda: word_on(real_project, by_key) == Verdict.YES)

    by_click = region_of(page)
    page.locator("[data-do=no]").click()
    eventually(lambda: word_on(real_project, by_click) == Verdict.NO)
    assert page.locator("[data-count=answered]").first.inner_text() == "2"

    page.keyboard.press("z")
    page.wait_for_selector(f".question[data-region='{by_click}']")
    eventually(lambda: word_on(real_project, by_click) == "")
    page.keyboard.press("z")
    page.wait_for_selector(f".question[data-region='{by_key}']")
    eventually(lambda: word_on(real_project, by_key) == "")
    page.keyboard.press("s")
    page.wait_for_function(
        "(r) => document.querySelector('.question')?.dataset.region != r", arg=by_key
    )
    page.keyboard.press("z")
    page.wait_for_selector(f".question[data-region='{by_key}']")
    page.context.close()

    phone = open_page(f"/p/{real_project.public_id}/ask", width=390, height=844, touch=True)
    for x, y, word in ((150, 0, Verdict.YES), (-150, 0, Verdict.NO), (0, 200, "")):
        swiped = region_of(phone)
        swipe(phone, ".q-pair", x, y)
        wait_for_another(phone, swiped)
        eventually(lambda: word_on(real_project, swiped) == word)  # noqa: B023
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    skip = phone.locator(".q-answer [data-do=skip]").bounding_box()
    for surface in (".q-pair", ".q-frame"):  # a tap counts right after a swipe
        before = Skip.objects.count()
        swipe(phone, surface, 150, 0)
        phone.touchscreen.tap(skip["x"] + skip["width"] / 2, skip["y"] + skip["height"] / 2)
        eventually(lambda: Skip.objects.count() == before + 1)  # noqa: B023


def test_keeps_answers_while_the_server_is_away_and_sends_them_once(
    real_project: Project, open_page: OpenPage
) -> None:
    page = open_page(f"/p/{real_project.public_id}/ask")
    page.wait_for_timeout(800)  # two questions are ahead
    page.context.set_offline(True)
    for _ in range(3):
        page.keyboard.press("y")
        page.wait_for_timeout(250)
    assert "3 answers are kept here" in page.locator("#net").inner_text()
    given, away = 3, page.locator("#main [data-waits=away]")
    while not away.is_visible() and given < 9:  # until nothing is left of what is ahead
        page.keyboard.press("y")
        page.wait_for_timeout(250)
        given += 1
    assert "The network is away" in away.inner_text()
    assert "Your answers are kept" in away.inner_text()
    assert page.locator("#main [data-waits=near]").is_hidden()
    assert Answer.objects.filter(project=real_project, origin=Origin.ASK).count() == 0
    page.context.set_offline(False)
    page.reload()
    said = Answer.objects.filter(project=real_project, origin=Origin.ASK)
    eventually(lambda: said.count() == given)
    page.wait_for_selector(".question")
    assert page.locator("#net").is_hidden()


def test_says_when_the_session_has_ended_and_loses_nothing(
    real_project: Project, open_page: OpenPage
) -> None:
    page = open_page(f"/p/{real_project.public_id}/ask")
    session = page.context.cookies()
    asked = region_of(page)
    page.context.clear_cookies()
    page.keyboard.press("n")
    notice = page.locator("#signed-out")
    notice.wait_for()
    assert "1 answer is kept here" in notice.inner_text()
    address = notice.locator("a").get_attribute("href")
    assert address.endswith(f"?next=/p/{real_project.public_id}/ask")
    page.context.add_cookies(session)
    page.reload()
    eventually(lambda: word_on(real_project, asked) == Verdict.NO)


def test_draws_with_mouse_and_keyboard(real_project: Project, open_page: OpenPage) -> None:
    page = open_page(f"/p/{real_project.public_id}/ask")
    drawn = Region.objects.filter(origin=Region.Origin.PERSON)
    page.keyboard.press("d")
    photo = page.locator(".question .boxed > svg").bounding_box()
    corner = (photo["x"] + photo["width"] * 0.45, photo["y"] + photo["height"] * 0.1)
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 60, corner[1] + 80, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    eventually(lambda: drawn.count() == 1)
    box = drawn.get()
    shown = page.locator(".question .boxed > svg").evaluate(
        "(svg) => [svg.getScreenCTM().a, svg.viewBox.baseVal.width]"
    )
    assert box.w == pytest.approx(60 / shown[0] / shown[1], rel=0.02)
    assert word_on(real_project, box.public_id) == Verdict.YES
    page.keyboard.press("z")
    eventually(lambda: word_on(real_project, box.public_id) == "")

    page.keyboard.press("d")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    moved = place(page)
    assert moved[:2] == [42, 31]
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert place(page) == [42, 31, moved[2] + 1, moved[3] + 1]
    page.keyboard.press("Enter")
    eventually(lambda: drawn.count() == 2)
    by_keys = drawn.latest("id")
    assert (by_keys.x, by_keys.y) == pytest.approx((0.42, 0.31))
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.wait_for_selector("#zoom[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert drawn.count() == 2


def place(page: Any) -> list[int]:
    """What a screen reader hears of the box that is drawn: left, top, width, height in per cent."""
    heard = page.locator("[data-draw=place]").inner_text()
    return [int(number) for number in re.findall(r"\d+", heard)]


def test_reviews_with_keys_and_clicks(real_project: Project, open_page: OpenPage) -> None:
    mine = Project.objects.filter(pk=real_project.pk)
    mine.update(rule=Project.Rule.CENTROID)  # which needs five Yes, and takes many for the person
    mine.tell_learner()
    infer()
    phone = open_page(f"/p/{real_project.public_id}/review", width=390, height=844, touch=True)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.close()
    page = open_page(f"/p/{real_project.public_id}/review")
    assert "more Yes" in page.locator("h2").first.inner_text()
    confirm(real_project, 5)
    page.reload()
    tiles = page.locator("#tiles > .tile")
    found = tiles.count()
    assert found > 3
    first, second = (tiles.nth(at).get_attribute("data-region") for at in (0, 1))
    page.keyboard.press("ArrowRight")  # the first tile
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("[data-selected]").inner_text() == "2"
    page.keyboard.press("a")
    eventually(lambda: word_on(real_project, second) == Verdict.YES)
    assert word_on(real_project, first) == Verdict.YES
    assert tiles.count() == found - 2
    page.keyboard.press("z")
    eventually(lambda: word_on(real_project, second) == word_on(real_project, first) == "")
    assert tiles.count() == found

    tiles.nth(0).locator("label").click()
    tiles.nth(2).locator("label").click(modifiers=["Shift"])
    assert page.locator("[data-selected]").inner_text() == "3"
    page.locator("[data-do=clear]").click()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")  # the one in focus
    eventually(lambda: Label.objects.filter(origin=Origin.REVIEW, verdict=Verdict.NO).exists())
    page.locator(".toast .action").click()
    eventually(lambda: not Label.objects.filter(origin=Origin.REVIEW).exists())

    page.keyboard.press("Enter")
    page.wait_for_selector("#large[open] .boxed")
    page.keyboard.press("d")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    eventually(lambda: Region.objects.exclude(replaced_by=None).exists())
    eventually(lambda: tiles.count() == found - 1)

    approve, everything = (page.locator(f".review-bar [data-do={do}]") for do in ("approve", "all"))
    assert approve.is_hidden()
    tiles.nth(0).locator("label").click()
    assert approve.is_enabled()
    assert everything.is_hidden()
    page.locator("[data-do=clear]").click()

    infer()
    look_at_all(tiles)
    everything.click()
    eventually(lambda: Label.objects.filter(origin=Origin.REVIEW).count() == found - 1)
    page.wait_for_selector("#gallery .empty")
    assert "is learning" in page.locator("#gallery .empty").inner_text()
    page.keyboard.press("z")
    eventually(lambda: tiles.count() == found - 1)
    assert page.locator("h1 [data-filter=matches]").inner_text() == str(found - 1)

    everything.click()
    page.wait_for_selector("#gallery .empty")
    infer()
    eventually(lambda: "is learning" not in page.locator("#gallery").inner_text())


def look_at_all(tiles: Any) -> None:
    """What was not on the screen is not approved."""
    for tile in tiles.all():
        tile.scroll_into_view_if_needed()
        eventually(lambda: tile.get_attribute("data-seen") is not None)  # noqa: B023


def confirm(project: Project, n: int) -> None:
    """Alice confirms n faces of the likeliest photos, as the ask page would."""
    from uuid import uuid4

    from classify import services

    for _ in range(n):
        question = services.next_question(project, project.owner)
        assert question
        services.answer(
            project, question.region, question.photo, project.owner, "yes", Origin.ASK, uuid4()
        )
    infer()


def test_says_of_photos_without_faces_that_the_person_is_there(
    real_project: Project, open_page: OpenPage
) -> None:
    Region.objects.filter(picture=real_project.project_photos.latest("id").photo.picture).delete()
    waiting = photos_without_faces(real_project).count()
    page = open_page(f"/p/{real_project.public_id}/tray", width=390, height=844, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    cards = page.locator("#tiles > .tile")
    assert cards.count() == waiting > 0
    cards.first.locator("[data-do=nousableface]").tap()
    eventually(lambda: Label.objects.filter(region__origin=Region.Origin.PHOTO).count() == 1)
    assert cards.count() == waiting - 1
    page.locator(".toast .action").tap()
    eventually(lambda: not Label.objects.filter(region__origin=Region.Origin.PHOTO).exists())
    assert cards.count() == waiting
    cards.first.locator("[data-do=draw]").tap()
    page.locator("[data-draw=save]").tap()
    eventually(lambda: Label.objects.filter(origin=Origin.DRAWN).count() == 1)
