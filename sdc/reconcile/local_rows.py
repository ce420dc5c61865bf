"""Our own rows about a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils import timezone

from core.work import WorkState
from crawler.models import Photo
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch
from sdc.writing.reasons import Reason

NO_FILE = (Reason.DELETED, Reason.REDIRECT, Reason.NOT_A_FILE)
Kind = Edit.Kind
Outcome = ClaimAttempt.Outcome


@dataclass
class File:
    """Our own rows about one file."""

    claims: dict[int, Claim] = field(default_factory=dict)
    attempts: list[ClaimAttempt] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)

    @property
    def fingerprint(self) -> tuple[Any, ...]:
        """Changes whenever something moves."""
        return (
            [(claim.pk, claim.state) for claim in self.claims.values()],
            [(each.pk, each.attempt, each.state, each.outcome) for each in self.attempts],
            [edit.pk for edit in self.edits],
        )

    @property
    def in_flight(self) -> bool:
        now = timezone.now()
        return any(
            each.state == WorkState.RUNNING and each.lease_until and each.lease_until >= now
            for each in self.attempts
        )

    def edit_of(self, attempt: ClaimAttempt) -> Edit | None:
        return next((edit for edit in self.edits if edit.attempt_id == attempt.pk), None)

    def removed(self, guid: str) -> bool:
        return any(each.guid == guid and each.kind == Kind.REMOVE for each in self.edits)

    def written_anew(self, edit: Edit) -> bool:
        """Whether a later attempt wrote the same claim again, since a person asked for it."""
        claim = edit.attempt.claim_id
        return any(
            each.pk > edit.pk and each.kind == Kind.ADD and each.attempt.claim_id == claim
            for each in self.edits
        )

    def open_on(self, guid: str) -> bool:
        """Whether a worker still has to say what became of this statement."""
        return any(is_open(each) for each in self.attempts if each.statement_guid == guid)

    def claim_of(self, attempt: ClaimAttempt) -> Claim:
        return self.claims[attempt.claim_id]


def read_file(page_id: int) -> File:
    return read_files([page_id])[page_id]


def read_files(page_ids: list[int]) -> dict[int, File]:
    """Claims first: one that is locked has its attempt by the time that is read."""
    files = {page_id: File() for page_id in page_ids}
    wiki = settings.WIKI.code
    for claim in Claim.objects.filter(wiki=wiki, page_id__in=page_ids).order_by("pk"):
        files[claim.page_id].claims[claim.pk] = claim
    attempts = ClaimAttempt.objects.filter(
        claim__wiki=wiki, claim__page_id__in=page_ids, batch__confirmed_at__isnull=False
    ).exclude(outcome=Outcome.EXCLUDED)
    for attempt in attempts.select_related("batch__project", "batch__user", "claim").order_by("pk"):
        files[attempt.claim.page_id].attempts.append(attempt)
    edits = Edit.objects.filter(wiki=wiki, page_id__in=page_ids)
    for edit in edits.select_related("attempt", "batch").order_by("pk"):
        files[edit.page_id].edits.append(edit)
    return files


def unspoken(page_id: int, qid: str) -> Photo | None:
    """The photo of a file of which no claim says anything yet."""
    key = {"wiki": settings.WIKI.code, "page_id": page_id}
    claims = Claim.objects.filter(**key, qid=qid).exclude(state=Claim.State.FREE)
    return None if claims.exists() else Photo.objects.filter(**key).first()


def is_open(attempt: ClaimAttempt) -> bool:
    """Whether a worker still has to settle it."""
    State = EditBatch.State
    going = attempt.batch.state in (State.RUNNING, State.PAUSED) or attempt.in_doubt
    unsettled = attempt.state in (WorkState.QUEUED, WorkState.RUNNING)
    return going and unsettled and attempt.outcome == Outcome.PLANNED
