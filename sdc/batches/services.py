"""What people do with batches and claims: confirm, pause, resume, stop."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import tracing
from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused, archived
from core.work import WorkState
from projects.accounts import oauth_consumer
from projects.ledger import audit
from projects.models import Project, User
from projects.permissions import Can, may, moderates
from projects.privacy import pauses
from sdc.models import Claim, ClaimAttempt, EditBatch, Writer
from sdc.preview.drafts import DRAFT_LIVES, draft_of, prepare_batch
from sdc.preview.selection import ask_for, choose, exclude
from sdc.sending_rights import limits, patrollers, probation
from sdc.writing import outcomes
from sdc.writing.reasons import Reason
from sdc.writing.responses import of_the_site
from wiki.http import WikiError

__all__ = [
    "Refused",
    "ask_for",
    "choose",
    "confirm",
    "draft_of",
    "exclude",
    "pause",
    "prepare_batch",
    "replaced",
    "resume",
    "stop",
]

log = logging.getLogger(__name__)
State = EditBatch.State
Outcome = ClaimAttempt.Outcome


def replaced() -> Refused:
    words = _("A newer preview took the place of this one. Look at it first.")
    return Refused("replaced", words)


def confirm(batch: EditBatch, user: User) -> EditBatch:
    """Send what the preview showed: take the locks, and let the workers begin.

    Only whoever prepared it, as a member who may send, within a day; the wiki is asked how it
    knows them. A claim that is no longer free is skipped with its reason: first project wins.
    Confirming twice does nothing more. Raises PermissionDenied, Refused.
    """
    if batch.user_id != user.pk or not may(user, Can.SEND, batch.project):
        raise PermissionDenied
    _check_goes_on(batch.project)
    if not settings.CAN_LOG_IN:
        raise Refused("read-only", _("This site is not registered with the wiki: it only reads."))
    if batch.state == State.HANDED:
        raise Refused("handed-over", str(Reason.HANDED_OVER.sentence))
    if batch.state != State.DRAFT:
        return batch
    if batch.created_at < timezone.now() - DRAFT_LIVES:
        raise Refused("too-old", _("This preview is more than a day old. Read it again first."))
    if not EditBatch.objects.filter(pk=batch.pk).exists():
        return _confirmed_already(batch)
    if not batch.attempts.filter(outcome=Outcome.PLANNED).exists():
        raise Refused("nothing", _("There is nothing left to send in this preview."))
    _check_standing(batch, user)
    return _begin(batch, user)


@atomic
def _begin(batch: EditBatch, user: User) -> EditBatch:
    now = timezone.now()
    _check_first_steps(batch, user)
    draft = EditBatch.objects.filter(pk=batch.pk, state=State.DRAFT)
    begun = {"confirmed_at": now, "turn_at": now, "trace": tracing.current()}
    if not draft.update(state=State.RUNNING, **begun):
        return _confirmed_already(batch)
    _take_claims(batch)
    batch.refresh_from_db()
    outcomes.finish_if_over(batch)
    probation.take_up(batch, now)
    audit(user, "batch.confirmed", batch.project, f"batch:{batch.code}")
    log_deed(batch, "confirmed")
    call_writer(user)
    announce("batch-confirmed")
    batch.refresh_from_db()
    return batch


@atomic
def pause(batch: EditBatch, user: User) -> bool:
    """By whoever may steer it. What is in flight at the moment still ends."""
    if not may_steer(batch, user):
        raise PermissionDenied
    paused = outcomes.pause(batch, Reason.PAUSED)
    if paused:
        audit(user, "batch.paused", batch.project, f"batch:{batch.code}")
        log_deed(batch, "paused")
    return paused


@atomic
def resume(batch: EditBatch, user: User) -> bool:
    """By the sender only: it goes on in the sender's name."""
    if not may_resume(batch, user):
        raise PermissionDenied
    if batch.kind == EditBatch.Kind.ADD:
        _check_goes_on(batch.project)
    if not outcomes.resume(batch, by=user):
        return False
    log_deed(batch, "resumed")
    call_writer(user)
    announce("batch-confirmed")
    return True


def stop(batch: EditBatch, user: User, **why: str) -> bool:
    """By whoever may steer it, a moderator, or who patrols the wiki, which is asked once more
    then. What was written stays written; what is in flight is settled by its worker. `why` goes
    into the audit log. Raises PermissionDenied, WikiError."""
    if not may_stop(batch, user):
        raise PermissionDenied(why_not_stop())
    if not stops_as_insider(batch, user):
        patrollers.check(user)
    return _stop(batch, user, why)


@atomic
def _stop(batch: EditBatch, user: User, why: dict[str, str]) -> bool:
    if not outcomes.stop(batch, Reason.STOPPED, by=user):
        return False
    audit(user, "batch.stopped", batch.project, f"batch:{batch.code}", **why)
    log_deed(batch, "stopped")
    call_writer(batch.user)
    return True


def _confirmed_already(batch: EditBatch) -> EditBatch:
    """It was confirmed by a second click, or thrown away by a newer preview."""
    found = EditBatch.objects.filter(pk=batch.pk).select_related("project").first()
    if found is None:
        raise replaced()
    return found


def _check_standing(batch: EditBatch, user: User) -> None:
    """Asks the wiki unless it was asked within the hour."""
    if stopped := limits.stopped_by(user, batch.project):
        raise Refused("stopped", stopped)
    try:
        standing = limits.standing_of(user)
    except WikiError as error:
        if reason := of_the_site(error):
            oauth_consumer.report_refused(reason)
            raise Refused(reason, str(reason.sentence)) from error
        raise Refused(
            "unreadable", _("The wiki can’t be read now. Try again in a minute.")
        ) from error
    if standing.reason and standing.batch != batch:
        raise Refused(standing.reason, standing.sentence)


def _check_first_steps(batch: EditBatch, user: User) -> None:
    """Once more, with the user's row locked: two first batches can't be confirmed at once."""
    writer, _made = Writer.objects.get_or_create(user=user, wiki=settings.WIKI.code)
    standing = limits.first_steps(user, Writer.objects.select_for_update().get(pk=writer.pk))
    if batch.state == State.DRAFT and standing.batch == batch:
        return  # a second click confirmed it already
    if standing.reason:
        raise Refused(standing.reason, standing.sentence)
    edits = batch.attempts.filter(outcome=Outcome.PLANNED).count()
    if edits > standing.limit:
        words = ngettext(
            "Your first batch may have %(n)d edit. Read the preview again.",
            "Your first batch may have %(n)d edits. Read the preview again.",
            standing.limit,
        )
        raise Refused("too-many", words % {"n": standing.limit})


def _take_claims(batch: EditBatch) -> None:
    """Lock the claim of each planned row, in one order for all; what is lost says why."""
    now = timezone.now()
    planned = batch.attempts.filter(outcome=Outcome.PLANNED, state=WorkState.QUEUED)
    for attempt in planned.select_related("claim").order_by("claim_id"):
        free = Claim.objects.filter(pk=attempt.claim_id, state=attempt.claim_was, held=False)
        if free.update(state=Claim.State.SENDING, project=batch.project, updated_at=now):
            continue
        attempt.claim.refresh_from_db()
        ClaimAttempt.objects.filter(pk=attempt.pk).update(
            state=WorkState.DONE,
            outcome=Outcome.SKIPPED,
            reason=_why_lost(attempt.claim, batch),
            ended_at=now,
        )
    batch.attempts.filter(outcome=Outcome.PLANNED).update(due_at=now)
    batch.attempts.filter(outcome=Outcome.EXCLUDED).update(state=WorkState.DONE)


def _why_lost(claim: Claim, batch: EditBatch) -> Reason:
    return claim.under_way(batch.project) or claim.spoken_against() or Reason.ALREADY_THERE


def _check_goes_on(project: Project) -> None:
    if pauses.of_project(project):
        raise Refused(Reason.OBJECTED, str(Reason.OBJECTED.sentence))
    if project.state == Project.State.ARCHIVED:
        raise archived()
    if project.state == Project.State.PAUSED:
        words = _("This project is paused: nothing is sent until its owner resumes it.")
        raise Refused("project-paused", words)


def may_resume(batch: EditBatch, user: Any) -> bool:
    """The sender, as long as they may send; taking back asks for no membership."""
    own = batch.user_id == user.pk
    return own and (batch.kind == EditBatch.Kind.UNDO or may(user, Can.SEND, batch.project))


def may_steer(batch: EditBatch, user: Any) -> bool:
    """The sender; of what adds also the project's owner. What takes back is not the owner's."""
    if may_resume(batch, user):
        return True
    return batch.kind == EditBatch.Kind.ADD and may(user, Can.MANAGE, batch.project)


def may_stop(batch: EditBatch, user: Any) -> bool:
    """Who may steer it; moderators; of what adds also who patrols the wiki."""
    return stops_as_insider(batch, user) or (
        batch.kind == EditBatch.Kind.ADD and patrollers.patrols(user)
    )


def why_not_stop() -> str:
    return _(
        "Only whoever sent a batch, the owner of its project, a moderator, or somebody with"
        " rollback or patrol rights on the wiki stops it. One that takes edits back is stopped by"
        " whoever sent it, or a moderator."
    )


def stops_as_insider(batch: EditBatch, user: Any) -> bool:
    return moderates(user) or may_steer(batch, user)


def log_deed(batch: EditBatch, deed: str) -> None:
    """What a person did with a batch, once committed; with "confirmed" its trace begins."""
    about = {"deed": deed, "kind": batch.kind, "batch": batch.code, "trace": batch.trace}
    words = " ".join(f"{key}={value}" for key, value in about.items())
    transaction.on_commit(partial(log.info, "%s", words, extra=about), robust=True)


def call_writer(user: User) -> None:
    """Let a worker look at this user's batches soon."""
    writer, _made = Writer.objects.get_or_create(user=user, wiki=settings.WIKI.code)
    idle = Writer.objects.filter(pk=writer.pk, state__in=(WorkState.DONE, WorkState.QUEUED))
    idle.update(state=WorkState.QUEUED, due_at=timezone.now())
