"""What those do who begin: look at their first edits, or hand their claims to a member."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from classify.models import Verdict
from core.transactions import atomic
from core.user_errors import Refused
from projects.ledger import audit
from projects.models import Project, User
from projects.permissions import Can, may
from sdc.models import Claim, ClaimAttempt, EditBatch, Writer
from sdc.preview.drafts import DRAFT_IS_FRESH
from sdc.sending_rights import limits
from sdc.writing.reasons import Reason

State = EditBatch.State
Outcome = ClaimAttempt.Outcome


@atomic
def looked_at(batch: EditBatch, user: User) -> bool:
    """The user has looked at the first batch on the wiki, and finds it right."""
    if batch.user_id != user.pk:
        raise PermissionDenied
    writer = Writer.objects.get_or_create(user=user, wiki=settings.WIKI.code)[0]
    if limits.first_steps(user, writer).to_look_at != batch:
        return False
    mine = Writer.objects.filter(pk=writer.pk, looked_at=None)
    if not mine.update(looked_at=timezone.now()):
        return False
    audit(user, "writer.looked-at", batch.project, f"batch:{batch.code}")
    # what was prepared before holds too little: it is read again when it is looked at
    drafts = EditBatch.objects.filter(user=user, wiki=settings.WIKI.code, state=State.DRAFT)
    drafts.update(created_at=F("created_at") - DRAFT_IS_FRESH)
    return True


def hand_over(batch: EditBatch, user: User) -> bool:
    """Whoever may not send asks the members who may. What was handed over before gives way;
    its GUIDs were never sent. Asks the wiki. Raises PermissionDenied, Refused, WikiError."""
    _check_own(batch, user)
    if not limits.standing_of(user).may_hand_over:
        raise Refused("may-send", _("Your account may send this itself."))
    if not batch.attempts.filter(outcome=Outcome.PLANNED).exists():
        raise Refused("nothing", _("There is nothing left to send in this preview."))
    return _hand_over(batch, user)


@atomic
def _hand_over(batch: EditBatch, user: User) -> bool:
    drafts = EditBatch.objects.filter(pk=batch.pk, state=State.DRAFT)
    if not drafts.update(state=State.HANDED, created_at=timezone.now()):
        return False
    older = handed_by(user, batch.project).exclude(pk=batch.pk)
    _delete(older)
    edits = batch.attempts.filter(outcome=Outcome.PLANNED).count()
    audit(user, "batch.handed-over", batch.project, f"batch:{batch.code}", edits=edits)
    return True


@atomic
def take_back(batch: EditBatch, user: User) -> bool:
    """The hand-over becomes a draft again. Raises PermissionDenied."""
    _check_own(batch, user)
    handed = EditBatch.objects.filter(pk=batch.pk, state=State.HANDED)
    drafts = EditBatch.objects.filter(project=batch.project, user=user, state=State.DRAFT)
    if handed.select_for_update().first() is None:  # a second click must not delete what is back
        return False
    _delete(drafts)
    if not handed.update(state=State.DRAFT):
        return False
    audit(user, "batch.hand-over-taken-back", batch.project, f"batch:{batch.code}")
    return True


def handed_by(user: User, project: Project) -> QuerySet[EditBatch]:
    return EditBatch.objects.filter(user=user, project=project, state=State.HANDED)


def sent_for(user: User, project: Project) -> tuple[EditBatch, EditBatch | None] | None:
    """The last hand-over that a member took up, and the batch that sent it."""
    rows = EditBatch.objects.filter(user=user, project=project, reason=Reason.HANDED_OVER)
    last = rows.filter(state=State.DONE).order_by("-finished_at").first()
    if last is None:
        return None
    batches = EditBatch.objects.filter(project=project, confirmed_at=last.finished_at)
    return last, batches.select_related("user").first()


def waiting(project: Project, user: User) -> list[tuple[EditBatch, int]]:
    """What others handed over and still waits, with the number of edits: for those who may send."""
    handed = EditBatch.objects.filter(project=project, state=State.HANDED).exclude(user=user)
    counted = [(batch, _open_rows(batch).count()) for batch in handed.select_related("user")]
    return [(batch, count) for batch, count in counted if count]


def take_up(batch: EditBatch, now: datetime) -> None:
    """A member confirmed `batch`: hand-overs with nothing left beyond it are over. Call in the
    transaction of the confirmation."""
    seen = batch.attempts.values("claim")
    for handed in EditBatch.objects.filter(project=batch.project_id, state=State.HANDED):
        if _open_rows(handed).exclude(claim__in=seen).exists():
            continue
        still = EditBatch.objects.filter(pk=handed.pk, state=State.HANDED)
        still.update(state=State.DONE, reason=Reason.HANDED_OVER, finished_at=now)


def _open_rows(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """Rows of a hand-over that nobody sent meanwhile, and that are still answered Yes."""
    waits = Q(claim__state=F("claim_was"), claim__held=False, label__verdict=Verdict.YES)
    return batch.attempts.filter(waits, outcome=Outcome.PLANNED).exclude(
        claim__state=Claim.State.SENDING
    )


def _delete(batches: QuerySet[EditBatch]) -> None:
    ids = list(batches.values_list("pk", flat=True))
    ClaimAttempt.objects.filter(batch__in=ids).delete()
    EditBatch.objects.filter(pk__in=ids).delete()


def _check_own(batch: EditBatch, user: User) -> None:
    if batch.user_id != user.pk or not may(user, Can.SEND, batch.project):
        raise PermissionDenied
