"""The second look in a real Chromium: by key on a desk, by finger on a phone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from pytest_django import Settings

from classify.models import Label, Origin, Score, Verdict
from classify.services import answer
from projects.models import Project, User
from sdc.models import ClaimAttempt, EditBatch, Watch
from sdc.watch import watching
from tests.classify_pages.conftest import (  # noqa: F401  # fixtures
    OpenPage,
    open_page,
    real_project,
    web,
)
from tests.sdc.conftest import WikiItself, confirmed, hours_pass, send_to_the_end

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def taken_back(
    wiki: WikiItself,
    real_project: Project,  # noqa: F811
    settings: Settings,
) -> EditBatch:
    """Statements on real photos, of which others removed two and changed one."""
    settings.SMALL_FACE_PERCENT = 0  # so that none is left out
    owner: User = real_project.owner
    best = Score.objects.filter(project=real_project).order_by("unlikely", "pk")
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
    watching.work()
    return batch


def waiting() -> int:
    return Watch.objects.exclude(finding=Watch.Finding.STANDS).filter(looked_at=None).count()


def arrive(page: Any, selector: str) -> None:
    """Wait for what the next page shows, and for its script, which knows the keys."""
    page.wait_for_selector(selector)
    page.wait_for_load_state()


@pytest.mark.parametrize(("width", "touch"), [(1280, False), (390, True)])
def test_one_face_after_the_other(
    real_project: Project,  # noqa: F811
    taken_back: EditBatch,
    open_page: OpenPage,  # noqa: F811
    width: int,
    touch: bool,
) -> None:
    page = open_page(real_project.get_absolute_url(), width=width, touch=touch)
    page.locator("#look-again a").click()
    arrive(page, "#look")
    assert page.locator("h1").inner_text() == "3 faces to look at again"
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wide, "the page scrolls sideways"

    first = page.locator("#look").get_attribute("data-watch")
    if touch:
        page.locator("[data-do=no]").tap()
    else:
        page.keyboard.press("n")
    arrive(page, f"#look:not([data-watch='{first}'])")
    assert waiting() == 2
    looked = Watch.objects.select_related("claim_attempt").get(pk=int(first or 0))
    label = Label.objects.get(project=real_project, region=looked.claim_attempt.region_id)
    assert label.verdict == Verdict.NO

    if touch:
        page.locator("[data-do=undo]").tap()
    else:
        page.keyboard.press("z")
    arrive(page, f"#look[data-watch='{first}']")
    assert waiting() == 3
    label.refresh_from_db()
    assert label.verdict == Verdict.YES

    for key, left in (("b", 2), ("y", 1), ("n", 0)):
        before = page.locator("#look").get_attribute("data-watch")
        page.keyboard.press(key)
        arrive(page, f"#look:not([data-watch='{before}']), main .empty")
        assert waiting() == left
    assert "All of them were looked at again" in page.locator("main").inner_text()


def test_the_accounts_page_brings_how_ones_edits_stand(
    real_project: Project,  # noqa: F811
    taken_back: EditBatch,
    open_page: OpenPage,  # noqa: F811
) -> None:
    page = open_page(reverse("account"))
    page.wait_for_selector("#my-edits .figures")
    text = page.locator("#my-edits").inner_text()
    assert "Removed by Charlie" in text
    assert "hardly visible in the crowd, see COM:Depicts" in text
    page.locator("#my-edits .action").first.click()
    page.wait_for_selector("#look")
