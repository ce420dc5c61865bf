"""What a person chooses in a preview: leave rows out, take them in, ask for a very file."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.utils.translation import ngettext

from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkState
from projects.ledger import audit
from projects.models import User
from projects.permissions import Can, may
from sdc.models import ClaimAttempt, EditBatch
from sdc.preview import warnings
from sdc.preview.drafts import ASKABLE, may_ask
from sdc.writing.reasons import Reason

Outcome = ClaimAttempt.Outcome


def exclude(attempt: ClaimAttempt, user: User, leave_out: bool = True, *, limit: int = 0) -> bool:
    """Leave a row of one's draft out, or take it back in, as long as `limit` has room (0: any).

    Raises PermissionDenied, Refused.
    """
    rows = [attempt.pk]
    return bool(choose(attempt.batch, user, rows, [] if leave_out else rows, limit=limit))


@atomic
def choose(
    batch: EditBatch,
    user: User,
    shown: Collection[int],
    keep: Collection[int],
    *,
    limit: int = 0,
) -> int:
    """Of the rows `shown`, keep these and leave the others out; returns how many changed.

    Raises PermissionDenied; Refused where more are kept than `limit` has room for.
    """
    if not _hold_own_draft(batch, user):
        return 0
    rows = ClaimAttempt.objects.filter(batch=batch, pk__in=shown, state=WorkState.QUEUED)
    out = rows.filter(outcome=Outcome.PLANNED).exclude(pk__in=keep)
    changed = out.update(outcome=Outcome.EXCLUDED)
    wanted = rows.filter(outcome=Outcome.EXCLUDED, pk__in=keep)
    if limit and wanted.exists():
        _check_room(batch, wanted.count(), limit)
    return changed + wanted.update(outcome=Outcome.PLANNED)


@atomic
def ask_for(attempt: ClaimAttempt, user: User, *, limit: int = 0) -> bool:
    """Send this very file all the same, although somebody spoke against it or it was renamed.

    It is planned like any other row, and can be left out again. Never where a moderator holds
    it, nor what is on the deny-list. Raises PermissionDenied, Refused.
    """
    open_ = _hold_own_draft(attempt.batch, user)
    attempt.claim.refresh_from_db()
    claim, photo = attempt.claim, attempt.claim.photo
    skipped = ClaimAttempt.objects.filter(
        pk=attempt.pk, outcome=Outcome.SKIPPED, reason__in=ASKABLE
    )
    if not open_ or not may_ask(claim) or not skipped.exists():
        return False
    if limit:
        _check_room(attempt.batch, 1, limit)
    odd = warnings.of_row(attempt) + warnings.of_asking(claim, attempt.title, photo)
    skipped.update(
        outcome=Outcome.PLANNED,
        state=WorkState.QUEUED,
        reason="",
        claim_was=claim.state,
        cautions=warnings.words(odd),
    )
    reason = Reason(attempt.reason).value
    project = attempt.batch.project
    audit(user, "claim.asked-again", project, f"claim:{claim.pk}", reason=reason)
    attempt.refresh_from_db()
    return True


def _hold_own_draft(batch: EditBatch, user: User) -> bool:
    """Lock one's draft, so that no confirmation of it comes in between; False if one did."""
    if batch.user_id != user.pk or not may(user, Can.SEND, batch.project):
        raise PermissionDenied
    drafts = EditBatch.objects.select_for_update().filter(state=EditBatch.State.DRAFT)
    return drafts.filter(pk=batch.pk).exists()


def _check_room(batch: EditBatch, more: int, limit: int) -> None:
    planned = ClaimAttempt.objects.filter(batch=batch, outcome=Outcome.PLANNED).count()
    if planned + more > limit:
        words = ngettext(
            "This batch may have %(n)d edit: leave another out first.",
            "This batch may have %(n)d edits: leave another out first.",
            limit,
        )
        raise Refused("full", words % {"n": limit})
