"""Workers that die, workers that race: exactly one edit, whatever happens and when."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from core.work import Overtaken, WorkState
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.files import statements
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Writer
from sdc.writing import outcomes
from sdc.writing.add import Adding
from sdc.writing.attempt import LEASE, Pages
from sdc.writing.session import Account
from tests.sdc.conftest import (
    Make,
    WikiItself,
    confirmed,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)

Outcome = ClaimAttempt.Outcome
ONE_RUN = """
import django
django.setup()
from django.conf import settings
settings.EDITS_A_MINUTE = 6000
from sdc import tasks
tasks.scheduler.work(4)
"""


def run_a_worker(crash_at: str = "") -> int:
    """One run of the write task in a process of its own; returns how it ended (-9: killed)."""
    env = os.environ | {"WIKIVISAGE_CRASH_AT": crash_at, "PYTHONPATH": str(settings.BASE_DIR)}
    return subprocess.run([sys.executable, "-c", ONE_RUN], env=env, timeout=60).returncode


@pytest.mark.process
@pytest.mark.parametrize("point", ["before-call", "after-call", "after-commit"])
def test_a_worker_killed_anywhere_leaves_one_edit_a_file(
    point: str,
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    labels = said_yes(project, 2)
    batch = confirmed(project, alice)
    assert run_a_worker(f"write:{point}={tmp_path / 'died'}") == -9
    time_passes()
    assert run_a_worker() == 0
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE
    for label in labels:
        page_id = label.photo.page_id
        [edit] = wiki.edits(page_id)
        assert len(wiki.depicts(page_id)) == 1
        attempt = batch.attempts.get(claim__page_id=page_id)
        assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, edit.id)
        assert Edit.objects.filter(attempt=attempt, revision=edit.id).count() == 1


@pytest.mark.process
def test_removed_between_the_crash_and_the_next_try_stays_removed(
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    assert run_a_worker(f"write:after-call={tmp_path / 'died'}") == -9
    wiki.somebody_removes(label.photo.page_id)
    time_passes()
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.WRITTEN, "removed")
    assert attempt.claim.state == Claim.State.REMOVED
    assert not wiki.depicts(label.photo.page_id)
    assert len(wiki.edits()) == 1


def test_one_that_always_dies_is_given_up_and_said_so(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    attempt = the_attempt(batch)
    for _death in range(ClaimAttempt.max_tries):  # takes without an end, as a killed worker leaves
        attempt.take(LEASE, in_doubt=True)
        time_passes()
        attempt.refresh_from_db()
    send()
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, "crashed")
    assert not wiki.edits()


def test_a_worker_that_slept_past_its_lease_changes_nothing(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    sleeper = the_attempt(batch)
    assert sleeper.take(LEASE, in_doubt=True)
    time_passes()
    send_to_the_end(batch)
    with pytest.raises(Overtaken):
        outcomes.refused(sleeper, sleeper.last_reason)
    attempt = the_attempt(batch)
    assert attempt.outcome == Outcome.WRITTEN
    assert Edit.objects.count() == 1


@pytest.mark.waits
def test_two_workers_on_one_attempt_make_one_edit(
    shared_database: str, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """Both have read the file and believe that it is theirs to send."""
    said_yes(project)
    batch = confirmed(project, alice)
    writer = Writer.objects.get(user=alice)
    writer.take(LEASE)
    gate = threading.Barrier(2)
    ends: list[str] = []

    def one() -> None:
        attempt = ClaimAttempt.objects.select_related(
            "claim", "label", "batch__project__subject__person", "batch__user"
        ).get(batch=batch)
        turn = Adding(writer, attempt, Account(alice), Pages(), list)
        gate.wait()
        try:
            ends.append("settled" if turn.settle(lane_is_open=True) else "waits")
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
    assert len(wiki.edits()) == 1
    assert the_attempt(batch).outcome == Outcome.WRITTEN


@pytest.mark.process
def test_workers_side_by_side_write_each_file_once(
    shared_database: str, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 6)
    batch = confirmed(project, alice)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_RUN],
            env=os.environ | {"PYTHONPATH": str(settings.BASE_DIR)},
        )
        for _ in range(2)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE
    for label in labels:
        assert len(wiki.edits(label.photo.page_id)) == 1
        assert len(wiki.depicts(label.photo.page_id)) == 1


@pytest.mark.parametrize(("cut", "edits"), [("cut-after-effect", 1), ("cut-before", 0)])
def test_stopping_settles_a_doubt_by_reading_and_sends_nothing_more(
    cut: str, edits: int, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    labels = said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add(cut, {"action": "wbsetclaim"}, times=1)
    send()
    batches.stop(batch, alice)
    time_passes()
    send()
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.STOPPED
    assert not batch.attempts.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING)).exists()
    assert len(wiki.edits()) == edits
    assert batch.attempts.filter(outcome=Outcome.WRITTEN).count() == edits
    assert batch.attempts.filter(outcome=Outcome.SKIPPED, reason="stopped").count() == 2 - edits
    for label in labels:
        there = bool(wiki.depicts(label.photo.page_id))
        state = Claim.objects.get(photo=label.photo).state
        assert state == (Claim.State.WRITTEN if there else Claim.State.FREE)


def test_the_guid_on_the_wiki_is_the_one_stored_before_the_call(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    stored = the_attempt(batch).guid
    wiki.running.faults.add("cut-after-effect", {"action": "wbsetclaim"}, times=1)
    send_to_the_end(batch)
    [found] = wiki.depicts(label.photo.page_id)
    assert found["id"] == stored
    assert statements.place_in(found)
