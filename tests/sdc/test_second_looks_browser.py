"""The second look in a real Chromium: by key on a desk, by finger on a phone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from classify.answers import answer
from classify.models import Label, Origin, Score, Verdict
from projects.models import Project, User
from sdc.models import ClaimAttempt, EditBatch, Watch
from sdc.watch import recheck
from tests.classify_pages.conftest import real_project
from tests.pages.harness import PHONE, Visit
from tests.sdc.conftest import WikiItself, confirmed, hours_pass, send_to_the_end

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

__all__ = ["real_project"]
Do = Callable[[], None]


@pytest.fixture
def taken_back(
    wiki: WikiItself,
    real_project: Project,
    settings: Settings,
) -> EditBatch:
    """Statements on real photos, of which others removed two and changed one."""
    settings.SMALL_FACE_PERCENT = 0  # so that none is left out
    owner: User = real_project.owner
    best = Score.objects.filter(subject=real_project.subject).order_by("unlikely", "pk")
    photos: dict[int, Score] = {}
    for score in best.select_related("region", "photo"):
        if not wiki.depicts(score.photo.page_id):
            photos.setdefault(score.photo_id, score)
    for score in list(photos.values())[:8]:
        said = (real_project, score.region, score.photo, owner, Verdict.YES, Origin.ASK)
        answer(*said, uuid4())
    batch = send_to_the_end(confirmed(real_project, owner))
    written = batch.attempts.filter(outcome=ClaimAttempt.Outcome.WRITTEN).order_by("pk")
    pages = list(written.values_list("claim__page_id", flat=True))
    assert len(pages) > 3
    wiki.somebody_removes(pages[0], words="hardly visible in the crowd, see [[COM:Depicts]]")
    wiki.somebody_removes(pages[1], user="Bob", words="")
    wiki.somebody_changes(pages[2], rank="preferred")
    hours_pass(24)
    recheck.work()
    return batch


def waiting() -> int:
    return Watch.objects.exclude(finding=Watch.Finding.STANDS).filter(looked_at=None).count()


def arrive(page: Page, selector: str) -> None:
    """Wait for what the next page shows, and for its script, which knows the keys."""
    page.wait_for_selector(selector)
    page.wait_for_load_state()


def test_one_face_after_the_other_by_finger_and_by_key(
    real_project: Project, taken_back: EditBatch, visit: Visit
) -> None:
    owner = real_project.owner
    phone = visit(reverse("account"), user=owner, screen=PHONE)
    edits = phone.page.locator("#my-edits")  # how one's edits stand
    expect(edits).to_contain_text("Removed by Charlie")
    expect(edits).to_contain_text("hardly visible in the crowd, see COM:Depicts")
    phone.press(edits.locator(".action").first)
    arrive(phone.page, "#look")
    assert phone.faults() == []
    says_no_and_takes_it_back(
        phone.page,
        lambda: phone.press("[data-do=no]"),
        lambda: phone.press("[data-do=undo]"),
    )
    phone.close()

    page = visit(real_project.get_absolute_url(), user=owner).page
    page.locator("#look-again a").click()
    arrive(page, "#look")
    assert page.locator("h1").inner_text() == "3 faces to look at again"
    says_no_and_takes_it_back(
        page, lambda: page.keyboard.press("n"), lambda: page.keyboard.press("z")
    )
    for key, left in (("b", 2), ("y", 1), ("n", 0)):
        before = page.locator("#look").get_attribute("data-watch")
        page.keyboard.press(key)
        arrive(page, f"#look:not([data-watch='{before}']), main .empty")
        assert waiting() == left
    assert "All of them were looked at again" in page.locator("main").inner_text()


def says_no_and_takes_it_back(page: Page, no: Do, undo: Do) -> None:
    first = page.locator("#look").get_attribute("data-watch")
    no()
    arrive(page, f"#look:not([data-watch='{first}'])")
    assert waiting() == 2
    looked = Watch.objects.select_related("claim_attempt").get(pk=int(first or 0))
    label = Label.objects.get(region=looked.claim_attempt.region_id)
    assert label.verdict == Verdict.NO
    undo()
    arrive(page, f"#look[data-watch='{first}']")
    assert waiting() == 3
    label.refresh_from_db()
    assert label.verdict == Verdict.YES
