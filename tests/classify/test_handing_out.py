"""Handing out screens to many people at the same moment, on a real database."""

from __future__ import annotations

import pytest

from classify.asking import screens
from classify.models import Question
from crawler.models import Region
from projects.models import Project, User
from tests.classify.faces import Cast, add_photo
from tests.classify.test_questions import at_once
from tests.factories import make_user

pytestmark = pytest.mark.usefixtures("shared_database")

SCREENS, SIZE = 4, 5


@pytest.fixture
def regions(shared_database: str, project: Project, cast: Cast) -> list[Region]:
    """Faces on four screens of five, laid out after the database is shared."""
    found = [add_photo(project, [cast.face("marie")]) for _ in range(SCREENS * SIZE)]
    for place, (photo, [region]) in enumerate(found):
        Question.objects.create(
            subject=project.subject, region=region, photo=photo, rank=place, screen=place // SIZE
        )
    return [region for _photo, [region] in found]


def test_people_who_ask_at_once_get_whole_screens_of_their_own(
    project: Project, regions: list[Region]
) -> None:
    people = [make_user() for _ in range(SCREENS + 2)]

    def given_to(user: User) -> list[int]:
        screen = screens.next_screen(project, user)
        return [face.region.pk for face in screen.faces] if screen else []

    given = at_once([lambda user=user: given_to(user) for user in people])  # type: ignore[misc]
    faces = [face for screen in given for face in screen]
    assert len(faces) == len(set(faces)) == SCREENS * SIZE
    assert sorted(len(screen) for screen in given) == [0, 0] + [SIZE] * SCREENS
    held = Question.objects.filter(leased_to__in=people)
    assert held.count() == SCREENS * SIZE
