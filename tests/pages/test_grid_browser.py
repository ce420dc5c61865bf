"""The way of asking in a real browser: by itself what saves most work, by hand what one likes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from classify.models import Question
from crawler.models import Region
from projects.models import Project
from tests.classify_pages.screens import lay_out
from tests.pages.harness import PHONE, Visit, Window, eventually, everywhere, word_on
from tests.pages.test_ask_browser import say

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

LOOK = 900  # ms that a screen is looked at before it is answered, and keys rest between two ways


@pytest.fixture
def here(real_project: Project) -> str:
    return f"/p/{real_project.public_id}"


@pytest.fixture
def faces(real_project: Project) -> list[Region]:
    found = Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id")
    return list(found)


def shows(window: Window, face: Region) -> None:
    shown = window.page.locator(f"#main :is(.face, .one)[data-region='{face.public_id}']")
    expect(shown).to_have_count(1)
    window.page.wait_for_timeout(LOOK)


def test_the_way_of_asking_changes_by_itself_and_by_hand(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    lay_out(real_project, [faces[:4], faces[4:5], faces[5:9], faces[9:10], faces[10:11]])
    asked = Question.objects.filter(subject=real_project.subject)
    for alone in (faces[4], faces[9], faces[10]):
        asked.filter(region=alone).update(kind=Question.Kind.ONE, marked=False)
    window = visit(f"{here}/grid", user=real_project.owner)
    page = window.page
    shows(window, faces[0])
    expect(page.locator(".ask-head [data-way=auto]")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Enter")
    shows(window, faces[4])  # one face, since that saves most work now
    page.keyboard.press("ArrowRight")
    shows(window, faces[5])  # and many again
    eventually(lambda: word_on(real_project, faces[4].public_id) == "yes")

    page.locator(".ask-head [data-way=ask]").click()
    shown = page.locator(".question:not(.one)")
    expect(shown).to_have_count(1)  # one face by hand, whatever saves most
    page.locator(".ask-head [data-way=grid]").click()
    shows(window, faces[5])
    page.keyboard.press("Enter")
    shows(window, faces[9])  # what is asked alone is asked together, as wished
    expect(page.locator("#main .face")).to_have_count(2)
    page.goto(page.url.split("?")[0])  # the choice holds
    expect(page.locator(".ask-head [data-way=grid]")).to_have_attribute("aria-current", "page")
    shows(window, faces[9])
    page.locator(".ask-head [data-way=auto]").click()
    shows(window, faces[9])
    expect(page.locator("#main .one")).to_have_count(1)


def test_a_crowded_screen_with_what_the_tool_thinks(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    lay_out(real_project, [faces[:16], faces[16:]])
    Question.objects.filter(subject=real_project.subject).update(chance=0.83)
    window = visit(f"{here}/grid", user=real_project.owner)
    page = window.page
    shows(window, faces[0])
    assert everywhere(window) == []
    guess = page.locator(".face .guess").first
    expect(guess).to_be_hidden()
    page.keyboard.press("t")
    expect(guess).to_be_visible()
    expect(guess).to_have_text("83%")
    assert everywhere(window) == []
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # too soon for anybody to have looked
    shows(window, faces[16])
    eventually(lambda: word_on(real_project, faces[15].public_id) == "yes")
    assert not word_on(real_project, faces[16].public_id)


def test_faces_that_others_answered_leave_the_screen_and_marks_stay(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    lay_out(real_project, [faces[:5]])
    window = visit("/style", user=real_project.owner, screen=PHONE)
    page = window.page
    page.clock.install()
    page.goto(page.url.replace("/style", f"{here}/grid"))
    window.press(f".face[data-region='{faces[2].public_id}'] label")
    for face in faces[:2]:
        say(real_project, face, real_project.owner, "no")
    page.clock.fast_forward(81_000)
    expect(page.locator("#main .face")).to_have_count(3)
    expect(page.locator("[data-confirm]")).to_have_text("Confirm 2 · 1 is somebody else")
    window.press("[data-do=confirm]")
    eventually(lambda: word_on(real_project, faces[2].public_id) == "no")
    assert word_on(real_project, faces[4].public_id) == "yes"


def test_a_face_marked_no_keeps_its_year_on_a_phone(
    here: str, faces: list[Region], real_project: Project, visit: Visit
) -> None:
    lay_out(real_project, [faces[:6]], Question.Kind.LIKELY)
    window = visit(f"{here}/grid", user=real_project.owner, screen=PHONE)
    face = window.page.locator(".face:has(.year)").first
    window.press(face.locator("label"))
    year, word = face.locator(".year"), face.locator(".face-word.no")
    expect(word).to_be_visible()
    expect(year).to_be_visible()
    above, below = year.bounding_box(), word.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"] + 1
