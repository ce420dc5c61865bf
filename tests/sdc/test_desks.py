"""A worker that dies holds nobody up: only the file of its last call waits a moment."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from core.work import WorkState
from projects.models import Project, User
from sdc.models import ClaimAttempt, EditBatch, Writer
from sdc.writing import scheduler as writing
from sdc.writing import worker_locks
from tests.sdc.conftest import Make, WikiItself, confirmed, send
from tests.sdc.test_crashes import run_a_worker

Outcome = ClaimAttempt.Outcome
NAME = """
import sys
import django
django.setup()
from sdc.writing import worker_locks
print(worker_locks.own(), flush=True)
sys.stdin.read()
"""


def another() -> tuple[subprocess.Popen[str], str]:
    """A process with a desk, and its name; it ends when it is killed."""
    env = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    process = subprocess.Popen(
        [sys.executable, "-c", NAME],
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


@pytest.mark.process
def test_a_process_is_gone_when_it_was_killed_and_not_before() -> None:
    process, name = another()
    assert name != worker_locks.own()
    assert not worker_locks.is_gone(name)
    process.kill()
    process.wait()
    assert worker_locks.is_gone(name)


def test_of_other_machines_and_of_oneself_nothing_is_said() -> None:
    assert not worker_locks.is_gone("of another machine")
    assert not worker_locks.is_gone(worker_locks.own())
    assert worker_locks.own() == worker_locks.own()


@pytest.mark.process
def test_the_turn_of_a_killed_worker_is_taken_over_at_once(
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    labels = said_yes(project, 3)
    batch = confirmed(project, alice)
    assert run_a_worker(f"write:after-call={tmp_path / 'died'}") == -9
    send(budget=3)
    done = batch.attempts.filter(outcome=Outcome.WRITTEN)
    assert done.count() == 2, "all but the file that the dead one was writing to"
    [doubt] = batch.attempts.filter(state=WorkState.RUNNING)
    assert doubt.lease_until
    assert doubt.lease_until < timezone.now() + writing.ARRIVES
    send(budget=8)
    batch.refresh_from_db()
    assert batch.state == EditBatch.State.DONE
    for label in labels:
        assert len(wiki.edits(label.photo.page_id)) == 1
        assert len(wiki.depicts(label.photo.page_id)) == 1


@pytest.mark.process
def test_the_turn_of_a_living_worker_is_left_to_it(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    confirmed(project, alice)
    process, name = another()
    assert Writer.objects.get(user=alice).take(timedelta(seconds=45), desk=name)
    send(budget=1)
    assert not wiki.edits()
    process.kill()
    process.wait()
    send(budget=2)
    assert len(wiki.edits()) == 1


def test_who_was_served_last_by_another_is_left_to_it_for_a_moment(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """So that files read ahead by one worker are not read again by the next."""
    said_yes(project)
    confirmed(project, alice)
    due_at = timezone.now()
    Writer.objects.update(desk="another", due_at=due_at)
    waited = timedelta(seconds=send(budget=3))
    assert waited + (timezone.now() - due_at) >= writing.ASIDE
    assert len(wiki.edits()) == 1


def test_a_shared_disk_tells_nothing_of_another_machine() -> None:
    """Its locks may be lost with the network, while the process over there lives on."""
    another = "0" * 6 + "1234567890"
    (settings.DATA_DIR / "desks").mkdir(exist_ok=True)
    (settings.DATA_DIR / "desks" / another).touch()
    assert not worker_locks.is_gone(another)
