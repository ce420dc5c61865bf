"""Every kind of answer bears its headers; cookies are our own and of this browser only."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponseBase
from django.test import Client, RequestFactory

from projects.models import User
from tests import factories
from tests.classify.faces import Cast, add_photo
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGES = ALWAYS | {
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _check(response: HttpResponseBase, *, probe: bool = False) -> None:
    wanted = ALWAYS if probe else PAGES
    assert {name: response.headers.get(name) for name in wanted} == wanted
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in response.headers
    if not probe:  # health and metrics are no pages
        policy = response.headers["Content-Security-Policy"]
        for directive in (
            "default-src 'none'", "script-src 'self';", "style-src 'self';", "object-src 'none'",
            "frame-ancestors 'none'", "base-uri 'none'",
        ):  # fmt: skip
            assert directive in policy + ";", policy
        assert "unsafe" not in policy
        assert "*" not in policy


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/", 200),
        ("/login/", 200),
        ("/accounts/logout/", 302),
        ("/account", 302),
        ("/admin/", 302),
        ("/nowhere", 404),
        ("/p/nowhere/", 302),
        ("/robots.txt", 200),
        ("/manifest.webmanifest", 200),
        ("/static/css/base.css", 200),
        ("/static/js/base.js", 200),
        ("/health/live", 200),
    ],
)
def test_for_anybody(address: str, status: int, client_of: ClientOf) -> None:
    response = client_of(None).get(address)
    assert response.status_code == status
    _check(response, probe=address.startswith("/health"))


def test_for_somebody_what_they_see_is_kept_nowhere(
    alice: User, mona: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    base = f"/p/{project.public_id}"
    browser = client_of(alice)
    for address in (
        "/", "/account", "/account/sessions", "/notifications", "/join/", f"{base}/",
        f"{base}/members", f"{base}/status.json", f"{base}/export/labels.csv", f"{base}/ask",
    ):  # fmt: skip
        response = browser.get(address)
        assert response.status_code in (200, 302), address
        _check(response)
        stored = response.headers["Cache-Control"]
        assert "no-store" in stored or "private" in stored, (address, stored)
    for address in ("/admin/", "/admin/projects/user/", "/admin/projects/auditevent/"):
        response = client_of(mona).get(address)
        assert response.status_code == 200
        _check(response)


def test_refusals_and_mistakes_have_them_too(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    base = f"/p/{make_project(alice).public_id}"
    stranger = client_of(factories.make_user("Stranger"))
    strict = Client(enforce_csrf_checks=True, headers={"host": f"127.0.0.1:{settings.PORT}"})
    for response, status in (
        (stranger.get(f"{base}/settings"), 403),
        (client_of(alice).get(f"{base}/answer"), 405),
        (client_of(alice).post(f"{base}/answer", {}, headers={"X-Background": "1"}), 422),
        (client_of(None).post(f"{base}/answer", {}, headers={"X-Background": "1"}), 401),
        (strict.post("/theme", {"theme": "dark"}), 403),
        (client_of(None).get("/", headers={"host": "evil.example"}), 400),
    ):
        assert response.status_code == status
        _check(response)


def test_what_was_not_modified_has_them(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    _photo, [face] = add_photo(project, [Cast().face("marie")])
    _check(client_of(alice).get(f"/p/{project.public_id}/crops/{face.public_id}.jpg"))
    browser = client_of(None)
    first = browser.get("/static/css/base.css")
    again = browser.get(
        "/static/css/base.css", headers={"if-modified-since": first.headers["Last-Modified"]}
    )
    assert again.status_code == 304
    _check(again)


def test_a_login_begins_another_session(client_of: ClientOf, alice: User) -> None:
    """What somebody had put into this browser before is worth nothing afterwards."""
    browser = client_of(None)
    browser.post("/accounts/mediawiki/login/")
    before = browser.cookies[settings.SESSION_COOKIE_NAME].value
    browser.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    after = browser.cookies[settings.SESSION_COOKIE_NAME].value
    assert before != after
    planted = client_of(None)
    planted.cookies[settings.SESSION_COOKIE_NAME] = before
    assert planted.get("/account").status_code == 302


def test_no_password_opens_anything(alice: User, client_of: ClientOf) -> None:
    """Not even a superuser's, should somebody have set one: there is only the wiki's login."""
    alice.set_password("open sesame")
    alice.is_staff = alice.is_superuser = True
    alice.save()
    sent = {"login": alice.username, "username": alice.username, "password": "open sesame"}
    for address in ("/login/", "/accounts/login/", "/admin/login/", "/admin/"):
        browser = client_of(None)
        browser.post(address, sent)
        assert browser.get("/account").status_code == 302, address


HTTPS = """
import json, pytest, django  # with pytest static files need not be collected
django.setup()
from django.conf import settings
from django.test import Client, RequestFactory
browser = Client(headers={"host": "wikivisage.example"})
plain = browser.get("/login/")
told = browser.get("/login/", secure=True)
browser.post("/accounts/mediawiki/login/", secure=True)
print(json.dumps({
    "moved": plain.headers.get("Location"),
    "moved_headers": sorted(plain.headers),
    "hsts": told.headers.get("Strict-Transport-Security"),
    "cookies": {name: dict(cookie) for name, cookie in browser.cookies.items()},
    "session": settings.SESSION_COOKIE_NAME, "csrf": settings.CSRF_COOKIE_NAME,
}))
"""


@pytest.mark.process
def test_with_https_cookies_are_of_this_host_alone(shared_database: str) -> None:
    site = {"SITE_URL": "https://wikivisage.example", "ALLOWED_HOSTS": "wikivisage.example"}
    ended = subprocess.run(
        [sys.executable, "-c", HTTPS], cwd=settings.BASE_DIR, text=True, capture_output=True,
        env={**os.environ, **site, "DJANGO_SETTINGS_MODULE": "wikivisage.settings"}, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["moved"] == "https://wikivisage.example/login/"
    assert "Permissions-Policy" in told["moved_headers"]
    assert told["hsts"] == "max-age=31536000"
    for name in (told["session"], told["csrf"]):
        cookie = told["cookies"][name]
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        assert cookie["samesite"] == "Lax"
    assert told["cookies"][told["session"]]["httponly"]


@pytest.mark.process
def test_the_login_may_pass_through_all_hosts_that_the_wiki_sends_it_to() -> None:
    """Chromium holds form-action against the redirects of a form, too."""
    ended = subprocess.run(
        [sys.executable, "-c", "from wikivisage.settings import *; import json;"
         "print(json.dumps(CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']))"],
        cwd=settings.BASE_DIR, text=True, capture_output=True, check=False,
        env={**os.environ, "WIKI": "commons", "SITE_URL": "https://wikivisage.example",
             "ALLOWED_HOSTS": "wikivisage.example"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == [
        "'self'", "https://meta.wikimedia.org", "https://auth.wikimedia.org",
    ]  # fmt: skip


@pytest.mark.process
def test_debug_is_refused_on_a_real_site() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import wikivisage.settings"],
        cwd=settings.BASE_DIR, text=True, capture_output=True, check=False,
        env={**os.environ, "DEBUG": "yes", "SITE_URL": "https://wikivisage.example"},
    )  # fmt: skip
    assert "DEBUG shows what is secret" in ended.stderr


@pytest.mark.parametrize(
    "address", ["/about", "/no/such/page", "/health/live", "/static/css/base.css"]
)
def test_who_asks_for_the_head_gets_no_body(address: str, db: None) -> None:
    """From the very application, since Django's test client would throw a body away."""

    def asked(method: str) -> tuple[str, dict[str, str], bytes]:
        told: Any = []
        environ = RequestFactory().generic(method, address, headers={"host": "localhost"}).environ
        response: Any = get_wsgi_application()(environ, lambda *start: told.extend(start))
        body = b"".join(response)
        response.close()
        return told[0], dict(told[1]), body

    status, headers, body = asked("GET")
    assert body
    head = asked("HEAD")
    assert (head[0], head[2]) == (status, b"")
    assert head[1]["Content-Length"] == str(len(body))
    assert head[1].keys() >= headers.keys()
