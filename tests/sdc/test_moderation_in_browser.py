"""A moderator at work in a real browser: Django's own scripts and styles live with our CSP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django import Settings

from projects.models import User
from sdc.models import Claim
from sdc.sending_rights import stops
from tests.conftest import ClientOf, MakeProject
from tests.sdc.conftest import Make, confirmed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(params=[390, 1280])
def page(
    request: pytest.FixtureRequest,
    web: str,
    mona: User,
    client_of: ClientOf,
    chromium: Browser,
    settings: Settings,
) -> Iterator[Page]:
    """Mona's window; what its scripts or the CSP complain of fails the test."""
    settings.ALLOWED_HOSTS = ["*"]
    name = settings.SESSION_COOKIE_NAME
    session = client_of(mona).cookies[name].value
    context = chromium.new_context(base_url=web, viewport={"width": request.param, "height": 900})
    context.add_cookies([{"name": name, "value": session, "url": web}])
    opened, complaints = context.new_page(), []
    opened.set_default_timeout(10_000)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            complaints.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield opened
    context.close()
    assert complaints == []


def test_a_moderator_holds_a_claim_and_stops_all_writing(
    page: Page,
    alice: User,
    make_project: MakeProject,
    said_yes: Make,
) -> None:
    project = make_project(alice)
    said_yes(project, 2)
    confirmed(project, alice)
    page.goto(reverse("admin:sdc_claim_changelist"))
    assert not page.evaluate(TOO_WIDE)
    photo = page.locator(".boxed").first.bounding_box()
    box = page.locator(".boxed rect.line").first.bounding_box()
    assert photo
    assert box
    assert photo["x"] < box["x"] < box["x"] + box["width"] < photo["x"] + photo["width"]
    page.check("#action-toggle")  # one click ticks all: the work of a script of Django's
    page.select_option("select[name=action]", "hold")
    page.fill("input[name=reason]", "Is this her sister?")
    page.click(".actions button")
    page.wait_for_selector("text=2 held")
    assert {claim.held_reason for claim in Claim.objects.all()} == {"Is this her sister?"}
    page.goto(reverse("admin:sdc_claim_change", args=[Claim.objects.latest("pk").pk]))
    assert not page.evaluate(TOO_WIDE)
    page.goto(reverse("admin:index"))
    assert not page.evaluate(TOO_WIDE)
    page.fill("#stop-reason", "It marks statues")
    page.click("text=Stop all writing…")
    page.click("text=Yes, stop all writing")
    page.wait_for_selector(".stopped >> text=It marks statues")
    assert stops.of_everything()
    page.click("text=Let the tool write again")
    page.wait_for_selector("text=may write again")
    assert stops.of_everything() is None
