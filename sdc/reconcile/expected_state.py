"""The state that each claim should be in."""

from __future__ import annotations

from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, Edit
from sdc.reconcile.local_rows import NO_FILE, File, is_open

LOCKS = (Claim.State.SENDING, Claim.State.UNDOING)
Kind = Edit.Kind


def state_of(file: File, claim: Claim, page: PageNow) -> str:
    """The state that a claim should be in by the ledger and the file; its own where that fits."""
    attempts = [each for each in file.attempts if each.claim_id == claim.pk]
    gone = page.problem in NO_FILE  # which says nothing of what the claim was
    if any(is_open(attempt) for attempt in attempts) or (gone and claim.state not in LOCKS):
        return claim.state
    ids = {attempt.pk for attempt in attempts}
    adds = [each for each in file.edits if each.attempt_id in ids and each.kind == Kind.ADD]
    kept = [edit for edit in adds if not file.removed(edit.guid)]
    State = Claim.State
    if kept and (gone or any(page.has_guid(edit.guid) for edit in kept)):
        fits: tuple[str, ...] = (State.WRITTEN, State.REMOVED, State.REJECTED)
        should_be: str = State.WRITTEN
    elif kept:
        fits, should_be = (*Claim.SPOKEN_AGAINST, State.PRESENT), State.REMOVED
    elif adds:
        fits, should_be = (*Claim.SPOKEN_AGAINST, State.PRESENT), State.UNDONE
    else:
        fits = tuple({*State.values} - {State.WRITTEN, *LOCKS})
        should_be = State.PRESENT if page.depicts(claim.qid) else State.FREE
    if claim.state in LOCKS and attempts:
        should_be = _put_back(attempts[-1], fits, should_be, bool(adds))
    return claim.state if claim.state in fits else should_be


def _put_back(last: ClaimAttempt, fits: tuple[str, ...], should_be: str, added: bool) -> str:
    """What a claim becomes whose lock is let go: what it was before the last attempt, where that
    fits. An attempt to add whose statement stands did its work; a file that says so by itself
    tells more than what we knew before."""
    done = should_be == Claim.State.WRITTEN and last.undoes_id is None
    there = should_be == Claim.State.PRESENT and not added
    return last.claim_was if last.claim_was in fits and not done and not there else should_be
