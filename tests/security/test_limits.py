"""Limits count for a person, never for a whole edit-a-thon behind one address."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from django.test import Client, RequestFactory, override_settings

from core import metrics, ratelimit
from core.models import Measure
from core.ratelimit import LIMITS, Limit
from projects.models import User
from tests import factories
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands at the beginning of a window, so that none ends within a test."""
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0 + 1)


def _start_login(client: Client, address: str = "127.0.0.1", **headers: str) -> int:
    login = "/accounts/mediawiki/login/"
    return client.post(login, headers=headers, REMOTE_ADDR=address).status_code


def test_a_hundred_people_behind_one_address_log_in_within_a_minute(client_of: ClientOf) -> None:
    statuses = [_start_login(client_of(None), "198.51.100.7") for _ in range(100)]
    assert statuses == [302] * 100


def test_one_browser_that_logs_in_again_and_again_is_told_to_wait(client_of: ClientOf) -> None:
    browser = client_of(None)
    statuses = [_start_login(browser) for _ in range(LIMITS["login"].amount + 2)]
    assert statuses[-1] == 429
    assert statuses.count(302) >= LIMITS["login"].amount


def test_an_address_is_the_last_net_for_who_keeps_no_cookie(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "login", Limit(20, 60, wide=3))
    one = [_start_login(client_of(None), "198.51.100.7") for _ in range(4)]
    assert one == [302, 302, 302, 429]
    assert _start_login(client_of(None), "198.51.100.8") == 302


def test_whoever_is_logged_in_is_never_counted_by_address(
    alice: User, bob: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "login", Limit(2, 60, wide=1))
    assert [_start_login(client_of(alice)) for _ in range(3)] == [302, 302, 429]
    assert _start_login(client_of(bob)) == 302


def _object(browser: Client, address: str = "198.51.100.7") -> int:
    form = {"kind": "person", "about": "Q7186", "message": "Please"}
    return browser.post("/objections/", form, REMOTE_ADDR=address).status_code


def test_objections_count_for_who_sends_them(
    alice: User, bob: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By user, else by browser; an address is the last net, and wide."""
    monkeypatch.setitem(LIMITS, "objection", Limit(2, 3600, wide=7))
    for user in (alice, bob):  # of whose address nothing is counted
        assert [_object(client_of(user)) for _ in range(3)] == [302, 302, 429]
    for _visitor in range(2):
        browser = client_of(None)
        browser.get("/objections/")
        assert [_object(browser) for _ in range(3)] == [302, 302, 429]
    assert [_object(client_of(None)) for _ in range(2)] == [302, 429]
    assert _object(client_of(alice)) == 429
    assert _object(client_of(None), "198.51.100.8") == 302


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
        ("", "", True),  # by a socket that is a file
    ],
)
def test_one_machine_is_one_address_however_many_it_has(
    first: str, second: str, one: bool, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "login", Limit(20, 60, wide=1))
    assert _start_login(client_of(None), first) == 302
    assert _start_login(client_of(None), second) == (429 if one else 302)


def test_a_forged_header_gives_nobody_another_address(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "login", Limit(20, 60, wide=2))
    headers = [{"X-Forwarded-For": f"203.0.113.{n}"} for n in range(3)]
    assert [_start_login(client_of(None), **each) for each in headers] == [302, 302, 429]


def test_behind_a_proxy_each_visitor_has_their_own_address(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Whatever a visitor claims stands to the left of what our proxy adds."""
    monkeypatch.setitem(LIMITS, "login", Limit(20, 60, wide=2))
    settings.TRUSTED_PROXIES = 1

    def statuses(*forwarded: str) -> list[int]:
        told = [{"X-Forwarded-For": each} for each in forwarded]
        return [_start_login(client_of(None), **each) for each in told]

    assert statuses("1.1.1.1, 198.51.100.1", "2.2.2.2,198.51.100.1") == [302, 302]
    assert statuses("198.51.100.2, 198.51.100.1", "198.51.100.2") == [429, 302]
    settings.TRUSTED_PROXIES = 2
    assert statuses("3.3.3.3, 198.51.100.1, 10.0.0.1", "198.51.100.3, 10.0.0.1") == [429, 302]


@pytest.mark.parametrize("forwarded", ["", "198.51.100.9", "198.51.100.9, unknown, 10.0.0.1"])
def test_who_comes_past_the_proxies_is_known_by_the_connection(
    forwarded: str, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setitem(LIMITS, "login", Limit(20, 60, wide=1))
    settings.TRUSTED_PROXIES = 2
    told = {"X-Forwarded-For": forwarded}
    assert [_start_login(client_of(None), **told) for _ in range(2)] == [302, 429]
    assert _start_login(client_of(None), "198.51.100.8", **told) == 302


def test_too_quick_an_answer_is_kept_by_the_page_and_sent_later(
    alice: User, make_project: MakeProject, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "answer", Limit(1, 60))
    project, browser = make_project(alice), client_of(alice)
    address = f"/p/{project.public_id}/skip"
    sent = {"client_uuid": str(uuid.uuid4()), "note": "some words"}
    assert browser.post(address, sent).status_code == 302

    told = browser.post(address, sent, headers={"X-Background": "1"})
    assert told.status_code == 429
    assert told["Retry-After"] == "74"
    assert told.json()["retry_after"] == 74
    assert told.json()["sentence"] == "Too many requests. Try again in 2 minutes."

    fragment = browser.post(address, sent, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["Content-Type"]) == (429, "text/plain")

    page = browser.post(address, sent, headers={"origin": f"http://{browser_host(browser)}"})
    assert (page.status_code, page["Retry-After"]) == (429, "74")
    assert sent["client_uuid"] in page.text  # the form is there to be sent again


def browser_host(client: Client) -> str:
    return str(client.defaults["HTTP_HOST"])


def test_nobody_guesses_invite_codes_and_a_class_joins_by_one(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    guesser = client_of(factories.make_user("Guesser"))
    statuses = [guesser.get(f"/join/AAAA{n:04}").status_code for n in range(40)]
    assert statuses.count(422) == LIMITS["join"].amount
    assert statuses[-1] == 429

    invite = project.invites.create(created_by=alice, expires_at="2099-01-01T00:00Z", max_uses=100)
    for n in range(40):
        pupil = client_of(factories.make_user(f"Pupil {n}"))
        joined = pupil.post("/join/", {"code": invite.code, "join": "1"}, REMOTE_ADDR="10.0.0.1")
        assert joined.status_code == 302
    assert project.memberships.count() == 41


def test_a_code_is_not_tried_by_everybody_at_once(
    alice: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "join", Limit(30, 600, each=2))
    statuses = [
        client_of(factories.make_user(f"Puppet {n}")).get("/join/abcdefgh").status_code
        for n in range(3)
    ]
    assert statuses == [422, 422, 429]


@pytest.mark.parametrize(
    ("what", "address"),
    [("lookup", "/projects/new/people?q="), ("export", "/p/{project}/export/labels.csv")],
)
def test_what_costs_the_wiki_or_the_server_is_limited(
    what: str,
    address: str,
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIMITS, what, Limit(1, 600))
    address = address.format(project=make_project(alice).public_id)
    browser = client_of(alice)
    assert [browser.get(address).status_code for _ in range(2)] == [200, 429]


def test_posts_without_a_limit_of_their_own_share_one(
    alice: User, bob: User, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "post", Limit(2, 60, wide=3))
    browser = client_of(alice)
    shared = ("/theme", "/account/visibility", "/admin/")
    assert [browser.post(path).status_code for path in shared] == [302, 302, 429]
    assert browser.get("/theme").status_code == 405
    assert _start_login(browser) == 302  # which is counted apart
    assert client_of(bob).post("/theme").status_code == 302
    anybody = [client_of(None).post("/theme").status_code for _ in range(4)]
    assert anybody == [302, 302, 302, 429]


def test_every_deed_that_can_be_flooded_has_its_limit() -> None:
    """By name of the address; the limit stands on the view itself."""
    from django.urls import get_resolver

    wanted = {
        "answer": "answer", "skip": "answer", "undo": "answer", "draw": "answer",
        "grid-answer": "answer", "grid-skip": "answer", "review-answer": "answer",
        "again-answer": "answer", "project-new": "lookup", "person-search": "lookup",
        "category-search": "lookup", "place-count": "lookup", "new-sum": "lookup",
        "source-add": "lookup", "source-suggestions": "lookup", "join": "join",
        "project-join": "join", "project-ask": "join", "invite-new": "invite",
        "export-labels": "export", "export-claims": "export", "preview": "send",
        "batch-confirm": "send", "batch-undo": "send", "object": "objection",
        "mediawiki_login": "login", "mediawiki_callback": "login",
    }  # fmt: skip
    found = {
        name: getattr(entry[-1], "limited", None)
        for name, entry in _views(get_resolver().url_patterns)
    }
    assert {name: found[name] for name in wanted} == wanted


def _views(patterns: list) -> list[tuple[str, tuple]]:  # type: ignore[type-arg]
    flat = []
    for each in patterns:
        if hasattr(each, "url_patterns"):
            flat += _views(each.url_patterns)
        else:
            flat.append((each.name, (each.callback,)))
    return flat


def test_without_counts_everything_is_allowed_and_the_log_says_so(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    request = RequestFactory().post("/")
    request.user = alice
    nobody = "redis://:canary-password@127.0.0.1:1/0"
    broken = {"BACKEND": "core.counters.RedisCounters", "LOCATION": nobody}
    with override_settings(CACHES={"counts": broken, "default": broken}):
        assert [ratelimit.seconds_to_wait(request, "send") for _ in range(100)] == [0] * 100
    assert "limit send is not counted: ConnectionError" in caplog.text
    assert "canary-password" not in caplog.text


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as its only entry, to be changed by a test."""
    now = [1_800_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def spoilers(key: str) -> list[Callable[[], Any]]:
    """Ways to write something else under the key of a count, where this run counts."""
    counters: Any = caches["counts"]
    if not settings.REDIS_URL:
        return [lambda: counters.set(key, "garbage"), lambda: counters.set(key, ["a"])]
    client, name = redis.Redis.from_url(settings.REDIS_URL), counters.make_key(key)
    return [
        lambda: client.set(name, "garbage"),
        lambda: client.delete(name) and client.rpush(name, "a"),
        lambda: client.delete(name) and client.hset(name, "a", "b"),
    ]


def test_what_is_no_number_is_replaced_and_counted(
    alice: User, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """Nobody gets rid of a limit by writing something else under its keys."""
    monkeypatch.setitem(LIMITS, "send", Limit(3, 3600))
    request = RequestFactory().post("/")
    request.user = alice
    key = ratelimit._name("send", f"user:{alice.pk}", 3600, int(clock[0] // 900))
    ways = spoilers(key)
    for spoil in ways:
        caches["counts"].clear()
        assert ratelimit.seconds_to_wait(request, "send") == 0
        spoil()
        waits = [ratelimit.seconds_to_wait(request, "send") for _ in range(4)]
        assert waits[:3] == [0, 0, 0]
        assert waits[3] > 0, "it counts again from one"
        spoil()
        clock[0] += 900  # the next cell is counted, and this one read
        waits = [ratelimit.seconds_to_wait(request, "send") for _ in range(4)]
        assert [wait > 0 for wait in waits] == [False, False, False, True]
        clock[0] -= 900
    metrics.flush(at_once=True)
    assert Measure.objects.get(name="counts_dropped").value >= len(ways)


def test_no_hour_has_more_than_the_limit(
    alice: User, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """Whoever tries all the time, or waits for the end of an hour, gets no more."""
    monkeypatch.setitem(LIMITS, "send", Limit(20, 3600))
    request = RequestFactory().post("/")
    request.user = alice
    allowed: list[float] = []
    pauses = [3500, *[5] * 60, 700, *[60] * 100, 1700, *[90] * 80]
    for pause in pauses:
        clock[0] += pause
        if not ratelimit.seconds_to_wait(request, "send"):
            allowed.append(clock[0])
    assert len(allowed) >= 60, "and no fewer for long"
    for first, after in zip(allowed, allowed[20:], strict=False):
        assert after - first > 3600


@pytest.mark.parametrize("refused", [1, 50])
def test_the_wait_that_is_told_is_true(
    alice: User, monkeypatch: pytest.MonkeyPatch, clock: list[float], refused: int
) -> None:
    """Also for who tries again and again meanwhile."""
    monkeypatch.setitem(LIMITS, "send", Limit(3, 3600))
    request = RequestFactory().post("/")
    request.user = alice
    for pause in (100, 1000, 1000):
        clock[0] += pause
        assert ratelimit.seconds_to_wait(request, "send") == 0
    waits = [ratelimit.seconds_to_wait(request, "send") for _ in range(refused)]
    assert set(waits) == {4500 - 2100}
    clock[0] += waits[0] - 1
    assert ratelimit.seconds_to_wait(request, "send") == 1
    clock[0] += 1
    assert ratelimit.seconds_to_wait(request, "send") == 0


def test_all_processes_count_together(alice: User) -> None:
    """Each thread has a cache object of its own, as each process has."""
    seen: list[int] = []

    def count() -> None:
        caches["counts"].add("shared", 0, 60)
        seen.append(caches["counts"].incr("shared"))

    for _ in range(3):
        thread = threading.Thread(target=count)
        thread.start()
        thread.join()
    assert seen == [1, 2, 3]
