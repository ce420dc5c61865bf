"""The last look before a call, and files whose batch, login or worker is gone by then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from core.work import WorkState
from projects.accounts import tokens
from projects.models import DenyEntry, Project, User, WikiCredential
from projects.privacy import denylist_changes
from sdc.batches import moderation
from sdc.batches import services as batches
from sdc.batches import undo as batches_undo
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Writer
from sdc.sending_rights import limits
from sdc.writing import attempt as writing_attempt
from sdc.writing import scheduler
from sdc.writing import session as writing_session
from sdc.writing.rate_buckets import CATCH_UP
from sdc.writing.reasons import Reason
from tests.factories import issue_tokens, make_moderator
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
from wiki import pace, pywikibot_client
from wiki.json_tree import Node

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
WRITE = {"action": "wbsetclaim"}


def in_the_call(monkeypatch: Any, deed: Callable[[], Any]) -> None:
    """Do something once, between our row and the wiki's answer."""
    submit = pywikibot_client.submit
    done: list[bool] = []

    def meanwhile(site: Any, **params: Any) -> Any:
        if params["action"] == "wbsetclaim" and not done:
            done.append(True)
            deed()
        return submit(site, **params)

    monkeypatch.setattr(pywikibot_client, "submit", meanwhile)


def log_in(user: User, wiki: WikiItself) -> None:
    access, refresh = issue_tokens(wiki.running, user.wiki_username)
    tokens.store(user, access, refresh, expires_in=4 * 3600)


def before_the_call(monkeypatch: Any, deed: Callable[[], Any]) -> None:
    """Do something once, after the file was read and before the call."""
    reserve = pace.reserve
    done: list[bool] = []

    def meanwhile(lane: str, per_minute: float, **more: Any) -> float:
        if lane.startswith("write") and not done:
            done.append(True)
            deed()
        return reserve(lane, per_minute, **more)

    monkeypatch.setattr(pace, "reserve", meanwhile)


@pytest.mark.parametrize("fault", ["maxlag", "ratelimited"])
def test_a_batch_that_is_stopped_while_the_wiki_says_later_lets_its_file_go(
    fault: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: Any,
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add(fault, WRITE, times=1)
    in_the_call(monkeypatch, lambda: batches.stop(batch, alice))
    send_to_the_end(batch)
    time_passes()
    send()
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.STOPPED)
    assert claim_of(label).state == Claim.State.FREE
    assert not wiki.edits()


def test_a_batch_that_is_stopped_right_before_the_call_lets_its_file_go(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: Any
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    stopped: list[bool] = []
    take = ClaimAttempt.take

    def taken(self: ClaimAttempt, *args: Any, **fields: Any) -> bool:
        ok = take(self, *args, **fields)
        if not stopped:
            stopped.append(batches.stop(batch, alice))
        return ok

    monkeypatch.setattr(ClaimAttempt, "take", taken)
    send()
    time_passes()
    send()
    assert the_attempt(batch).outcome == Outcome.SKIPPED
    assert claim_of(label).state == Claim.State.FREE
    assert not wiki.edits()


@pytest.mark.parametrize("gone", ["tokens", "consumer"])
def test_a_doubt_of_a_stopped_batch_is_settled_without_the_users_login(
    gone: str, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """Else its file would be locked for everybody until they log in again, if ever."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-after-effect", WRITE, times=1)
    send()
    batches.stop(batch, alice)
    if gone == "tokens":
        WikiCredential.objects.all().delete()
    else:
        wiki.running.faults.add("refuse", {"user": "Alice"}, codes=["mwoauth-unauthorized-user"])
    time_passes()
    send(1.0)
    assert the_attempt(batch).outcome == Outcome.WRITTEN
    assert claim_of(label).state == Claim.State.WRITTEN
    assert Edit.objects.count() == 1


def test_whoever_was_renamed_logs_in_once_and_goes_on(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """A worker that served them before knows them under the old name."""
    said_yes(project, 3)
    batch = confirmed(project, alice)
    desk = scheduler.Desk()
    wiki.running.faults.add("cut-before", WRITE, times=1)
    send(1.0, desk)
    time_passes()
    with wiki.running.world.store.transaction() as db:
        db.execute("UPDATE user SET name = 'Alice Renamed' WHERE name = 'Alice'")
    try:
        for _round in range(3):
            send(1.0, desk)
            time_passes()
        batch.refresh_from_db()
        assert (batch.state, batch.reason) == (State.PAUSED, Reason.LOGIN)
        alice.wiki_username = "Alice Renamed"
        alice.save()
        log_in(alice, wiki)
        batches.resume(batch, alice)
        for _round in range(4):
            send(1.0, desk)
            time_passes()
        batch.refresh_from_db()
        assert (batch.state, batch.reason) == (State.DONE, "")
    finally:
        with wiki.running.world.store.transaction() as db:
            db.execute("UPDATE user SET name = 'Alice' WHERE name = 'Alice Renamed'")


@pytest.mark.parametrize("deed", ["everything", "user", "project", "person", "file", "banned"])
def test_what_moderators_decide_while_we_read_the_file_counts(
    deed: str,
    project: Project,
    alice: User,
    mona: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: Any,
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)

    def decide() -> None:
        match deed:
            case "everything":
                moderation.stop_everything(mona, "look")
            case "user":
                moderation.stop_user(alice, mona, "look")
            case "project":
                moderation.stop_project(project, mona, "look")
            case "person":
                DenyEntry.objects.create(
                    wiki=batch.wiki, kind=DenyEntry.Kind.PERSON, value="Q7186", reason="asked"
                )
            case "file":
                entry = DenyEntry(kind=DenyEntry.Kind.FILE, value=label.photo.title, reason="asked")
                denylist_changes.deny(entry, mona)
            case "banned":
                User.objects.filter(pk=alice.pk).update(is_active=False)

    before_the_call(monkeypatch, decide)
    send()
    assert not wiki.edits()
    assert the_attempt(batch).outcome != Outcome.WRITTEN


@pytest.mark.parametrize("where", ["before the call", "while it fetched a new edit token"])
def test_a_worker_that_was_frozen_past_its_lease_makes_no_call(
    where: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: Any,
) -> None:
    """Meanwhile somebody else took the file over, wrote it, and somebody removed it again: a late
    call would bring it back."""
    [label] = said_yes(project)
    confirmed(project, alice)
    frozen: list[bool] = []

    def freeze() -> None:
        if not frozen:
            frozen.append(True)
            time_passes()
            send(2.0, scheduler.Desk())
            wiki.somebody_removes(label.photo.page_id)

    def crash_point(name: str) -> None:
        if name == "write:before-call":
            freeze()

    edit_token = writing_session.Account.edit_token

    def fetched(self: writing_session.Account, read: Any, *, again: bool = False) -> str:
        token = edit_token(self, read, again=again)
        if again:
            freeze()
        return token

    if where == "before the call":
        monkeypatch.setattr(writing_attempt, "crash_point", crash_point)
    else:
        wiki.running.faults.add("refuse", WRITE, codes=["badtoken"], times=1)
        monkeypatch.setattr(writing_session.Account, "edit_token", fetched)
    send()
    assert frozen
    assert len(wiki.edits()) == 1
    assert not wiki.depicts(label.photo.page_id)


def test_a_moderator_takes_back_at_the_pace_that_the_wiki_allows_them(
    project: Project, alice: User, bob: User, said_yes: Make, wiki: WikiItself
) -> None:
    """Nobody asked the wiki about them before, since they never sent."""
    said_yes(project)
    batch = send_to_the_end(confirmed(project, alice))
    wiki.running.world.set("ratelimit:Bob", "11/60")
    undo = batches_undo.undo(batch, make_moderator(bob))
    send_to_the_end(undo)
    assert limits.pace_of(bob) == pytest.approx(60 * 10 / (60 + CATCH_UP))


@pytest.mark.parametrize("reading", ["wbgetentities", "query"])
def test_a_file_that_the_wiki_cannot_read_keeps_no_other_from_being_sent(
    reading: str,
    project: Project,
    alice: User,
    said_yes: Make,
    wiki: WikiItself,
    monkeypatch: Any,
) -> None:
    """Fifty are read in one call, which one broken file makes fail as a whole."""
    labels = said_yes(project, 4)
    batch = confirmed(project, alice)
    broken = labels[1].photo.page_id
    submit = pywikibot_client.submit

    def fails(site: Any, **params: Any) -> Any:
        ids = params.get("ids", params.get("pageids", ()))
        about = ids if isinstance(ids, list) else [ids]
        if params["action"] == reading and {broken, f"M{broken}"} & {*about}:
            errors = [{"code": "internal_api_error_MWContentSerializationException"}]
            return Node({"errors": errors}), None
        return submit(site, **params)

    monkeypatch.setattr(pywikibot_client, "submit", fails)
    send_to_the_end(batch, rounds=20)
    assert batch.state == State.DONE
    assert len(wiki.edits()) == 3
    attempt = batch.attempts.get(claim__page_id=broken)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.TROUBLE)
    assert claim_of(labels[1]).state == Claim.State.FREE


@pytest.mark.parametrize("dies", [False, True])
def test_a_doubt_is_not_given_up_while_the_call_may_still_arrive(
    dies: bool, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """The wiki saves late, or the server that we read from lags behind: a file that is let go at
    once would bear a statement that nobody knows of."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-before", WRITE, times=1)
    send(1.0)
    batches.stop(batch, alice)
    now = timezone.now()
    died = {"state": WorkState.RUNNING, "lease_until": now}
    ClaimAttempt.objects.update(due_at=now, **(died if dies else {}))
    Writer.objects.update(due_at=now)
    send(1.0)
    attempt = the_attempt(batch)
    assert attempt.state == WorkState.QUEUED
    assert (attempt.outcome, claim_of(label).state) == (Outcome.PLANNED, Claim.State.SENDING)
    assert attempt.began_at
    assert attempt.due_at >= attempt.began_at + writing_attempt.ARRIVED
    time_passes()
    send(1.0)
    assert the_attempt(batch).outcome == Outcome.SKIPPED
    assert claim_of(label).state == Claim.State.FREE
