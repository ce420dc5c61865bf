"""How many files could be sent, as pages that poll say it: counted by the database.

Measured with 10,000 labels of Yes in one project, SQLite in memory, one core: some 25 ms
(loading the labels took 1.1 s).
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from classify.models import Answer, Label, Origin, Verdict
from classify.selectors import eligible_labels
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import Project, User
from sdc.models import Claim
from sdc.selectors import ready_count
from tests.sdc.conftest import CURIE, Make

pytestmark = pytest.mark.django_db


def another_face(label: Label, size: float, origin: str = Origin.ASK) -> Label:
    """A yes on one more face of the same photo."""
    region = Region.objects.create(
        picture=label.photo.picture, origin=Region.Origin.DETECTOR, x=0, y=0, w=size, h=size
    )
    said: dict[str, Any] = {"project": label.project, "photo": label.photo, "region": region}
    said |= {"verdict": Verdict.YES, "origin": origin}
    return Label.objects.create(**said, answer=Answer.objects.create(**said))


def claim(label: Label, state: str, **fields: Any) -> Claim:
    return Claim.objects.create(
        wiki=settings.WIKI.code,
        page_id=label.photo.page_id,
        qid=CURIE,
        photo=label.photo,
        state=state,
        **fields,
    )


def test_a_photo_counts_once_however_many_faces_in_it_are_hers(
    project: Project, said_yes: Make
) -> None:
    one, _other = said_yes(project, 2)
    larger = another_face(one, 0.4)
    another_face(one, 0.1)
    assert ready_count(project) == 2
    assert larger in eligible_labels(project)


@pytest.mark.parametrize("state", [state for state in Claim.State if state != Claim.State.FREE])
def test_what_was_sent_by_anybody_is_not_ready(
    project: Project, said_yes: Make, state: str
) -> None:
    one, _other = said_yes(project, 2)
    claim(one, state)
    assert ready_count(project) == 1


def test_a_free_claim_blocks_nothing_unless_it_is_held(project: Project, said_yes: Make) -> None:
    free, held = said_yes(project, 2)
    claim(free, Claim.State.FREE)
    assert ready_count(project) == 2
    claim(held, Claim.State.FREE, held=True)
    assert ready_count(project) == 1


def test_what_must_not_be_sent_is_not_ready(project: Project, said_yes: Make) -> None:
    """One each: it depicts her already, withdrawn, on another wiki, let go of by the project,
    answered No, other pixels now, and a word that only a statement said."""
    labels = said_yes(project, 8)
    mine = ProjectPhoto.objects.filter(project=project)
    mine.filter(photo=labels[0].photo).update(already_depicts=True)
    Photo.objects.filter(pk=labels[1].photo_id).update(state=Photo.State.WITHDRAWN)
    Photo.objects.filter(pk=labels[2].photo_id).update(wiki="commons")
    mine.filter(photo=labels[3].photo).delete()
    Label.objects.filter(pk=labels[4].pk).update(verdict=Verdict.NO)
    Photo.objects.filter(pk=labels[5].photo_id).update(picture=labels[7].photo.picture)
    Label.objects.filter(pk=labels[6].pk).update(origin=Origin.BOOTSTRAP)
    assert ready_count(project) == 1


def test_another_projects_words_and_people_do_not_count(
    project: Project, said_yes: Make, make_project: Any, bob: User
) -> None:
    said_yes(project, 1)
    other = make_project(bob, "Q937")
    [label] = said_yes(other, 1)
    claim(label, Claim.State.WRITTEN)  # Curie's claim says nothing of Einstein
    assert ready_count(other) == 1


def test_it_takes_one_query(
    project: Project, said_yes: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    said_yes(project, 5)
    project = Project.objects.select_related("person").get(pk=project.pk)
    with django_assert_num_queries(1):
        assert ready_count(project) == 5
