"""What was written is looked at again: who removed it, who changed it, whether it is back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from core.work import Overtaken, WorkState
from projects.models import Project, User
from sdc import tasks
from sdc.batches import services as batches
from sdc.files import statements
from sdc.files.reading import PageNow
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.preview.eligibility import ready_count
from sdc.watch import history, recheck
from sdc.watch.findings import all_findings, findings, findings_of_user, watch_summary
from sdc.writing.reasons import Reason
from tests.sdc.conftest import (
    CURIE,
    Make,
    WikiItself,
    confirmed,
    hours_pass,
    send_to_the_end,
    time_passes,
)
from wiki import pace
from wiki.json_tree import Node

Finding = Watch.Finding
State = Claim.State
Outcome = ClaimAttempt.Outcome
A_DAY, A_WEEK, A_MONTH = 24, 168, 720


@pytest.fixture
def sent(project: Project, alice: User, said_yes: Make, wiki: WikiItself) -> EditBatch:
    """Three statements that Alice has just sent."""
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    assert Watch.objects.count() == 3
    return batch


def page_ids(batch: EditBatch) -> list[int]:
    return list(batch.attempts.order_by("pk").values_list("claim__page_id", flat=True))


def watch_of(page_id: int) -> Watch:
    rows = Watch.objects.select_related("claim_attempt__claim")
    return rows.get(claim_attempt__claim__page_id=page_id)


def reads(wiki: WikiItself, of: str = "") -> int:
    return sum(count for key, count in wiki.running.world.request_counts.items() if of in key)


def test_nothing_is_read_before_a_day_is_over(sent: EditBatch, wiki: WikiItself) -> None:
    hours_pass(A_DAY - 1)
    wiki.running.world.reset_request_counts()
    assert recheck.work() is False
    assert reads(wiki) == 0


def test_what_stands_is_looked_at_after_a_day_a_week_and_a_month(
    sent: EditBatch, wiki: WikiItself
) -> None:
    edited = {row.pk: row.claim_attempt.ended_at for row in Watch.objects.all()}
    for done, hours in enumerate((A_DAY, A_WEEK - A_DAY, A_MONTH - A_WEEK), start=1):
        hours_pass(hours)
        tasks.watch()
        assert set(Watch.objects.values_list("checks", flat=True)) == {done}
        assert set(Watch.objects.values_list("finding", flat=True)) == {Finding.STANDS}
    assert set(Watch.objects.values_list("state", flat=True)) == {WorkState.DONE}
    assert set(Claim.objects.values_list("state", flat=True)) == {State.WRITTEN}
    assert len(edited) == 3
    wiki.running.world.reset_request_counts()
    hours_pass(A_MONTH)
    tasks.watch()
    assert reads(wiki) == 0


def test_the_next_look_is_counted_from_the_edit_however_late_one_was(sent: EditBatch) -> None:
    hours_pass(A_WEEK + 30)
    recheck.work()
    row = Watch.objects.select_related("claim_attempt").all()[0]
    assert row.claim_attempt.ended_at
    assert row.checks == 2
    assert row.due_at == row.claim_attempt.ended_at + timedelta(hours=A_MONTH)


def test_fifty_files_are_read_in_two_requests(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: Any
) -> None:
    said_yes(project, 7)
    send_to_the_end(confirmed(project, alice))
    monkeypatch.setattr(recheck, "A_CALL", 5)
    hours_pass(A_DAY)
    wiki.running.world.reset_request_counts()
    recheck.work()
    assert Watch.objects.filter(checks=1).count() == 7
    assert reads(wiki, "wbgetentities") == 2
    assert reads(wiki) == 4


def test_who_removed_it_when_and_with_which_words(
    project: Project, sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id, *others = page_ids(sent)
    before = datetime.now(UTC) - timedelta(seconds=2)
    removal = wiki.somebody_removes(page_id, words="hardly visible, see [[COM:D|the rules]]")
    wiki.somebody_adds(page_id, "Q937", user="Bob")  # later, and nothing to do with it
    hours_pass(A_DAY)
    recheck.work()
    row = watch_of(page_id)
    assert row.finding == Finding.REMOVED
    assert (row.by, row.comment) == ("Charlie", "hardly visible, see the rules")
    assert row.revision == removal.id
    assert row.found_at
    assert before <= row.found_at <= timezone.now()
    assert row.claim_attempt.claim.state == State.REMOVED
    assert {watch_of(each).finding for each in others} == {Finding.STANDS}
    assert list(findings(project)) == list(findings_of_user(alice)) == [row]
    assert list(all_findings()) == [row]


def test_looks_go_on_and_what_somebody_restored_stands_again(
    project: Project, sent: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_ids(sent)[0]
    ours = wiki.edits(page_id)[0].id
    wiki.somebody_removes(page_id)
    hours_pass(A_DAY)
    recheck.work()
    wiki.somebody_restores(page_id, ours)
    hours_pass(A_WEEK)
    recheck.work()
    row = watch_of(page_id)
    assert (row.finding, row.by, row.comment) == (Finding.STANDS, "", "")
    assert (row.revision, row.found_at) == (None, None)
    assert row.claim_attempt.claim.state == State.WRITTEN
    assert not findings(project).exists()

    again = wiki.somebody_removes(page_id, user="Bob", words="no")
    hours_pass(A_MONTH)
    recheck.work()
    row = watch_of(page_id)
    assert (row.finding, row.by, row.revision) == (Finding.REMOVED, "Bob", again.id)
    assert row.state == WorkState.DONE
    assert row.claim_attempt.claim.state == State.REMOVED


@pytest.mark.parametrize(
    "changes",
    [
        {"rank": "preferred"},
        {"rank": "deprecated"},
        {"qualifiers": {}},
        {"references": [{"snaks": {}, "snaks-order": []}]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_statement_is_told_and_still_ours(
    sent: EditBatch, wiki: WikiItself, changes: dict[str, Any]
) -> None:
    page_id = page_ids(sent)[0]
    change = wiki.somebody_changes(page_id, **changes)
    hours_pass(A_DAY)
    recheck.work()
    row = watch_of(page_id)
    assert (row.finding, row.by, row.comment) == (Finding.CHANGED, "Charlie", "better so")
    assert row.revision == change.id
    assert row.claim_attempt.claim.state == State.WRITTEN


def test_one_that_names_somebody_else_by_now_is_as_good_as_removed(
    project: Project, sent: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_ids(sent)[0]
    einstein = statements.depicts("", "Q937", None)["mainsnak"]
    wiki.somebody_changes(page_id, mainsnak=einstein)
    hours_pass(A_DAY)
    recheck.work()
    row = watch_of(page_id)
    assert row.finding == Finding.CHANGED
    assert row.claim_attempt.claim.state == State.REMOVED


def test_a_file_that_is_gone_may_come_back(
    project: Project, sent: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_ids(sent)[0]
    page = wiki.page(page_id)
    wiki.running.world.delete(page, user="Mona", comment="no permission")
    hours_pass(A_DAY)
    recheck.work()
    row = watch_of(page_id)
    assert row.finding == Finding.GONE
    assert row.claim_attempt.claim.state == State.WRITTEN
    assert not findings(project).exists()  # nobody said anything of the face
    wiki.running.world.undelete(page, user="Mona")
    hours_pass(A_WEEK)
    recheck.work()
    assert watch_of(page_id).finding == Finding.STANDS


def test_what_other_people_do_elsewhere_on_the_file_is_no_finding(
    sent: EditBatch, wiki: WikiItself
) -> None:
    page_id = page_ids(sent)[0]
    wiki.somebody_adds(page_id, "Q937")
    hours_pass(A_DAY)
    recheck.work()
    assert watch_of(page_id).finding == Finding.STANDS


def test_it_is_never_added_again_by_any_project(
    project: Project,
    sent: EditBatch,
    alice: User,
    bob: User,
    make_project: Any,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    other = make_project(bob, CURIE)
    [theirs] = said_yes(other, by=bob, skip=0)  # a fresh file, to show that others are sent
    wiki.somebody_removes(page_ids(sent)[0])
    removed = ClaimAttempt.objects.get(batch=sent, claim__page_id=page_ids(sent)[0])
    assert removed.label
    again = type(removed.label).objects.get(pk=removed.label.pk)
    again.pk, again.subject, again.user = None, other.subject, bob
    again.save(force_insert=True)
    other.project_photos.create(photo=again.photo)
    hours_pass(A_DAY)
    recheck.work()

    assert ready_count(other) == 1
    for mine, user in ((project, alice), (other, bob)):
        draft = batches.prepare_batch(mine, user)
        row = draft.attempts.get(claim=removed.claim)
        assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.REMOVED)
    send_to_the_end(batches.confirm(batches.prepare_batch(other, bob), bob))
    assert wiki.depicts(theirs.photo.page_id)
    assert not wiki.depicts(removed.claim.page_id)


def test_a_drafts_row_that_was_removed_since_is_not_sent(
    sent: EditBatch, project: Project, wiki: WikiItself, bob: User, make_project: Any
) -> None:
    """A preview from before the finding: confirming compares and finds another state."""
    claim = Claim.objects.filter(page_id=page_ids(sent)[0])
    claim.update(state=State.FREE)  # as the draft saw it
    draft = batches.prepare_batch(project, sent.user)
    assert not draft.attempts.filter(outcome=Outcome.PLANNED).exists()  # the file says so already
    wiki.somebody_removes(page_ids(sent)[0])
    draft = batches.prepare_batch(project, sent.user)
    assert draft.attempts.filter(outcome=Outcome.PLANNED).count() == 1
    claim.update(state=State.WRITTEN)
    hours_pass(A_DAY)
    recheck.work()
    batches.confirm(draft, sent.user)
    send_to_the_end(draft)
    assert not wiki.depicts(page_ids(sent)[0])


def test_what_we_took_back_ourselves_is_no_finding(
    project: Project, sent: EditBatch, wiki: WikiItself
) -> None:
    first, second, _third = page_ids(sent)
    for page_id, state in ((first, State.UNDONE), (second, State.UNDOING)):
        wiki.somebody_removes(page_id, user="Alice")
        Claim.objects.filter(page_id=page_id).update(state=state)
    hours_pass(A_DAY)
    recheck.work()
    assert watch_of(first).state == WorkState.DONE
    taking = watch_of(second)
    assert taking.state == WorkState.QUEUED  # it may be left alone yet: then somebody removed it
    assert taking.due_at > timezone.now()
    assert not findings(project).exists()
    assert Claim.objects.get(page_id=first).state == State.UNDONE


def test_a_person_asked_and_it_was_written_anew(sent: EditBatch, wiki: WikiItself) -> None:
    """The old GUID stays away for good, which says nothing of the statement that stands now."""
    page_id = page_ids(sent)[0]
    wiki.somebody_removes(page_id)
    hours_pass(A_DAY)
    recheck.work()
    old = watch_of(page_id)
    guid = ClaimAttempt.new_guid(page_id)
    first = old.claim_attempt
    new = ClaimAttempt.objects.create(
        batch=EditBatch.objects.create(project=sent.project, user=sent.user, wiki=sent.wiki),
        claim=first.claim,
        guid=guid,
        statement=first.statement | {"id": guid},
        outcome=Outcome.WRITTEN,
    )
    assert new.pk > first.pk
    Claim.objects.filter(pk=first.claim_id).update(state=State.WRITTEN)
    hours_pass(A_WEEK)
    recheck.work()
    old.refresh_from_db()
    assert old.state == WorkState.DONE
    assert Claim.objects.get(pk=first.claim_id).state == State.WRITTEN
    assert not findings(sent.project).exists()


def test_check_now_looks_at_once_and_the_plan_stays(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    planned = watch_of(page_ids(sent)[1]).due_at
    wiki.somebody_removes(page_ids(sent)[0])
    assert recheck.check_now(sent, alice) == 3
    recheck.work()
    assert watch_of(page_ids(sent)[0]).finding == Finding.REMOVED
    other = watch_of(page_ids(sent)[1])
    assert other.checked_at
    assert other.checks == 0
    assert abs(other.due_at - planned) < timedelta(seconds=5)


def test_after_the_month_only_what_was_found_is_looked_at_again(
    sent: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id = page_ids(sent)[0]
    ours = wiki.edits(page_id)[0].id
    wiki.somebody_removes(page_id)
    hours_pass(A_MONTH)
    recheck.work()
    assert recheck.check_now(sent, alice) == 1
    wiki.somebody_restores(page_id, ours)
    recheck.work()
    row = watch_of(page_id)
    assert (row.finding, row.state) == (Finding.STANDS, WorkState.DONE)
    assert row.claim_attempt.claim.state == State.WRITTEN


def test_who_may_ask_for_a_look(
    sent: EditBatch, alice: User, bob: User, charlie: User, mona: User, make_project: Any
) -> None:
    for user in (alice, mona):
        assert recheck.check_now(sent, user) == 3
    for user in (bob, charlie):
        with pytest.raises(PermissionDenied):
            recheck.check_now(sent, user)


def test_the_summary_counts_each_look(sent: EditBatch, wiki: WikiItself) -> None:
    summary = watch_summary(sent)
    assert [look.name for look in summary.looks] == ["After a day", "After a week", "After a month"]
    assert [look.done for look in summary.looks] == [False] * 3
    assert (summary.watched, summary.stand, summary.checked_at) == (3, 3, None)
    wiki.somebody_removes(page_ids(sent)[0])
    hours_pass(A_DAY)
    recheck.work()
    summary = watch_summary(sent)
    assert [(look.done, look.stand, look.of) for look in summary.looks][:2] == [
        (True, 2, 3),
        (False, 0, 3),
    ]
    assert (summary.stand, summary.removed, summary.to_look) == (2, 1, 1)
    assert summary.checked_at


def test_a_watch_that_was_removed_before_we_knew_is_looked_at_soon(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, sent: EditBatch
) -> None:
    page_id = page_ids(sent)[0]
    row = watch_of(page_id)
    attempt = row.claim_attempt
    row.delete()
    recheck.begin(attempt, removed=True)
    Claim.objects.filter(pk=attempt.claim_id).update(state=State.REMOVED)
    removal = wiki.somebody_removes(page_id)
    recheck.work()
    assert watch_of(page_id).revision == removal.id


def test_the_wikis_wish_to_wait_is_kept(sent: EditBatch, wiki: WikiItself) -> None:
    hours_pass(A_DAY)
    pace.pause("read", 60, "maxlag")
    wiki.running.world.reset_request_counts()
    assert recheck.work() is False
    assert reads(wiki) == 0
    time_passes()
    recheck.work()
    assert Watch.objects.filter(checks=1).count() == 3


def test_trouble_with_the_wiki_loses_no_look(sent: EditBatch, wiki: WikiItself) -> None:
    hours_pass(A_DAY)
    wiki.running.faults.add("http", status=503)
    recheck.work()
    rows = Watch.objects.all()
    assert {row.state for row in rows} == {WorkState.QUEUED}
    assert all(row.error and row.due_at > timezone.now() for row in rows)
    wiki.running.faults.clear()
    Watch.objects.update(due_at=timezone.now())
    time_passes()
    recheck.work()
    assert set(Watch.objects.values_list("checks", "error")) == {(1, "")}


def test_a_lagging_server_is_not_believed(sent: EditBatch) -> None:
    """It answers with the page of before our edit: that is no removal."""
    row = watch_of(page_ids(sent)[0])
    assert row.claim_attempt.revision
    old = PageNow(row.claim_attempt.claim.page_id, revision=row.claim_attempt.revision - 1)

    def read(**_params: Any) -> Node:
        raise AssertionError

    with pytest.raises(history.Stale):
        recheck._look(read, row, old)


def test_one_odd_row_keeps_nobody_from_looking_at_the_others(sent: EditBatch) -> None:
    odd, *others = page_ids(sent)
    ClaimAttempt.objects.filter(claim__page_id=odd).update(statement={})
    hours_pass(A_DAY)
    recheck.work()
    row = watch_of(odd)
    assert (row.state, row.error, row.checks) == (WorkState.QUEUED, "trouble", 0)
    assert {watch_of(each).checks for each in others} == {1}


class History:
    """A page's history as the wiki tells it, of which administrators hid parts."""

    def __init__(self, *rows: dict[str, Any], pages: int = 1) -> None:
        self.rows, self.pages = rows, pages

    def __call__(self, **params: Any) -> Node:
        self.pages -= 1
        more = {"continue": {"rvcontinue": "x"}} if self.pages else {}
        return Node({"query": {"pages": [{"pageid": 1, "revisions": list(self.rows)}]}} | more)


def revision(number: int, *, there: bool, **fields: Any) -> dict[str, Any]:
    rows = [statements.depicts("M1$a", CURIE, None)] if there else []
    content = json.dumps({"statements": {settings.WIKI.depicts: rows} if rows else []})
    shown = {"user": f"User {number}", "comment": "", "timestamp": "2026-11-24T06:58:39Z"}
    return {"revid": number, "slots": {"mediainfo": {"content": content}}} | shown | fields


def gone(then: statements.Statements) -> bool:
    return not statements.says(then, CURIE)


def test_a_hidden_revision_leaves_it_to_the_next_one() -> None:
    hidden = revision(7, there=False, slots={"mediainfo": {"texthidden": True}})
    read = History(revision(8, there=False), hidden, revision(6, there=True))
    found = history.since_when(read, 1, 5, gone)
    assert found
    assert (found.revision, found.by) == (8, "User 8")


def test_a_hidden_name_is_no_name() -> None:
    row = revision(8, there=False, userhidden=True, commenthidden=True)
    del row["user"], row["comment"]
    found = history.since_when(History(row, revision(5, there=True)), 1, 5, gone)
    assert found
    assert (found.revision, found.by, found.words) == (8, "", "")


def test_a_file_that_lost_all_its_structured_data_lost_ours_too() -> None:
    read = History(revision(8, there=False, slots={}), revision(5, there=True))
    found = history.since_when(read, 1, 5, gone)
    assert found
    assert found.revision == 8


def test_a_history_that_is_too_long_tells_nothing() -> None:
    read = History(*(revision(1000, there=False) for _each in range(50)), pages=100)
    assert history.since_when(read, 1, 5, gone) is None
    assert read.pages == 90  # 500 revisions, not more


def test_a_history_that_contradicts_what_was_read_is_stale() -> None:
    with pytest.raises(history.Stale):
        history.since_when(History(revision(8, there=True)), 1, 5, gone)


ONE_RUN = """
import django
django.setup()
from sdc.watch import recheck
recheck.work(10)
"""


@pytest.mark.process
@pytest.mark.parametrize("point", ["after-read", "after-commit"])
def test_a_worker_killed_anywhere_leaves_no_look_undone(
    point: str,
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    said_yes(project, 3)
    batch = send_to_the_end(confirmed(project, alice))
    removal = wiki.somebody_removes(page_ids(batch)[0])
    hours_pass(A_DAY)
    env = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    died = {"WIKIVISAGE_CRASH_AT": f"watch:{point}={tmp_path / 'died'}"}
    killed = subprocess.run([sys.executable, "-c", ONE_RUN], env=env | died, timeout=60)
    assert killed.returncode == -9
    recheck.work()  # what it held is its own until the lease ends
    held = 3 if point == "after-read" else 2
    assert Watch.objects.filter(checks=0).count() == held
    Watch.objects.filter(state=WorkState.RUNNING).update(lease_until=timezone.now())
    recheck.work()
    assert set(Watch.objects.values_list("checks", flat=True)) == {1}
    row = watch_of(page_ids(batch)[0])
    assert (row.finding, row.revision) == (Finding.REMOVED, removal.id)
    assert row.claim_attempt.claim.state == State.REMOVED


def test_one_that_slept_past_its_lease_changes_nothing(sent: EditBatch, wiki: WikiItself) -> None:
    hours_pass(A_DAY)
    sleeper = watch_of(page_ids(sent)[0])
    assert sleeper.take(recheck.LEASE)
    Watch.objects.update(lease_until=timezone.now())
    recheck.work()
    gone = recheck.Found(Finding.REMOVED, says_so=False)
    with pytest.raises(Overtaken):
        recheck._settle(sleeper, gone)
    assert watch_of(page_ids(sent)[0]).finding == Finding.STANDS
    assert Claim.objects.get(page_id=page_ids(sent)[0]).state == State.WRITTEN


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        (
            "/* wbremoveclaims-remove:1| */ [[d:Special:EntityPage/P180]]: "
            "[[d:Special:EntityPage/Q571]]",
            "",
        ),
        (
            "/* wbremoveclaims-remove:1| */ [[d:Special:EntityPage/P180]]: "
            "[[d:Special:EntityPage/Q571]], hardly visible",
            "hardly visible",
        ),
        ("/* undo:0||12|Alice */ not her", "not her"),
        (
            "see [[User talk:Bob|my talk page]] and [[:Category:X]]",
            "see my talk page and Category:X",
        ),
        ("", ""),
    ],
)
def test_the_words_of_people_are_kept_readable(comment: str, words: str) -> None:
    assert history.words_of(comment) == words
