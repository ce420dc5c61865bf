"""The course of a project: what the learner expects, answer by answer."""

from __future__ import annotations

from uuid import uuid4

import pytest

from classify import answers as classify_answers
from classify.learner import forecasts
from classify.models import Forecast
from crawler.models import Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, learn

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    """Faces of one person that are less alike than usual, so that not all are taken at once."""
    return Cast(spread=1.3)


@pytest.fixture
def hers(project: Project, cast: Cast) -> list[Region]:
    """Twelve photos of marie; twelve of other people, each of them once."""
    for number in range(12):
        add_photo(project, [cast.face(f"stranger {number}")])
    return [add_photo(project, [cast.face("marie")])[1][0] for _ in range(12)]


def rows(project: Project) -> list[tuple[int, float | None, float | None]]:
    return [(row.answers, row.precision, row.recall) for row in forecasts.course(project)]


def test_it_moves_as_one_answers(
    project: Project, hers: list[Region], alice: User, say: Say
) -> None:
    learn(project)
    assert rows(project) == [], "nothing is expected before there is a face to compare with"
    for number, region in enumerate(hers, start=1):
        say(alice, "yes", region)
        learn(project)
        answers, precision, recall = rows(project)[-1]
        assert answers == number
        assert precision is not None
        assert recall is not None
        assert 0.5 < precision <= 1
        assert 0 < recall <= 1
    found = rows(project)
    assert [row[0] for row in found] == list(range(1, 13))
    assert found[-1][1] == 1, "all that is taken was said by a person"
    assert found[-1][2] == pytest.approx(1, abs=0.1), "and hardly anything is left"
    recalls = [row[2] or 0 for row in found]
    assert recalls[0] < recalls[-1]


def test_nothing_happens_twice_for_one_number_of_answers(
    project: Project, hers: list[Region], cast: Cast, alice: User, say: Say
) -> None:
    say(alice, "yes", hers[0])
    learn(project)
    before = rows(project)
    for _ in range(10):
        add_photo(project, [cast.face("marie")])
    learn(project)
    after = rows(project)
    assert len(before) == len(after) == 1
    assert before != after, "it is of the photos that there are now"


def test_what_was_taken_back_is_no_part_of_it(
    project: Project, hers: list[Region], alice: User, say: Say
) -> None:
    for region in hers[:3]:
        say(alice, "yes", region)
        learn(project)
    classify_answers.undo(project, alice, uuid4())
    learn(project)
    assert [row[0] for row in rows(project)] == [1, 2]


def test_what_the_wiki_knows_is_neither_found_nor_missed(
    project: Project, hers: list[Region], cast: Cast, alice: User, say: Say
) -> None:
    for region in hers[:3]:
        say(alice, "yes", region)
    learn(project)
    before = rows(project)[-1]
    for _ in range(5):
        add_photo(project, [cast.face("marie")], already_depicts=True)
    learn(project)
    after = rows(project)[-1]
    assert after[2] == pytest.approx(before[2], abs=0.05)


def test_by_the_centroid_rule_nothing_is_expected(
    project: Project, hers: list[Region], alice: User, say: Say
) -> None:
    for region in hers[:6]:
        say(alice, "yes", region)
    learn(project)
    assert rows(project)
    project.rule = Project.Rule.CENTROID
    project.revision += 1
    project.save()
    learn(project)
    assert rows(project) == []


def test_a_long_course_is_thinned_out_in_its_older_half(project: Project) -> None:
    Forecast.objects.bulk_create(
        Forecast(subject=project.subject, answers=n) for n in range(forecasts.KEPT + 1)
    )
    forecasts._thin(project)
    kept = [row[0] for row in rows(project)]
    assert len(kept) < 0.8 * forecasts.KEPT
    assert kept[0] == 0
    assert kept[-100:] == list(range(forecasts.KEPT - 99, forecasts.KEPT + 1))
