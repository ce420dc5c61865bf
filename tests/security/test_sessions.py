"""Sessions can be listed and ended, by their owner and by moderators."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone

from projects.accounts import sessions
from projects.models import AuditEvent, User
from tests.conftest import ClientOf
from wikivisage.ops import retention as ops_retention

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Safari/537.36"
)


@pytest.fixture
def log_in(client_of: ClientOf) -> object:
    """A browser in which `user` has just logged in, listed as allauth lists it."""

    def browser(user: User, agent: str = FIREFOX) -> Client:
        client = client_of(user)
        request = RequestFactory().get("/", headers={"user-agent": agent})
        request.user, request.session = user, client.session
        UserSession.objects.create_from_request(request)
        return client

    return browser


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (FIREFOX, "Firefox · Linux"),
        (IPHONE, "Safari · iPhone"),
        (CHROME, "Chrome · Windows"),
        ("curl/8", ""),
        ("", ""),
    ],
)
def test_a_rough_device_is_all_that_is_told(agent: str, device: str) -> None:
    assert sessions.device(agent) == device


def test_they_are_listed_without_an_address_and_ended_one_by_one(
    alice: User, bob: User, log_in: object
) -> None:
    here, phone, others = log_in(alice), log_in(alice, IPHONE), log_in(bob, CHROME)  # type: ignore[operator]
    page = here.get("/account/sessions").text
    assert "Firefox · Linux" in page
    assert "Safari · iPhone" in page
    assert "Chrome" not in page, "nobody sees another's"
    assert page.count("this one") == 1
    assert set(UserSession.objects.values_list("ip", flat=True)) == {"0.0.0.0"}
    assert not UserSession.objects.filter(user_agent__contains="Mozilla").exists()

    theirs = UserSession.objects.get(user=bob).pk
    here.post("/account/sessions/end", {"session": theirs})
    assert others.get("/account").status_code == 200, "nobody ends another's"

    of_phone = UserSession.objects.get(user=alice, user_agent__contains="iPhone").pk
    assert here.post("/account/sessions/end", {"session": of_phone}).status_code == 302
    assert phone.get("/account").status_code == 302
    assert here.get("/account").status_code == 200
    for wrong in ("", "x", "-1", "9" * 30, str(of_phone)):
        assert here.post("/account/sessions/end", {"session": wrong}).status_code == 302

    mine = UserSession.objects.get(user=alice).pk
    here.post("/account/sessions/end", {"session": mine})
    assert here.get("/account").status_code == 302


def test_all_others_end_at_once(alice: User, log_in: object) -> None:
    here, one, two = log_in(alice), log_in(alice), log_in(alice, IPHONE)  # type: ignore[operator]
    assert "End all others" in here.get("/account/sessions").text
    here.post("/account/sessions/end", {"others": "1"})
    assert [each.get("/account").status_code for each in (here, one, two)] == [200, 302, 302]


def test_what_was_kept_of_a_session_goes_after_its_time(alice: User, log_in: object) -> None:
    """The row that nothing stores goes as well, but none that was listed a moment ago."""
    here, old = log_in(alice), log_in(alice, IPHONE)  # type: ignore[operator]
    now = timezone.now()
    keys = [old.session.session_key, "gone-already"]
    UserSession.objects.create(user=alice, session_key=keys[1], ip="0.0.0.0", user_agent="")
    Session.objects.filter(session_key=keys[0]).update(expire_date=now - timedelta(minutes=1))
    UserSession.objects.filter(session_key__in=keys).update(created_at=now - timedelta(days=15))
    UserSession.objects.create(user=alice, session_key="just-begun", ip="0.0.0.0", user_agent="")
    assert ops_retention.due()["sessions"] == 1
    assert ops_retention.sweep(10)["sessions"] == 1
    left = set(UserSession.objects.values_list("session_key", flat=True))
    assert left == {here.session.session_key, "just-begun"}
    assert here.get("/account").status_code == 200


def test_moderators_log_somebody_out_everywhere(
    alice: User, mona: User, log_in: object, client_of: ClientOf
) -> None:
    """Sessions that nothing lists, too."""
    listed, unlisted, moderator = log_in(alice), client_of(alice), client_of(mona)  # type: ignore[operator]
    deed = {"action": "end_sessions", "_selected_action": [alice.pk]}
    moderator.post("/admin/projects/user/", deed)
    assert listed.get("/account").status_code == 200, "not without a reason"
    moderator.post("/admin/projects/user/", {**deed, "reason": "a stolen laptop"})
    assert [each.get("/account").status_code for each in (listed, unlisted)] == [302, 302]
    assert moderator.get("/account").status_code == 200
    event = AuditEvent.objects.get(action="sessions.ended")
    assert (event.actor, event.target) == (mona, f"user:{alice.pk}")
    assert event.data["reason"] == "a stolen laptop"
