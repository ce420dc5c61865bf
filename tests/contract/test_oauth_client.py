"""The recorded answers of the token endpoint, and what our own client makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from projects.accounts import tokens
from projects.models import User, WikiCredential
from tests import factories
from tests.contract.replayed import Recorded, recording, replaying
from tests.contract.test_oauth_recordings import RECORDINGS
from wiki import sites
from wiki.http import WikiError


def recorded(name: str) -> Recorded:
    return recording(f"oauth/{name}")


def names(*, status: int | None = None, error: str | None = None) -> list[str]:
    """Answers of the token endpoint with that status or error."""
    found = []
    for path in sorted(RECORDINGS.glob("*.json")):
        found_there = recorded(path.stem)
        body = found_there["response"]["body"]
        if not found_there["request"]["path"].endswith("/access_token"):
            continue
        if status and found_there["response"]["status"] != status:
            continue
        if error and (not isinstance(body, dict) or body.get("error") != error):
            continue
        found.append(path.stem)
    return found


REFRESHED = [name for name in names(status=200) if "owner-only" not in name]
REFUSED = names(error="invalid_request") + names(error="invalid_grant")
MISCONFIGURED = names(error="invalid_client")


@dataclass
class Replay:
    """Answers every request with one recorded answer and remembers what was asked."""

    answer: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)

    def choose(self, given: dict[str, str]) -> Recorded:
        self.asked = given
        return {"response": self.answer}


@pytest.fixture
def replay(settings: Settings) -> Iterator[Replay]:
    found = Replay()
    with replaying(found.choose) as url:
        settings.WIKI = sites.sandbox(url)
        yield found


@pytest.fixture
def worn_out(replay: Replay, db: None) -> User:
    """A user whose access token is about to expire."""
    user = factories.make_user("Alice")
    tokens.store(user, "old-access", "old-refresh", 60)
    return user


@pytest.mark.parametrize("name", REFRESHED)
def test_a_new_pair_is_saved_and_handed_out(replay: Replay, worn_out: User, name: str) -> None:
    replay.answer = recorded(name)["response"]
    assert tokens.access_token(worn_out) == "ACCESS_TOKEN"
    kept = WikiCredential.objects.get(user=worn_out)
    lifetime = timedelta(seconds=replay.answer["body"]["expires_in"])
    assert abs(kept.expires_at - timezone.now() - lifetime) < timedelta(seconds=10)
    assert replay.asked["grant_type"] == "refresh_token"
    assert replay.asked["refresh_token"] == "old-refresh"


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_token_asks_for_a_new_login(replay: Replay, worn_out: User, name: str) -> None:
    replay.answer = recorded(name)["response"]
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(worn_out)
    assert WikiCredential.objects.get(user=worn_out).needs_login


@pytest.mark.parametrize("name", [*MISCONFIGURED, "token-get-not-allowed", "token-json-body"])
def test_our_own_mistake_costs_nobody_a_login(replay: Replay, worn_out: User, name: str) -> None:
    replay.answer = recorded(name)["response"]
    with pytest.raises(WikiError):
        tokens.access_token(worn_out)
    assert not WikiCredential.objects.get(user=worn_out).needs_login


def test_each_kind_of_answer_is_among_the_recordings() -> None:
    assert len(REFRESHED) > 8
    assert len(REFUSED) > 10
    assert len(MISCONFIGURED) > 5
