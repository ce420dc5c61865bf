"""Whether a batch may go on at all, as people and moderators decided meanwhile."""

from __future__ import annotations

from crawler.models import Photo
from projects.models import Project
from projects.permissions import Can, may
from projects.privacy import denylist
from sdc.models import Claim, ClaimAttempt, EditBatch
from sdc.sending_rights import stops
from sdc.writing.pauses import waits_until
from sdc.writing.reasons import Reason

HALTED = {
    Project.State.PAUSED.value: Reason.PROJECT_PAUSED,
    Project.State.ARCHIVED.value: Reason.ARCHIVED,
}
STOPPED = {
    stops.Scope.EVERYTHING.value: Reason.ALL_STOPPED,
    stops.Scope.USER.value: Reason.USER_STOPPED,
    stops.Scope.PROJECT.value: Reason.PROJECT_STOPPED,
}
# These pause a batch; what else keeps somebody from writing ends it.
PAUSES = {Reason.PROJECT_PAUSED, *STOPPED.values()}


def why_not_at_all(batch: EditBatch) -> Reason | None:
    """Asked before each edit: what a person decided meanwhile stops what was confirmed before."""
    user, project = batch.user, batch.project
    if stop := stops.of_everything():
        return STOPPED[stop.scope]
    if batch.kind == EditBatch.Kind.UNDO:
        return None if user.is_active else Reason.NOT_A_MEMBER
    if not user.is_active or not may(user, Can.SEND, project):
        return Reason.NOT_A_MEMBER
    if stop := stops.holding_back(user, project):
        return STOPPED[stop.scope]
    return HALTED.get(project.state)


def goes_on(attempt: ClaimAttempt) -> bool:
    """The last look before a call: whether its batch, read anew, runs and may, and nothing that
    would be added is on the deny-list or paused by an objection."""
    rows = EditBatch.objects.filter(pk=attempt.batch_id, state=EditBatch.State.RUNNING)
    batch = rows.select_related("user", "project").first()
    if batch is None or why_not_at_all(batch):
        return False
    claim = attempt.claim
    if batch.kind == EditBatch.Kind.UNDO:
        return True
    if denylist.denied_claim(claim.qid, claim.page_id, attempt.title) or is_denied(claim):
        return False
    return waits_until(attempt) is None


def is_denied(claim: Claim) -> bool:
    """Whether its photo is left alone, whatever entry says so."""
    return Photo.objects.filter(pk=claim.photo_id, state=Photo.State.DENIED).exists()
