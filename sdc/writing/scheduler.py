"""Who writes next: users in turn, a user's batches in turn, one edit at a time per user."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.conf import settings
from django.db.models import Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from core import tracing
from core.transactions import atomic, is_transient
from core.work import Overtaken, WorkQuerySet, WorkState, delay_after
from projects.accounts.tokens import NeedsLogin
from projects.models import Project, User
from sdc.batches import notify
from sdc.files.reading import A_CALL
from sdc.models import ClaimAttempt, EditBatch, Writer
from sdc.sending_rights import stop_page
from sdc.writing import outcomes, worker_locks
from sdc.writing.add import Adding
from sdc.writing.attempt import LEASE, Pages, Setback, Turn
from sdc.writing.preconditions import PAUSES, why_not_at_all
from sdc.writing.rate_buckets import EVERYBODY, lane_of, opens
from sdc.writing.reasons import Reason
from sdc.writing.remove import Removing
from sdc.writing.session import Account
from wiki import pace
from wiki.pywikibot_client import READ_LANE

log = logging.getLogger(__name__)

BUDGET = 20.0  # seconds one task works
LASTS = 600.0  # seconds that a process keeps what it knows of users
ASIDE = timedelta(seconds=0.5)  # how long a user is left to the process that served them last
LOOK_UP = 0.2  # seconds between looks whether the process that serves a user still lives
ARRIVES = timedelta(seconds=5)  # by then the last call of a process that died has had its effect
State = EditBatch.State
TURNS: dict[str, type[Turn]] = {EditBatch.Kind.ADD: Adding, EditBatch.Kind.UNDO: Removing}


class Clock(Protocol):
    """A clock in seconds, like the module `time`: `work` reads it and waits by it."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float, /) -> None: ...


def work(budget: float = BUDGET, desk: Desk | None = None, clock: Clock = time) -> bool:
    """Send what is due for at most `budget` seconds; return True if more will be due soon."""
    end = clock.monotonic() + budget
    desk = desk or Desk()
    sweep()
    while (left := end - clock.monotonic()) > 0:
        if not stop_page.may_write():
            return False  # the heartbeat comes back to it
        writer = _next_writer()
        if writer is None:
            _free_turns_of_the_gone()
            wait = _seconds_until_due()
            if wait is None or wait > left:
                return wait is not None and wait < budget
            clock.sleep(max(wait, 0.01))
        elif writer.take(LEASE, desk=worker_locks.own()):
            desk.serve(writer)
    return True


def _next_writer() -> Writer | None:
    """Whose turn it is. Whom another process served last, and so has read ahead for, is left to
    it for a moment."""
    rows = Writer.objects.due().filter(wiki=settings.WIKI.code).order_by("due_at")
    long_due = Q(state=WorkState.RUNNING) | Q(due_at__lte=timezone.now() - ASIDE)
    return rows.filter(Q(desk__in=("", worker_locks.own())) | long_due).first()


def _free_turns_of_the_gone() -> None:
    """Wait out no lease of a process that has ended. Whether its last call arrives yet nobody
    knows: that file is left alone for a while, the user's others are not."""
    for writer in Writer.objects.in_flight().filter(wiki=settings.WIKI.code).exclude(desk=""):
        if worker_locks.is_gone(writer.desk):
            now = timezone.now()
            theirs = ClaimAttempt.objects.in_flight().filter(batch__user=writer.user_id)
            theirs.filter(batch__wiki=writer.wiki, lease_until__gt=now + ARRIVES).update(
                lease_until=now + ARRIVES
            )
            mine = Writer.objects.filter(pk=writer.pk, attempt=writer.attempt)
            mine.filter(state=WorkState.RUNNING).update(lease_until=now)


def sweep() -> None:
    """Set going what only time holds back, and end what a crash left open."""
    now = timezone.now()
    ours = EditBatch.objects.filter(wiki=settings.WIKI.code)
    rested = Q(resume_at__lte=now)
    for batch in ours.filter(rested, state=State.PAUSED).select_related("project"):
        outcomes.resume(batch, held=rested)
    _resume_what_may_go_on(ours.filter(state=State.PAUSED, reason__in=PAUSES))
    # the files of an archived project's batches would be locked for all others
    open_ = ours.filter(state__in=(State.RUNNING, State.PAUSED))
    for batch in open_.filter(project__state=Project.State.ARCHIVED, kind=EditBatch.Kind.ADD):
        outcomes.stop(batch, Reason.ARCHIVED)
    for batch in ours.filter(state=State.RUNNING):
        outcomes.finish_if_over(batch)
    idle = Writer.objects.filter(wiki=settings.WIKI.code, state=WorkState.DONE)
    busy = set(open_attempts().values_list("batch__user", flat=True))
    idle.filter(user__in=busy).update(state=WorkState.QUEUED, due_at=now)


def _resume_what_may_go_on(paused: QuerySet[EditBatch]) -> None:
    for batch in paused.select_related("user", "project"):
        if why_not_at_all(batch) is None:
            outcomes.resume(batch, held=Q(reason=batch.reason))


def open_attempts() -> WorkQuerySet[ClaimAttempt]:
    """What a worker has to settle: all of running batches, and of stopped ones what was in flight
    when they were stopped, so that no file stays locked."""
    return ClaimAttempt.objects.filter(
        batch__state__in=(State.RUNNING, State.STOPPED),
        batch__wiki=settings.WIKI.code,
        outcome=ClaimAttempt.Outcome.PLANNED,
        state__in=(WorkState.QUEUED, WorkState.RUNNING),
    )


def _seconds_until_due() -> float | None:
    """Until a writer may go on; None when nobody has anything to send."""
    rows = Writer.objects.filter(
        wiki=settings.WIKI.code, state__in=(WorkState.QUEUED, WorkState.RUNNING)
    )
    return min((_seconds_until_free(row) for row in rows), default=None)


def _seconds_until_free(writer: Writer) -> float:
    another = writer.desk not in ("", worker_locks.own())
    if writer.state == WorkState.RUNNING and another:
        return LOOK_UP  # whether it is still there
    due = writer.lease_until or writer.due_at
    return (due + (ASIDE if another else timedelta()) - timezone.now()).total_seconds()


def _earliest(rows: QuerySet[Any]) -> datetime | None:
    """When the first of these rows may be taken."""
    at: datetime | None = rows.aggregate(at=Min(Coalesce("lease_until", "due_at")))["at"]
    return at


class Desk:
    """What a process keeps in memory between edits: accounts and fresh reads."""

    def __init__(self) -> None:
        self.made_at = time.monotonic()
        self._accounts: dict[int, Account] = {}
        self._pages = Pages()

    def serve(self, writer: Writer) -> None:
        """Settle one attempt of this user, and say when the user's next turn is."""
        with tracing.apart():
            self._serve(writer)

    def _serve(self, writer: Writer) -> None:
        try:
            due_at = self._one(writer)
        except NeedsLogin:
            _pause_all_of(writer.user, Reason.LOGIN)
            due_at = timezone.now()
        except Overtaken as overtaken:
            log.warning("another worker was quicker: %s", overtaken)
            due_at = timezone.now()
        except Setback as setback:
            rest = delay_after(writer.tries).total_seconds()
            pace.pause(lane_of(writer.user), rest, setback.reason)  # not to be caught up
            writer.fail(setback.reason, setback.detail)
            return
        except Exception as error:
            if is_transient(error):
                writer.give_back()
                return
            log.exception("writing for user %s failed", writer.user_id)
            writer.fail(Reason.TROUBLE)
            return
        state = WorkState.QUEUED if due_at else WorkState.DONE
        writer.settle(state, tries=0, error="", error_detail="", due_at=due_at or timezone.now())

    def _one(self, writer: Writer) -> datetime | None:
        """The time of the next turn, or None when nothing is left to do."""
        user = writer.user
        if standing := opens((EVERYBODY, READ_LANE), "paused_until"):
            return standing
        mine = open_attempts().filter(batch__user=user)
        rows = mine.due()
        attempt = (
            rows.select_related("claim", "label", "batch__project__subject__person", "batch__user")
            .order_by("batch__turn_at", "due_at", "pk")
            .first()
        )
        if attempt is None:
            return _earliest(mine)
        batch = attempt.batch
        tracing.take_up(batch.trace)
        if batch.state == State.RUNNING and (reason := why_not_at_all(batch)):
            halt = outcomes.pause if reason in PAUSES else outcomes.stop
            halt(batch, reason)
            return timezone.now()
        account = self._accounts.setdefault(user.pk, Account(user))
        account.user = user  # whose name may have changed
        others = rows.filter(batch=batch).exclude(pk=attempt.pk).order_by("due_at", "pk")
        certain = others.filter(in_doubt=False)  # a doubt is settled by a read of its own
        ahead = certain.values_list("claim__page_id", flat=True)[: A_CALL - 1]
        turn = TURNS[batch.kind](writer, attempt, account, self._pages, lambda: list(ahead))
        lane = lane_of(user)
        if turn.settle(lane_is_open=not opens((lane,), "next_at", "paused_until")):
            EditBatch.objects.filter(pk=batch.pk).update(turn_at=timezone.now())
            return timezone.now()
        return opens((lane,), "next_at", "paused_until") or timezone.now()


_desk = Desk()


def lasting_desk() -> Desk:
    """The desk of this process: what it knows lasts from one run of the task to the next."""
    global _desk
    if time.monotonic() - _desk.made_at > LASTS:
        _desk = Desk()
    return _desk


def _pause_all_of(user: User, reason: Reason) -> None:
    """What ails the account ails each of its batches."""
    running = EditBatch.objects.filter(user=user, wiki=settings.WIKI.code, state=State.RUNNING)
    for batch in running:
        _pause(batch, reason)


@atomic
def _pause(batch: EditBatch, reason: Reason) -> None:
    if outcomes.pause(batch, reason):
        notify.batch_ended(batch, State.PAUSED)
