"""Taking back: only what is ours and still as we wrote it, once, whatever happens and when."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import connection

from core.user_errors import Refused
from core.work import Overtaken, WorkState
from projects.models import Contribution, Membership, Project, Tally, User
from projects.permissions import MODERATE
from sdc.batches import services as batches
from sdc.batches.undo import takeable, undo
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, Writer
from sdc.sending_rights import stops
from sdc.writing import attempt as writing_attempt
from sdc.writing.attempt import LEASE, Pages
from sdc.writing.reasons import Reason
from sdc.writing.remove import Removing
from sdc.writing.session import Account
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    item_of,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)
from tests.sdc.test_crashes import run_a_worker
from wiki import pace
from wiki.json_tree import Node

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
REMOVE = {"action": "wbremoveclaims"}
Statement = dict[str, Any]


@pytest.fixture
def written(project: Project, alice: User, said_yes: Make) -> Callable[[int], EditBatch]:
    """`written(3)`: a batch of Alice's that wrote so many statements."""

    def make(count: int = 1) -> EditBatch:
        said_yes(project, count)
        return send_to_the_end(confirmed(project, alice))

    return make


Written = Callable[..., EditBatch]


def pages_of(batch: EditBatch) -> list[int]:
    return list(batch.attempts.order_by("pk").values_list("claim__page_id", flat=True))


def somebody_changes(wiki: WikiItself, page_id: int, change: Callable[[Statement], None]) -> None:
    """Charlie edits our statement, which keeps its GUID."""
    page = wiki.page(page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity)
    assert entity
    [ours] = [
        each for each in entity["statements"][settings.WIKI.depicts] if item_of(each) == "Q7186"
    ]
    change(ours)
    wiki.running.world.save_entity(page, entity, user="Charlie", comment="better so")


def put_back_by_somebody(wiki: WikiItself, page_id: int, statement: Statement) -> None:
    page = wiki.page(page_id)
    entity = copy.deepcopy(wiki.running.world.current(page).entity)
    assert entity
    groups = entity["statements"] = entity.get("statements") or {}
    groups.setdefault(settings.WIKI.depicts, []).append(statement)
    wiki.running.world.save_entity(page, entity, user="Charlie", comment="it is her")


# All goes well ---------------------------------------------------------------------------------


def test_a_batch_is_taken_back_by_a_batch_of_its_own(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(3)
    undoing = undo(batch, alice)
    assert (undoing.kind, undoing.undoes, undoing.state) == ("undo", batch, State.RUNNING)
    assert set(Claim.objects.values_list("state", flat=True)) == {Claim.State.UNDOING}
    assert send_to_the_end(undoing).state == State.DONE
    for attempt in undoing.attempts.select_related("claim", "undoes__watch"):
        page_id = attempt.claim.page_id
        removal, _adding = wiki.edits(page_id)
        assert not wiki.depicts(page_id)
        assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, removal.id)
        assert (removal.user, statements.batch_mark(undoing.code) in removal.comment) == (
            "Alice",
            True,
        )
        assert attempt.claim.state == Claim.State.UNDONE
        assert attempt.undoes
        assert attempt.undoes.watch.state == WorkState.DONE
        row = Edit.objects.get(kind=Edit.Kind.REMOVE, guid=attempt.undoes.guid)
        assert (row.revision, row.batch, row.user) == (removal.id, undoing, alice)
        assert row.answer["success"] == 1


def test_from_a_completed_project_is_sent_and_taken_back_naming_the_person(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    Project.objects.update(state=Project.State.COMPLETED, name="Radium 1911")
    project.refresh_from_db()
    said_yes(project, 1)
    batch = send_to_the_end(confirmed(project, alice))
    [page_id] = pages_of(batch)
    assert wiki.depicts(page_id)
    send_to_the_end(undo(batch, alice))
    assert not wiki.depicts(page_id)
    summaries = [edit.comment for edit in wiki.edits()]
    assert len(summaries) == 2
    assert all("Marie Curie" in words and "Radium" not in words for words in summaries)


def test_what_was_taken_back_no_longer_counts_for_its_sender(
    alice: User, project: Project, written: Written
) -> None:
    batch = written(3)
    send_to_the_end(undo(batch.attempts.all()[0], alice))
    rows = Contribution.objects.filter(kind=Contribution.Kind.EDIT, user=alice)
    assert sum(row.amount for row in rows) == 2
    assert Tally.objects.get(kind=Contribution.Kind.EDIT, user=alice).amount == 2


def test_one_edit_is_taken_back_and_the_others_stand(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    one, other = batch.attempts.order_by("pk")
    undoing = send_to_the_end(undo(one, alice))
    assert undoing.attempts.count() == 1
    assert not wiki.depicts(one.claim.page_id)
    assert len(wiki.depicts(other.claim.page_id)) == 1
    assert list(takeable(batch)) == [other]
    send_to_the_end(undo(batch, alice))
    assert not wiki.depicts(other.claim.page_id)
    assert len(wiki.edits()) == 4


def test_nobody_adds_again_what_was_taken_back_unless_asked_to(
    project: Project, alice: User, make_project: Any, bob: User, written: Written
) -> None:
    send_to_the_end(undo(written(1), alice))
    [row] = batches.prepare_batch(project, alice).attempts.all()
    assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.TAKEN_BACK)


def test_only_the_statement_of_ours_goes_and_all_others_stay(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    page_id = label.photo.page_id
    wiki.somebody_adds(page_id, "Q937")
    batch = send_to_the_end(confirmed(project, alice))
    before = wiki.depicts(page_id, "Q937")
    send_to_the_end(undo(batch, alice))
    assert not wiki.depicts(page_id)
    assert wiki.depicts(page_id, "Q937") == before


def test_a_moved_file_with_a_new_version_still_has_our_statement_to_take_back(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    [page_id] = pages_of(batch)
    page = wiki.page(page_id)
    wiki.running.world.move(page, "File:Renamed for the undo test.jpg", user="Charlie")
    undoing = send_to_the_end(undo(batch, alice))
    assert the_attempt(undoing).outcome == Outcome.WRITTEN
    assert not wiki.depicts(page_id)


def test_while_it_is_still_sent_only_what_is_written_is_taken_back(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    first, second = said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add("http", {"action": "wbsetclaim", "title": second.photo.title})
    send()
    assert claim_of(first).state == Claim.State.WRITTEN
    undoing = undo(batch, alice)
    assert [row.claim for row in undoing.attempts.all()] == [claim_of(first)]
    wiki.running.faults.clear()
    time_passes()
    send_to_the_end(undoing)
    send_to_the_end(batch)
    assert not wiki.depicts(first.photo.page_id)
    assert len(wiki.depicts(second.photo.page_id)) == 1
    assert batch.state == State.DONE


def test_an_earlier_batch_does_not_take_back_what_a_later_one_wrote(
    project: Project, alice: User, written: Written, wiki: WikiItself
) -> None:
    first = written(1)
    send_to_the_end(undo(first, alice))
    again = the_attempt(first)
    again.pk, again.batch = None, batches.prepare_batch(project, alice)
    again.guid = ClaimAttempt.new_guid(again.claim.page_id)
    again.statement = again.statement | {"id": again.guid}
    again.claim_was, again.outcome = Claim.State.UNDONE, Outcome.PLANNED
    again.state, again.attempt, again.revision, again.ended_at = WorkState.QUEUED, 0, None, None
    again.batch.attempts.all().delete()
    again.save()  # a person asked for this very file
    second = send_to_the_end(batches.confirm(again.batch, alice))
    assert the_attempt(second).outcome == Outcome.WRITTEN
    assert not takeable(first).exists()
    assert takeable(second).count() == 1
    assert undo(first, alice).undoes == first  # the one that did it already
    send()
    [page_id] = pages_of(second)
    assert len(wiki.depicts(page_id)) == 1


# Who may, and when -----------------------------------------------------------------------------


def test_a_moderator_takes_it_back_under_their_own_name(
    alice: User, mona: User, written: Written, wiki: WikiItself
) -> None:
    assert mona.has_perm(MODERATE)
    batch = written(2)
    undoing = send_to_the_end(undo(batch, mona))
    assert (undoing.user, undoing.state) == (mona, State.DONE)
    assert {edit.user for edit in wiki.edits()} == {"Alice", "Mona"}
    tally = Tally.objects.get(kind=Contribution.Kind.EDIT, user=alice)
    assert tally.amount == 0
    assert not Tally.objects.filter(kind=Contribution.Kind.EDIT, user=mona).exists()


def test_nobody_else_takes_it_back_not_even_the_owner(
    project: Project, alice: User, bob: User, charlie: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = send_to_the_end(confirmed(project, bob))
    for other in (alice, charlie):
        with pytest.raises(PermissionDenied):
            undo(batch, other)
    assert not EditBatch.objects.filter(kind=EditBatch.Kind.UNDO).exists()
    assert claim_of_batch(batch).state == Claim.State.WRITTEN


def claim_of_batch(batch: EditBatch) -> Claim:
    return the_attempt(batch).claim


def test_the_sender_may_although_they_were_banned_from_the_project_since(
    project: Project, bob: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = send_to_the_end(confirmed(project, bob))
    Membership.objects.filter(user=bob).update(state=Membership.State.BANNED)
    assert send_to_the_end(undo(batch, bob)).state == State.DONE
    assert not wiki.depicts(label.photo.page_id)


def test_a_stop_of_the_user_or_the_project_keeps_nobody_from_taking_back(
    project: Project, alice: User, mona: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    stops.place(stops.Source.MODERATOR, "too fast", by=mona, user=alice)
    stops.place(stops.Source.MODERATOR, "wrong faces", by=mona, project=project)
    project.state = Project.State.ARCHIVED
    project.save()
    assert send_to_the_end(undo(batch, alice)).state == State.DONE
    assert not wiki.depicts(pages_of(batch)[0])


def test_a_stop_of_everything_does(
    alice: User, mona: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    stop = stops.place(stops.Source.MODERATOR, "look first", by=mona)
    with pytest.raises(Refused) as refused:
        undo(batch, alice)
    assert refused.value.code == Reason.ALL_STOPPED
    stops.lift(stop, mona)
    undoing = undo(batch, alice)
    stop = stops.place(stops.Source.MODERATOR, "again", by=mona)
    send()
    undoing.refresh_from_db()
    assert (undoing.state, undoing.reason) == (State.PAUSED, Reason.ALL_STOPPED)
    assert len(wiki.edits()) == 1
    stops.lift(stop, mona)
    assert send_to_the_end(undoing).state == State.DONE
    assert len(wiki.edits()) == 2


def test_a_moderator_who_is_no_member_pauses_resumes_and_stops_their_undo(
    project: Project, alice: User, mona: User, written: Written, wiki: WikiItself
) -> None:
    undoing = undo(written(2), mona)
    with pytest.raises(PermissionDenied):
        batches.pause(undoing, alice)  # it is not the owner's
    assert batches.pause(undoing, mona)
    send()
    assert len(wiki.edits()) == 2
    assert batches.resume(undoing, mona)
    assert batches.stop(undoing, mona)
    undoing.refresh_from_db()
    assert undoing.state == State.STOPPED
    assert set(Claim.objects.values_list("state", flat=True)) == {Claim.State.WRITTEN}
    send()
    assert len(wiki.edits()) == 2


def test_two_clicks_make_one_undo(alice: User, mona: User, written: Written) -> None:
    batch = written(2)
    first = undo(batch, alice)
    assert undo(batch, alice) == first
    assert undo(batch, mona) == first
    assert undo(batch.attempts.all()[0], alice) == first
    send_to_the_end(first)
    assert undo(batch, alice) == first
    assert Edit.objects.filter(kind=Edit.Kind.REMOVE).count() == 2


def test_what_wrote_nothing_can_not_be_taken_back(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.somebody_adds(label.photo.page_id)
    send_to_the_end(batch)
    with pytest.raises(Refused) as refused:
        undo(batch, alice)
    assert refused.value.code == "nothing"
    assert EditBatch.objects.count() == 1
    with pytest.raises(PermissionDenied):
        undo(batches.prepare_batch(project, alice), alice)


# What others did -------------------------------------------------------------------------------


def _prefer(statement: Statement) -> None:
    statement["rank"] = "preferred"


def _without_place(statement: Statement) -> None:
    del statement["qualifiers"]


def _other_place(statement: Statement) -> None:
    [snak] = statement["qualifiers"][settings.WIKI.region]
    snak["datavalue"]["value"] = "pct:1,2,3,4"


def _other_person(statement: Statement) -> None:
    statement["mainsnak"]["datavalue"]["value"] = {
        "entity-type": "item",
        "numeric-id": 937,
        "id": "Q937",
    }


def _with_source(statement: Statement) -> None:
    url = {"snaktype": "value", "property": "P854", "datavalue": {"type": "string", "value": "x"}}
    statement["references"] = [{"snaks": {"P854": [url]}, "snaks-order": ["P854"]}]


@pytest.mark.parametrize(
    "change", [_prefer, _without_place, _other_place, _other_person, _with_source]
)
def test_a_statement_that_somebody_changed_is_left_alone(
    change: Callable[[Statement], None], alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    changed, other = pages_of(batch)
    somebody_changes(wiki, changed, change)
    undoing = send_to_the_end(undo(batch, alice))
    attempt = undoing.attempts.get(claim__page_id=changed)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.NOT_AS_WRITTEN)
    assert attempt.claim.state == Claim.State.WRITTEN
    assert not wiki.depicts(other)
    assert len(wiki.edits(changed)) == 1
    entity = wiki.running.world.current(wiki.page(changed)).entity or {}
    assert statements.with_guid(
        statements.read_statements(Node(entity["statements"])), attempt.statement_guid
    )


def test_one_changed_right_before_our_call_is_left_alone(
    alice: User, written: Written, wiki: WikiItself, monkeypatch: Any
) -> None:
    """The files were read together shortly before; that read is not what decides."""
    batch = written(2)
    first, second = pages_of(batch)
    reserve, seen = pace.reserve, list[str]()

    def meanwhile(lane: str, per_minute: float, **more: Any) -> float:
        if lane.startswith("write") and not seen:
            seen.append(lane)
            for page_id in (first, second):  # both have been read by now
                somebody_changes(wiki, page_id, _prefer)
        return reserve(lane, per_minute, **more)

    monkeypatch.setattr(pace, "reserve", meanwhile)
    undoing = send_to_the_end(undo(batch, alice))
    reasons = set(undoing.attempts.values_list("outcome", "reason"))
    assert reasons == {(Outcome.SKIPPED, Reason.NOT_AS_WRITTEN)}
    assert len(wiki.depicts(first)) == len(wiki.depicts(second)) == 1


def test_one_that_somebody_removed_before_is_reported(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    gone, other = pages_of(batch)
    wiki.somebody_removes(gone)
    undoing = send_to_the_end(undo(batch, alice))
    attempt = undoing.attempts.select_related("undoes__watch").get(claim__page_id=gone)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.GONE_ALREADY)
    assert attempt.claim.state == Claim.State.REMOVED
    assert not Edit.objects.filter(kind=Edit.Kind.REMOVE, guid=attempt.statement_guid).exists()
    assert not wiki.depicts(other)
    assert attempt.undoes
    assert list(Watch.objects.due()) == [attempt.undoes.watch]  # to see who it was


def test_one_known_to_be_removed_stands_in_the_batch_with_its_reason(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    gone, _other = pages_of(batch)
    Claim.objects.filter(page_id=gone).update(state=Claim.State.REMOVED)
    undoing = send_to_the_end(undo(batch, alice))
    attempt = undoing.attempts.get(claim__page_id=gone)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.GONE_ALREADY)
    assert len(wiki.edits()) == 3


def test_removed_by_somebody_within_our_call(
    alice: User, written: Written, wiki: WikiItself, monkeypatch: Any
) -> None:
    """The wiki says that it knows no such GUID: reading tells that it was somebody else."""
    batch = written(1)
    [page_id] = pages_of(batch)

    def meanwhile(name: str) -> None:
        if name == "undo:before-call":
            wiki.somebody_removes(page_id)

    monkeypatch.setattr(writing_attempt, "crash_point", meanwhile)
    undoing = send_to_the_end(undo(batch, alice))
    attempt = the_attempt(undoing)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.GONE_ALREADY)
    assert Edit.objects.count() == 1


def test_a_deleted_file_is_skipped_and_may_be_tried_again_should_it_come_back(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    deleted, other = pages_of(batch)
    page = wiki.page(deleted)
    wiki.running.world.delete(page, user="Mona")
    undoing = send_to_the_end(undo(batch, alice))
    attempt = undoing.attempts.get(claim__page_id=deleted)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.DELETED)
    assert attempt.claim.state == Claim.State.WRITTEN
    assert not wiki.depicts(other)


def test_a_file_deleted_within_our_call_is_skipped(
    alice: User, written: Written, wiki: WikiItself, monkeypatch: Any
) -> None:
    batch = written(1)
    [page_id] = pages_of(batch)

    def meanwhile(name: str) -> None:
        if name == "undo:before-call":
            wiki.running.world.delete(wiki.page(page_id), user="Mona")

    monkeypatch.setattr(writing_attempt, "crash_point", meanwhile)
    attempt = the_attempt(send_to_the_end(undo(batch, alice)))
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.DELETED)
    assert attempt.claim.state == Claim.State.WRITTEN


# A wiki that misbehaves, workers that die ------------------------------------------------------


@pytest.mark.parametrize("known_before", [True, False])
def test_a_protected_page_fails_alone(
    known_before: bool, alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    closed, other = pages_of(batch)
    title = wiki.page(closed).title
    if known_before:
        wiki.running.world.protect(wiki.page(closed), "sysop")
    else:
        wiki.running.faults.add("protected", {**REMOVE, "title": title})
    undoing = send_to_the_end(undo(batch, alice))
    attempt = undoing.attempts.get(claim__page_id=closed)
    outcome = Outcome.SKIPPED if known_before else Outcome.REFUSED
    assert (attempt.outcome, attempt.reason) == (outcome, Reason.PROTECTED)
    assert attempt.claim.state == Claim.State.WRITTEN
    assert len(wiki.depicts(closed)) == 1
    assert not wiki.depicts(other)


@pytest.mark.parametrize("cut", ["cut-before", "cut-after-effect"])
def test_an_answer_that_never_came_leaves_one_removal(
    cut: str, alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    wiki.running.faults.add(cut, REMOVE, times=1)
    undoing = undo(batch, alice)
    send()
    attempt = the_attempt(undoing)
    assert (attempt.in_doubt, attempt.state) == (True, WorkState.QUEUED)
    send_to_the_end(undoing)
    attempt = the_attempt(undoing)
    removal, _adding = wiki.edits()
    assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, removal.id)
    assert attempt.claim.state == Claim.State.UNDONE
    assert Edit.objects.filter(kind=Edit.Kind.REMOVE).count() == 1


def test_somebody_removed_it_while_we_were_in_doubt(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    wiki.running.faults.add("cut-before", REMOVE, times=1)
    undoing = undo(batch, alice)
    send()
    [page_id] = pages_of(batch)
    wiki.somebody_removes(page_id)
    attempt = the_attempt(send_to_the_end(undoing))
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.GONE_ALREADY)
    assert Edit.objects.count() == 1


def test_what_somebody_put_back_before_we_knew_of_our_removal_stands(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    [page_id] = pages_of(batch)
    wiki.running.faults.add("cut-after-effect", REMOVE, times=1)
    undoing = undo(batch, alice)
    send()
    put_back_by_somebody(wiki, page_id, the_attempt(batch).statement)
    attempt = the_attempt(send_to_the_end(undoing))
    assert (attempt.outcome, attempt.reason) == (Outcome.WRITTEN, Reason.RESTORED)
    assert len(wiki.depicts(page_id)) == 1
    assert len(wiki.edits(page_id)) == 2


def test_a_blocked_user_has_the_undo_stopped_and_the_statements_stand(
    alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    wiki.running.faults.add("blocked", REMOVE)
    undoing = send_to_the_end(undo(batch, alice))
    assert (undoing.state, undoing.reason) == (State.STOPPED, Reason.BLOCKED)
    time_passes()
    send()
    assert set(Claim.objects.values_list("state", flat=True)) == {Claim.State.WRITTEN}
    assert len(wiki.edits()) == 2


@pytest.mark.parametrize("kind", ["maxlag", "ratelimited", "readonly"])
def test_a_wiki_that_asks_for_patience_gets_it(
    kind: str, alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(1)
    wiki.running.faults.add(kind, REMOVE, times=2)
    assert send_to_the_end(undo(batch, alice), rounds=30).state == State.DONE
    [page_id] = pages_of(batch)
    assert not wiki.depicts(page_id)


@pytest.mark.process
@pytest.mark.parametrize("point", ["before-call", "after-call", "after-commit"])
def test_a_worker_killed_anywhere_leaves_one_removal_a_file(
    point: str,
    shared_database: str,
    alice: User,
    written: Written,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    batch = written(2)
    undoing = undo(batch, alice)
    assert run_a_worker(f"undo:{point}={tmp_path / 'died'}") == -9
    time_passes()
    assert run_a_worker() == 0
    undoing.refresh_from_db()
    assert undoing.state == State.DONE
    for page_id in pages_of(batch):
        removal, _adding = wiki.edits(page_id)
        assert not wiki.depicts(page_id)
        attempt = undoing.attempts.get(claim__page_id=page_id)
        assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, removal.id)
        assert attempt.claim.state == Claim.State.UNDONE
        rows = Edit.objects.filter(kind=Edit.Kind.REMOVE, guid=attempt.statement_guid)
        assert [row.revision for row in rows] == [removal.id]


@pytest.mark.parametrize(("cut", "removals"), [("cut-after-effect", 1), ("cut-before", 0)])
def test_stopping_settles_a_doubt_by_reading_and_removes_nothing_more(
    cut: str, removals: int, alice: User, written: Written, wiki: WikiItself
) -> None:
    batch = written(2)
    undoing = undo(batch, alice)
    wiki.running.faults.add(cut, REMOVE, times=1)
    send()
    batches.stop(undoing, alice)
    time_passes()
    send()
    assert not undoing.attempts.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING)).exists()
    assert undoing.attempts.filter(outcome=Outcome.WRITTEN).count() == removals
    assert len(wiki.edits()) == 2 + removals
    for page_id in pages_of(batch):
        there = bool(wiki.depicts(page_id))
        state = Claim.objects.get(page_id=page_id).state
        assert state == (Claim.State.WRITTEN if there else Claim.State.UNDONE)


@pytest.mark.waits
def test_two_workers_on_one_removal_make_one_edit(
    shared_database: str, alice: User, written: Written, wiki: WikiItself
) -> None:
    """Both have read the file and believe that it is theirs to remove."""
    undoing = undo(written(1), alice)
    writer = Writer.objects.get(user=alice)
    writer.take(LEASE)
    gate = threading.Barrier(2)
    ends: list[str] = []

    def one() -> None:
        attempt = ClaimAttempt.objects.select_related("claim", "batch__user").get(batch=undoing)
        removing = Removing(writer, attempt, Account(alice), Pages(), list)
        gate.wait()
        try:
            ends.append("settled" if removing.settle(lane_is_open=True) else "waits")
        except Overtaken:
            ends.append("overtaken")
        finally:
            connection.close()

    workers = [threading.Thread(target=one) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ends) == ["overtaken", "settled"]
    assert len(wiki.edits()) == 2
    assert the_attempt(undoing).outcome == Outcome.WRITTEN
