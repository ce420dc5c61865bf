"""The changes of state that may happen; see test_state_changes.py for who makes each."""

from sdc.models import Claim, ClaimAttempt, EditBatch

_C, _B, _O = Claim.State, EditBatch.State, ClaimAttempt.Outcome

# From each state to these.
_CLAIM: dict[str, list[str]] = {
    _C.FREE: [_C.SENDING, _C.REJECTED, _C.WRITTEN],  # the last by reconcile, of what it repairs
    _C.SENDING: [_C.FREE, _C.WRITTEN, _C.PRESENT, _C.REMOVED, _C.UNDONE, _C.REJECTED],
    _C.WRITTEN: [_C.UNDOING, _C.REMOVED],
    _C.PRESENT: [_C.REMOVED],
    _C.UNDOING: [_C.UNDONE, _C.WRITTEN, _C.REMOVED, _C.REJECTED],
    _C.REMOVED: [_C.SENDING, _C.WRITTEN, _C.REJECTED],
    _C.UNDONE: [_C.SENDING, _C.REJECTED],
    _C.REJECTED: [_C.SENDING, _C.FREE, _C.REMOVED, _C.UNDONE, _C.UNDOING],
}
_BATCH: dict[str, list[str]] = {
    _B.DRAFT: [_B.RUNNING, _B.DONE, _B.HANDED],
    _B.HANDED: [_B.DRAFT, _B.DONE],
    _B.RUNNING: [_B.PAUSED, _B.DONE, _B.STOPPED],
    _B.PAUSED: [_B.RUNNING, _B.STOPPED],
    _B.STOPPED: [],
    _B.DONE: [],
}
_OUTCOME: dict[str, list[str]] = {
    _O.PLANNED: [_O.EXCLUDED, _O.WRITTEN, _O.PRESENT, _O.SKIPPED, _O.REFUSED],
    _O.EXCLUDED: [_O.PLANNED],
    _O.SKIPPED: [_O.PLANNED, _O.WRITTEN],  # asked for; and by reconcile
    _O.WRITTEN: [],
    _O.PRESENT: [],
    _O.REFUSED: [],
}


def _changes(table: dict[str, list[str]]) -> set[tuple[str, str]]:
    return {(str(was), str(becomes)) for was, row in table.items() for becomes in row}


CLAIM_CHANGES = _changes(_CLAIM)
BATCH_CHANGES = _changes(_BATCH)
OUTCOME_CHANGES = _changes(_OUTCOME)
