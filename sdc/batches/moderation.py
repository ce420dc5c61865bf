"""What moderators do. Each deed is for them alone and leaves a row in the audit log.

Raises PermissionDenied for everybody else.
"""

from __future__ import annotations

from django.utils import timezone

from core.transactions import atomic
from projects.ledger import audit
from projects.models import AuditEvent, Project, User
from projects.permissions import check_moderates
from sdc import context
from sdc.batches import services as batches
from sdc.batches import undo
from sdc.models import Claim, EditBatch, WritingStop
from sdc.sending_rights import stops

State = Claim.State
Source = WritingStop.Source
# What is on the wiki can't be rejected: it is taken back.
REJECTABLE = (State.FREE, State.SENDING, State.REMOVED, State.UNDONE)
OVER = (State.REMOVED, State.UNDONE)  # a rejection that is released leaves this standing


def hold(claim: Claim, by: User, reason: str) -> bool:
    """Keep this person off this page until released."""
    return _set_held(claim, by, True, reason)


def release(claim: Claim, by: User, reason: str = "") -> bool:
    """The claim may be sent again, held or rejected before."""
    check_moderates(by)
    if claim.state == State.REJECTED:
        return _unreject(claim, by, reason)
    return _set_held(claim, by, False, reason)


@atomic
def reject(claim: Claim, by: User, reason: str) -> bool:
    """Never again, unless a person asks for this very file. What a batch was about to send is
    skipped; what is on the wiki stays, and has to be taken back."""
    check_moderates(by)
    was = claim.state
    words = {"held_reason": reason[:255], "held_by": by, "updated_at": timezone.now()}
    rows = Claim.objects.filter(pk=claim.pk, state=was, state__in=REJECTABLE)
    done = bool(rows.update(state=State.REJECTED, **words))
    if done:
        audit(by, "claim.rejected", claim.project, _claim(claim), reason=reason, was=was)
    claim.refresh_from_db()
    return done


def stop_batch(batch: EditBatch, by: User, reason: str) -> bool:
    """What was written stays written; what is in flight is settled by its worker."""
    check_moderates(by)
    stopped = batches.stop(batch, by, reason=reason)
    batch.refresh_from_db()
    return stopped


def undo_batch(batch: EditBatch, by: User, reason: str = "") -> EditBatch:
    """A batch of the moderator's own, under their own token, that takes it back. Raises Refused."""
    check_moderates(by)
    return undo.undo(batch, by, reason)


def stop_user(user: User, by: User, reason: str) -> WritingStop:
    """Nothing is added in this user's name until released."""
    check_moderates(by)
    return stops.place(Source.MODERATOR, reason, by=by, user=user)


def stop_project(project: Project, by: User, reason: str) -> WritingStop:
    """Nothing is added for this project until released."""
    check_moderates(by)
    return stops.place(Source.MODERATOR, reason, by=by, project=project)


def stop_everything(by: User, reason: str) -> WritingStop:
    """The big switch: no worker writes anything from its next edit on."""
    check_moderates(by)
    stop = stops.place(Source.MODERATOR, reason, by=by)
    context.forget()
    return stop


def let_write(stop: WritingStop, by: User, reason: str = "") -> bool:
    """Lift one stop, whoever or whatever placed it."""
    check_moderates(by)
    lifted = stops.lift(stop, by, reason)
    context.forget()
    return lifted


def release_user(user: User, by: User, reason: str = "") -> int:
    """The user may send again, whatever held them back; returns how many stops there were."""
    return sum(let_write(stop, by, reason) for stop in stops.active().filter(user=user))


def release_project(project: Project, by: User, reason: str = "") -> int:
    return sum(let_write(stop, by, reason) for stop in stops.active().filter(project=project))


def release_everything(by: User, reason: str = "") -> int:
    """Turn the big switch on again. What a page of the wiki says is changed there."""
    own = stops.active().filter(scope=WritingStop.Scope.EVERYTHING).exclude(source=Source.PAGE)
    return sum(let_write(stop, by, reason) for stop in own)


@atomic
def _set_held(claim: Claim, by: User, held: bool, reason: str) -> bool:
    check_moderates(by)
    words = reason[:255] if held else ""
    changed = Claim.objects.filter(pk=claim.pk).exclude(held=held, held_reason=words)
    done = bool(
        changed.update(
            held=held,
            held_reason=words,
            held_by=by if held else None,
            updated_at=timezone.now(),
        )
    )
    if done:
        action = "claim.held" if held else "claim.released"
        audit(by, action, claim.project, _claim(claim), reason=reason)
    claim.refresh_from_db()
    return done


@atomic
def _unreject(claim: Claim, by: User, reason: str) -> bool:
    """Back to what it was: what somebody had removed stays removed."""
    log = AuditEvent.objects.filter(action="claim.rejected", target=_claim(claim))
    last = log.order_by("-pk").first()
    was = last.data.get("was", "") if last else ""
    back = was if was in OVER else State.FREE
    rows = Claim.objects.filter(pk=claim.pk, state=State.REJECTED)
    done = bool(
        rows.update(state=back, held=False, held_reason="", held_by=None, updated_at=timezone.now())
    )
    if done:
        audit(by, "claim.released", claim.project, _claim(claim), reason=reason)
    claim.refresh_from_db()
    return done


def _claim(claim: Claim) -> str:
    return f"claim:{claim.pk}"
