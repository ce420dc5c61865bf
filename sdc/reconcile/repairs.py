"""What is repaired, in the ways of the workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from core.transactions import atomic
from core.work import Overtaken, WorkState
from crawler.models import Photo
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, Edit, Watch
from sdc.reconcile.edit_tags import Marked
from sdc.watch import recheck
from sdc.writing import outcomes
from wiki.http import Read

LEASE = timedelta(seconds=45)
ANSWER = {"found": "by reconcile"}
Kind = Edit.Kind
Outcome = ClaimAttempt.Outcome


def record(attempt: ClaimAttempt, page: PageNow, marked: Marked | None) -> bool:
    """Write down an edit of this attempt that the wiki has, as its worker would have done; False
    when a worker is quicker."""
    was, there = attempt.state, page.has_guid(attempt.statement_guid)
    if not attempt.take(LEASE):
        return False
    revision = marked.revision if marked else None
    answer = ANSWER | ({"timestamp": marked.timestamp} if marked and marked.timestamp else {})
    try:
        if attempt.outcome == Outcome.WRITTEN:
            _enter_only(attempt, revision, answer)
        elif attempt.undoes_id is None:
            outcomes.written(attempt, revision, answer, removed=not there)
        else:
            outcomes.taken_back(attempt, revision, answer, restored=there)
    except (Overtaken, IntegrityError):
        attempt.settle(WorkState.QUEUED if was == WorkState.RUNNING else was)
        return False
    return True


@atomic
def _enter_only(attempt: ClaimAttempt, revision: int | None, answer: dict[str, Any]) -> None:
    """Its row says already that it was written; only the ledger lacks it."""
    adds = attempt.undoes_id is None
    attempt.settle_or_raise(WorkState.DONE, revision=attempt.revision or revision)
    outcomes.enter(attempt, Kind.ADD if adds else Kind.REMOVE, revision, answer)
    if adds and not Watch.objects.filter(claim_attempt=attempt).exists():
        recheck.begin(attempt)


def look_again(read: Read, attempt: ClaimAttempt, page: PageNow, finding: str) -> bool:
    """What somebody did to our statement is found as the watch finds it."""
    if not Watch.objects.filter(claim_attempt=attempt).exists():
        recheck.begin(attempt)
    watch = Watch.objects.select_related("claim_attempt__claim").get(claim_attempt=attempt)
    return recheck.look_now(read, watch, page) and watch.finding == finding


def remember_removed(photo: Photo, qid: str) -> bool:
    """An edit of ours that stands in no row was removed by somebody: that stands."""
    key = {"wiki": photo.wiki, "page_id": photo.page_id, "qid": qid}
    claim, _made = Claim.objects.get_or_create(**key, defaults={"photo": photo})
    return claim.state == Claim.State.FREE and move(claim, Claim.State.REMOVED)


def move(claim: Claim, state: str) -> bool:
    rows = Claim.objects.filter(pk=claim.pk, state=claim.state)
    return bool(rows.update(state=state, updated_at=timezone.now()))
