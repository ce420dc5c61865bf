"""Projects to answer in: one of made-up vectors for the views, one of real photos for Chromium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core import serializers
from django.db import transaction
from django.test import Client
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, ConsoleMessage, Page
from pytest_django import Settings

from classify.tasks import infer
from crawler import crawling, detection
from crawler.engines import KINDS, load
from crawler.models import ProjectEngine
from projects.models import Project, Source, User
from sandbox import RunningSandbox
from tests import factories
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf, MakeProject

OpenPage = Callable[..., Any]
# What crawl and detection left behind in the first test, as JSON; the others begin with it,
# whatever folder they stand in.
FOUND: list[str] = []


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User, cast: Cast) -> Project:
    """Eight photos of marie with pierre beside her, learned; bob is a member."""
    project = make_project(alice, members=[bob])
    for _ in range(8):
        add_photo(project, [cast.face("marie"), cast.face("pierre")])
    learn(project)
    return project


@pytest.fixture
def real_project(sandbox: RunningSandbox, shared_database: str) -> Project:
    """A project on real photos of Marie Curie, crawled, detected and learned."""
    if FOUND:
        with transaction.atomic():
            for row in serializers.deserialize("json", FOUND[0]):
                row.save()
        return Project.objects.get()
    owner = factories.wiki_user(sandbox, "Alice")
    project = factories.make_project(owner, "Q7186", [("Marie Curie", 0)])
    # The engine that takes many others for the person, so that there is enough to review.
    ProjectEngine.objects.create(
        project=project, serving=KINDS["dlib"].name, chosen=KINDS["dlib"].name
    )
    Source.objects.create(project=project, kind="file", value=project.person.portrait)
    while crawling.crawl(30):
        pass
    while detection.detect(load, 30):
        pass
    infer()
    models = [
        model
        for app in ("projects", "crawler", "classify")
        for model in apps.get_app_config(app).get_models()
    ]
    rows = chain.from_iterable(model._default_manager.order_by("pk") for model in models)
    FOUND.append(serializers.serialize("json", rows))
    return project


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
def open_page(
    chromium: Browser, real_project: Project, client_of: ClientOf, web: str, settings: Settings
) -> Iterator[OpenPage]:
    """`open_page("/p/…/ask", width=390, touch=True)`: a real page of the owner's, in Chromium.

    A page whose scripts fail or that breaks its own CSP fails the test.
    """
    settings.ALLOWED_HOSTS = ["*"]
    name = settings.SESSION_COOKIE_NAME
    session = client_of(real_project.owner).cookies[name].value
    complaints: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def open_page(path: str, width: int = 1280, height: int = 800, touch: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch
        )
        contexts.append(context)
        context.add_cookies([{"name": name, "value": session, "url": web}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", note)
        page.goto(web + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def background(client: Client, path: str, data: dict[str, Any]) -> Any:
    """A change sent as the page's own script sends it."""
    return client.post(path, data, headers={"X-Background": "1"})
