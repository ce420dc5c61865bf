"""The first page and the list of projects in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from classify.models import Answer, Question
from projects.models import Project, User
from tests import factories
from tests.pages.crowd import crowd
from tests.pages.harness import PHONE, Visit, everywhere

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]


def test_a_fresh_server_says_how_it_goes(visit: Visit) -> None:
    window = visit("/")
    page = window.page
    expect(page.locator("#in-three li")).to_have_count(3)
    expect(page.get_by_role("heading", name="No project yet")).to_be_visible()
    assert page.locator("#together").count() == 0, "no invented numbers"
    assert page.locator(".button.primary").count() == 1
    assert everywhere(window) == []


def test_one_tries_a_question_then_searches_and_finds_the_way_to_start(
    visit: Visit, real_project: Project
) -> None:
    crowd(real_project)
    window = visit("/", screen=PHONE)
    page = window.page
    assert everywhere(window) == []
    frame, box = window.where("#try .window"), window.where("#try rect.line")
    assert frame[0] - 2 <= box[0]
    assert box[0] + box[2] <= frame[0] + frame[2] + 2
    assert frame[1] - 2 <= box[1]
    before = page.locator("#try [name=after]").get_attribute("value")
    said, address = Answer.objects.count(), page.url
    window.press("#try-yes")
    expect(page.locator("#try")).to_contain_text("You said Yes. Nothing was saved")
    assert page.url == address, "the page itself stays"
    assert Answer.objects.count() == said
    assert not Question.objects.exclude(leased_to=None).exists()
    assert page.locator("#try [name=after]").get_attribute("value") != before
    expect(page.get_by_role("link", name="Answer for real")).to_be_visible()

    search = page.get_by_role("searchbox", name="Find a person or a project")
    search.fill("Curie")
    search.press("Enter")
    page.wait_for_url("**/projects?q=Curie")
    expect(page.get_by_role("link", name="Marie Curie")).to_be_visible()
    search = page.get_by_role("searchbox", name="Find a person or a project")
    search.fill("Ada Lovelace")
    search.press("Enter")
    expect(page.locator("#start-for")).to_have_attribute("href", "/projects/new?who=Ada%20Lovelace")
    assert everywhere(window) == []


def test_many_projects_are_sorted_and_paged(visit: Visit, alice: User) -> None:
    for number in range(30):
        factories.make_project(alice, f"Q{number + 1}", [])
    window = visit("/projects?mine=1", user=alice)
    page = window.page
    assert everywhere(window) == []
    page.get_by_role("link", name="By name").press("Enter")
    page.wait_for_url("**sort=name**")
    assert "mine=1" in page.url
    expect(page.locator(".person-card h3").first).to_have_text("Person Q1")
    page.get_by_role("link", name="More").press("Enter")
    page.wait_for_url("**page=2**")
    assert "sort=name" in page.url
    expect(page.locator(".person-card")).to_have_count(6)
