"""A project of alice's, in which bob helps, and faces to answer."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from classify import answers
from classify.models import Answer, Origin
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Project, User
from tests.classify.faces import Cast
from tests.conftest import MakeProject

Say = Callable[..., Answer]


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    return make_project(alice, members=[bob])


@pytest.fixture
def say(project: Project) -> Say:
    """`say(alice, "yes", region)`: an answer, as the ask page sends it."""

    def answer(user: User, verdict: str, region: Region, origin: str = Origin.ASK) -> Answer:
        held = ProjectPhoto.objects.filter(project=project, photo__picture=region.picture)
        photo: Photo = held.get().photo
        return answers.answer(project, region, photo, user, verdict, origin, uuid4())

    return answer
