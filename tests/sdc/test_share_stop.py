"""Whose statements are removed too often may not send until a moderator has looked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from classify.models import Label
from projects.models import Project, User
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Watch, WritingStop
from sdc.sending_rights import stops
from sdc.watch import recheck
from sdc.writing.reasons import Reason
from tests.sdc.conftest import (
    Make,
    WikiItself,
    confirmed,
    hours_pass,
    send,
    send_to_the_end,
)
from tests.sdc.test_watching import ONE_RUN

Scope, Source = WritingStop.Scope, WritingStop.Source
DAY = 24


@pytest.fixture(autouse=True)
def two_of_ten(settings: Any) -> None:
    settings.REMOVED_LEAST = 2
    settings.REMOVED_SHARE_PERCENT = 20


@pytest.fixture
def labels(project: Project, said_yes: Make) -> list[Label]:
    return said_yes(project, 5)


@pytest.fixture
def batch(project: Project, alice: User, labels: list[Label], wiki: WikiItself) -> EditBatch:
    """Five statements of Alice's."""
    return send_to_the_end(confirmed(project, alice))


def remove(wiki: WikiItself, labels: list[Label], user: str = "Charlie") -> None:
    for label in labels:
        wiki.somebody_removes(label.photo.page_id, user=user)
    hours_pass(DAY)
    recheck.work()


def active(**of: Any) -> WritingStop | None:
    return stops.active().filter(source=Source.SHARE, **of).first()


def test_too_many_removed_stop_the_sender_and_the_project(
    project: Project, alice: User, labels: list[Label], batch: EditBatch, wiki: WikiItself
) -> None:
    remove(wiki, labels[:2])
    theirs, its = active(user=alice), active(project=project)
    assert theirs
    assert its
    assert (theirs.scope, its.scope) == (Scope.USER, Scope.PROJECT)
    assert theirs.placed_by is None
    assert theirs.reason == "2 of 5 statements were removed by others or by a moderator."
    assert stops.holding_back(alice, project)


def test_fewer_than_the_least_number_say_nothing(
    project: Project, labels: list[Label], batch: EditBatch, wiki: WikiItself
) -> None:
    remove(wiki, labels[:1])
    assert not stops.active().exists()


def test_a_small_share_says_nothing(
    project: Project, labels: list[Label], batch: EditBatch, wiki: WikiItself, settings: Any
) -> None:
    settings.REMOVED_SHARE_PERCENT = 41
    remove(wiki, labels[:2])
    assert not stops.active().exists()
    settings.REMOVED_SHARE_PERCENT = 40  # 2 of 5: reaching it is enough
    recheck.work()
    assert active(project=project)


def test_what_the_senders_removed_themselves_does_not_count(
    project: Project, labels: list[Label], batch: EditBatch, wiki: WikiItself
) -> None:
    remove(wiki, labels[:4], user="Alice")
    assert Watch.objects.filter(finding=Watch.Finding.REMOVED, by="Alice").count() == 4
    assert not stops.active().exists()


def test_changes_and_deleted_files_do_not_count(
    project: Project, labels: list[Label], batch: EditBatch, wiki: WikiItself
) -> None:
    for label in labels[:2]:
        wiki.somebody_changes(label.photo.page_id, rank="preferred")
    for label in labels[2:]:
        wiki.running.world.delete(wiki.page(label.photo.page_id), user="Mona")
    hours_pass(DAY)
    recheck.work()
    assert not stops.active().exists()


@pytest.mark.parametrize(("by_moderator", "stopped"), [(True, True), (False, False)])
def test_what_a_moderator_took_back_counts_and_ones_own_undo_does_not(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    mona: User,
    by_moderator: bool,
    stopped: bool,
) -> None:
    who = mona if by_moderator else alice
    for attempt in batch.attempts.select_related("claim")[:2]:
        Edit.objects.create(
            attempt=attempt,
            kind=Edit.Kind.REMOVE,
            wiki=batch.wiki,
            page_id=attempt.claim.page_id,
            qid=attempt.claim.qid,
            guid=attempt.statement_guid,
            user=who,
            batch=batch,
            summary="",
        )
    recheck.work()
    assert stops.active().exists() is stopped


def test_only_the_one_whose_statements_went_is_stopped(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    bob: User,
    said_yes: Make,
    make_project: Any,
    wiki: WikiItself,
    settings: Any,
) -> None:
    """Bob sent in the same project and Alice in another one: both count apart."""
    other = make_project(alice, "Q937")
    said_yes(other, 5, skip=5)
    send_to_the_end(confirmed(other, alice))  # Alice: 10 in all
    said_yes(project, 1, by=bob, skip=10)
    send_to_the_end(confirmed(project, bob))
    settings.REMOVED_SHARE_PERCENT = 30
    remove(wiki, labels[:2])
    assert active(project=project)  # 2 of 6
    assert not active(user=alice)  # 2 of 10
    assert not active(user=bob)
    assert not active(project=other)
    assert stops.holding_back(alice, other) is None


def test_nothing_is_sent_until_a_moderator_lifts_it_and_counting_starts_anew(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    mona: User,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    said_yes(project, 2, skip=5)
    going = confirmed(project, alice)
    remove(wiki, labels[:2])
    send()
    going.refresh_from_db()
    assert going.state == EditBatch.State.PAUSED
    assert going.reason in (Reason.USER_STOPPED, Reason.PROJECT_STOPPED)
    assert len(wiki.edits()) == 5

    for stop in stops.active():
        assert stops.lift(stop, mona, "talked with her")
    send_to_the_end(going)
    assert len(wiki.edits()) == 7
    recheck.work()
    assert not stops.active().exists()  # the two of before are forgiven

    new = list(going.attempts.values_list("claim__page_id", flat=True))
    for page_id in new:
        wiki.somebody_removes(page_id)
    recheck.check_now(going, alice)
    recheck.work()
    again = active(user=alice)
    assert again
    assert again.reason.startswith("2 of 2 ")


def test_a_draft_of_before_is_not_confirmed(
    project: Project,
    labels: list[Label],
    batch: EditBatch,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    said_yes(project, 1, skip=5)
    draft = batches.prepare_batch(project, alice)
    remove(wiki, labels[:2])
    with pytest.raises(batches.Refused):
        batches.confirm(draft, alice)
    assert len(wiki.edits()) == 5


def test_weighing_again_places_no_second_stop(
    project: Project, labels: list[Label], batch: EditBatch, alice: User, wiki: WikiItself
) -> None:
    remove(wiki, labels[:3])
    recheck.work()
    recheck.work()
    assert WritingStop.objects.filter(source=Source.SHARE).count() == 2


@pytest.mark.process
def test_a_worker_killed_before_it_weighed_leaves_nobody_out(
    shared_database: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    tmp_path: Path,
) -> None:
    labels = said_yes(project, 2)
    send_to_the_end(confirmed(project, alice))
    for label in labels:
        wiki.somebody_removes(label.photo.page_id)
    hours_pass(DAY)
    env = os.environ | {"PYTHONPATH": str(settings.BASE_DIR)}
    died = {"WIKIVISAGE_CRASH_AT": f"watch:before-weighing={tmp_path / 'died'}"}
    killed = subprocess.run([sys.executable, "-c", ONE_RUN], env=env | died, timeout=60)
    assert killed.returncode == -9
    assert Watch.objects.filter(finding=Watch.Finding.REMOVED).count() == 2
    assert not stops.active().exists()
    recheck.work()
    assert active(user=alice)


def test_what_was_restored_no_longer_counts(
    project: Project, labels: list[Label], batch: EditBatch, alice: User, wiki: WikiItself
) -> None:
    page_id = labels[0].photo.page_id
    ours = wiki.edits(page_id)[0].id
    remove(wiki, labels[:1])
    wiki.somebody_restores(page_id, ours)
    wiki.somebody_removes(labels[1].photo.page_id)
    recheck.check_now(batch, alice)
    recheck.work()
    assert not stops.active().exists()
    assert Claim.objects.filter(state=Claim.State.REMOVED).count() == 1
    assert ClaimAttempt.objects.filter(outcome=ClaimAttempt.Outcome.WRITTEN).count() == 5
    assert Watch.objects.filter(checked_at__lte=timezone.now()).count() == 5
