"""A form that came too late is kept: with its session, or with its token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from django.conf import settings
from django.db import connection
from django.test import Client

from projects.models import Project, User
from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db

HOST = f"127.0.0.1:{settings.PORT}"
HERE = {"Origin": f"http://{HOST}", "Referer": f"http://{HOST}/account?x=1"}
SENT = {"show": "on", "note": "I know these photos well", "seen": ["a", "b"]}


def kept(page: bytes) -> list[tuple[str, str]]:
    form = BeautifulSoup(page, "html.parser").select_one(".kept-form")
    fields = form.select("input[type=hidden]") if isinstance(form, Tag) else []
    every = [(str(field["name"]), str(field["value"])) for field in fields]
    return [field for field in every if field[0] != "csrfmiddlewaretoken"]


WANTED = [("show", "on"), ("note", SENT["note"]), ("seen", "a"), ("seen", "b")]


def test_a_form_that_needs_a_login_is_kept_with_the_way_back(client_of: ClientOf) -> None:
    answer = client_of(None).post("/account/visibility", SENT, headers=HERE)
    assert answer.status_code == 401
    page = answer.content.decode()
    assert "Your session has ended" in page
    assert "I know these photos well" in page
    assert 'action="/account/visibility"' in page
    assert "next=%2Faccount%3Fx%3D1" in page
    assert kept(answer.content) == WANTED


def test_a_form_of_a_project_is_kept_too(
    project: Project, client_of: ClientOf, alice: User
) -> None:
    path = f"/p/{project.public_id}/settings"
    answer = client_of(None).post(path, {"joining": "open"}, headers=HERE)
    assert answer.status_code == 401
    assert kept(answer.content) == [("joining", "open")]
    background = HERE | {"X-Background": "1"}
    assert b"<html" not in client_of(None).post(path, {}, headers=background).content


def test_a_session_that_is_ended_meanwhile_leads_to_the_login(
    alice: User, client_of: ClientOf
) -> None:
    """As by a logout in another tab, at the moment in which the request would save it."""
    path, browser, script = "/accounts/mediawiki/login/", client_of(alice), client_of(alice)

    def log_out_elsewhere(run: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE") and "django_session" in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute("DELETE FROM django_session")
        return run(sql, *args)

    with connection.execute_wrapper(log_out_elsewhere):
        answer = browser.post(path, headers=HERE)
        background = script.post(path, headers=HERE | {"X-Background": "1"})
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/account%3Fx%3D1")
    assert background.status_code == 401


def test_a_form_with_an_old_token_is_kept_and_taken_when_sent_again(alice: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": HOST})
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    old = {"csrfmiddlewaretoken": "x" * 64}
    answer = client.post("/account/visibility", SENT | old, headers=HERE)
    assert answer.status_code == 403
    assert kept(answer.content) == WANTED
    form = BeautifulSoup(answer.content, "html.parser").select_one(".kept-form")
    assert form
    token = form.select_one("[name=csrfmiddlewaretoken]")
    assert token
    again = SENT | {"csrfmiddlewaretoken": str(token["value"])}
    assert client.post("/account/visibility", again, headers=HERE).status_code == 302
    alice.refresh_from_db()
    assert alice.show_on_leaderboard


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_form_of_another_site_is_never_put_before_anybody(origin: str, alice: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"host": HOST})
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    headers = {"Origin": origin} if origin else {}
    answer = client.post("/account/visibility", SENT, headers=headers)
    assert answer.status_code == 403
    assert b"kept-form" not in answer.content
    assert b"I know these photos" not in answer.content
    answer = Client(headers={"host": HOST}).post("/account/visibility", SENT, headers=headers)
    assert answer.status_code == 401
    assert b"I know these photos" not in answer.content
