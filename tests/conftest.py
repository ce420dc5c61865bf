"""Shared fixtures: the sandbox wiki over HTTP, the small cast, projects, a shared database.

* `sandbox`: the sandbox wiki, started once; `settings.WIKI` already points to it. Faults and
  request counts are cleared after each test, pages are not: see `fresh_sandbox`.
* `fresh_sandbox`: the same, for tests that edit: its content is put back after the test.
* `alice` owns, `bob` helps, `charlie` is a stranger, `mona` moderates, `pat` patrols the wiki:
  users of the sandbox's accounts with their tokens sealed in the database, which they bring.
* `client_of(user)`: Django's test client, logged in as that user (None: nobody).
* `make_project(owner, qid, categories, members=[…], **fields)`: see `tests.factories`.
* `chromium`: a real browser (Playwright's Browser), started once; skips without one.
* `web`: the address of our pages over HTTP; `visit("/p/…", user=alice, screen=PHONE)` opens one in
  a window of its own (`bench.browser.Window`).
* `shared_database`: a real file (or MariaDB) that threads and other processes can open, too;
  sets DATABASE_URL for processes that the test starts.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import caches
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser
from pytest_django import DjangoDbBlocker, Settings

import sandbox as sandbox_package
from bench.browser import CHROMIUM, DESK, Screen, Window
from bench.browser import chromium as start_chromium
from classify.learner import cache as learner_cache
from core import tracing
from projects.models import Project, User
from sandbox import RunningSandbox
from tests import factories
from tests.pages.harness import Visit

ClientOf = Callable[[User | None], Client]
MakeProject = Callable[..., Project]


# Makes tables from the models, 20 times as quick; tests/system/test_migrations.py compares both.
WITHOUT_MIGRATIONS = override_settings(
    MIGRATION_MODULES={app.label: None for app in apps.get_app_configs()}
)


@pytest.fixture(scope="session")
def django_db_use_migrations() -> bool:
    """Start making the test database without migrations; `django_db_setup` below ends that."""
    WITHOUT_MIGRATIONS.enable()
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Record all migrations as applied, since processes that a test starts look there."""
    WITHOUT_MIGRATIONS.disable()
    with django_db_blocker.unblock():
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        recorder.migration_qs.bulk_create(
            recorder.Migration(app=app, name=name)
            for app, name in MigrationLoader(None).disk_migrations
        )


@pytest.fixture(autouse=True)
def _nothing_of_another_test() -> Iterator[None]:
    """Begin without a request's trace; forget learners, since the next projects have their keys."""
    with tracing.apart():
        yield
    learner_cache.forget()


@pytest.fixture(scope="session")
def _running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    with sandbox_package.serve(folder, port=int(os.environ["SANDBOX_PORT"])) as running:
        assert running.url == os.environ["SANDBOX_URL"]
        yield running


@pytest.fixture
def sandbox(_running_sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """The sandbox wiki at `.url`; its state is `.world`, its faults are `.faults`."""
    _running_sandbox.world.reset_request_counts()
    yield _running_sandbox
    _running_sandbox.faults.clear()


@pytest.fixture
def fresh_sandbox(sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """The sandbox wiki, whose pages, edits and accounts go back to what they were."""
    path = sandbox.world.store.path
    with closing(sqlite3.connect(":memory:")) as kept:
        with closing(sqlite3.connect(path)) as state:
            state.backup(kept)
        yield sandbox
        with closing(sqlite3.connect(path, timeout=30)) as state:
            kept.backup(state)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """No test sees what another one's pages have remembered, or counted."""
    for cache in caches:
        caches[cache].clear()


@pytest.fixture
def alice(sandbox: RunningSandbox, db: None) -> User:
    """Owns projects."""
    return factories.wiki_user(sandbox, "Alice")


@pytest.fixture
def bob(sandbox: RunningSandbox, db: None) -> User:
    """Helps in projects of others."""
    return factories.wiki_user(sandbox, "Bob")


@pytest.fixture
def charlie(sandbox: RunningSandbox, db: None) -> User:
    """A stranger to everybody's projects."""
    return factories.wiki_user(sandbox, "Charlie")


@pytest.fixture
def mona(sandbox: RunningSandbox, db: None) -> User:
    """Moderates."""
    return factories.make_moderator(factories.wiki_user(sandbox, "Mona"))


@pytest.fixture
def pat(sandbox: RunningSandbox, db: None) -> User:
    """Has rollback and patrol rights on the wiki, and is no member of anything."""
    return factories.wiki_user(sandbox, "Pat")


@pytest.fixture
def make_project(db: None) -> MakeProject:
    """`make_project(alice, "Q7186", [("Marie Curie", 2)])`: see `tests.factories`."""
    return factories.make_project


@pytest.fixture
def client_of(db: None) -> ClientOf:
    """A test client as one user's browser, at the address that the sandbox's consumer knows."""

    def browser(user: User | None = None) -> Client:
        client = Client(headers={"host": f"127.0.0.1:{settings.PORT}"})
        if user:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; mark the test with `pytest.mark.browser`."""
    if not CHROMIUM:
        pytest.skip("Chromium is not installed: apt install chromium")
    # Playwright runs an event loop in this thread; Django must not mistake that for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with start_chromium() as running:
        yield running
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def shared_database(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The URL of a database that other processes and threads can open as well.

    With SQLite a file with the same schema stands in for the database in memory.
    """
    if connection.vendor == "mysql":
        url = _with_name(os.environ["DATABASE_URL"], str(connection.settings_dict["NAME"]))
        monkeypatch.setenv("DATABASE_URL", url)
        yield url
        return
    path = tmp_path / "shared.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    url = f"sqlite://{quote(str(path))}"
    monkeypatch.setenv("DATABASE_URL", url)
    in_memory, name = connections["default"], connections.settings["default"]["NAME"]
    connections.settings["default"]["NAME"] = str(path)
    connections["default"] = connections.create_connection("default")
    try:
        yield url
    finally:
        connections["default"].close()
        connections.settings["default"]["NAME"] = name
        connections["default"] = in_memory


@pytest.fixture
def web(shared_database: str) -> Iterator[str]:
    """Our pages over HTTP, each request in a thread with a database connection of its own.

    (pytest-django's live_server lasts the whole session, and shares the one in memory.)
    """
    server = LiveServerThread("127.0.0.1", StaticFilesHandler, connections_override={}, port=0)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


@pytest.fixture
def visit(chromium: Browser, web: str, client_of: ClientOf, settings: Settings) -> Iterator[Visit]:
    """Opens a page in a window of its own. Its script errors, what breaks its CSP and what the
    server fails at fail the test."""
    settings.ALLOWED_HOSTS = ["*"]
    windows: list[Window] = []

    def visit(
        path: str,
        user: User | None = None,
        screen: Screen = DESK,
        theme: Any = "light",
        language: str = "en",
        **more: Any,
    ) -> Window:
        window = Window(
            chromium,
            screen,
            color_scheme=theme,
            extra_http_headers={"Accept-Language": language},
            **more,
        )
        windows.append(window)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if user:
            name = settings.SESSION_COOKIE_NAME
            cookies[name] = client_of(user).cookies[name].value
        window.page.context.add_cookies(
            [{"name": name, "value": value, "url": web} for name, value in cookies.items()]
        )
        window.page.goto(web + path)
        return window

    yield visit
    complaints = [line for window in windows for line in window.complaints if _is_ours(line)]
    for window in windows:
        window.close()
    assert complaints == []


def _with_name(url: str, name: str) -> str:
    address, _, _ = url.rpartition("/")
    return f"{address}/{quote(name)}"


def _is_ours(complaint: str) -> bool:
    """Not a refusal or an aborted request, which tests bring about on purpose, nor a crop that is
    to be asked for again."""
    if complaint.startswith("503") and "/crops/" in complaint:
        return False
    return complaint.startswith(("script:", "5")) or "Content Security Policy" in complaint
