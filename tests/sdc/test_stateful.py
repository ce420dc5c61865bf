"""Anything may happen, in any order, at any moment: one edit a claim, and nobody else's touched.

Two people send the same person on the same files in two projects, while workers are killed, the
wiki misbehaves, others edit, and moderators step in. In the end all is healed and comes to rest;
then every revision of the wiki is held against what was approved and against the ledger.

`STATEFUL_EXAMPLES=200` looks for longer; without it the same few stories are told each time.
"""

from __future__ import annotations

import copy
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from classify.models import Label, Verdict
from core.user_errors import Refused
from core.work import WorkState
from projects.accounts import tokens
from projects.models import AuditEvent, Project
from sandbox import RunningSandbox
from sandbox.records import Revision
from sdc import reconcile
from sdc.batches import moderation
from sdc.batches import services as batches_services
from sdc.batches import undo as batches_undo
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, Writer
from sdc.preview import selection
from sdc.reconcile import Code
from sdc.watch import recheck
from sdc.writing import scheduler
from sdc.writing.reasons import Reason
from tests import factories
from tests.sdc.allowed import forbidden_changes, forget_changes, watching_changes
from tests.sdc.conftest import CURIE, WikiItself, hours_pass, item_of, label_yes, time_passes
from tests.sdc.warm_worker import WarmWorker
from wiki.http import WikiError
from wiki.json_tree import Node

pytestmark = pytest.mark.process

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
FILES = 2
BUDGET = 0.25  # seconds a worker works; all that is due is done by then
WRITES = ("wbsetclaim", "wbremoveclaims")
CRASHES = [
    f"{kind}:{moment}"
    for kind in ("write", "undo")
    for moment in ("before-call", "after-call", "after-commit")
] + ["watch:after-read", "watch:after-commit"]
# How a worker runs: in this process, killed where it comes by, or two at once.
HOW_WORKED = st.sampled_from(
    ["here", "slowly", "not", "two", *CRASHES, *(f"two {each}" for each in CRASHES)]
)
PROJECTS = st.integers(0, 1)
SENDERS = st.sampled_from(["Alice", "Bob"])
FILE = st.integers(0, FILES - 1)
NUMBER = st.integers(0, 3)  # of a batch, the newest first
Json = dict[str, Any]
Fault = tuple[str, Json]
FAULTS: st.SearchStrategy[Fault] = st.sampled_from(
    [
        ("cut-before", {}),
        ("cut-after-effect", {}),
        ("maxlag", {"retry_after": 7}),
        ("readonly", {}),
        ("ratelimited", {}),
        ("blocked", {}),
        ("http", {"status": 503}),
        ("http", {"status": 429, "retry_after": 9}),
        ("refuse", {"codes": ["failed-save", "editconflict"]}),
        ("refuse", {"codes": ["badtoken"]}),
        ("refuse", {"codes": ["failed-save", "hookaborted"]}),
        ("refuse", {"codes": ["assertuserfailed"]}),
        ("patched", {}),
    ]
)
OTHERS = [
    "add",
    "add another",
    "remove",
    "remove",
    "change",
    "revert",
    "describe",
    "delete",
    "undelete",
    "undelete",
    "move",
    "move back",
    "protect",
    "unprotect",
]
TOO_OFTEN = ClaimAttempt.max_tries  # setbacks, after which a claim may be given up

Outcome = ClaimAttempt.Outcome
State = EditBatch.State


@dataclass
class Stage:
    """What stays through all stories: the wiki, the worker that can be killed, and how all goes
    back to the beginning."""

    wiki: WikiItself
    worker: WarmWorker
    kept: sqlite3.Connection
    folder: Path
    numbers: Iterator[int]

    def clear(self) -> None:
        """No rows but those of the migrations, and the wiki as it was."""
        wipe()
        forget_changes()
        running = self.wiki.running
        running.faults.clear()
        running.world.edit_times.clear()
        with closing(sqlite3.connect(running.world.store.path, timeout=30)) as state:
            self.kept.backup(state)


def wipe() -> None:
    """Every row of the product, past its own rules: the ledger lets nobody delete."""
    tables = [
        model._meta.db_table
        for app in ("core", "projects", "crawler", "classify", "sdc")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    ]
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")


class Story(RuleBasedStateMachine):
    """`stage` is set by the test."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        stage = self.stage
        stage.clear()
        self.wiki, self.world = stage.wiki, stage.wiki.running.world
        self.users = {
            name: factories.wiki_user(self.wiki.running, name) for name in ("Alice", "Bob", "Mona")
        }
        factories.make_moderator(self.users["Mona"])
        alice, bob = self.users["Alice"], self.users["Bob"]
        self.projects: list[Project] = [
            factories.make_project(alice, CURIE, members=[bob]),
            factories.make_project(bob, CURIE, members=[alice]),
        ]
        self.pages = pages_without_her(self.wiki)
        for project in self.projects:
            for page_id in self.pages:
                label_yes(project, self.wiki, page_id, project.owner)
        self.started = {page: self.wiki.page(page).title for page in self.pages}
        self.desk = scheduler.Desk()  # of this process: it remembers what it has read
        # the model of the world: what people and the wiki did
        self.happened: Counter[str] = Counter()  # by kind
        self.at: dict[int, set[str]] = {page: set() for page in self.pages}  # by file
        self.since = self.world.store.value("SELECT max(id) FROM revision WHERE wiki = 'commons'")

    @rule(deed=st.deferred(lambda: DEEDS))
    def then(self, deed: tuple[Any, ...]) -> None:
        """One rule for all, so that no story leaves half of what may happen out."""
        self.tell(deed)

    def tell(self, deed: tuple[Any, ...]) -> None:
        name, *how = deed
        getattr(self, name)(*how)

    # What users do ------------------------------------------------------------------------

    def preview(self, project: int, name: str, asks: bool, out: int | None) -> None:
        """A draft; perhaps with a row left out, or with what somebody spoke against asked for."""
        self._prepare(project, name, asks, out)

    def confirm(self, project: int, name: str) -> None:
        """What was previewed some time ago."""
        self._confirm(project, name)

    def send(
        self,
        project: int,
        name: str,
        asks: bool,
        fault: Fault | None,
        meanwhile: tuple[str, int] | None,
        how: str,
    ) -> None:
        """Preview, confirm, and let a worker begin, on a wiki that may have changed by then."""
        self._prepare(project, name, asks, None)
        self._confirm(project, name)
        self._begin("wbsetclaim", fault, meanwhile, how)

    def undo(
        self,
        number: int,
        by: str,
        file: int | None,
        fault: Fault | None,
        meanwhile: tuple[str, int] | None,
        how: str,
    ) -> None:
        batch = self._batch(number)
        if batch is None:
            return
        what: EditBatch | ClaimAttempt | None = batch
        if file is not None:
            what = batch.attempts.filter(claim__page_id=self.pages[file]).first()
        if what:
            with may_be_refused():
                batches_undo.undo(what, batch.user if by == "sender" else self.users[by])
        self._begin("wbremoveclaims", fault, meanwhile, how)

    def sender_steers(self, number: int, deed: str) -> None:
        if batch := self._batch(number):
            with may_be_refused():
                getattr(batches_services, deed)(batch, batch.user)
            self.happened[deed] += 1

    def answer_changes(self, project: int, file: int, verdict: str) -> None:
        labels = Label.objects.filter(
            subject__project=self.projects[project], photo__page_id=self.pages[file]
        )
        if labels.exclude(verdict=verdict).update(verdict=verdict):
            self._note("answer", file)

    # What moderators do -------------------------------------------------------------------

    def moderator_decides(self, file: int, deed: str) -> None:
        claim = Claim.objects.filter(page_id=self.pages[file]).first()
        if claim:
            getattr(moderation, deed)(claim, self.users["Mona"], "because")
            self._note(deed, file)

    def moderator_stops_writing_for_a_while(self, what: str, how: str) -> None:
        mona = self.users["Mona"]
        if what == "user":
            moderation.stop_user(self.users["Alice"], mona, "look first")
        elif what == "project":
            moderation.stop_project(self.projects[0], mona, "look first")
        else:
            moderation.stop_everything(mona, "look first")
        self._work(how)
        self._release_all()

    # What others do on the wiki -----------------------------------------------------------

    def somebody(self, deed: str, file: int) -> None:
        page_id = self.pages[file]
        if deed == "undelete":
            self._come_back(page_id)
            return
        page = self.world.page_by_id("commons", page_id)
        if page is None:
            return
        there = bool(self.wiki.depicts(page_id))
        match deed:
            case "add":
                self.wiki.somebody_adds(page_id)
            case "add another":
                self.wiki.somebody_adds(page_id, "Q937")
            case "remove" if there:
                self.wiki.somebody_removes(page_id)
            case "change" if there:
                self.wiki.somebody_changes(page_id, rank="preferred")
            case "revert":
                before = self.world.history(page)[1:2]
                if not before or before[0].id < self.since or not before[0].entity:
                    return
                self.wiki.somebody_restores(page_id, before[0].id)
            case "describe":
                self.world.save_text(page, "words", user="Charlie", comment="described")
            case "delete":
                self.world.delete(page, user="Admin")
            case "move":
                title = f"File:Renamed {next(self.stage.numbers)}.jpg"
                self.world.move(page, title, user="Admin", redirect=False)
            case "move back" if page.title != self.started[page_id]:
                self.world.move(page, self.started[page_id], user="Admin", redirect=False)
            case "protect":
                self.world.protect(page, "sysop")
            case "unprotect":
                self.world.protect(page, None)
        self._note(deed, file)

    # How the wiki misbehaves, and how it is sent ------------------------------------------

    def wiki_misbehaves_at_the_next_write(self, fault: Fault, action: str) -> None:
        self._misbehave(fault, action)

    def wiki_misbehaves_at_the_next_read(self, action: str) -> None:
        self._misbehave(("http", {"status": 500}), action)

    def work(self, how: str, soon: bool) -> None:
        self._work(how, soon=soon)

    def watch_looks(self, hours: float) -> None:
        hours_pass(hours)
        recheck.work(BUDGET)

    # How it ends --------------------------------------------------------------------------

    def teardown(self) -> None:
        self.heal()
        self.come_to_rest()
        nothing_hangs()
        assert not forbidden_changes()
        self.reconcile_finds_only_what_others_did()
        marked = {page: self.edits_are_ours(page) for page in self.pages}
        self.ledger_tells_the_same(marked)
        self.claims_are_as_the_wiki(marked)
        self.ends_have_their_reasons()

    def heal(self) -> None:
        """The wiki and the people let everything happen that was approved."""
        self.wiki.running.faults.clear()
        self._release_all()
        for page_id in self.pages:
            self._come_back(page_id)
            self.world.protect(self.wiki.page(page_id), None)
        for user in self.users.values():  # they log in again
            access, refresh = factories.issue_tokens(self.wiki.running, user.wiki_username)
            tokens.store(user, access, refresh, expires_in=4 * 3600)
        for batch in EditBatch.objects.filter(state=State.PAUSED):
            with may_be_refused():
                batches_services.resume(batch, batch.user)

    def come_to_rest(self) -> None:
        for _round in range(40):
            later()
            scheduler.work(BUDGET)
            if not EditBatch.objects.filter(state__in=(State.RUNNING, State.PAUSED)).exists() and (
                not scheduler.open_attempts().exists()
            ):
                break
        for _round in range(3):
            Watch.objects.filter(state=WorkState.QUEUED).update(due_at=timezone.now())
            Watch.objects.filter(state=WorkState.RUNNING).update(lease_until=timezone.now())
            recheck.work(BUDGET)

    def edits_are_ours(self, page_id: int) -> list[tuple[Revision, ClaimAttempt]]:
        """Each revision that bears a mark of ours did exactly what its row says, and no more."""
        found: list[tuple[Revision, ClaimAttempt]] = []
        history = list(reversed(self.world.history(self.wiki.page(page_id))))
        before = {revision.id: statements_of(revision) for revision in history}
        for revision in history:
            if revision.id <= self.since or "editgroups-commons" not in revision.comment:
                continue
            attempt = self.attempt_of(page_id, revision)
            then, now = before[revision.parent], statements_of(revision)
            guid = attempt.statement_guid
            if attempt.undoes_id is None:
                assert not [each for each in then.values() if says_her(each)], "added twice"
                assert now.pop(guid) is not None
                assert now == then, "an edit of ours touched what is not ours"
                assert_asked_for_again(attempt, found)
            else:
                gone = then.pop(guid)
                assert statements.same(attempt.statement, read(gone)), "removed what was changed"
                assert now == then, "taking back touched what is not ours"
            found.append((revision, attempt))
        return found

    def attempt_of(self, page_id: int, revision: Revision) -> ClaimAttempt:
        [batch] = [
            each
            for each in EditBatch.objects.select_related("user")
            if statements.batch_mark(each.code) in revision.comment
        ]
        assert revision.user == batch.user.wiki_username
        return ClaimAttempt.objects.select_related("claim", "batch").get(
            batch=batch, claim__page_id=page_id
        )

    def ledger_tells_the_same(self, marked: dict[int, list[tuple[Revision, ClaimAttempt]]]) -> None:
        """Every edit has its row, every row its edit."""
        on_wiki = {
            (page, attempt.pk, attempt.statement_guid, revision.id)
            for page, edits in marked.items()
            for revision, attempt in edits
        }
        ledger = {
            (edit.page_id, edit.attempt_id, edit.guid, edit.revision) for edit in Edit.objects.all()
        }
        assert ledger == on_wiki
        for edit in Edit.objects.select_related("attempt"):
            assert edit.attempt.outcome == Outcome.WRITTEN
            assert (edit.kind == Edit.Kind.REMOVE) == (edit.attempt.undoes_id is not None)
        assert ClaimAttempt.objects.filter(outcome=Outcome.WRITTEN).count() == len(ledger)

    def claims_are_as_the_wiki(
        self, marked: dict[int, list[tuple[Revision, ClaimAttempt]]]
    ) -> None:
        for page_id in self.pages:
            there = [each["id"] for each in self.wiki.depicts(page_id)]
            ours = set(there) & set(ClaimAttempt.objects.values_list("guid", flat=True))
            assert len(there) == len(set(there))
            added = {attempt.guid for _, attempt in marked[page_id] if attempt.guid}
            assert ours <= added
            claim = Claim.objects.filter(page_id=page_id).first()
            if claim is None:
                assert not ours
                continue
            told = {"claim": claim.state, "ours": ours, "at": self.at[page_id]}
            if claim.state == Claim.State.WRITTEN:
                assert ours, told
            elif claim.state == Claim.State.FREE:
                assert not added, told
            elif claim.state in (Claim.State.REMOVED, Claim.State.UNDONE):
                assert not ours or "revert" in self.at[page_id], told

    def ends_have_their_reasons(self) -> None:
        """What was confirmed is written, or ended for a reason that the world agrees with."""
        confirmed = ClaimAttempt.objects.exclude(batch__confirmed_at=None)
        for attempt in confirmed.select_related("claim", "batch"):
            if attempt.outcome in (Outcome.WRITTEN, Outcome.EXCLUDED):
                continue
            reason = Reason(attempt.reason)
            told = (attempt.outcome, reason, attempt.undoes_id, self.at[attempt.claim.page_id])
            if not attempt.began_at and attempt.ended_at is None:
                continue  # skipped by the preview itself
            assert self.agrees(reason, attempt), told

    def agrees(self, reason: Reason, attempt: ClaimAttempt) -> bool:
        """Whether what the model knows of the world explains this end."""
        here = self.at[attempt.claim.page_id]
        others = ClaimAttempt.objects.filter(claim=attempt.claim).exclude(pk=attempt.pk)
        setbacks = sum(self.happened.values()) >= TOO_OFTEN
        match reason:
            case Reason.ALREADY_THERE:
                return bool({"add", "revert"} & here) or others.exclude(began_at=None).exists()
            case Reason.MOVED:
                return "move" in here
            case Reason.DELETED | Reason.GONE:
                return "delete" in here
            case Reason.PROTECTED:
                return "protect" in here
            case Reason.REMOVED | Reason.GONE_ALREADY:
                return bool({"remove", "revert"} & here)
            case Reason.NOT_AS_WRITTEN:
                return "change" in here
            case Reason.HELD:
                return "hold" in here
            case Reason.REJECTED:
                return "reject" in here
            case Reason.ANSWER_CHANGED:
                return "answer" in here
            case Reason.CLAIMED | Reason.SENDING:
                return others.exclude(batch__confirmed_at=None).exists()
            case Reason.TAKEN_BACK:
                return EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
            case Reason.STOPPED:
                return self.happened["stop"] > 0
            case Reason.BLOCKED:
                return self.happened["blocked"] > 0
            case Reason.FILTERED:
                return self.happened["refuse failed-save hookaborted"] > 0
            case Reason.CRASHED | Reason.CONFLICT | Reason.TROUBLE | Reason.NETWORK | Reason.TOKEN:
                return setbacks
        return False

    def reconcile_finds_only_what_others_did(self) -> None:
        """After the month of the watch nobody looks; and the history of a deleted file can't be
        read, so that a doubt about it ends without an answer. Reconcile makes up for both."""
        for finding in reconcile.reconcile(repair=True).findings:
            after_deletion = "delete" in self.at.get(finding.page_id, ())
            late = finding.code in (Code.UNRECORDED, Code.CLAIM) and after_deletion
            assert finding.is_note or finding.code in (Code.GONE, Code.CHANGED) or late, finding
        report = reconcile.reconcile()
        assert report.agrees, [each for each in report.findings if not each.settled]

    # Helpers ------------------------------------------------------------------------------

    def _note(self, what: str, file: int) -> None:
        self.happened[what] += 1
        self.at[self.pages[file]].add(what)

    def _prepare(self, project: int, name: str, asks: bool, out: int | None) -> None:
        user = self.users[name]
        with may_be_refused():
            draft = batches_services.prepare_batch(self.projects[project], user)
            for row in draft.attempts.select_related("batch__project", "claim__photo"):
                if out is not None and row.claim.page_id == self.pages[out]:
                    selection.exclude(row, user)
                elif asks and row.outcome == Outcome.SKIPPED:
                    selection.ask_for(row, user)

    def _confirm(self, project: int, name: str) -> None:
        drafts = EditBatch.objects.filter(
            project=self.projects[project], user=self.users[name], state=State.DRAFT
        )
        if draft := drafts.select_related("project__subject__person").first():
            with may_be_refused():
                batches_services.confirm(draft, self.users[name])

    def _begin(
        self, action: str, fault: Fault | None, meanwhile: tuple[str, int] | None, how: str
    ) -> None:
        if fault:
            self._misbehave(fault, action)
        if meanwhile:
            self.somebody(*meanwhile)
        self._work(how)

    def _misbehave(self, fault: Fault, action: str) -> None:
        kind, details = fault
        self.wiki.running.faults.add(kind, {"action": action}, times=1, **details)
        self.happened[" ".join([kind, *details.get("codes", [])])] += 1

    def _work(self, how: str, *, soon: bool = False) -> None:
        """A worker comes, as a rule after all waits."""
        if not soon:
            later()
        *two, point = how.split()
        if point in ("here", "slowly"):  # slowly: one edit, and the next is not due yet
            with override_settings(EDITS_A_MINUTE=60 if point == "slowly" else 6000):
                scheduler.work(BUDGET, self.desk)
        elif point != "not":
            workers, crash_at = (2 if two or point == "two" else 1), ""
            if point != "two":
                crash_at = f"{point}={self.stage.folder / str(next(self.stage.numbers))}"
            ends = self.stage.worker.work(BUDGET, crash_at, workers)
            assert set(ends) <= {0, -9}
            self.happened["killed"] += -9 in ends

    def _release_all(self) -> None:
        mona = self.users["Mona"]
        moderation.release_everything(mona)
        for user in self.users.values():
            moderation.release_user(user, mona)
        for project in self.projects:
            moderation.release_project(project, mona)

    def _batch(self, number: int) -> EditBatch | None:
        """One that was confirmed, the newest first."""
        batches = list(
            EditBatch.objects.exclude(confirmed_at=None)
            .select_related("user", "project__subject__person")
            .order_by("-pk")[: number + 1]
        )
        return batches[-1] if batches else None

    def _come_back(self, page_id: int) -> None:
        """Undelete a file, if it is deleted."""
        if self.world.page_by_id("commons", page_id) is None:
            sql = "SELECT title FROM page WHERE wiki = 'commons' AND id = ?"
            title = self.world.store.value(sql, (page_id,))
            gone = self.world.deleted_page("commons", title)
            assert gone
            self.world.undelete(gone, user="Admin")


def _deed(name: str, *how: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    assert hasattr(Story, name)
    return st.tuples(st.just(name), *how)


BY = st.sampled_from(["sender", "Mona"])
PERHAPS = st.none() | FAULTS
MEANWHILE = st.none() | st.tuples(st.sampled_from(OTHERS), FILE)
DEEDS: st.SearchStrategy[tuple[Any, ...]] = st.one_of(
    _deed("preview", PROJECTS, SENDERS, st.booleans(), st.none() | FILE),
    _deed("confirm", PROJECTS, SENDERS),
    *[_deed("send", PROJECTS, SENDERS, st.booleans(), PERHAPS, MEANWHILE, HOW_WORKED)] * 4,
    *[_deed("undo", NUMBER, BY, st.none() | FILE, PERHAPS, MEANWHILE, HOW_WORKED)] * 3,
    _deed("sender_steers", NUMBER, st.sampled_from(["pause", "resume", "resume", "stop"])),
    _deed(
        "answer_changes", PROJECTS, FILE, st.sampled_from([Verdict.NO, Verdict.YES, Verdict.YES])
    ),
    _deed("moderator_decides", FILE, st.sampled_from(["hold", "release", "release", "reject"])),
    _deed(
        "moderator_stops_writing_for_a_while",
        st.sampled_from(["user", "project", "everything"]),
        HOW_WORKED,
    ),
    *[_deed("somebody", st.sampled_from(OTHERS), FILE)] * 3,
    _deed("wiki_misbehaves_at_the_next_write", FAULTS, st.sampled_from(WRITES)),
    _deed("wiki_misbehaves_at_the_next_read", st.sampled_from(["query", "wbgetentities"])),
    *[_deed("work", HOW_WORKED, st.booleans())] * 3,
    _deed("watch_looks", st.sampled_from([25.0, 24.0 * 8, 24.0 * 31])),
)


def may_be_refused() -> AbstractContextManager[None]:
    """People ask for what they may not have; that is no fault."""
    return suppress(Refused, PermissionDenied, WikiError)


def later() -> None:
    """All waits are over, and no user is left aside for the process that served them last."""
    time_passes()
    Writer.objects.update(due_at=timezone.now() - scheduler.ASIDE)


def pages_without_her(wiki: WikiItself) -> list[int]:
    rows = wiki.running.world.store.rows(
        "SELECT id FROM page WHERE wiki = 'commons' AND ns = 6 AND deleted = 0"
        " AND redirect_to IS NULL AND protection IN ('', '{}', 'null') ORDER BY id"
    )
    free = [
        row["id"]
        for row in rows
        if not wiki.depicts(row["id"])
        and (file := wiki.running.world.file(wiki.page(row["id"])))
        and file.mime == "image/jpeg"
    ]
    return free[:FILES]


def statements_of(revision: Revision) -> dict[str, Json]:
    """All statements of a revision by GUID."""
    groups = (revision.entity or {}).get("statements") or {}
    return {each["id"]: each for rows in copy.deepcopy(groups).values() for each in rows}


def read(statement: Json) -> statements.Statement:
    return statements.read_statement(Node(statement))


def says_her(statement: Json) -> bool:
    depicts = statement["mainsnak"]["property"] == settings.WIKI.depicts
    return bool(depicts) and item_of(statement) == CURIE


def assert_asked_for_again(
    attempt: ClaimAttempt, earlier: list[tuple[Revision, ClaimAttempt]]
) -> None:
    """What we once added is never added again without a person asking for this very file."""
    again = [each for _revision, each in earlier if each.undoes_id is None]
    asked = AuditEvent.objects.filter(
        action="claim.asked-again", target=f"claim:{attempt.claim_id}"
    )
    assert len(again) <= asked.count(), "added again though nobody asked"
    assert not again or attempt.asked_for


def nothing_hangs() -> None:
    """All that was begun has ended."""
    going = EditBatch.objects.filter(state__in=(State.RUNNING, State.PAUSED))
    assert not going.exists(), list(going.values("state", "reason", "kind"))
    locked = Claim.objects.filter(state__in=(Claim.State.SENDING, Claim.State.UNDOING))
    assert not locked.exists(), list(locked.values())
    unsettled = ClaimAttempt.objects.exclude(batch__confirmed_at=None).filter(
        state__in=(WorkState.QUEUED, WorkState.RUNNING), outcome=Outcome.PLANNED
    )
    assert not unsettled.exists(), list(unsettled.values())
    assert not ClaimAttempt.objects.filter(in_doubt=True).exists()


@pytest.fixture
def stage(
    shared_database: str, fresh_sandbox: RunningSandbox, wiki: WikiItself, tmp_path: Path
) -> Iterator[Stage]:
    folder = str(settings.BASE_DIR)
    with (
        watching_changes(),
        WarmWorker(folder) as worker,
        closing(sqlite3.connect(":memory:")) as kept,
    ):
        with closing(sqlite3.connect(fresh_sandbox.world.store.path)) as state:
            state.backup(kept)
        yield Stage(wiki, worker, kept, tmp_path, count())


CUT: Fault = ("cut-after-effect", {})
SENT = ("send", 0, "Alice", False, None, None, "here")
# What is told each time, whatever Hypothesis comes upon.
STORIES: dict[str, list[tuple[Any, ...]]] = {
    "removed between a crash and the next try": [
        ("send", 0, "Alice", False, None, None, "write:after-call"),
        ("somebody", "remove", 0),
        ("work", "two", False),
    ],
    "two projects and two people send the same at once": [
        ("preview", 0, "Alice", False, None),
        ("preview", 1, "Bob", False, None),
        ("confirm", 0, "Alice"),
        ("confirm", 1, "Bob"),
        ("work", "two write:before-call", False),
    ],
    "changed while it is about to be taken back": [
        SENT,
        ("undo", 0, "sender", None, None, ("change", 0), "here"),
    ],
    "taken back, and sent again without and with being asked for": [
        SENT,
        ("undo", 0, "Mona", None, None, None, "undo:after-call"),
        ("work", "here", False),
        ("send", 1, "Bob", False, None, None, "here"),
        ("send", 1, "Bob", True, None, None, "here"),
        ("undo", 0, "sender", 1, CUT, None, "here"),
    ],
    "removed by somebody, and asked for": [
        SENT,
        ("somebody", "remove", 0),
        ("watch_looks", 25.0),
        ("send", 1, "Alice", False, None, None, "here"),
        ("send", 1, "Alice", True, CUT, None, "here"),
    ],
    "put back by somebody after it was taken back": [
        SENT,
        ("undo", 0, "sender", None, CUT, None, "here"),
        ("somebody", "revert", 0),
        ("work", "here", False),
    ],
    "deleted while in doubt, and undeleted": [
        ("send", 0, "Alice", False, CUT, None, "here"),
        ("somebody", "delete", 0),
        ("somebody", "delete", 1),
        ("work", "here", False),
        ("somebody", "undelete", 0),
        ("send", 0, "Alice", False, None, None, "here"),
    ],
    "added by somebody while in doubt": [
        ("send", 0, "Alice", False, ("cut-before", {}), ("add", 1), "here"),
        ("somebody", "add", 0),
        ("work", "here", False),
    ],
    "added and removed by others after it was read": [
        ("send", 0, "Alice", False, None, None, "slowly"),
        ("somebody", "add", 0),
        ("somebody", "add", 1),
        ("work", "here", False),
        ("somebody", "remove", 1),
        ("send", 1, "Bob", True, None, None, "here"),
    ],
    "stopped and rejected in the middle of a call": [
        ("send", 0, "Alice", False, CUT, None, "here"),
        ("moderator_decides", 0, "reject"),
        ("moderator_decides", 1, "reject"),
        ("sender_steers", 0, "stop"),
        ("work", "here", False),
        ("undo", 0, "Mona", None, None, None, "here"),
    ],
    "stopped by the wiki while in doubt": [
        ("wiki_misbehaves_at_the_next_write", ("http", {"status": 503}), "wbsetclaim"),
        ("send", 0, "Alice", False, ("blocked", {}), None, "here"),
        ("work", "here", False),
    ],
    "an undo dies before its call while the statement is removed": [
        SENT,
        ("undo", 0, "Mona", None, None, None, "undo:before-call"),
        ("somebody", "remove", 0),
        ("somebody", "remove", 1),
        ("work", "two", False),
        ("send", 0, "Alice", True, None, None, "here"),
    ],
}


def test_these_stories_end_well(stage: Stage, subtests: pytest.Subtests) -> None:
    for name, deeds in STORIES.items():
        with subtests.test(name):
            story = type("ThisStory", (Story,), {"stage": stage})()
            for deed in deeds:
                story.tell(deed)
            story.teardown()


@pytest.mark.timeout(3600 if EXAMPLES else 120)
def test_whatever_happens_each_claim_is_written_once_and_nothing_else_is_touched(
    stage: Stage,
) -> None:
    class ThisStory(Story):
        pass

    ThisStory.stage = stage
    run_state_machine_as_test(
        ThisStory,
        settings=hypothesis_settings(
            max_examples=EXAMPLES or 10,
            stateful_step_count=30,
            derandomize=not EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
