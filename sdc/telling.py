"""What senders hear of on the site: that a batch is over, that something of theirs was reverted."""

from __future__ import annotations

from projects.models import Notification
from projects.notifications import notify
from sdc.models import ClaimAttempt, EditBatch

Kind = Notification.Kind


def batch_ended(batch: EditBatch, state: str) -> None:
    """It is done, stopped or paused until the sender does something. Call in the transaction of
    that; several batches of a project become one line."""
    written = ClaimAttempt.objects.filter(batch=batch, outcome=ClaimAttempt.Outcome.WRITTEN).count()
    told = {"code": batch.code, "state": state, "of": batch.kind}
    notify([batch.user], batch.project, Kind.BATCH, **told, batches=1, written=written)


def reverted(attempt: ClaimAttempt, by: str) -> None:
    """Somebody took out on the wiki what this attempt wrote, or had it taken back."""
    batch = attempt.batch
    if by != batch.user.wiki_username:
        notify([batch.user], batch.project, Kind.REVERTED, n=1)
