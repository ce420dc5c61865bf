"""The preview in a real browser: by mouse and keyboard, without scripts, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pytest_django import Settings

from classify.models import Answer, Label, Origin, Verdict
from crawler.models import Photo, Region
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt
from tests.conftest import ClientOf
from tests.pages.harness import TOO_WIDE
from tests.sdc.conftest import Make, WikiItself
from tests.sdc.test_preview import change_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Outcome = ClaimAttempt.Outcome
Open = Callable[..., Page]


@pytest.fixture
def labels(
    shared_database: str,
    project: Project,
    alice: User,
    bob: User,
    said_yes: Make,
    wiki: WikiItself,
) -> list[Label]:
    """Six to send: one dated long before the birth, one small in a crowd, one that depicts another
    with preferred rank. Three skipped: removed by somebody, renamed, there already."""
    found = said_yes(project, 9)
    Photo.objects.filter(pk=found[1].photo_id).update(
        taken_from=date(1800, 1, 1), taken_to=date(1800, 1, 1)
    )
    for place in range(6):
        Region.objects.create(
            picture=found[2].photo.picture,
            origin=Region.Origin.DETECTOR,
            x=0.1 * place,
            y=0.5,
            w=0.05,
            h=0.05,
        )
    Region.objects.filter(pk=found[2].region_id).update(h=0.05)
    wiki.somebody_adds(found[3].photo.page_id, "Q937")
    review = {"subject": project.subject, "photo": found[0].photo, "region": found[0].region}
    Answer.objects.create(**review, user=bob, verdict=Verdict.YES, origin=Origin.REVIEW)
    batches.prepare_batch(project, alice)
    gone = Claim.objects.get(page_id=found[6].photo.page_id)
    Claim.objects.filter(pk=gone.pk).update(state=Claim.State.REMOVED)
    change_page(wiki.running, found[7].photo.page_id, "move")
    wiki.somebody_adds(found[8].photo.page_id)
    batches.prepare_batch(project, alice)
    return found


@pytest.fixture
def open_preview(
    chromium: Browser,
    project: Project,
    alice: User,
    client_of: ClientOf,
    web: str,
    settings: Settings,
) -> Iterator[Open]:
    """`open_preview(width=390)`: the preview as Alice sees it; a page that complains fails."""
    settings.ALLOWED_HOSTS = ["*"]
    name = settings.SESSION_COOKIE_NAME
    complaints: list[str] = []
    contexts = []
    ours = connections["default"]

    def hear(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    def open_page(user: User = alice, width: int = 1280, **options: Any) -> Page:
        connections["default"] = ours
        session = client_of(user).cookies[name].value
        context = chromium.new_context(viewport={"width": width, "height": 800}, **options)
        contexts.append(context)
        context.add_cookies([{"name": name, "value": session, "url": web}])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", hear)
        page.goto(f"{web}/p/{project.public_id}/preview")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if "favicon" not in each] == []


def test_rows_are_left_out_and_taken_in_with_the_counts_following(
    labels: list[Label], open_preview: Open
) -> None:
    page = open_preview()
    send, counts = page.locator("#send"), page.locator("#preview-counts")
    expect(send).to_contain_text("Send 5 edits")
    expect(counts).to_contain_text("To look at twice 3")
    expect(counts).to_contain_text("Left out 1")

    odd = page.locator(".preview-row", has=page.locator("[data-caution=before-birth]"))
    odd.locator("text=Leave out").click()
    expect(send).to_contain_text("Send 4 edits")
    expect(counts).to_contain_text("Left out 2")
    odd.locator("text=Take in").click()
    expect(send).to_contain_text("Send 5 edits")

    small = page.locator(".preview-row", has=page.locator("[data-caution=crowd]"))
    expect(small.locator("input[type=checkbox]")).not_to_be_checked()

    box = page.locator("#page-box")  # the whole page, by keyboard
    expect(box).not_to_be_checked()  # one is left out
    box.press("Space")
    expect(send).to_contain_text("Send 6 edits")
    expect(box).to_be_checked()
    expect(box).to_be_focused()
    box.press("Space")
    expect(send).to_contain_text("Send 0 edits")
    expect(send).to_be_disabled()
    assert ClaimAttempt.objects.filter(outcome=Outcome.EXCLUDED).count() == 6

    page.locator("a", has_text="Left out 6").click()
    expect(page.locator(".preview-row")).to_have_count(6)
    page.locator("input[type=checkbox].check").nth(1).press("Space")
    expect(send).to_contain_text("Send 1 edit")


def test_who_said_so_the_exact_statement_and_what_is_skipped_are_shown(
    labels: list[Label], open_preview: Open
) -> None:
    page = open_preview()
    summaries = page.locator("details:not(.menu) > summary")
    for fold in summaries.all():
        fold.click()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) == []
    for fold in summaries.all():
        fold.click()
    row = page.locator(".preview-row", has_text=labels[0].photo.name)
    expect(row).to_contain_text("Yes: Alice,")
    expect(row).to_contain_text("Reviewed: Bob,")
    row.locator("summary").click()
    attempt = ClaimAttempt.objects.get(claim__page_id=labels[0].photo.page_id)
    expect(row.locator("pre")).to_contain_text(attempt.statement["id"])
    moved = page.locator(".skip-group[data-reason=moved]")
    moved.locator("summary").click()
    expect(moved).to_contain_text("Another name.jpg")
    expect(moved).to_contain_text(labels[7].photo.name)
    moved.get_by_role("button", name="Send it all the same").click()
    expect(page.locator("[data-caution=renamed]")).to_be_visible()
    expect(page.locator("#send")).to_contain_text("Send 6 edits")


def test_it_works_without_scripts(labels: list[Label], open_preview: Open) -> None:
    page = open_preview(java_script_enabled=False)
    page.locator(".preview-row").first.locator("input[type=checkbox]").uncheck()
    page.get_by_role("button", name="Apply the ticks").click()
    expect(page.locator("#send")).to_contain_text("Send 4 edits")
    page.get_by_role("button", name="Take this page in").click()
    expect(page.locator("#send")).to_contain_text("Send 6 edits")
    page.get_by_role("button", name="Leave this page out").click()
    expect(page.locator("#send")).to_contain_text("Send 0 edits")
    removed = page.locator(".skip-group[data-reason=removed]")
    removed.locator("summary").click()
    removed.get_by_role("button", name="Send it all the same").click()
    expect(page.locator("[data-caution=asked-again]")).to_be_visible()
    page.locator("#send").click()
    expect(page.locator("h1")).to_contain_text("Batch 1")
