"""Projects to answer in: one of made-up vectors for the views, one of real photos for Chromium."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from django.apps import apps
from django.core import serializers
from django.db import transaction
from django.test import Client

from classify.tasks import infer
from crawler.detection import detect as detection_detect
from crawler.engines import load
from crawler.listing import crawl as listing_crawl
from crawler.models import EngineVersion
from projects.models import Project, Source, User
from sandbox import RunningSandbox
from tests import factories
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import MakeProject

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
            EngineVersion.objects.all().delete()  # they come back with the keys they had
            for row in serializers.deserialize("json", FOUND[0]):
                row.save()
        return Project.objects.get()
    owner = factories.wiki_user(sandbox, "Alice")
    project = factories.make_project(owner, "Q7186", [("Marie Curie", 0)])
    # The engine that takes many others for the person, so that there is enough to review.
    factories.set_engine(project, "dlib")
    Source.objects.create(project=project, kind="file", value=project.person.portrait)
    while listing_crawl.crawl(30):
        pass
    while detection_detect.detect(load, 30):
        pass
    infer()
    models = [
        model
        for app in ("core", "projects", "crawler", "classify")
        for model in apps.get_app_config(app).get_models()
    ]
    rows = chain.from_iterable(model._default_manager.order_by("pk") for model in models)
    FOUND.append(serializers.serialize("json", rows))
    return project


def background(client: Client, path: str, data: dict[str, Any]) -> Any:
    """A change sent as the page's own script sends it."""
    return client.post(path, data, headers={"X-Background": "1"})
