"""Writing down what became of an attempt: row, claim, ledger and batch in one fenced transaction.

Each function raises `Overtaken` when another worker holds the attempt by now; then nothing
of this worker's is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.transactions import atomic
from core.work import WorkState, delay_after
from projects.ledger import audit, contribute
from projects.live.pulse import beat
from projects.models import Contribution, User
from sdc.batches import notify
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch
from sdc.watch import recheck
from sdc.writing.reasons import Reason

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
Answer = dict[str, Any]
FOUND_BY_READING: Answer = {"found": "by reading, after the answer was lost"}
UNSETTLED = (WorkState.QUEUED, WorkState.RUNNING)


@atomic
def written(
    attempt: ClaimAttempt, revision: int | None, answer: Answer, *, removed: bool = False
) -> None:
    """Our statement is on the wiki; `removed`: somebody took it out again since. `answer` is what
    the wiki said, for the ledger."""
    reason = Reason.REMOVED.value if removed else ""
    state = Claim.State.REMOVED if removed else Claim.State.WRITTEN
    with _settling(attempt, Outcome.WRITTEN, reason, state, revision=revision):
        enter(attempt, Edit.Kind.ADD, revision, answer)
        recheck.begin(attempt, removed=removed)
        if not removed:
            contribute(attempt.batch.project, attempt.batch.user, Contribution.Kind.EDIT)


@atomic
def present(attempt: ClaimAttempt) -> None:
    """An equal statement is there that this attempt did not write."""
    reason = Reason.ALREADY_THERE
    with _settling(attempt, Outcome.PRESENT, reason, Claim.State.PRESENT):
        pass


@atomic
def skipped(attempt: ClaimAttempt, reason: Reason) -> None:
    """Not sent, and nothing of it is on the wiki. The claim is what it was before."""
    with _settling(attempt, Outcome.SKIPPED, reason, attempt.claim_was):
        pass


@atomic
def refused(attempt: ClaimAttempt, reason: Reason, detail: str = "") -> None:
    """The wiki would not have this one; the others go on. The claim is what it was before."""
    with _settling(attempt, Outcome.REFUSED, reason, attempt.claim_was, error_detail=detail[:255]):
        pass


@atomic
def taken_back(
    attempt: ClaimAttempt, revision: int | None, answer: Answer, *, restored: bool = False
) -> None:
    """The statement that another attempt wrote is off the wiki by our doing; `restored`: somebody
    put it back since."""
    reason = Reason.RESTORED.value if restored else ""
    with _settling(attempt, Outcome.WRITTEN, reason, Claim.State.UNDONE, revision=revision):
        enter(attempt, Edit.Kind.REMOVE, revision, answer)
        written = attempt.undoes
        if written and recheck.end(written):
            recheck.count(written, -1)
            notify.undone(written, attempt.batch)


@atomic
def left_alone(attempt: ClaimAttempt, reason: Reason) -> None:
    """Not taken back; whoever else removed or changed it, a look soon will tell who."""
    gone = reason is Reason.GONE_ALREADY
    state = Claim.State.REMOVED if gone else attempt.claim_was
    if attempt.claim_was == Claim.State.REJECTED:
        state = attempt.claim_was  # that a moderator said no says more
    with _settling(attempt, Outcome.SKIPPED, reason, state):
        if attempt.undoes and (gone or reason is Reason.NOT_AS_WRITTEN):
            recheck.hurry(attempt.undoes)


@atomic
def put_back(
    attempt: ClaimAttempt,
    reason: Reason | None,
    *,
    in_doubt: bool,
    counted: bool,
    detail: str = "",
    due_at: datetime | None = None,
) -> None:
    """Queued again. What is `counted` waits longer each time, and its tries are bounded."""
    tries = attempt.tries if counted else max(attempt.tries - 1, 0)
    delay = delay_after(tries) if counted else timedelta()
    attempt.settle_or_raise(
        WorkState.QUEUED,
        tries=tries,
        due_at=due_at or timezone.now() + delay,
        in_doubt=in_doubt,
        error=reason or "",
        error_detail=detail[:255],
    )
    beat(attempt.batch.project_id)


@atomic
def finish_if_over(batch: EditBatch) -> bool:
    """A running batch with nothing left to do is done."""
    now = timezone.now()
    if ClaimAttempt.objects.filter(
        batch=batch, state__in=UNSETTLED, outcome=Outcome.PLANNED
    ).exists():
        return False
    over = EditBatch.objects.filter(pk=batch.pk, state=State.RUNNING)
    if not over.update(state=State.DONE, finished_at=now, reason="", resume_at=None):
        return False
    notify.batch_ended(batch, State.DONE)
    beat(batch.project_id)
    return True


@atomic
def pause(batch: EditBatch, reason: Reason, resume_at: datetime | None = None) -> bool:
    running = EditBatch.objects.filter(pk=batch.pk, state=State.RUNNING)
    if not running.update(state=State.PAUSED, reason=reason, resume_at=resume_at):
        return False
    beat(batch.project_id)
    return True


@atomic
def resume(batch: EditBatch, by: User | None = None, held: Q | None = None) -> bool:
    """Let a paused batch go on if it still matches `held`: by its sender, or by the tool itself
    (`by` is None) once what held it is over."""
    paused = EditBatch.objects.filter(held or Q(), pk=batch.pk, state=State.PAUSED)
    if not paused.update(state=State.RUNNING, reason="", resume_at=None):
        return False
    notify.waits_no_more(batch)
    finish_if_over(batch)
    audit(by, "batch.resumed", batch.project, f"batch:{batch.code}")
    return True


@atomic
def stop(batch: EditBatch, reason: Reason, by: User | None = None) -> bool:
    """End a batch for good. What was never called is settled now, and its claims are free; what
    is in flight or in doubt is settled by its worker, which reads the file. Its sender hears of
    it, unless it was `by` them."""
    now = timezone.now()
    going = EditBatch.objects.filter(pk=batch.pk, state__in=(State.RUNNING, State.PAUSED))
    if not going.update(state=State.STOPPED, reason=reason, finished_at=now, resume_at=None):
        return False
    waiting = ClaimAttempt.objects.filter(
        batch=batch, state=WorkState.QUEUED, in_doubt=False, outcome=Outcome.PLANNED
    )
    waiting.update(state=WorkState.STOPPED, outcome=Outcome.SKIPPED, reason=reason, ended_at=now)
    # asked only now: a worker may have put one back until the update
    ended = ClaimAttempt.objects.filter(batch=batch, state=WorkState.STOPPED)
    claims = dict(ended.values_list("claim_id", "claim_was"))
    for was in set(claims.values()):
        theirs = [pk for pk in claims if claims[pk] == was]
        _move_claims(Q(pk__in=theirs), batch, was)
    if by is None or by.pk != batch.user_id:
        notify.batch_ended(batch, State.STOPPED)
    beat(batch.project_id)
    return True


def doubt_all() -> None:
    """Have the file and its history read before anything is sent that is not settled, as after a
    restored backup: whatever was sent since stands in no row of ours. Drafts, too, since they may
    have been confirmed."""
    drafted = Q(batch__state__in=(State.DRAFT, State.HANDED))
    waiting = Q(outcome=Outcome.PLANNED, state__in=UNSETTLED)
    ClaimAttempt.objects.filter(drafted | waiting).update(in_doubt=True)


@contextmanager
def _settling(
    attempt: ClaimAttempt, outcome: Outcome, reason: str, claim_state: str, **fields: Any
) -> Iterator[None]:
    """End an attempt, within a transaction: the row by its fence, the claim, the batch's end."""
    now = timezone.now()
    attempt.settle_or_raise(
        WorkState.DONE,
        outcome=outcome,
        reason=reason,
        in_doubt=False,
        ended_at=now,
        **fields,
    )
    _move_claims(Q(pk=attempt.claim_id), attempt.batch, claim_state)
    yield
    finish_if_over(attempt.batch)
    beat(attempt.batch.project_id)


def _move_claims(which: Q, batch: EditBatch, state: str) -> None:
    """The claims that this batch holds; one that another project got hold of is not touched."""
    lock = Claim.State.SENDING if batch.kind == EditBatch.Kind.ADD else Claim.State.UNDOING
    held = Claim.objects.filter(which, state=lock, project=batch.project_id)
    held.update(state=state, updated_at=timezone.now())


def enter(attempt: ClaimAttempt, kind: str, revision: int | None, answer: Answer) -> None:
    """One row of the ledger, in the transaction of what it tells."""
    claim, batch = attempt.claim, attempt.batch
    Edit.objects.create(
        attempt=attempt,
        kind=kind,
        wiki=claim.wiki,
        page_id=claim.page_id,
        qid=claim.qid,
        guid=attempt.statement_guid,
        revision=revision,
        user=batch.user,
        batch=batch,
        summary=attempt.summary,
        answer=answer,
    )
