"""A turn that takes back: removes the statement that an earlier attempt wrote, if it still is as
it was written.

The wiki removes a changed statement just as well, whatever revision one names to it. So the file
is read right before the call, never trusted from an earlier read. In doubt its history decides:
an edit that names this batch is our removal, should the statement even be there again; a
statement gone without one was removed by somebody else.
"""

from __future__ import annotations

from sdc.files import reading, statements
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, EditBatch
from sdc.writing import outcomes
from sdc.writing.attempt import Turn
from sdc.writing.reasons import Reason
from sdc.writing.responses import Outcome
from sdc.writing.session import Session


class Removing(Turn):
    point = "undo"

    def _done_by(self, page: PageNow) -> bool:
        return False  # anybody can have removed it: only the history tells

    def _succeeded(
        self, revision: int | None, answer: outcomes.Answer, page: PageNow | None
    ) -> None:
        restored = page is not None and page.has_guid(self.attempt.statement_guid)
        outcomes.taken_back(self.attempt, revision, answer, restored=restored)

    def _overtaken_by_others(self, page: PageNow) -> Reason | None:
        if page.problem and page.problem is not Reason.PROTECTED:
            return page.problem
        found = statements.with_guid(page.statements, self.attempt.statement_guid)
        if found is None:
            return Reason.GONE_ALREADY
        if not statements.same(self.attempt.statement, found):
            return Reason.NOT_AS_WRITTEN
        return None

    def _why_not_now(self, page: PageNow) -> Reason | None:
        """A file that was renamed or got a new version still has our statement to take back."""
        if reason := self._overtaken_by_others(page):
            return reason
        if self.batch.state == EditBatch.State.STOPPED:
            return self.batch.stopped_for
        if self.claim.state != Claim.State.UNDOING:
            return Reason.CLAIMED
        if self.attempt.exhausted:
            return self.attempt.last_reason
        return page.problem

    def _end_without_edit(self, reason: Reason) -> None:
        outcomes.left_alone(self.attempt, reason)

    def _settled_at_last_look(self, session: Session) -> bool:
        page_id = self.claim.page_id
        page = PageNow(page_id, statements=reading.read_statements(session.read, page_id))
        if self._overtaken_by_others(page) is None:
            return False
        self.pages.forget(page_id)
        page = reading.read_pages(session.read, [page_id])[page_id]  # why it is so
        return self._settle_by_reading(session, page)

    def _still_wanted(self) -> bool:
        """Whether nobody paused or stopped it while the file was read."""
        return ClaimAttempt.objects.filter(
            pk=self.attempt.pk,
            batch__state=EditBatch.State.RUNNING,
            claim__state=Claim.State.UNDOING,
            claim__project=self.batch.project_id,
        ).exists()

    def _call(self, session: Session) -> Outcome:
        return session.remove_statement(self.attempt.statement_guid, self.attempt.summary)

    def _since(self) -> int:
        """Our removal comes after the edit that it takes back."""
        written = self.attempt.undoes
        return (written and written.revision) or self.attempt.base_revision
