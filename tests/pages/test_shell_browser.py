"""What stands around every page: tours at first use, the app without network, sessions that end."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect
from pytest_django import Settings

from classify.models import Answer
from projects.help.tours import TOURS
from projects.models import Project, User
from tests.conftest import ClientOf
from tests.pages.harness import PHONE, Axe, Visit, everywhere

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DIALOG = ".tour-step"
IN_SIGHT = """(element) => {
    const {top, left, bottom, right} = element.getBoundingClientRect();
    const all = top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth;
    return all || !element.matches(".tour-step") && bottom > 0 && top < innerHeight;
}"""
KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const {url} of await cache.keys()) found.push(new URL(url).pathname);
    }
    return found;
}"""


def test_tours_point_at_what_is_there_by_keyboard_and_are_offered_once(
    real_project: Project, visit: Visit, axe: Axe
) -> None:
    owner = real_project.owner
    User.objects.filter(pk=owner.pk).update(tours=[])
    of = f"/p/{real_project.public_id}"
    paths = {
        "project": f"{of}/",
        "ask": f"{of}/ask",
        "grid": f"{of}/grid",
        "review": f"{of}/review",
    }
    assert paths.keys() == TOURS.keys()
    window = visit(paths["ask"], user=owner)
    page = window.page
    answers = Answer.objects.count()
    for name, path in paths.items():
        page.goto(page.url.split("/p/")[0] + path)
        page.get_by_role("button", name="Show me").press("Enter")
        for number in range(1, len(TOURS[name]) + 1):
            expect(page.locator(DIALOG)).to_be_focused()
            expect(page.locator(DIALOG)).to_contain_text(f"Step {number} of {len(TOURS[name])}")
            assert _in_sight(page, DIALOG), f"step {number} of {name}"
            assert _in_sight(page, ".tour-target"), f"step {number} of {name}"
            page.keyboard.press("y")  # no answer meanwhile
            if number == 1:
                assert axe(window) == []
            onward = page.get_by_role("button", name=re.compile("^(Next|Done)"))
            if number < len(TOURS[name]):
                onward.press("Enter")
        with page.expect_response("**/account/tours"):
            onward.press("Enter")
        expect(page.locator(DIALOG)).to_have_count(0)
        expect(page.locator("#tour")).to_have_count(0)
    page.reload()
    expect(page.locator("#tour")).to_have_count(0)
    owner.refresh_from_db()
    assert owner.tours == sorted(TOURS)
    assert Answer.objects.count() == answers


def test_a_tour_fits_a_phone_and_ends_with_escape_or_before_it_begins(
    real_project: Project, visit: Visit
) -> None:
    owner = real_project.owner
    User.objects.filter(pk=owner.pk).update(tours=[])
    window = visit(f"/p/{real_project.public_id}/", user=owner, screen=PHONE)
    page = window.page
    window.press(page.get_by_role("button", name="Show me"))
    for _step in TOURS["project"][1:]:
        assert _in_sight(page, DIALOG)
        assert window.faults() == []
        window.press(page.get_by_role("button", name="Next"))
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_have_count(0)
    page.goto(f"{page.url}grid")
    with page.expect_response("**/account/tours"):
        window.press(page.get_by_role("button", name="Not now"))
    page.goto(page.url.replace("/grid", "/ask"))
    assert everywhere(window) == [], "with the offer of a tour"
    owner.refresh_from_db()
    assert owner.tours == ["grid", "project"]


def test_without_network_there_is_a_page_with_a_way_on_and_nothing_of_people_is_kept(
    real_project: Project, visit: Visit, settings: Settings
) -> None:
    settings.SERVICE_WORKER = True
    path = f"/p/{real_project.public_id}/"
    window = visit(path, user=real_project.owner, service_workers="allow")
    page = window.page
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.reload()  # now it looks after the page
    page.wait_for_load_state("networkidle")
    kept = page.evaluate(KEPT)
    assert "/offline" in kept
    assert [one for one in kept if not one.startswith("/static/")] == ["/offline"]
    page.context.set_offline(True)
    page.goto(page.url)
    expect(page.locator("h1")).to_have_text("You are offline")
    assert page.evaluate("() => getComputedStyle(document.body).display") == "flex", "its style"
    assert everywhere(window) == []
    page.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("h1")).to_have_text("Marie Curie")


def test_the_menu_opens_and_closes_by_keyboard(visit: Visit, alice: User) -> None:
    page = visit("/how", user=alice).page
    page.focus(".site-header summary")
    page.keyboard.press("Enter")
    assert page.is_visible("text=Your account")
    page.keyboard.press("Escape")
    assert not page.is_visible("text=Your account")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_form_outlives_the_session(
    real_project: Project, visit: Visit, client_of: ClientOf, settings: Settings
) -> None:
    owner = real_project.owner
    window = visit(f"/p/{real_project.public_id}/settings", user=owner)
    page = window.page
    page.get_by_label("Members only").check()
    Session.objects.all().delete()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("h1")).to_have_text("Your session has ended")
    assert everywhere(window) == []
    login = page.get_by_role("link", name="Log in, in a new tab")
    assert f"next=%2Fp%2F{real_project.public_id}%2Fsettings" in str(login.get_attribute("href"))
    again = client_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": again, "url": page.url}]
    )
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    real_project.refresh_from_db()
    assert real_project.visibility == Project.Visibility.PRIVATE


def _in_sight(page: Page, selector: str) -> bool:
    """All of it is within the window; of what a tour points at, some of it."""
    return bool(page.locator(selector).first.evaluate(IN_SIGHT))
