"""Projects in each state that their page must tell apart."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.core.cache import cache

from classify import answers
from classify.models import Origin
from crawler.models import ProjectPhoto, Region
from projects.live.pulse import beat
from projects.models import Project, Source, User
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import MakeProject

Answer = Callable[[User, str, Region], None]


@pytest.fixture(autouse=True)
def _no_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    """A project of alice's in which bob helps; its sources are read to their end."""
    project = make_project(alice, members=[bob])
    finish_crawl(project)
    return project


@pytest.fixture
def faces(project: Project, cast: Cast) -> list[Region]:
    """Eight faces of the person, questions prepared, nothing answered."""
    found = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(8)]
    learn(project)
    return found


def finish_crawl(project: Project) -> None:
    for source in project.sources.all():
        source.steps.get_or_create(title=source.value, defaults={"state": "d"})
    beat(project.pk)


def give(project: Project, user: User, verdict: str, *regions: Region) -> None:
    """Answers, and what is learned from them."""
    for region in regions:
        shown = ProjectPhoto.objects.get(project=project, photo__picture=region.picture)
        answers.answer(project, region, shown.photo, user, verdict, Origin.ASK, uuid4())
    learn(project)


def add_source(project: Project, title: str) -> Source:
    """A category that no worker has begun to read."""
    return project.sources.create(kind=Source.Kind.CATEGORY, value=title)
