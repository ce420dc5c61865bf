"""The settings: what the threshold does moves with the slider, on this project's faces."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from classify.models import Question, Verdict
from classify.tasks import infer
from projects.models import Project
from tests.pages.harness import PHONE, Visit, everywhere
from tests.wikivisage.conftest import give

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_picture_follows_the_slider_by_keyboard(real_project: Project, visit: Visit) -> None:
    owner = real_project.owner
    asked = Question.objects.filter(subject=real_project.subject).order_by("rank")[:6]
    give(real_project, owner, Verdict.YES, *[one.region for one in asked])
    Project.objects.update(rule=Project.Rule.CENTROID)
    Project.objects.filter(pk=real_project.pk).tell_learner()
    infer()
    window = visit(f"/p/{real_project.public_id}/settings", user=owner, screen=PHONE)
    page = window.page
    expect(page.locator("#cut .cut-said")).to_contain_text("At a distance of 0.60")
    slider = page.get_by_label("Distance that is still a match", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("output")).to_have_text("0.30")
    expect(page.locator("#cut .cut-said")).to_contain_text("At a distance of 0.30")
    expect(slider).to_be_focused()
    expect(page.locator("#cut .cut-start")).to_contain_text("and 5 are enough")
    page.get_by_label("Confirmed faces before anything is inferred").fill("50")
    expect(page.locator("#cut .cut-start")).to_contain_text("nothing is inferred before 44 more")
    window.press(
        page.locator("summary", has_text="the least number")
        .or_(page.locator(".help summary"))
        .first
    )
    assert everywhere(window) == []
    page.get_by_label("With the answered faces most like it").check()
    expect(slider).to_be_hidden()
    expect(page.locator("#cut")).to_be_hidden()  # it is of the other rule


@pytest.mark.parametrize("script", [True, False])
def test_a_rule_that_is_not_saved_has_no_picture_yet(
    real_project: Project, visit: Visit, script: bool
) -> None:
    address = f"/p/{real_project.public_id}/settings"
    page = visit(address, user=real_project.owner, java_script_enabled=script).page
    picture, note = page.locator("#cut"), page.get_by_text("Distances are known after")
    expect(picture).to_be_visible()
    expect(note).to_be_hidden()
    page.get_by_label("With the mean of the confirmed faces").check()
    expect(picture).to_be_hidden()
    expect(note).to_be_visible()
    page.get_by_label("With the answered faces most like it").check()
    expect(picture).to_be_visible()
