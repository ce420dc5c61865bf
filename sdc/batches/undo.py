"""Taking back what a batch wrote: a batch of its own, in the name of whoever asks for it.

Only statements of ours are planned that nothing speaks of as gone; whether they still are as we
wrote them is seen right before each is removed, see sdc/writing/remove.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import tracing
from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkState
from projects.ledger import audit
from projects.models import User
from projects.permissions import moderates
from sdc.batches.services import call_writer, log_deed
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, new_batch_code
from sdc.sending_rights import patrollers, stops
from sdc.writing.reasons import Reason

Kind, State = EditBatch.Kind, EditBatch.State
Outcome = ClaimAttempt.Outcome


REASON_LENGTH = 255  # characters
BAD_REASON = "bad-reason"  # code of what is refused for its reason: none, or too long


class _NothingLeft(Exception):
    """Somebody else was quicker in taking all of it back."""


def may_undo(batch: EditBatch, user: Any) -> bool:
    """The sender, whose edits they are, member or not; moderators; and who patrols the wiki."""
    if batch.kind != Kind.ADD or batch.state in (State.DRAFT, State.HANDED):
        return False
    return bool(user.is_authenticated and user.is_active and _is_for(batch, user))


def _is_for(batch: EditBatch, user: Any) -> bool:
    return not needs_reason(batch, user) or patrollers.patrols(user)


def needs_reason(batch: EditBatch, user: Any) -> bool:
    """Whether the user could undo it only as somebody who patrols the wiki, and says why."""
    return batch.user_id != user.pk and not moderates(user)


def undo(what: EditBatch | ClaimAttempt, user: User, reason: str = "") -> EditBatch:
    """Take back all that a batch wrote, or one edit of it; the batch that does so begins at once.

    It runs as a batch of `user` under their own token. What others removed before is reported in
    it. Asked again while nothing is left to take back, it answers with the batch that does it.
    Who patrols the wiki gives a reason, and the wiki is asked once more for their rights, so call
    it outside of any transaction. Raises PermissionDenied, Refused, WikiError.
    """
    batch = what if isinstance(what, EditBatch) else what.batch
    if not may_undo(batch, user):
        raise PermissionDenied
    if needs_reason(batch, user):
        patrollers.check(user)
        if not reason:
            raise Refused(BAD_REASON, _("Say why: whoever sent it will read it."))
    if len(reason) > REASON_LENGTH:
        sentence = _("Your reason has %(n)d characters. Shorten it to %(limit)d.")
        raise Refused(BAD_REASON, sentence % {"n": len(reason), "limit": REASON_LENGTH})
    if not settings.CAN_LOG_IN:
        raise Refused("read-only", _("This site is not registered with the wiki: it only reads."))
    if stops.of_everything():
        words = _("Moderators stopped all writing. It can be taken back once they lift that.")
        raise Refused(Reason.ALL_STOPPED, words)
    written = takeable(batch)
    gone = removed_before(batch)
    if isinstance(what, ClaimAttempt):
        written, gone = written.filter(pk=what.pk), gone.none()
    try:
        return _begin(batch, user, written, gone, reason)
    except _NothingLeft:
        return _undone_by(what)


def offered(batches: Iterable[EditBatch], user: Any) -> list[tuple[EditBatch, bool]]:
    """Each with whether something is left of it that this user may take back."""
    some = list(batches)
    left = set(standing(*some).values_list("batch", flat=True))
    return [(batch, batch.pk in left and may_undo(batch, user)) for batch in some]


def takeable(*batches: EditBatch) -> QuerySet[ClaimAttempt]:
    """What batches wrote and nobody took away, as far as we know; also what a moderator rejected
    when it was too late to keep it from being written."""
    rejected = Q(claim__state=Claim.State.REJECTED) & ~Q(watch__finding=Watch.Finding.REMOVED)
    return _latest(*batches).filter(Q(claim__state=Claim.State.WRITTEN) | rejected)


def standing(*batches: EditBatch) -> QuerySet[ClaimAttempt]:
    """Those of them that still are as we wrote them, as far as we know."""
    return takeable(*batches).filter(watch__finding=Watch.Finding.STANDS)


def removed_before(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """What a batch wrote and somebody else took away."""
    return _latest(batch).filter(claim__state=Claim.State.REMOVED)


def _latest(*batches: EditBatch) -> QuerySet[ClaimAttempt]:
    """What batches wrote, except where a later batch wrote the same anew or took it back."""
    later = ClaimAttempt.objects.filter(
        claim=OuterRef("claim"), outcome=Outcome.WRITTEN, ended_at__gt=OuterRef("ended_at")
    )
    rows = ClaimAttempt.objects.filter(
        batch__in=batches, outcome=Outcome.WRITTEN, claim__project=F("batch__project")
    )
    return rows.filter(~Exists(later))


@atomic
def _begin(
    batch: EditBatch,
    user: User,
    written: QuerySet[ClaimAttempt],
    gone: QuerySet[ClaimAttempt],
    reason: str,
) -> EditBatch:
    now, code = timezone.now(), new_batch_code()
    undo = EditBatch.objects.create(
        code=code,
        project=batch.project,
        user=user,
        wiki=batch.wiki,
        kind=Kind.UNDO,
        undoes=batch,
        state=State.RUNNING,
        summary=statements.summary(settings.UNDO_SUMMARY, batch.project.person, code),
        confirmed_at=now,
        turn_at=now,
        trace=tracing.current(),
    )
    rows = []
    for attempt in written.select_related("claim").order_by("claim_id"):
        claim = Claim.objects.filter(pk=attempt.claim_id, state=attempt.claim.state)
        if claim.update(state=Claim.State.UNDOING, updated_at=now):
            rows.append(_attempt(undo, attempt, claim_was=attempt.claim.state, due_at=now))
    if not rows:
        raise _NothingLeft
    ended: dict[str, Any] = {"state": WorkState.DONE, "outcome": Outcome.SKIPPED, "ended_at": now}
    ended |= {"reason": Reason.GONE_ALREADY, "claim_was": Claim.State.REMOVED}
    rows += [_attempt(undo, each, **ended) for each in gone]
    ClaimAttempt.objects.bulk_create(rows, batch_size=100)
    why = {"reason": reason} if reason else {}
    about = {"by": code, "edits": len(rows), **why}
    audit(user, "batch.undone", batch.project, f"batch:{batch.code}", **about)
    log_deed(undo, "confirmed")
    call_writer(user)
    announce("batch-confirmed")
    return undo


def _attempt(undo: EditBatch, written: ClaimAttempt, **fields: Any) -> ClaimAttempt:
    return ClaimAttempt(
        batch=undo,
        claim_id=written.claim_id,
        label_id=written.label_id,
        region_id=written.region_id,
        undoes=written,
        statement=written.statement,
        sha1=written.sha1,
        title=written.title,
        base_revision=written.base_revision,
        **fields,
    )


def _undone_by(what: EditBatch | ClaimAttempt) -> EditBatch:
    """The latest batch that took this back, or still does."""
    this = Q(undoes=what) if isinstance(what, EditBatch) else Q(attempts__undoes=what)
    found = EditBatch.objects.filter(this, kind=Kind.UNDO).order_by("-pk").first()
    if found is None:
        raise Refused("nothing", _("Nothing of it is left on the wiki that could be taken back."))
    return found
