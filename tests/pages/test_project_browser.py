"""A project's page in a real browser: empty, crowded, paused; by keyboard, by touch."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from classify.models import Question
from projects.live.pulse import beat
from projects.models import Project, User
from tests import factories
from tests.pages.crowd import crowd
from tests.pages.harness import PHONE, Visit, everywhere
from tests.wikivisage.conftest import finish_crawl, give

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]


def test_an_empty_project_says_what_comes_and_moves_by_itself(visit: Visit, alice: User) -> None:
    project = factories.make_project(alice)
    window = visit(f"/p/{project.public_id}/", user=alice)
    page = window.page
    expect(page.get_by_role("heading", name="Listing the photos")).to_be_visible()
    assert page.locator("#how-sure, #years, #failed").count() == 0, "no empty cards"
    assert everywhere(window) == []
    finish_crawl(project)
    beat(project.pk)  # and the page hears of it without a reload
    expect(page.get_by_role("heading", name="No photo was found")).to_be_visible()


def test_a_crowded_project_in_both_themes_by_keyboard_and_by_touch(
    visit: Visit, real_project: Project
) -> None:
    project, owner = real_project, real_project.owner
    asked = Question.objects.filter(subject=project.subject).order_by("rank")[:6]
    give(project, owner, "yes", *[question.region for question in asked[:3]])
    crowd(project)
    window = visit(f"/p/{project.public_id}/", user=owner)
    page = window.page
    assert everywhere(window) == []
    assert page.locator(".button.primary").count() == 1

    # by keyboard: the way from the chart to its figures, and to the photos of a year
    page.locator("#years summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#years td, #years th') !== null")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", "the focus is seen"

    # what was opened stays open when the part is asked for again and has changed, and so the focus
    page.focus("#next-button")
    project.sources.create(kind="category", value="Something new")
    beat(project.pk)
    expect(page.locator("#sources ~ .lines, section:has(#sources)")).to_contain_text(
        "Something new"
    )
    assert page.locator("#years details").evaluate("details => details.open")
    assert page.evaluate("document.activeElement.id") == "next-button"
    expect(page.locator("#said")).to_have_text("Listing photos.")
    page.locator("#years th a").first.press("Enter")
    page.wait_for_url("**/review?year=*")

    phone = visit(f"/p/{project.public_id}/", user=owner, screen=PHONE)
    lines = phone.page.locator(".steps > li")
    heights = lines.evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")
    assert len(heights) == 6
    assert max(heights) < 64, "six lines, not six tiles"
    phone.press("#earlier summary")
    expect(phone.page.locator("#earlier li").first).to_be_visible()
    phone.press("#next-button")
    phone.page.wait_for_url(re.compile(rf"/p/{project.public_id}/\w"))


def test_a_visitor_sees_a_paused_project_and_no_way_to_change_it(visit: Visit, alice: User) -> None:
    project = factories.make_project(alice, state=Project.State.PAUSED)
    finish_crawl(project)
    crowd(project)
    window = visit(f"/p/{project.public_id}/")
    page = window.page
    expect(page.get_by_text("Paused by its owner")).to_be_visible()
    expect(page.get_by_role("link", name="Log in to help")).to_be_visible()
    expect(page.locator("#people")).to_contain_text("Ingrid S.")
    expect(page.locator("#people")).not_to_contain_text("Member 2")
    assert page.locator("main form").count() == 0
    assert everywhere(window) == []
