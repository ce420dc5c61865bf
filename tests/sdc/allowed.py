"""The changes of state that may happen; see test_state_changes.py for who makes each."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

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
ALLOWED = {
    ("sdc_claim", "state"): CLAIM_CHANGES,
    ("sdc_editbatch", "state"): BATCH_CHANGES,
    ("sdc_claimattempt", "outcome"): OUTCOME_CHANGES,
}


@contextmanager
def watching_changes() -> Iterator[None]:
    """The database itself keeps a list of all changes, whichever process makes them."""
    _run("CREATE TABLE change_log (which VARCHAR(32), was VARCHAR(8), becomes VARCHAR(8))")
    for table, column in ALLOWED:
        keep = f"INSERT INTO change_log VALUES ('{table}', old.{column}, new.{column})"
        differ = f"old.{column} <> new.{column}"
        if connection.vendor == "mysql":
            action = f"FOR EACH ROW IF {differ} THEN {keep}; END IF"
        else:
            action = f"WHEN {differ} BEGIN {keep}; END"
        _run(f"CREATE TRIGGER log_{table} AFTER UPDATE ON {table} {action}")
    try:
        yield
    finally:
        for table, _column in ALLOWED:
            _run(f"DROP TRIGGER log_{table}")
        _run("DROP TABLE change_log")


def forget_changes() -> None:
    _run("DELETE FROM change_log")


def forbidden_changes() -> set[tuple[str, str, str]]:
    """Those that were made since and may not be."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT which, was, becomes FROM change_log")
        made = {(which, was, becomes) for which, was, becomes in cursor.fetchall()}
    allowed = {(table, *pair) for (table, _), pairs in ALLOWED.items() for pair in pairs}
    return made - allowed


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
