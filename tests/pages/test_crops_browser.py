"""Crops that the server has to make first, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crawler.models import Region
from crawler.pictures import crops
from projects.models import Project
from tests.classify_pages.screens import lay_out
from tests.crawler.gate import Gate, gate
from tests.pages.harness import Screen, Visit, Window

__all__ = ["gate"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TALL = Screen("1280", 1280, 2400)  # where all faces are in view
SQUARE = "(all) => all.every((one) => one.offsetWidth > 30 && one.offsetHeight === one.offsetWidth)"
ALL_CAME = "(selector) => [...document.querySelectorAll(selector)].every((one) => one.naturalWidth)"


@pytest.fixture
def faces(real_project: Project) -> list[Region]:
    return list(Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id"))


def without_crops(faces: list[Region]) -> None:
    """As after a restore."""
    for face in faces:
        crops.remove(face)


def forgive(window: Window) -> None:
    """The page was told by 503 that a crop comes later."""
    told = [each for each in window.complaints if each.startswith("503") and "/crops/" in each]
    assert told
    window.complaints[:] = [each for each in window.complaints if each not in told]


def expect_faces_to_come(window: Window, gate: Gate, selector: str) -> None:
    missing = window.page.locator(f"{selector}.is-coming")
    expect(missing).not_to_have_count(0)
    assert missing.evaluate_all(SQUARE), "they keep their places"
    gate.open()
    expect(missing).to_have_count(0)
    window.page.wait_for_function(ALL_CAME, arg=selector)
    forgive(window)


def test_faces_appear_by_themselves_once_their_crops_are_made(
    visit: Visit, real_project: Project, faces: list[Region], gate: Gate
) -> None:
    portrait = Region.objects.filter(picture__photos__project_photos__is_portrait=True)
    without_crops([face for face in faces if face not in portrait])  # a page's load waits for it
    path = f"/p/{real_project.public_id}/review?which=others"
    window = visit(path, user=real_project.owner, screen=TALL)
    expect_faces_to_come(window, gate, "#tiles .crop img")


def test_faces_that_failed_to_come_ahead_appear_once_they_are_shown(
    visit: Visit, real_project: Project, faces: list[Region], gate: Gate
) -> None:
    lay_out(real_project, [faces[:4], faces[4:12]])
    without_crops(faces[4:])
    path = f"/p/{real_project.public_id}/grid"
    window = visit(path, user=real_project.owner, screen=TALL)
    gate.wait_until_asked()
    page = window.page
    expect(page.locator("#main .face")).to_have_count(4)
    page.wait_for_timeout(900)  # that a screen is looked at before it is answered
    page.keyboard.press("Enter")
    expect(page.locator("#main .face")).to_have_count(8)
    expect_faces_to_come(window, gate, "#main .face img")
