"""A turn that adds: our statement, under the GUID that the attempt has had from the beginning.

Our GUID there means written; our edit in the history without it means that somebody took it out;
neither means that it is sent again, under the same GUID.
"""

from __future__ import annotations

from datetime import datetime

from classify.models import Verdict
from projects.privacy import denylist
from sdc.files import reading
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, EditBatch
from sdc.preview import warnings
from sdc.preview.warnings import Caution
from sdc.writing import outcomes, pauses, preconditions
from sdc.writing.attempt import Turn
from sdc.writing.reasons import Reason
from sdc.writing.responses import Outcome
from sdc.writing.session import Session


class Adding(Turn):
    point = "write"

    def _done_by(self, page: PageNow) -> bool:
        return page.has_guid(self.attempt.statement_guid)

    def _succeeded(
        self, revision: int | None, answer: outcomes.Answer, page: PageNow | None
    ) -> None:
        removed = page is not None and not self._done_by(page)
        outcomes.written(self.attempt, revision, answer, removed=removed)

    def _overtaken_by_others(self, page: PageNow) -> Reason | None:
        return Reason.ALREADY_THERE if page.depicts(self.claim.qid) else None

    def _why_not_now(self, page: PageNow) -> Reason | None:
        """What changed since the preview is not sent."""
        attempt, claim, label = self.attempt, self.claim, self.attempt.label
        if page.problem and page.problem is not Reason.PROTECTED:
            return page.problem
        if page.depicts(claim.qid):
            return Reason.ALREADY_THERE
        if self.batch.state == EditBatch.State.STOPPED:
            return self.batch.stopped_for
        if page.sha1 != attempt.sha1:
            return Reason.CHANGED
        if page.title != attempt.title:
            return Reason.MOVED
        if found := self._odd_since(page):
            return found
        listed = denylist.denied_claim(claim.qid, claim.page_id, page.title)
        if page.denied or listed or preconditions.is_denied(claim):
            return Reason.DENIED
        if claim.held:
            return Reason.HELD
        if claim.state == Claim.State.REJECTED:
            return Reason.REJECTED
        if claim.state != Claim.State.SENDING or claim.project_id != self.batch.project_id:
            return Reason.CLAIMED
        if not label or label.verdict != Verdict.YES or label.region_id != attempt.region_id:
            return Reason.ANSWER_CHANGED
        if attempt.exhausted:
            return attempt.last_reason
        return page.problem

    def _odd_since(self, page: PageNow) -> Reason | None:
        """What the preview would have left out or warned of, had the file said so then."""
        known = warnings.of_row(self.attempt)
        if page.is_artwork and Caution.ARTWORK not in known:
            return Reason.EDITED if self.batch.project.include_artworks else Reason.ARTWORK
        preferred = page.prefers_others(self.claim.qid) and Caution.PREFERRED not in known
        return Reason.EDITED if preferred else None

    def _waits_until(self, page: PageNow) -> datetime | None:
        return pauses.waits_until(self.attempt, page)

    def _end_without_edit(self, reason: Reason) -> None:
        if reason is Reason.ALREADY_THERE:
            outcomes.present(self.attempt)
        else:
            outcomes.skipped(self.attempt, reason)

    def _still_wanted(self) -> bool:
        """Whether nobody paused, stopped, held or answered otherwise while the file was read, and
        whether it was asked about each category that is left alone or objected to by now."""
        if self.page and self.page.asked != reading.categories_to_ask():
            return False
        return ClaimAttempt.objects.filter(
            pk=self.attempt.pk,
            batch__state=EditBatch.State.RUNNING,
            claim__state=Claim.State.SENDING,
            claim__project=self.batch.project_id,
            claim__held=False,
            label__verdict=Verdict.YES,
        ).exists()

    def _call(self, session: Session) -> Outcome:
        return session.set_statement(self.attempt.statement, self.attempt.summary)

    def _since(self) -> int:
        return self.attempt.base_revision
