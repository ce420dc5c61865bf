"""Statements that we wrote are looked at again: after a day, a week and a month.

Fifty files a call, as nobody, at the pace of reading. What somebody removed is never added again
by itself, in any project: the claim says so. It is looked at until the month is over, since
somebody may restore it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Q, prefetch_related_objects
from django.utils import timezone

from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic
from core.work import Overtaken, WorkQuerySet, WorkState
from projects.ledger import contribute
from projects.live.pulse import beat
from projects.models import Contribution, User
from projects.permissions import Can, may, moderates
from sdc.batches import notify
from sdc.files import reading, statements
from sdc.files.reading import A_CALL, PageNow
from sdc.files.statements import Statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.sending_rights import stops
from sdc.watch import history
from sdc.watch.findings import watched
from sdc.writing.reasons import Reason
from wiki import pace, pywikibot_client
from wiki.http import Read, WikiError
from wiki.json_tree import unreadable

log = logging.getLogger(__name__)

BUDGET = 20.0  # seconds one task takes new work for
LEASE = timedelta(seconds=60)  # longer than the task's hard limit
AN_HOUR = timedelta(hours=1)
Finding = Watch.Finding
State = Claim.State


def begin(attempt: ClaimAttempt, *, removed: bool = False) -> None:
    """Watch the statement that this attempt wrote. Call in the transaction of its success.

    One that was removed before we knew is looked at soon, to see by whom.
    """
    now = timezone.now()
    wait = timedelta() if removed else timedelta(hours=settings.WATCH_AFTER_HOURS[0])
    Watch.objects.create(
        claim_attempt=attempt,
        due_at=now + wait,
        finding=Finding.REMOVED if removed else Finding.STANDS,
        found_at=now if removed else None,
    )


def end(attempt: ClaimAttempt) -> bool:
    """We took the statement back ourselves. Call in the transaction of that. Returns whether it
    stood until then, as far as we know."""
    watches = Watch.objects.filter(claim_attempt=attempt)
    watches.update(state=WorkState.DONE, lease_until=None)
    return not watches.filter(finding=Finding.REMOVED).exists()


def count(attempt: ClaimAttempt, amount: int) -> None:
    """The sender's contribution counts no more (−1), or again (1): for the day of the edit."""
    batch, day = attempt.batch, attempt.ended_at.date() if attempt.ended_at else None
    contribute(batch.project, batch.user, Contribution.Kind.EDIT, amount, day=day)


def hurry(attempt: ClaimAttempt) -> None:
    """Somebody changed the statement: look soon, to see who. Call in a transaction."""
    _look_soon(Watch.objects.filter(claim_attempt=attempt).exclude(state=WorkState.RUNNING))


def may_check(batch: EditBatch, user: object) -> bool:
    """The sender, the project's owner, and moderators."""
    if not isinstance(user, User) or not may(user, Can.VIEW, batch.project):
        return False
    return user.pk == batch.user_id or moderates(user) or may(user, Can.MANAGE, batch.project)


@atomic
def check_now(batch: EditBatch, user: User) -> int:
    """Look at a batch's statements at once; returns how many. Raises PermissionDenied.

    Those whose month is over are left alone, unless they were found to be removed or changed.
    """
    if not may_check(batch, user):
        raise PermissionDenied
    rows = Watch.objects.filter(claim_attempt__batch=batch)
    going = Q(state=WorkState.QUEUED)
    found = Q(state=WorkState.DONE) & ~Q(finding=Finding.STANDS)
    return _look_soon(rows.filter(going | found))


def _look_soon(rows: WorkQuerySet[Watch]) -> int:
    asked = rows.requeue()
    announce("watch-asked")
    return asked


def work(budget: float = BUDGET) -> bool:
    """Look at what is due, for at most `budget` seconds; True while more is due."""
    end = time.monotonic() + budget
    while time.monotonic() < end:
        if pace.paused_until(pywikibot_client.READ_LANE):
            break  # the wiki asked for patience; what is due waits
        taken = _take()
        if not taken:
            break
        _look_at(taken, end)
    crash_point("watch:before-weighing")
    weigh_lately_removed()
    return _due().exists() and not pace.paused_until(pywikibot_client.READ_LANE)


def weigh_lately_removed() -> None:
    """Stop senders and projects of whom too much was removed. It looks at all that came in
    within the hour, so that a worker that died in between leaves nobody out."""
    since = timezone.now() - AN_HOUR
    rows = ClaimAttempt.objects.filter(batch__wiki=settings.WIKI.code).order_by()
    removed = Edit.objects.filter(kind=Edit.Kind.REMOVE, at__gte=since).values("guid")
    lately = rows.filter(
        Q(watch__finding=Finding.REMOVED, watch__checked_at__gte=since) | Q(guid__in=removed)
    )
    for batch in EditBatch.objects.filter(
        pk__in=set(lately.values_list("batch", flat=True))
    ).select_related("user", "project"):
        stops.weigh(user=batch.user)
        stops.weigh(project=batch.project)


def _due() -> WorkQuerySet[Watch]:
    due = Watch.objects.due().filter(claim_attempt__batch__wiki=settings.WIKI.code)
    return due.order_by("due_at", "pk")


def _take() -> list[Watch]:
    taken = [row for row in _due()[:A_CALL] if row.take(LEASE)]
    prefetch_related_objects(taken, "claim_attempt__claim", "claim_attempt__batch")
    return taken


def _look_at(taken: list[Watch], end: float) -> None:
    """Read the files of these watches in one call, and write down what is found."""
    pages = {row.pk: row.claim_attempt.claim.page_id for row in taken}
    with pywikibot_client.wiki_site() as site:
        read = partial(pywikibot_client.read, site)
        try:
            now = reading.read_pages(read, pages.values())
        except WikiError as error:
            log.warning("watched files could not be read: %s", error)
            for row in taken:
                row.fail(error.code, error.text)
            return
        except Exception as error:  # an answer that makes no sense to us
            log.exception("watched files could not be read")
            for row in taken:
                row.fail("trouble", type(error).__name__)
            return
        crash_point("watch:after-read")
        for row in taken:
            if time.monotonic() > end or pace.paused_until(pywikibot_client.READ_LANE):
                row.settle(WorkState.QUEUED, tries=0)  # nothing was wrong with it
            else:
                _look_at_one(read, row, now[pages[row.pk]])


def _look_at_one(read: Read, watch: Watch, page: PageNow) -> None:
    try:
        _settle(watch, _look(read, watch, page))
        crash_point("watch:after-commit")
    except Overtaken as overtaken:
        log.warning("another worker was quicker: %s", overtaken)
    except history.Stale:
        watch.fail("stale")
    except WikiError as error:
        watch.fail(error.code, error.text)
    except Exception as error:  # one odd statement must not keep the others from being looked at
        log.exception("watch %s", watch.pk)
        watch.fail("trouble", type(error).__name__)


def look_now(read: Read, watch: Watch, page: PageNow) -> bool:
    """A look outside its time, at a page that was read just now; False when a worker is at it."""
    if not watch.take(LEASE):
        return False
    _look_at_one(read, watch, page)
    watch.refresh_from_db()
    return watch.state != WorkState.RUNNING and not watch.error


@dataclass(frozen=True)
class Found:
    """What one look saw: `says_so` is whether our statement still names the person."""

    finding: Watch.Finding
    says_so: bool
    change: history.Change | None = None


def _look(read: Read, watch: Watch, page: PageNow) -> Found:
    """Raises Stale where the wiki answered with what was before our edit, WikiError."""
    attempt = watch.claim_attempt
    if page.problem is Reason.UNREADABLE:
        raise unreadable(f"page {page.page_id}")
    if page.problem in (Reason.DELETED, Reason.REDIRECT):
        return Found(Finding.GONE, says_so=True)
    young = attempt.ended_at is not None and attempt.ended_at > timezone.now() - AN_HOUR
    if young and page.revision < (attempt.revision or attempt.base_revision):
        raise history.Stale
    found = _compare(attempt, page.statements or {})
    if found.finding is Finding.STANDS or (found.finding == watch.finding and watch.revision):
        return found

    def holds(then: Statements) -> bool:
        return _compare(attempt, then) == found

    after = attempt.revision or attempt.base_revision
    change = history.since_when(read, page.page_id, after, holds)
    return Found(found.finding, found.says_so, change)


def _compare(attempt: ClaimAttempt, now: Statements) -> Found:
    ours = statements.with_guid(now, attempt.statement_guid)
    if ours is None:
        return Found(Finding.REMOVED, says_so=False)
    if statements.same(attempt.statement, ours):
        return Found(Finding.STANDS, says_so=True)
    return Found(Finding.CHANGED, says_so=ours.item == attempt.claim.qid)


@atomic
def _settle(watch: Watch, found: Found) -> None:
    """Keep what was found, and what follows for the claim, unless we took it back ourselves."""
    # the claim first, as undo does: it is the lock
    claim = Claim.objects.select_for_update().get(pk=watch.claim_attempt.claim_id)
    if claim.state == State.UNDONE or not watched().filter(pk=watch.pk).exists():
        watch.settle_or_raise(WorkState.DONE)
    elif claim.state == State.UNDOING:
        watch.settle_or_raise(WorkState.QUEUED, tries=0, due_at=timezone.now() + AN_HOUR)
    else:
        state, fields = _next_look(watch)
        watch.settle_or_raise(state, **fields, **_told(watch, found))
        _move_claim(claim, found)
        _tell_sender(watch, found)
        if watch.finding != found.finding:
            beat(watch.claim_attempt.batch.project_id)


def _tell_sender(watch: Watch, found: Found) -> None:
    """What was removed is no contribution while it is out. `watch` is as it was before."""
    was_out, is_out = (each == Finding.REMOVED for each in (watch.finding, found.finding))
    if was_out != is_out:
        count(watch.claim_attempt, -1 if is_out else 1)
    if is_out and found.change:
        notify.reverted(watch.claim_attempt, by=found.change.by)


def _next_look(watch: Watch) -> tuple[str, dict[str, object]]:
    """When it is looked at next, counted from the edit; done after the last time."""
    now = timezone.now()
    edited = watch.claim_attempt.ended_at or now
    times = [edited + timedelta(hours=hours) for hours in settings.WATCH_AFTER_HOURS]
    to_come = [at for at in times if at > now]
    fields: dict[str, object] = {"checks": len(times) - len(to_come), "checked_at": now}
    if to_come:
        return WorkState.QUEUED, fields | {"due_at": to_come[0]}
    return WorkState.DONE, fields


def _told(watch: Watch, found: Found) -> dict[str, object]:
    fields: dict[str, object] = {"tries": 0, "error": "", "error_detail": ""}
    if found.finding == watch.finding and found.change is None:
        return fields
    change = found.change
    fields |= {
        "finding": found.finding,
        "revision": change.revision if change else None,
        "by": change.by[:255] if change else "",
        "comment": change.words[:500] if change else "",
        "found_at": _when(found, change),
    }
    if found.finding != watch.finding:
        fields |= {"looked_by": None, "looked_at": None}
    return fields


def _when(found: Found, change: history.Change | None) -> datetime | None:
    if found.finding is Finding.STANDS:
        return None
    return change.at if change else timezone.now()


def _move_claim(claim: Claim, found: Found) -> None:
    """By compare-and-set: what else became of a claim, by a person or a batch, stands."""
    if found.finding is Finding.GONE:
        return
    was, becomes = State.WRITTEN, State.REMOVED
    if found.says_so:
        was, becomes = becomes, was
    rows = Claim.objects.filter(pk=claim.pk, state=was)
    rows.update(state=becomes, updated_at=timezone.now())
