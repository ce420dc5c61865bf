"""What senders hear of on the site: that a batch is over, that something of theirs was reverted."""

from __future__ import annotations

from typing import Any

from projects.models import Notification
from projects.notifications.services import notify, settle
from sdc.models import ClaimAttempt, EditBatch

Kind = Notification.Kind


def batch_ended(batch: EditBatch, state: str) -> None:
    """It is done, stopped or paused until the sender does something. Call in the transaction of
    that; several batches of a project become one line. What was written is told once, at the end:
    a batch may be paused more than once."""
    told: dict[str, Any] = {"code": batch.code, "state": state, "of": batch.kind}
    if state != EditBatch.State.PAUSED:
        done = ClaimAttempt.objects.filter(batch=batch, outcome=ClaimAttempt.Outcome.WRITTEN)
        told |= {"batches": 1, "written": done.count()}
        waits_no_more(batch)
    notify([batch.user], batch.project, Kind.BATCH, **told)


def waits_no_more(batch: EditBatch) -> None:
    """It goes on, or is over: unless another one of the project is paused, its sender need not
    look. Call in the transaction of that."""
    paused = EditBatch.objects.filter(project=batch.project_id, user=batch.user_id)
    if not paused.filter(state=EditBatch.State.PAUSED).exists():
        settle(batch.project, Kind.BATCH, batch.user, state=EditBatch.State.PAUSED.value)


def reverted(attempt: ClaimAttempt, by: str) -> None:
    """Tell the sender that somebody removed on the wiki what this attempt wrote."""
    batch = attempt.batch
    if by != batch.user.wiki_username:
        notify([batch.user], batch.project, Kind.REVERTED, n=1)


def undone(attempt: ClaimAttempt, undo: EditBatch) -> None:
    """Tell the sender who removed with this tool what the attempt wrote, and for what reason: one
    notification for each batch that undoes."""
    batch = attempt.batch
    if undo.user_id == batch.user_id:
        return
    data = {"of": undo.code, "batch": batch.code, "who": str(undo.user)}
    if reason := batch.get_undo_reasons().get(undo.code):
        data["reason"] = reason
    notify([batch.user], batch.project, Kind.REVERTED, code="undo", n=1, **data)
