"""The recorded answers of the token endpoint, and what our own client makes of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from projects import tokens, wikis
from projects.http import WikiError
from projects.models import User, WikiCredential
from tests import factories
from tests.contract.test_oauth_recordings import RECORDINGS


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return found


def names(*, status: int | None = None, error: str | None = None) -> list[str]:
    """Answers of the token endpoint with that status or error."""
    found = []
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = recorded(path.stem)
        body = recording["response"]["body"]
        if not recording["request"]["path"].endswith("/access_token"):
            continue
        if status and recording["response"]["status"] != status:
            continue
        if error and (not isinstance(body, dict) or body.get("error") != error):
            continue
        found.append(path.stem)
    return found


REFRESHED = [name for name in names(status=200) if "owner-only" not in name]
REFUSED = names(error="invalid_request") + names(error="invalid_grant")
MISCONFIGURED = names(error="invalid_client")


class Replay(ThreadingHTTPServer):
    """Answers every request with one recorded answer and remembers what was asked."""

    answer: dict[str, Any]
    asked: str


class _Handler(BaseHTTPRequestHandler):
    server: Replay

    def do_POST(self) -> None:
        self.server.asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.server.answer
        body = answer["body"]
        sent = (json.dumps(body) if isinstance(body, dict) else body).encode()
        self.send_response(answer["status"], answer["reason"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def replay(settings: Settings) -> Iterator[Replay]:
    server = Replay(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    settings.WIKI = wikis.sandbox(f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


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
    assert "grant_type=refresh_token&refresh_token=old-refresh" in replay.asked


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
