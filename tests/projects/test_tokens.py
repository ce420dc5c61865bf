"""Tokens are sealed at rest and refreshed once, by one process, never in a transaction."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from projects.accounts import tokens
from projects.models import User, WikiCredential
from sandbox import RunningSandbox
from sdc.sending_rights import limits
from tests import factories
from wiki.http import WikiError

ENDPOINT = "/commons/w/rest.php/oauth2/access_token"


def age(user: User, **fields: object) -> None:
    """Let the access token be about to expire."""
    soon = timezone.now() + timedelta(minutes=4)
    WikiCredential.objects.filter(user=user).update(**{"expires_at": soon, **fields})


def refreshes(sandbox: RunningSandbox) -> int:
    return sum(n for path, n in sandbox.world.request_counts.items() if path.startswith(ENDPOINT))


def who_am_i(token: str) -> str:
    answer = requests.get(
        settings.WIKI.commons_api,
        params={"action": "query", "meta": "userinfo", "format": "json", "formatversion": "2"},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    return str(answer.json()["query"]["userinfo"]["name"])


def test_tokens_are_sealed_at_rest(alice: User) -> None:
    token = tokens.access_token(alice)
    kept = WikiCredential.objects.get(user=alice)
    assert token.encode() not in bytes(kept.access_token)
    assert who_am_i(token) == "Alice"


def test_a_token_that_lives_long_enough_is_handed_out_as_it_is(
    sandbox: RunningSandbox, alice: User
) -> None:
    assert tokens.access_token(alice) == tokens.access_token(alice)
    assert refreshes(sandbox) == 0


def test_a_token_about_to_expire_is_refreshed_and_both_new_ones_are_kept(
    sandbox: RunningSandbox, alice: User
) -> None:
    old = tokens.access_token(alice)
    age(alice)
    new = tokens.access_token(alice)
    assert new != old
    assert who_am_i(new) == "Alice"
    assert tokens.access_token(alice) == new
    age(alice)
    assert who_am_i(tokens.access_token(alice)) == "Alice"  # the second refresh token works, too
    assert refreshes(sandbox) == 2
    kept = WikiCredential.objects.get(user=alice)
    assert kept.refreshing_until is None
    assert kept.expires_at > timezone.now() + timedelta(hours=3)


@pytest.mark.django_db(transaction=True)
def test_nobody_asks_for_a_token_inside_a_transaction(alice: User) -> None:
    age(alice)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        tokens.access_token(alice)


def test_a_refresh_token_that_the_wiki_refuses_asks_for_a_login(
    sandbox: RunningSandbox, alice: User
) -> None:
    access, _ = factories.issue_tokens(sandbox, "Alice")
    tokens.store(alice, access, "not a refresh token", expires_in=60)
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(alice)
    assert WikiCredential.objects.get(user=alice).needs_login
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(alice)
    assert refreshes(sandbox) == 1  # it is not asked again and again


def test_a_token_that_the_wiki_refuses_early_is_refreshed_next_time(
    sandbox: RunningSandbox, alice: User
) -> None:
    refused = tokens.access_token(alice)
    tokens.expire(alice, refused)
    fresh = tokens.access_token(alice)
    assert fresh != refused
    assert who_am_i(fresh) == "Alice"
    assert refreshes(sandbox) == 1


def test_a_login_mends_what_was_refused(sandbox: RunningSandbox, alice: User) -> None:
    tokens.reject(alice, tokens.access_token(alice))
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(alice)
    tokens.store(alice, *factories.issue_tokens(sandbox, "Alice"), expires_in=4 * 3600)
    assert who_am_i(tokens.access_token(alice)) == "Alice"


def test_a_late_refusal_of_an_old_token_spoils_no_new_login(
    sandbox: RunningSandbox, alice: User
) -> None:
    old = tokens.access_token(alice)
    tokens.store(alice, *factories.issue_tokens(sandbox, "Alice"), expires_in=4 * 3600)
    new = tokens.access_token(alice)
    tokens.expire(alice, old)
    tokens.reject(alice, old)
    assert tokens.access_token(alice) == new != old


def test_trouble_on_the_way_keeps_the_old_state(sandbox: RunningSandbox, alice: User) -> None:
    age(alice)
    sandbox.faults.add("http", {"path": ENDPOINT}, status=503)
    with pytest.raises(WikiError):
        tokens.access_token(alice)
    sandbox.faults.clear()
    assert not WikiCredential.objects.get(user=alice).needs_login
    assert who_am_i(tokens.access_token(alice)) == "Alice"


def test_a_wrong_secret_of_ours_is_no_fault_of_the_user(alice: User, settings: Settings) -> None:
    settings.OAUTH_CLIENT_SECRET = "wrong"
    age(alice)
    with pytest.raises(WikiError, match="invalid-client"):
        tokens.access_token(alice)
    assert not WikiCredential.objects.get(user=alice).needs_login


def test_somebody_without_tokens_needs_to_log_in(db: None) -> None:
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(factories.make_user("Nobody"))


def test_a_lease_left_by_a_dead_process_is_taken_over(alice: User) -> None:
    age(alice, refreshing_until=timezone.now() - timedelta(seconds=1))
    assert who_am_i(tokens.access_token(alice)) == "Alice"


SCRIPT = """
from projects.accounts import tokens
from projects.models import User
print(tokens.access_token(User.objects.get(wiki_username="Alice")))
"""


def ask_in_a_process(**environment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SCRIPT]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


@pytest.mark.process
def test_three_processes_make_one_refresh(
    shared_database: str, sandbox: RunningSandbox, alice: User
) -> None:
    age(alice)
    sandbox.faults.add("latency", {"path": ENDPOINT}, seconds=2.5)  # so that all of them meet
    processes = [ask_in_a_process() for _ in range(3)]
    printed = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert refreshes(sandbox) == 1
    assert len(printed) == 1
    assert who_am_i(printed.pop()) == "Alice"


@pytest.mark.process
def test_a_crash_between_the_wiki_and_the_database_ends_in_a_login(
    shared_database: str, sandbox: RunningSandbox, alice: User, tmp_path: Path
) -> None:
    age(alice)
    crash = f"tokens:before-save={tmp_path / 'crashed'}"
    process = ask_in_a_process(WIKIVISAGE_CRASH_AT=crash)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    held = WikiCredential.objects.get(user=alice)
    assert held.refreshing_until
    assert held.refreshing_until > timezone.now()
    WikiCredential.objects.update(refreshing_until=timezone.now())  # the lease runs out
    time.sleep(0.01)
    with pytest.raises(tokens.NeedsLogin):
        tokens.access_token(alice)


def test_a_page_does_not_wait_long_for_another_process(
    sandbox: RunningSandbox, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(alice, refreshing_until=timezone.now() + timedelta(seconds=50))
    assert timedelta(seconds=5) >= tokens.PAGE_WAIT
    monkeypatch.setattr(tokens, "PAGE_WAIT", timedelta(seconds=0.01))
    monkeypatch.setattr(tokens, "POLL", 0.01)
    with pytest.raises(WikiError, match="did not finish refreshing"):
        limits.standing_of(alice)
    assert refreshes(sandbox) == 0
