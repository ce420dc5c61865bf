"""A project looks for subjects; what is said and thought of a region belongs to one of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from classify.models import Answer, Forecast, Label, Look, Question, Round, Score, Skip, Verdict
from crawler.models import Photo, Picture, Region
from projects.models import Person, Project, Subject, User
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db
# All that belongs to a subject
ABOUT_A_SUBJECT = (Answer, Label, Score, Question, Skip, Round, Look, Forecast)


@pytest.fixture
def project(alice: User, make_project: MakeProject) -> Project:
    return make_project(alice, "Q7186")


@pytest.fixture
def einstein() -> Person:
    born = date(1879, 3, 14)
    return Person.objects.create(wiki="sandbox", qid="Q937", born_from=born, born_to=born)


def add_rows(subject: Subject, photo: Photo, region: Region, user: User, verdict: str) -> None:
    """One row of each kind about this subject."""
    where: dict[str, Any] = {"subject": subject, "photo": photo, "region": region}
    said = where | {"user": user, "verdict": verdict, "origin": "ask"}
    Label.objects.create(**said, answer=Answer.objects.create(**said))
    Score.objects.create(**where, revision=1)
    Question.objects.create(**where, rank=1)
    Skip.objects.create(subject=subject, user=user, region=region)
    drawn = Round.objects.create(subject=subject, about="approved", frame=1, revision=1)
    Look.objects.create(**where, round=drawn, why="sampled", rank=1)
    Forecast.objects.create(subject=subject, answers=1)


@pytest.fixture
def face() -> tuple[Photo, Region]:
    picture = Picture.objects.create(sha1="a" * 40, width=10, height=10)
    photo = Photo.objects.create(wiki="sandbox", page_id=1, title="File:A.jpg", picture=picture)
    box = {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}
    return photo, Region.objects.create(picture=picture, origin="detector", **box)


def test_two_subjects_have_rows_of_their_own_for_one_region(
    project: Project, einstein: Person, face: tuple[Photo, Region], alice: User
) -> None:
    first = project.subject
    second = Subject.objects.create(project=project, person=einstein, added_by=alice)
    add_rows(first, *face, alice, Verdict.YES)
    add_rows(second, *face, alice, Verdict.NO)
    assert [label.verdict for label in first.labels.all()] == [Verdict.YES]
    assert [label.verdict for label in second.labels.all()] == [Verdict.NO]
    assert {model: model._default_manager.count() for model in ABOUT_A_SUBJECT} == dict.fromkeys(
        ABOUT_A_SUBJECT, 2
    )


@pytest.mark.parametrize("model", [Label, Score, Question])
def test_a_subject_and_a_region_have_one_row(
    project: Project, face: tuple[Photo, Region], alice: User, model: Any
) -> None:
    add_rows(project.subject, *face, alice, Verdict.YES)
    row = model.objects.get()
    row.pk, row.public_id = None, None
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_what_belongs_to_a_subject_goes_with_it(
    project: Project, einstein: Person, face: tuple[Photo, Region], alice: User
) -> None:
    second = Subject.objects.create(project=project, person=einstein)
    add_rows(project.subject, *face, alice, Verdict.YES)
    add_rows(second, *face, alice, Verdict.NO)
    second.delete()
    left = {model: model._default_manager.get() for model in ABOUT_A_SUBJECT}
    assert {row.subject_id for row in left.values()} == {project.subject.pk}


def test_a_project_looks_for_a_person_once(project: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Subject.objects.create(project=project, person=project.person)


def test_project_subject_raises_unless_there_is_exactly_one(
    project: Project, einstein: Person
) -> None:
    Subject.objects.create(project=project, person=einstein)
    with pytest.raises(Subject.MultipleObjectsReturned):
        _ = Project.objects.get(pk=project.pk).subject
    project.subjects.all().delete()
    with pytest.raises(Subject.DoesNotExist):
        _ = Project.objects.get(pk=project.pk).subject


def test_project_subject_and_person_are_read_in_one_query(
    project: Project, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        found = Project.objects.with_subject().get(pk=project.pk)
        assert found.person.qid == "Q7186"
        assert found.subject.project is found
    with django_assert_num_queries(2):
        assert Project.objects.get(pk=project.pk).person.qid == "Q7186"


def test_projects_are_found_by_their_subjects_person(project: Project, einstein: Person) -> None:
    assert Project.objects.get(subject__person__qid="Q7186") == project
    assert not Project.objects.filter(subject__person=einstein)
    assert Project.objects.get(subjects__person__qid="Q7186") == project
