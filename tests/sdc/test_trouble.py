"""Sending on a wiki that misbehaves: each refusal has its own consequence, and no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.work import WorkState
from projects.models import Membership, Project, User, WikiCredential
from sandbox.records import Block
from sdc import selectors
from sdc.batches import moderation
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, EditBatch, Writer
from sdc.writing import attempt as writing_attempt
from sdc.writing.rate_buckets import EVERYBODY
from sdc.writing.reasons import Reason
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)
from wiki import pace

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
WRITE = {"action": "wbsetclaim"}


def test_on_lag_everybody_waits_as_long_as_the_wiki_says(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("maxlag", WRITE, times=1, retry_after=7)
    send()
    until = pace.paused_until(EVERYBODY)
    assert until
    assert 4 < (until - timezone.now()).total_seconds() <= 7
    attempt = the_attempt(batch)
    assert (attempt.state, attempt.error) == (WorkState.QUEUED, Reason.MAXLAG)
    assert attempt.tries == 0
    assert not wiki.edits()
    assert selectors.batch_progress(batch).waiting_for == Reason.MAXLAG
    assert send_to_the_end(batch).state == State.DONE
    assert len(wiki.edits()) == 1


def test_however_long_it_lags_nothing_is_given_up(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("maxlag", WRITE, times=9)
    send_to_the_end(batch, rounds=30)
    assert the_attempt(batch).outcome == Outcome.WRITTEN


def test_too_fast_makes_this_user_wait_longer_each_time(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("ratelimited", WRITE, times=2)
    waits = []
    for _ in range(2):
        send()
        writer = Writer.objects.get(user=alice)
        assert writer.error == Reason.RATELIMITED
        waits.append((writer.due_at - timezone.now()).total_seconds())
        time_passes()
    assert waits[1] > waits[0] + 5
    assert the_attempt(batch).tries == 0
    send_to_the_end(batch)
    assert the_attempt(batch).outcome == Outcome.WRITTEN


def test_a_read_only_wiki_pauses_the_batch_until_it_goes_on_by_itself(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add("readonly", WRITE, times=1)
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.READONLY)
    assert batch.resume_at
    assert batch.resume_at > timezone.now()
    assert send_to_the_end(batch).state == State.DONE
    assert len(wiki.edits()) == 2


def test_a_blocked_user_has_the_batch_stopped_and_the_claims_freed(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 3)
    batch = confirmed(project, alice)
    wiki.running.faults.add("blocked", {**WRITE, "user": "Alice"})
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.BLOCKED)
    assert not Claim.objects.filter(state=Claim.State.SENDING).exists()
    assert set(batch.attempts.values_list("outcome", "reason")) == {
        (Outcome.SKIPPED, Reason.BLOCKED)
    }
    assert not wiki.edits()


def test_a_block_of_one_page_fails_that_page_alone(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    first, _second = said_yes(project, 2)
    batch = confirmed(project, alice)
    block = Block(9, "Admin", 1, "Only here", "2026-01-01T00:00:00Z", pages=[first.photo.title])
    wiki.running.world.users.block("Alice", block)
    assert send_to_the_end(batch).state == State.DONE
    attempt = batch.attempts.get(claim__page_id=first.photo.page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.PARTLY_BLOCKED)
    assert len(wiki.edits()) == 1


def test_a_page_protected_after_the_read_fails_alone(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    first, second = said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add("protected", {**WRITE, "title": first.photo.title})
    assert send_to_the_end(batch).state == State.DONE
    attempt = batch.attempts.get(claim__page_id=first.photo.page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.PROTECTED)
    assert attempt.claim.state == Claim.State.FREE
    assert len(wiki.depicts(second.photo.page_id)) == 1


def test_an_expired_token_is_refreshed_once_and_nobody_notices(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    world = wiki.running.world
    with world.store.transaction() as db:
        db.execute("UPDATE oauth_token SET access_expires = 1")
    before = WikiCredential.objects.get(user=alice).generation
    assert send_to_the_end(batch).state == State.DONE
    assert WikiCredential.objects.get(user=alice).generation == before + 1
    assert len(wiki.edits()) == 1


def test_a_login_that_the_wiki_forgot_pauses_all_batches_of_the_user(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    with wiki.running.world.store.transaction() as db:
        db.execute("UPDATE oauth_token SET access_expires = 1, refresh = NULL")
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.LOGIN)
    assert batch.resume_at is None
    assert not wiki.edits()


def test_a_user_without_tokens_is_asked_to_log_in(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    WikiCredential.objects.all().delete()
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.LOGIN)


@pytest.mark.parametrize(("status", "retry_after"), [(429, 6), (503, 6)])
def test_retry_after_of_the_servers_in_front_makes_everybody_wait(
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    status: int,
    retry_after: int,
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("http", WRITE, times=1, status=status, retry_after=retry_after)
    send()
    until = pace.paused_until(EVERYBODY)
    assert until
    assert (until - timezone.now()).total_seconds() > retry_after - 3
    send_to_the_end(batch)
    assert the_attempt(batch).outcome == Outcome.WRITTEN
    assert len(wiki.edits()) == 1


def test_a_fault_of_the_wiki_is_tried_again_but_not_for_ever(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    first, second = said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add("http", {**WRITE, "title": first.photo.title}, status=500)
    assert send_to_the_end(batch, rounds=30).state == State.DONE
    attempt = batch.attempts.get(claim__page_id=first.photo.page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.TROUBLE)
    assert len(wiki.depicts(second.photo.page_id)) == 1


@pytest.mark.waits
def test_no_way_to_the_wiki_at_all_loses_nothing(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-before", {"path": "/commons/w/api.php"}, times=6)
    assert send_to_the_end(batch, rounds=30).state == State.DONE
    assert len(wiki.edits()) == 2


def test_an_answer_that_never_came_is_found_by_reading(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-after-effect", WRITE, times=1)
    send()
    attempt = the_attempt(batch)
    assert attempt.in_doubt
    assert attempt.state == WorkState.QUEUED
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    [edit] = wiki.edits()
    assert attempt.outcome == Outcome.WRITTEN
    assert attempt.revision == edit.id
    assert len(wiki.depicts(label.photo.page_id)) == 1


def test_what_somebody_removed_before_we_knew_it_was_written_stays_out(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-after-effect", WRITE, times=1)
    send()
    wiki.somebody_removes(label.photo.page_id)
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.WRITTEN, Reason.REMOVED)
    assert claim_of(label).state == Claim.State.REMOVED
    assert not wiki.depicts(label.photo.page_id)
    assert len(wiki.edits()) == 1
    again = batches.prepare_batch(project, alice)
    [row] = again.attempts.all()
    assert (row.outcome, row.reason) == (Outcome.SKIPPED, Reason.REMOVED)


def test_somebody_else_was_quicker(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.somebody_adds(label.photo.page_id)
    assert send_to_the_end(batch).state == State.DONE
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.PRESENT, Reason.ALREADY_THERE)
    assert claim_of(label).state == Claim.State.PRESENT
    assert not wiki.edits()


def test_somebody_else_added_it_while_we_were_in_doubt(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-before", WRITE, times=1)
    send()
    wiki.somebody_adds(label.photo.page_id)
    send_to_the_end(batch)
    assert the_attempt(batch).outcome == Outcome.PRESENT
    assert len(wiki.depicts(label.photo.page_id)) == 1
    assert not wiki.edits()


def test_somebody_else_was_quicker_by_less_than_our_read(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: Any
) -> None:
    """The statement comes between our read and our call; only the wiki's own check sees it."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)

    def meanwhile(name: str) -> None:
        if name == "write:before-call":
            wiki.somebody_adds(label.photo.page_id)

    monkeypatch.setattr(writing_attempt, "crash_point", meanwhile)
    assert send_to_the_end(batch).state == State.DONE
    assert the_attempt(batch).outcome == Outcome.PRESENT
    assert len(wiki.depicts(label.photo.page_id)) == 1
    assert not wiki.edits()


@pytest.mark.parametrize("deed", ["pause", "stop", "hold", "answer"])
def test_what_a_person_decides_while_we_read_the_file_counts(
    deed: str,
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: Any,
) -> None:
    """The last look before the call is at what people want."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    reserve = pace.reserve

    def meanwhile(lane: str, per_minute: float, **more: Any) -> float:
        match lane.startswith("write"), deed:
            case True, "pause":
                batches.pause(batch, alice)
            case True, "stop":
                batches.stop(batch, alice)
            case True, "hold":
                moderation.hold(claim_of(label), mona, "wait")
            case True, "answer":
                label.delete()
        return reserve(lane, per_minute, **more)

    monkeypatch.setattr(pace, "reserve", meanwhile)
    send()
    assert not wiki.edits()
    assert the_attempt(batch).outcome != Outcome.WRITTEN


def test_the_sender_was_banned_meanwhile(
    project: Project, bob: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, bob)
    Membership.objects.filter(user=bob).update(state=Membership.State.BANNED)
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.NOT_A_MEMBER)
    assert not Claim.objects.filter(state=Claim.State.SENDING).exists()
    assert not wiki.edits()


def test_an_answer_taken_back_after_the_confirmation_is_not_sent(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    label.delete()
    send_to_the_end(batch)
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.ANSWER_CHANGED)
    assert not wiki.edits()


def test_one_users_trouble_stops_only_that_users_batches(
    project: Project, alice: User, bob: User, make_project: Any, said_yes: Make, wiki: WikiItself
) -> None:
    other = make_project(bob, "Q937")
    said_yes(project, 2)
    said_yes(other, 2, by=bob, skip=2)
    hers, his = confirmed(project, alice), confirmed(other, bob)
    wiki.running.faults.add("ratelimited", {**WRITE, "user": "Alice"})
    send()
    his.refresh_from_db()
    hers.refresh_from_db()
    assert his.state == State.DONE
    assert hers.state == State.RUNNING
    assert Writer.objects.get(user=alice).due_at > timezone.now() + timedelta(seconds=1)
