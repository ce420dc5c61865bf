"""Second looks in a real Chromium: marks, keys, the next screen, undo, and the end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from classify.audit import rounds
from classify.models import Answer, Look, Origin, Question, Verdict
from crawler.models import Photo, Region
from projects.models import Project
from tests.classify.crowd import Crowd
from tests.pages.harness import PHONE, Visit, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def drawn(real_project: Project) -> Project:
    """Its owner said Yes to 14 faces and No to two; nobody looked at the others."""
    faces = Region.objects.filter(picture__photos__project_photos__project=real_project)
    regions = list(faces.exclude(origin=Region.Origin.PHOTO).distinct().order_by("pk"))
    photos = {
        photo.picture_id: photo.pk
        for photo in Photo.objects.filter(project_photos__project=real_project)
    }
    crowd = Crowd(
        real_project,
        np.array([each.pk for each in regions]),
        np.array([photos[each.picture_id] for each in regions]),
        np.random.default_rng(1).standard_normal((len(regions), 16)).astype(np.float32),
    )
    Question.objects.all().delete()
    crowd.say(real_project.owner, Verdict.YES, range(14))
    crowd.say(real_project.owner, Verdict.NO, range(14, 16))
    crowd.draw()
    return real_project


def given() -> int:
    return Answer.objects.filter(origin=Origin.AGAIN, undone_by=None).count()


def confirm(page: Any) -> None:
    page.wait_for_timeout(600)  # a screen must be seen before it can be answered
    page.keyboard.press("Enter")


def test_second_looks_are_given_screen_by_screen_and_taken_back(
    drawn: Project, visit: Visit
) -> None:
    address = f"/p/{drawn.public_id}/again"
    phone = visit(address, user=drawn.owner, screen=PHONE)
    expect(phone.page.locator(".face-yes:checked")).to_have_count(14)
    assert phone.faults() == []
    phone.press(phone.page.locator(".face label").first)
    expect(phone.page.locator(".face-yes:checked")).to_have_count(13)
    phone.close()
    page = visit(address, user=drawn.owner).page
    page.wait_for_selector("text=Second look")
    expect(page.locator(".face-yes:checked")).to_have_count(14)
    page.locator(".face label").first.click()
    wrong = page.locator(".face").first.get_attribute("data-region")
    confirm(page)
    page.wait_for_selector(f".screen:not(:has([data-region='{wrong}']))")
    eventually(lambda: given() == 14)
    third = Look.objects.filter(third=True)
    assert [look.region.public_id for look in third] == [wrong]

    page.keyboard.press("z")
    page.wait_for_selector(f".face[data-region='{wrong}']")
    eventually(lambda: given() == 0)
    assert not Look.objects.filter(third=True).exists()
    page.locator(f".face[data-region='{wrong}'] .face-yes").set_checked(True, force=True)
    while page.locator(".no-question").count() == 0:
        before = given()
        confirm(page)
        eventually(lambda: given() > before)  # noqa: B023
        page.wait_for_selector(".screen, .one, .no-question:not(.late)")
    page.wait_for_selector("text=No second look waits")
    assert rounds.wanted(drawn).faces == 0
