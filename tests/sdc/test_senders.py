"""How the wiki knows who sends, how fast that is, and who may not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from projects.models import Membership, Project, User
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch, Writer
from sdc.sending_rights import limits as sending_rights_limits
from sdc.sending_rights import stops
from sdc.writing.rate_buckets import CATCH_UP
from sdc.writing.reasons import Reason
from tests import factories
from tests.contract.recorded_world import RECORDINGS
from tests.sdc.conftest import Make, WikiItself, confirmed, send_to_the_end
from wiki.json_tree import Node
from wiki.users import Limit, UserInfo, read_userinfo


def recorded(name: str) -> dict[str, Any]:
    text = (RECORDINGS / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)["response"]["body"]
    return found


def member(project: Project, wiki: WikiItself, name: str) -> User:
    user = factories.wiki_user(wiki.running, name)
    Membership.objects.create(project=project, user=user)
    return user


def asked(wiki: WikiItself) -> int:
    """Calls of `action=query`; nothing else is asked of the wiki in these tests."""
    counts = wiki.running.world.request_counts
    return sum(count for key, count in counts.items() if "query" in key)


@pytest.mark.parametrize(
    ("name", "a_minute"),
    [
        ("query/userinfo-user", 60 * 899 / (180 + CATCH_UP)),
        ("query/userinfo-blocked", 60 * 899 / (180 + CATCH_UP)),
        ("refusals/ratelimit-userinfo", 60 / (20 + CATCH_UP)),  # two in 20 seconds
        ("query/userinfo-admin", None),
        ("query/userinfo-bot", None),
    ],
)
def test_the_limit_is_read_as_a_real_wiki_reports_it(name: str, a_minute: float | None) -> None:
    found = sending_rights_limits.edit_limit(read_userinfo(Node(recorded(name))))
    assert found == (None if a_minute is None else pytest.approx(a_minute))


def test_of_several_limits_the_smallest_counts() -> None:
    limits = (Limit(91, 60), Limit(9, 60))
    smallest = pytest.approx(60 * 8 / (60 + CATCH_UP))
    assert sending_rights_limits.edit_limit(UserInfo(1, "Alice", edit_limits=limits)) == smallest
    assert sending_rights_limits.edit_limit(UserInfo(1, "Alice")) is None


def test_the_pace_is_the_operators_but_never_above_the_wikis(
    alice: User, wiki: WikiItself, settings: Any
) -> None:
    settings.EDITS_A_MINUTE = 60
    assert sending_rights_limits.pace_of(alice) == 60  # before anybody asked
    wiki.running.world.set("ratelimit:Alice", "11/60")
    its_own = pytest.approx(60 * 10 / (60 + CATCH_UP))
    assert sending_rights_limits.standing_of(alice).pace == its_own
    assert sending_rights_limits.pace_of(alice) == its_own
    settings.EDITS_A_MINUTE = 5
    assert sending_rights_limits.pace_of(alice) == 5


def test_the_wiki_is_asked_once_an_hour(alice: User, wiki: WikiItself) -> None:
    sending_rights_limits.standing_of(alice)
    sending_rights_limits.standing_of(alice)
    assert asked(wiki) == 1
    Writer.objects.update(asked_at=timezone.now() - timedelta(minutes=61))
    sending_rights_limits.standing_of(alice)
    assert asked(wiki) == 2


def test_an_account_that_the_wiki_hardly_knows_may_not_send(
    project: Project, said_yes: Make, wiki: WikiItself
) -> None:
    newcomer = member(project, wiki, "Newcomer")
    said_yes(project)
    draft = batches.prepare_batch(project, newcomer)  # it sees what would be written
    assert draft.attempts.get().outcome == ClaimAttempt.Outcome.PLANNED
    with pytest.raises(batches.Refused, match="newcomer") as refused:
        batches.confirm(draft, newcomer)
    assert "4 edits" in refused.value.sentence
    draft.refresh_from_db()
    assert draft.state == EditBatch.State.DRAFT


@pytest.mark.parametrize(
    ("minimum", "autoconfirmed", "may"),
    [(50, True, True), (88, True, True), (89, True, False), (0, False, True)],
)
def test_what_an_account_needs_is_the_operators_choice(
    charlie: User, wiki: WikiItself, settings: Any, minimum: int, autoconfirmed: bool, may: bool
) -> None:
    settings.SENDER_MIN_EDITS = minimum
    settings.SENDER_AUTOCONFIRMED = autoconfirmed
    assert sending_rights_limits.standing_of(charlie).may_send is may


def test_an_account_with_many_edits_but_not_autoconfirmed_may_not_send(
    wiki: WikiItself, db: None, settings: Any
) -> None:
    settings.SENDER_MIN_EDITS = 4
    newcomer = factories.wiki_user(wiki.running, "Newcomer")
    assert sending_rights_limits.standing_of(newcomer).reason is Reason.NEWCOMER
    settings.SENDER_AUTOCONFIRMED = False
    assert sending_rights_limits.standing_of(newcomer).may_send


def test_a_blocked_account_is_told_so_and_can_not_send(
    project: Project, said_yes: Make, wiki: WikiItself
) -> None:
    blocked = member(project, wiki, "Blocked")
    said_yes(project)
    draft = batches.prepare_batch(project, blocked)
    with pytest.raises(batches.Refused, match="blocked"):
        batches.confirm(draft, blocked)
    asked_before = asked(wiki)
    assert sending_rights_limits.standing_of(blocked).reason is Reason.BLOCKED
    assert asked(wiki) == asked_before + 1, "a block may be over at any time"


def test_who_has_no_sign_in_any_more_is_sent_to_log_in(
    project: Project, alice: User, said_yes: Make
) -> None:
    said_yes(project)
    alice.credentials.all().delete()
    draft = batches.prepare_batch(project, alice)
    with pytest.raises(batches.Refused, match="login"):
        batches.confirm(draft, alice)


def test_a_token_that_the_wiki_takes_no_longer_is_renewed_once(
    alice: User, wiki: WikiItself
) -> None:
    with wiki.running.world.store.transaction() as db:
        db.execute("UPDATE oauth_token SET access_expires = 0")
    assert sending_rights_limits.standing_of(alice).may_send
    assert alice.credentials.get().generation > 1


def test_a_wiki_that_can_not_be_asked_does_not_let_anybody_send(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    Writer.objects.update(asked_at=None)
    wiki.running.faults.add("http", {"path": "/commons/w/api.php"}, status=500)
    with pytest.raises(batches.Refused, match="unreadable"):
        batches.confirm(draft, alice)


def test_a_site_without_a_consumer_asks_nothing(
    alice: User, wiki: WikiItself, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "CAN_LOG_IN", False)
    assert sending_rights_limits.standing_of(alice).may_send
    assert asked(wiki) == 0


@pytest.mark.parametrize("scope", ["everything", "project", "user"])
def test_what_is_stopped_says_who_stopped_it_and_why(
    project: Project, alice: User, mona: User, said_yes: Make, scope: str
) -> None:
    said_yes(project)
    draft = batches.prepare_batch(project, alice)
    which: dict[str, Any] = {}
    if scope != "everything":
        which = {scope: project if scope == "project" else alice}
    stop = stops.place(stops.Source.MODERATOR, "Wrong twin in many files", by=mona, **which)
    with pytest.raises(batches.Refused, match="stopped") as refused:
        batches.confirm(draft, alice)
    assert "Mona" in refused.value.sentence
    assert "Wrong twin in many files" in refused.value.sentence
    assert stops.lift(stop, mona)
    assert batches.confirm(draft, alice).state == EditBatch.State.RUNNING


def test_somebody_elses_stop_holds_nobody_back(
    project: Project, alice: User, bob: User, mona: User, said_yes: Make
) -> None:
    said_yes(project)
    stops.place(stops.Source.MODERATOR, "look first", by=mona, user=bob)
    assert send_to_the_end(confirmed(project, alice)).state == EditBatch.State.DONE
