"""Proving that the ledger and the wiki agree, and repairing what can be repaired.

Files are read 50 a call, at the pace of reads, as nobody. Our own rows are read before and after
the wiki: a file on which something moved meanwhile, or is in flight, is left to its worker.
Repairs go the ways of the workers: rows are taken with their fence, states move by
compare-and-set, and the ledger only grows. So it can run beside them, and twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from crawler import commons
from projects.http import WikiError
from projects.models import Contribution, Project, Tally
from projects.work import Overtaken, WorkState
from sdc import reading, statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch
from sdc.reading import A_CALL, PageNow
from sdc.reasons import Reason
from sdc.watch import watching
from sdc.writing import results

LEASE = timedelta(seconds=45)
CLOCKS = timedelta(minutes=2)  # by which the wiki's clock and ours may differ
CONTRIBUTIONS = 500  # a call
ANSWER = {"found": "by reconcile"}
NO_FILE = (Reason.DELETED, Reason.REDIRECT, Reason.NOT_A_FILE)
LOCKS = (Claim.State.SENDING, Claim.State.UNDOING)
Kind = Edit.Kind
Outcome = ClaimAttempt.Outcome


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


def reconcile(
    batch: EditBatch | None = None, project: Project | None = None, repair: bool = False
) -> Report:
    """Compare the ledger with the wiki, for a batch, a project or all. Raises WikiError.

    Call outside transactions, where pywikibot may be used (tasks and commands).
    """
    batches = EditBatch.objects.filter(wiki=settings.WIKI.code).exclude(confirmed_at=None)
    if batch is not None:
        batches = batches.filter(pk=batch.pk)
    if project is not None:
        batches = batches.filter(project=project)
    projects = Project.objects.all()
    if batch is not None or project is not None:
        projects = projects.filter(batches__in=batches).distinct()
    everything = batch is None and project is None
    with commons.wiki_site() as site:
        work = _Reconciliation(partial(commons.read, site), batches, everything, repair)
        report = work.run()
    report.findings += _counters(projects, repair)
    return report


@dataclass(frozen=True)
class _Marked:
    """An edit on the wiki whose summary bears the mark of one of our batches."""

    revision: int
    page_id: int
    code: str
    timestamp: str


@dataclass
class _File:
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
        return any(_is_open(each) for each in self.attempts if each.statement_guid == guid)

    def claim_of(self, attempt: ClaimAttempt) -> Claim:
        return self.claims[attempt.claim_id]


class _Reconciliation:
    def __init__(
        self, read: reading.Read, batches: QuerySet[EditBatch], everything: bool, repair: bool
    ) -> None:
        self.read = read
        self.everything = everything
        self.repair = repair
        self.batches = {batch.code: batch for batch in batches.select_related("user", "project")}
        self.in_scope = {batch.pk for batch in self.batches.values()}
        self.report = Report()
        self.marked: dict[int, list[_Marked]] = defaultdict(list)  # by page

    def run(self) -> Report:
        for edit in self._marked_edits():
            self.marked[edit.page_id].append(edit)
        rows = ClaimAttempt.objects.filter(batch__in=list(self.in_scope)).exclude(
            outcome=Outcome.EXCLUDED
        )
        page_ids = sorted(set(rows.values_list("claim__page_id", flat=True)))
        for chunk in _chunks(page_ids, A_CALL):
            self._compare(chunk)
        for page_id in sorted(self.marked.keys() - set(page_ids)):
            for edit in self.marked[page_id]:
                if edit.code in self.batches:
                    self._found(Code.UNKNOWN_FILE, page_id, detail=_named(edit))
        return self.report

    # what the wiki says

    def _marked_edits(self) -> Iterator[_Marked]:
        """The edits of everybody who sent, since their first batch, that bear a mark of ours."""
        since: dict[str, datetime] = {}
        for batch in self.batches.values():
            name, at = batch.user.wiki_username, batch.confirmed_at or batch.created_at
            since[name] = min(since.get(name, at), at)
        mark = re.compile(re.escape(statements.batch_mark("@")).replace("@", "([0-9a-f]{12})"))
        unknown: set[int] = set()
        for name, at in since.items():
            for row in self._contributions(name, at - CLOCKS):
                if not (match := mark.search(row.get("comment", ""))):
                    continue
                edit = _Marked(row["revid"], row["pageid"], match[1], row.get("timestamp", ""))
                if edit.code in self.batches:
                    yield edit
                elif self.everything and edit.revision not in unknown:
                    unknown.add(edit.revision)
                    self._found(Code.UNKNOWN_BATCH, edit.page_id, detail=_named(edit))

    def _contributions(self, name: str, since: datetime) -> Iterator[dict[str, Any]]:
        cursor: dict[str, Any] = {}
        while True:
            try:
                body = self.read(
                    action="query",
                    list="usercontribs",
                    ucuser=name,
                    ucprop="ids|comment|timestamp",
                    ucend=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    uclimit=CONTRIBUTIONS,
                    **cursor,
                )
            except WikiError as error:
                if error.code.startswith("baduser"):  # renamed, or no name at all
                    return
                raise
            yield from body.get("query", {}).get("usercontribs", [])
            cursor = body.get("continue", {})
            if not cursor:
                return

    def _revisions(self, ids: Iterable[int]) -> dict[int, tuple[int, str | None]]:
        """Page and summary of these revisions; the summary is None where it is hidden."""
        found: dict[int, tuple[int, str | None]] = {}
        for chunk in _chunks(list(ids), A_CALL):
            body = self.read(
                action="query", prop="revisions", revids=chunk, rvprop="ids|user|comment"
            )
            for page in body.get("query", {}).get("pages", []):
                for row in page.get("revisions", []):
                    words = None if row.get("commenthidden") else row.get("comment", "")
                    found[row["revid"]] = (page["pageid"], words)
        return found

    # our rows and the wiki's side by side

    def _compare(self, page_ids: list[int]) -> None:
        before = _files(page_ids)
        pages = reading.read_pages(self.read, page_ids)
        after = _files(page_ids)
        for page_id in page_ids:
            file, page = after[page_id], pages[page_id]
            if file.in_flight or file.fingerprint != before[page_id].fingerprint:
                self._found(Code.BUSY, page_id)
                continue
            self._compare_file(file, page)
        self._look_up_revisions(after, pages)

    def _compare_file(self, file: _File, page: PageNow) -> None:
        known = len(self.report.findings)
        self._compare_marked(file, page)
        if page.problem not in NO_FILE:
            told = {finding.guid for finding in self.report.findings[known:]}
            for attempt in file.attempts:
                if attempt.batch_id in self.in_scope and attempt.statement_guid not in told:
                    self._compare_attempt(file, attempt, page)
        found = self.report.findings[known:]
        if any(finding.repaired for finding in found):
            file = _file(page.page_id)
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
            file = _file(page.page_id)
        for claim in file.claims.values():
            self._compare_claim(file, claim, page)

    def _compare_edit(self, file: _File, edit: Edit, page: PageNow) -> None:
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
            done = self.repair and _look_again(self.read, edit.attempt, page, finding)
            problem = str(page.problem.value) if page.problem else f"batch {edit.batch.code}"
            self._found(code, *about, detail=problem, repaired=done)

    def _compare_marked(self, file: _File, page: PageNow) -> None:
        """Each edit on the wiki has its row of the ledger."""
        recorded = {edit.revision: edit for edit in file.edits if edit.revision}
        for marked in self.marked.get(page.page_id, ()):
            if marked.revision in recorded:
                continue
            batch = self.batches[marked.code]
            attempt = next((each for each in file.attempts if each.batch_id == batch.pk), None)
            if attempt is None:
                self._found(Code.UNKNOWN_FILE, page.page_id, detail=_named(marked))
                continue
            edit = file.edit_of(attempt)
            about = (page.page_id, file.claim_of(attempt).qid, attempt.statement_guid)
            if edit is None:
                done = self.repair and _record(attempt, page, marked)
                self._found(Code.UNRECORDED, *about, detail=_named(marked), repaired=done)
                if done:
                    file.edits = _file(page.page_id).edits
            elif edit.revision is None:
                self._found(Code.NO_REVISION, *about, detail=f"it is {marked.revision}")
            else:
                self._found(Code.EXTRA_EDIT, *about, detail=_named(marked))

    def _compare_attempt(self, file: _File, attempt: ClaimAttempt, page: PageNow) -> None:
        """What was sent, or may have been, is in the ledger."""
        about = (page.page_id, file.claim_of(attempt).qid, attempt.statement_guid)
        if file.edit_of(attempt):
            return
        if attempt.undoes_id is None and page.has_guid(attempt.statement_guid):
            mark, since = statements.batch_mark(attempt.batch.code), attempt.base_revision
            ours = reading.our_revision(self.read, page.page_id, mark, since)
            marked = _Marked(ours.id, page.page_id, attempt.batch.code, "") if ours else None
            done = self.repair and _record(attempt, page, marked)
            detail = f"{attempt.outcome}, revision {ours.id if ours else 'not found'}"
            self._found(Code.UNRECORDED, *about, detail=detail, repaired=done)
        elif attempt.outcome == Outcome.WRITTEN:
            self._found(Code.UNPROVEN, *about, detail=f"batch {attempt.batch.code}")

    def _compare_claim(self, file: _File, claim: Claim, page: PageNow) -> None:
        guids = {each.guid for each in file.attempts if each.guid and each.claim_id == claim.pk}
        equal = [
            str(each.get("id"))
            for each in statements.depicted(page.statements)
            if statements.item_of(each) == claim.qid
        ]
        ours = [guid for guid in equal if guid in guids]
        if ours and len(equal) > 1:
            code = Code.TWICE if len(ours) > 1 else Code.DUPLICATE
            detail = f"{len(equal)} statements"
            self._found(code, page.page_id, claim.qid, ours[0], detail=detail)
        if claim.state not in LOCKS:
            self._compare_state(file, claim, page)

    def _compare_state(self, file: _File, claim: Claim, page: PageNow) -> None:
        should_be = _state_of(file, claim, page)
        if should_be == claim.state:
            return
        moved = self.repair and _move(claim, should_be)
        code = Code.STUCK if claim.state in LOCKS else Code.CLAIM
        detail = f"{claim.state} should be {should_be}"
        self._found(code, page.page_id, claim.qid, detail=detail, repaired=moved)

    def _look_up_revisions(self, files: dict[int, _File], pages: dict[int, PageNow]) -> None:
        """Each revision that the ledger names is an edit of that batch on that file. Most are
        among the users' contributions; the rest (say, of a renamed user) are asked for."""
        seen = {each.revision for page_id in files for each in self.marked.get(page_id, ())}
        suspects = [
            edit
            for page_id, file in files.items()
            for edit in file.edits
            if edit.revision
            and edit.revision not in seen
            and edit.batch_id in self.in_scope
            and pages[page_id].problem not in NO_FILE
        ]
        found = self._revisions(edit.revision for edit in suspects if edit.revision)
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


def _file(page_id: int) -> _File:
    return _files([page_id])[page_id]


def _files(page_ids: list[int]) -> dict[int, _File]:
    """Claims first: one that is locked has its attempt by the time that is read."""
    files = {page_id: _File() for page_id in page_ids}
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


def _state_of(file: _File, claim: Claim, page: PageNow) -> str:
    """The state that a claim should be in by the ledger and the file; its own where that fits."""
    attempts = [each for each in file.attempts if each.claim_id == claim.pk]
    gone = page.problem in NO_FILE  # which says nothing of what the claim was
    if any(_is_open(attempt) for attempt in attempts) or (gone and claim.state not in LOCKS):
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


def _is_open(attempt: ClaimAttempt) -> bool:
    """Whether a worker still has to settle it."""
    State = EditBatch.State
    going = attempt.batch.state in (State.RUNNING, State.PAUSED) or attempt.in_doubt
    unsettled = attempt.state in (WorkState.QUEUED, WorkState.RUNNING)
    return going and unsettled and attempt.outcome == Outcome.PLANNED


def _record(attempt: ClaimAttempt, page: PageNow, marked: _Marked | None) -> bool:
    """Write down an edit of this attempt that the wiki has, as its worker would have done; False
    when a worker is quicker."""
    was, there = attempt.state, page.has_guid(attempt.statement_guid)
    if not attempt.take(LEASE):
        return False
    revision = marked.revision if marked else None
    answer = ANSWER | ({"timestamp": marked.timestamp} if marked and marked.timestamp else {})
    try:
        if attempt.outcome == Outcome.WRITTEN:
            _enter_only(attempt, revision, answer)
        elif attempt.undoes_id is None:
            results.written(attempt, revision, answer, removed=not there)
        else:
            results.taken_back(attempt, revision, answer, restored=there)
    except (Overtaken, IntegrityError):
        attempt.settle(WorkState.QUEUED if was == WorkState.RUNNING else was)
        return False
    return True


def _enter_only(attempt: ClaimAttempt, revision: int | None, answer: dict[str, Any]) -> None:
    """Its row says already that it was written; only the ledger lacks it."""
    adds = attempt.undoes_id is None
    with transaction.atomic():
        attempt.settle_or_raise(WorkState.DONE, revision=attempt.revision or revision)
        results.enter(attempt, Kind.ADD if adds else Kind.REMOVE, revision, answer)
        if adds and not Watch.objects.filter(claim_attempt=attempt).exists():
            watching.begin(attempt)


def _look_again(read: reading.Read, attempt: ClaimAttempt, page: PageNow, finding: str) -> bool:
    """What somebody did to our statement is found as the watch finds it."""
    if not Watch.objects.filter(claim_attempt=attempt).exists():
        watching.begin(attempt)
    watch = Watch.objects.select_related("claim_attempt__claim").get(claim_attempt=attempt)
    return watching.look_now(read, watch, page) and watch.finding == finding


def _counters(projects: QuerySet[Project], repair: bool) -> Iterator[Finding]:
    """The daily tallies are the sums of the contributions."""
    day = TruncDate("at", tzinfo=UTC)
    rows = Contribution.objects.filter(project__in=projects).order_by().annotate(day=day)
    keys = ("project", "user", "kind", "day")
    sums = {tuple(row[:4]): row[4] for row in rows.values_list(*keys).annotate(n=Sum("amount"))}
    tallies = Tally.objects.filter(project__in=projects).values_list(*keys, "amount")
    counted = {tuple(row[:4]): row[4] for row in tallies}
    for key in sorted(sums.keys() | counted.keys(), key=str):
        if sums.get(key, 0) == counted.get(key, 0):
            continue
        was, right = _recount(*key, repair=repair)
        if was != right:
            detail = f"{key[2]} of {key[3]}: {was} should be {right}"
            yield Finding(Code.COUNTER, detail=detail, repaired=repair)


def _recount(project: int, user: int, kind: str, day: date, *, repair: bool) -> tuple[int, int]:
    """What is counted, and what should be. The tally's row is locked before the contributions
    are added up, since whoever contributes adds to it last."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    with transaction.atomic():
        key: dict[str, Any] = {"project_id": project, "user_id": user, "kind": kind}
        if repair:
            Tally.objects.get_or_create(**key, day=day)
        tally = Tally.objects.select_for_update().filter(**key, day=day).first()
        rows = Contribution.objects.filter(**key, at__gte=begin, at__lt=begin + timedelta(days=1))
        right: int = rows.aggregate(n=Coalesce(Sum("amount"), 0))["n"]
        was = tally.amount if tally else 0
        if repair and tally and was != right:
            Tally.objects.filter(pk=tally.pk).update(amount=right)
    return was, right


def _move(claim: Claim, state: str) -> bool:
    rows = Claim.objects.filter(pk=claim.pk, state=claim.state)
    return bool(rows.update(state=state, updated_at=timezone.now()))


def _chunks(values: list[int], size: int) -> Iterator[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def _named(edit: _Marked) -> str:
    return f"revision {edit.revision}, batch {edit.code}"
