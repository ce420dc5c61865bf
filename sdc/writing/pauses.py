"""What a pause by an objection means for edits: they wait in their batch, and go on by themselves
once a moderator has decided or the time is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from core.events import announce
from core.work import WorkState
from crawler.models import Photo
from projects.models import DenyEntry, Objection
from projects.privacy import pauses
from sdc.files.reading import PageNow
from sdc.models import ClaimAttempt, Writer
from sdc.writing.reasons import Reason


def waits_until(attempt: ClaimAttempt, page: PageNow | None = None) -> datetime | None:
    """Until when an attempt to add waits, by our rows of now and by the `page` where it was read;
    None if it does not."""
    claim, now = attempt.claim, timezone.now()
    photo = Photo.objects.filter(pk=claim.photo_id, paused_until__gt=now)
    found = [
        pauses.of_claim(claim.qid, claim.page_id, attempt.title),
        photo.values_list("paused_until", flat=True).first(),
        *(pauses.of_category(title) for title in (page.paused if page else ())),
    ]
    return max(filter(None, found), default=None)


def go_on(*, objection: Objection, **_: Any) -> None:
    """Hears `projects.privacy.pauses.pause_ended`: what waits is looked at again, and waits on
    should another objection name it."""
    _look_again(objection.wiki)


def deny(*, entry: DenyEntry, listed: bool, **_: Any) -> None:
    """Hears `denylist_changes.list_changed`: what waits and is denied by now waits no longer."""
    if listed:
        _look_again(entry.wiki)


def _look_again(wiki: str) -> None:
    rows = ClaimAttempt.objects.filter(
        error=Reason.OBJECTED,
        state=WorkState.QUEUED,
        outcome=ClaimAttempt.Outcome.PLANNED,
        batch__wiki=wiki,
    )
    waiting = dict(rows.values_list("pk", "batch__user"))
    if not waiting:
        return
    now = timezone.now()
    ClaimAttempt.objects.filter(pk__in=waiting, state=WorkState.QUEUED).update(due_at=now, error="")
    idle = Writer.objects.filter(user__in=set(waiting.values()), wiki=wiki)
    idle = idle.filter(state__in=(WorkState.DONE, WorkState.QUEUED))
    idle.update(state=WorkState.QUEUED, due_at=now)
    announce("batch-confirmed")
