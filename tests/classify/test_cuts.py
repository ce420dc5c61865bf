"""What a threshold does to a project's faces: both sides are counted, the nearest are shown."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from classify.learner import threshold
from classify.models import Score, Verdict
from projects.models import Project, User
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf, MakeProject
from tests.wikivisage.conftest import give

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    """By the centroid rule: eight faces of marie, six of them confirmed, eight of others, one of
    them rejected."""
    project = make_project(alice, members=[bob], rule=Project.Rule.CENTROID)
    cast = Cast()
    marie = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(8)]
    others = [add_photo(project, [cast.face(f"other {n}")])[1][0] for n in range(8)]
    learn(project)
    give(project, alice, Verdict.YES, *marie[:6])
    give(project, alice, Verdict.NO, others[0])
    return project


def test_both_sides_are_counted_as_the_scores_stand(project: Project) -> None:
    distances = sorted(
        Score.objects.filter(subject=project.subject).values_list("unlikely", flat=True)
    )
    assert len(distances) == 16
    between = (distances[7] + distances[8]) / 2
    cut = threshold.cut(project, round(between, 2))
    assert cut
    assert (cut.within.faces, cut.within.yes, cut.within.no) == (8, 6, 0)
    assert (cut.beyond.faces, cut.beyond.yes, cut.beyond.no) == (8, 0, 1)
    shown = [score.unlikely for score in cut.within.nearest + cut.beyond.nearest]
    assert shown == distances[8 - threshold.BESIDE : 8 + threshold.BESIDE], (
        "those nearest to the line"
    )
    assert sum(bar.yes + bar.no + bar.rest for bar in cut.bars) == 16


def test_moving_the_line_moves_faces_and_counts_nothing_anew(
    project: Project, django_assert_max_num_queries: object
) -> None:
    farther = threshold.cut(project, 0.8)
    with django_assert_max_num_queries(5):  # type: ignore[operator]
        nearer = threshold.cut(project, 0.3)
    assert nearer
    assert farther
    assert nearer.within.faces < farther.within.faces
    assert nearer.within.faces + nearer.beyond.faces == farther.within.faces + farther.beyond.faces


def test_by_exemplars_the_line_is_a_chance_of_one_half(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(rule=Project.Rule.EXEMPLARS)
    Project.objects.filter(pk=project.pk).tell_learner()
    learn(project)
    project.refresh_from_db()
    cut = threshold.cut(project, 0.3)
    assert cut
    assert cut.at == 0.5, "there is nothing to set"
    likely = Score.objects.filter(subject=project.subject, unlikely__lt=0.5).count()
    assert cut.within.faces == likely


def test_the_page_is_the_owners_and_works_by_plain_get(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    address = reverse("threshold", args=[project.public_id])
    assert client_of(bob).get(address).status_code == 403
    page = BeautifulSoup(client_of(alice).get(address, {"threshold": "9"}).content, "html.parser")
    slider = page.select_one("input[name=threshold]")
    assert slider
    assert slider["value"] == "0.8", "no farther than may be set"
    for nonsense in ("x", "nan"):
        part = client_of(alice).get(
            address, {"threshold": nonsense}, headers={"HX-Request": "true"}
        )
        assert b"<html" not in part.content
        assert b"At a distance of <b>0.60</b>" in part.content


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("6", "Confirmed faces: <b>6</b>, and 6 are enough."),
        ("8", "6 of 8 faces are confirmed: nothing is inferred before <b>2</b> more are"),
        ("x", "and 5 are enough"),
        ("999", "nothing is inferred before <b>94</b> more are"),
    ],
)
def test_the_minimum_says_what_it_waits_for(
    project: Project, alice: User, client_of: ClientOf, wanted: str, said: str
) -> None:
    learn(project)
    address = reverse("threshold", args=[project.public_id])
    part = client_of(alice).get(address, {"min_confirmed": wanted}, headers={"HX-Request": "true"})
    assert said in part.content.decode()


def test_nothing_is_measured_yet(
    make_project: MakeProject, alice: User, client_of: ClientOf
) -> None:
    project = make_project(alice)
    page = client_of(alice).get(reverse("threshold", args=[project.public_id]))
    assert "Nothing is measured yet" in page.content.decode()
