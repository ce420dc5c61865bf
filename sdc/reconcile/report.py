"""What can be found, and what was."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import models


class Code(models.TextChoices):
    """All that can be found."""

    # the ledger, or the rows beside it, say what the wiki does not say
    GONE = "gone", "removed by somebody"
    CHANGED = "changed", "changed by somebody"
    NOT_REMOVED = "not-removed", "still there, though taken back"
    NO_SUCH_EDIT = "no-such-edit", "the wiki has no such edit"
    UNPROVEN = "unproven", "said to be sent, without an edit"
    # the wiki has what the ledger lacks
    UNRECORDED = "unrecorded", "not in the ledger"
    EXTRA_EDIT = "extra-edit", "a second edit for one row"
    UNKNOWN_FILE = "unknown-file", "an edit of a batch on a file it has no row for"
    UNKNOWN_BATCH = "unknown-batch", "an edit of a batch that we don't know"
    TWICE = "twice", "two statements of ours say the same"
    # our own rows do not fit each other
    STUCK = "stuck", "locked, with nothing under way"
    CLAIM = "claim", "state does not fit the ledger"
    COUNTER = "counter", "counted wrongly"
    UNREADABLE = "unreadable", "what the wiki says of the file makes no sense"
    # worth knowing; the ledger is right
    FILE_GONE = "file-gone", "the file is gone"
    RESTORED = "restored", "put back by somebody"
    NO_REVISION = "no-revision", "in the ledger without its revision"
    DUPLICATE = "duplicate", "somebody else's statement says the same"
    BUSY = "busy", "being written just now; left to its worker"


NOTES = (Code.FILE_GONE, Code.RESTORED, Code.NO_REVISION, Code.DUPLICATE, Code.BUSY)


@dataclass(frozen=True)
class Finding:
    """One thing that does not agree, or is worth knowing (`is_note`)."""

    code: Code
    page_id: int = 0
    qid: str = ""
    guid: str = ""
    detail: str = ""
    repaired: bool = False

    @property
    def is_note(self) -> bool:
        return self.code in NOTES

    @property
    def settled(self) -> bool:
        return self.is_note or self.repaired


@dataclass
class Report:
    """What was looked at, and what was found."""

    edits: int = 0  # rows of the ledger that were compared
    files: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether ledger and wiki agree, after the repairs."""
        return all(finding.settled for finding in self.findings)
