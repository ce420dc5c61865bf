"""Our rows and the wiki, side by side."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import QuerySet

from sdc.files import reading, statements
from sdc.files.reading import A_CALL, PageNow
from sdc.files.revisions import Changes, find_revision
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.reconcile.edit_tags import Marked, Marks, chunks, named
from sdc.reconcile.expected_state import LOCKS, state_of
from sdc.reconcile.local_rows import NO_FILE, File, read_file, read_files, unspoken
from sdc.reconcile.repairs import look_again, move, record, remember_removed
from sdc.reconcile.report import Code, Finding, Report
from sdc.writing.reasons import Reason
from wiki.http import Read, WikiError
from wiki.json_tree import UNREADABLE

Outcome = ClaimAttempt.Outcome
Kind = Edit.Kind
UNKNOWN = (*NO_FILE, Reason.UNREADABLE)  # what the page says is not known


class Reconciliation:
    """One run over all files of these batches."""

    def __init__(
        self, read: Read, batches: QuerySet[EditBatch], everything: bool, repair: bool
    ) -> None:
        self.read = read
        self.everything = everything
        self.repair = repair
        self.batches = {batch.code: batch for batch in batches.select_related("user", "project")}
        self.in_scope = {batch.pk for batch in self.batches.values()}
        self.marks = Marks(read, self.batches)
        self.report = Report()

    def run(self) -> Report:
        self.marks.look()
        if self.everything:
            for edit in self.marks.unknown:
                self._found(Code.UNKNOWN_BATCH, edit.page_id, detail=named(edit))
            self._compare_unknown()
        rows = ClaimAttempt.objects.filter(batch__in=list(self.in_scope)).exclude(
            outcome=Outcome.EXCLUDED
        )
        page_ids = sorted(set(rows.values_list("claim__page_id", flat=True)))
        for chunk in chunks(page_ids, A_CALL):
            self._compare(chunk)
        for page_id in sorted(self.marks.by_page.keys() - set(page_ids)):
            for edit in self.marks.by_page[page_id]:
                self._found(Code.UNKNOWN_FILE, page_id, detail=named(edit))
        return self.report

    def _compare_unknown(self) -> None:
        """What we sent without knowing it any more, as before a restored backup, and somebody
        removed: it is not offered again unless a person asks for that very file."""
        items = {(edit.page_id, edit.added): edit for edit in self.marks.unknown if edit.added}
        for chunk in chunks(sorted({page_id for page_id, _qid in items}), A_CALL):
            pages = reading.read_pages(self.read, chunk)
            for (page_id, qid), edit in items.items():
                page = pages.get(page_id)
                if page is None or page.problem in UNKNOWN or page.depicts(qid):
                    continue
                if photo := unspoken(page_id, qid):
                    done = self.repair and remember_removed(photo, qid)
                    detail = f"free should be removed: {named(edit)}"
                    self._found(Code.CLAIM, page_id, qid, detail=detail, repaired=done)

    def _compare(self, page_ids: list[int]) -> None:
        before = read_files(page_ids)
        pages = reading.read_pages(self.read, page_ids)
        after = read_files(page_ids)
        for page_id in page_ids:
            file, page = after[page_id], pages[page_id]
            if page.problem is Reason.UNREADABLE:
                self._found(Code.UNREADABLE, page_id)
                continue
            if file.in_flight or file.fingerprint != before[page_id].fingerprint:
                self._found(Code.BUSY, page_id)
                continue
            try:
                self._compare_file(file, page)
            except WikiError as error:  # of what its revisions changed
                if error.code != UNREADABLE:
                    raise
                self._found(Code.UNREADABLE, page_id, detail=error.text)
        self._look_up_revisions(after, pages)

    def _compare_file(self, file: File, page: PageNow) -> None:
        known = len(self.report.findings)
        self._compare_marked(file, page)
        if page.problem not in NO_FILE:
            told = {finding.guid for finding in self.report.findings[known:]}
            for attempt in file.attempts:
                if attempt.batch_id in self.in_scope and attempt.statement_guid not in told:
                    self._compare_attempt(file, attempt, page)
        found = self.report.findings[known:]
        if any(finding.repaired for finding in found):
            file = read_file(page.page_id)
        in_scope = [edit for edit in file.edits if edit.batch_id in self.in_scope]
        self.report.edits += len(in_scope)
        self.report.files += bool(in_scope)
        for claim in file.claims.values():
            if claim.state in LOCKS:
                self._compare_state(file, claim, page)
        unrecorded = {finding.guid for finding in found if not finding.settled}
        for edit in in_scope:
            if edit.guid not in unrecorded:
                self._compare_edit(file, edit, page)
        found = self.report.findings[known:]
        if not all(finding.settled for finding in found):
            return  # what its claims should be is known once that is repaired
        if any(finding.repaired for finding in found):
            file = read_file(page.page_id)
        for claim in file.claims.values():
            self._compare_claim(file, claim, page)

    def _compare_edit(self, file: File, edit: Edit, page: PageNow) -> None:
        """What the ledger says was done is to be seen on the file."""
        there = statements.with_guid(page.statements, edit.guid)
        about = (page.page_id, edit.qid, edit.guid)
        if edit.kind == Kind.REMOVE:
            if there is not None:
                restored = page.revision > (edit.revision or 0)
                code = Code.RESTORED if restored else Code.NOT_REMOVED
                self._found(code, *about, detail=f"after revision {edit.revision}")
            return
        if file.removed(edit.guid) or file.written_anew(edit) or file.open_on(edit.guid):
            return
        seen = Watch.objects.filter(claim_attempt=edit.attempt_id).first()
        if page.problem in NO_FILE:
            code, finding = Code.FILE_GONE, Watch.Finding.GONE
        elif there is None:
            code, finding = Code.GONE, Watch.Finding.REMOVED
        elif not statements.same(edit.attempt.statement, there):
            code, finding = Code.CHANGED, Watch.Finding.CHANGED
        else:
            code, finding = Code.RESTORED, Watch.Finding.STANDS
        known = seen.finding if seen else Watch.Finding.STANDS
        if known != finding:
            done = self.repair and look_again(self.read, edit.attempt, page, finding)
            problem = str(page.problem.value) if page.problem else f"batch {edit.batch.code}"
            self._found(code, *about, detail=problem, repaired=done)

    def _compare_marked(self, file: File, page: PageNow) -> None:
        """Each edit on the wiki has its rows of the ledger, one for each statement it wrote."""
        marked_of: dict[str, list[Marked]] = defaultdict(list)
        for marked in self.marks.by_page.get(page.page_id, ()):
            marked_of[marked.code].append(marked)
        for code, edits in marked_of.items():
            attempts = [each for each in file.attempts if each.batch_id == self.batches[code].pk]
            if attempts:
                self._compare_batch(file, page, attempts, edits)
                continue
            for marked in edits:
                self._found(Code.UNKNOWN_FILE, page.page_id, detail=named(marked))

    def _compare_batch(
        self, file: File, page: PageNow, attempts: list[ClaimAttempt], edits: list[Marked]
    ) -> None:
        """Compare the edits of one batch on a file with its rows about that file.

        What an edit changed is read only where a row may lack its edit, or an edit its row.
        """
        ids = {attempt.pk for attempt in attempts}
        recorded = {edit.revision for edit in file.edits if edit.attempt_id in ids}
        lacking = [each for each in attempts if file.edit_of(each) is None]
        if not any(attempt.began_at for attempt in lacking):
            edits = [marked for marked in edits if marked.revision not in recorded]
        marked_by = {marked.revision: marked for marked in edits}
        parents = {marked.revision: marked.parent for marked in edits}
        seen: set[int] = set()
        for change in Changes(self.read).get(parents):
            owners = [attempt for attempt in attempts if change.is_of(attempt)]
            for attempt in owners:
                self._compare_change(file, page, attempt, marked_by[change.id], attempt.pk in seen)
            seen |= {attempt.pk for attempt in owners}
            if not owners and change.id not in recorded:
                self._found(Code.EXTRA_EDIT, page.page_id, detail=named(marked_by[change.id]))

    def _compare_change(
        self, file: File, page: PageNow, attempt: ClaimAttempt, marked: Marked, is_second: bool
    ) -> None:
        """Compare an edit that made what this attempt intended with the attempt's row."""
        edit = file.edit_of(attempt)
        about = (page.page_id, file.claim_of(attempt).qid, attempt.statement_guid)
        if edit is None and not is_second:
            done = self.repair and record(attempt, page, marked)
            self._found(Code.UNRECORDED, *about, detail=named(marked), repaired=done)
            if done:
                file.edits = read_file(page.page_id).edits
        elif edit is not None and edit.revision is None and not is_second:
            self._found(Code.NO_REVISION, *about, detail=f"it is {marked.revision}")
        elif edit is None or edit.revision != marked.revision:
            self._found(Code.EXTRA_EDIT, *about, detail=named(marked))

    def _compare_attempt(self, file: File, attempt: ClaimAttempt, page: PageNow) -> None:
        """What was sent, or may have been, is in the ledger."""
        about = (page.page_id, file.claim_of(attempt).qid, attempt.statement_guid)
        if file.edit_of(attempt):
            return
        if attempt.undoes_id is None and page.has_guid(attempt.statement_guid):
            ours = find_revision(self.read, attempt, attempt.base_revision)
            marked = Marked(ours, page.page_id, attempt.batch.code, "") if ours else None
            done = self.repair and record(attempt, page, marked)
            detail = f"{attempt.outcome}, revision {ours or 'not found'}"
            self._found(Code.UNRECORDED, *about, detail=detail, repaired=done)
        elif attempt.outcome == Outcome.WRITTEN:
            self._found(Code.UNPROVEN, *about, detail=f"batch {attempt.batch.code}")

    def _compare_claim(self, file: File, claim: Claim, page: PageNow) -> None:
        guids = {each.guid for each in file.attempts if each.guid and each.claim_id == claim.pk}
        equal = [
            each.guid for each in statements.depicted(page.statements) if each.item == claim.qid
        ]
        ours = [guid for guid in equal if guid in guids]
        if ours and len(equal) > 1:
            code = Code.TWICE if len(ours) > 1 else Code.DUPLICATE
            detail = f"{len(equal)} statements"
            self._found(code, page.page_id, claim.qid, ours[0], detail=detail)
        if claim.state not in LOCKS:
            self._compare_state(file, claim, page)

    def _compare_state(self, file: File, claim: Claim, page: PageNow) -> None:
        should_be = state_of(file, claim, page)
        if should_be == claim.state:
            return
        moved = self.repair and move(claim, should_be)
        code = Code.STUCK if claim.state in LOCKS else Code.CLAIM
        detail = f"{claim.state} should be {should_be}"
        self._found(code, page.page_id, claim.qid, detail=detail, repaired=moved)

    def _look_up_revisions(self, files: dict[int, File], pages: dict[int, PageNow]) -> None:
        """Each revision that the ledger names is an edit of that batch on that file. Most are
        among the users' contributions; the rest (say, of a renamed user) are asked for."""
        seen = {
            (each.revision, each.code)
            for page_id in files
            for each in self.marks.by_page.get(page_id, ())
        }
        suspects = [
            edit
            for page_id, file in files.items()
            for edit in file.edits
            if edit.revision
            and (edit.revision, edit.batch.code) not in seen
            and edit.batch_id in self.in_scope
            and pages[page_id].problem not in UNKNOWN
        ]
        found = self.marks.revisions(edit.revision for edit in suspects if edit.revision)
        for edit in suspects:
            page_id, words = found.get(edit.revision or 0, (0, ""))
            mark = statements.batch_mark(edit.batch.code)
            if page_id != edit.page_id or (words is not None and mark not in words):
                detail = f"revision {edit.revision}"
                self._found(Code.NO_SUCH_EDIT, edit.page_id, edit.qid, edit.guid, detail=detail)

    def _found(
        self,
        code: Code,
        page_id: int,
        qid: str = "",
        guid: str = "",
        *,
        detail: str = "",
        repaired: bool = False,
    ) -> None:
        self.report.findings.append(Finding(code, page_id, qid, guid, detail, repaired))
