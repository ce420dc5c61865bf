"""Of several faces on a photo one is the person: one number says so, and No of the others."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from classify import answers
from classify.models import Answer, Label, Question
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.classify.faces import Cast, add_photo
from tests.classify_pages.conftest import background
from tests.classify_pages.screens import lay_out
from tests.conftest import ClientOf


@pytest.fixture
def three(project: Project, cast: Cast) -> list[Region]:
    """Faces of one photo, of which the second is asked about."""
    add_photo(project, [cast.face("marie"), cast.face("pierre"), cast.face("marie")])
    picture = Photo.objects.latest("id").picture_id
    faces = list(Region.objects.filter(picture=picture).order_by("x", "pk"))
    lay_out(project, [[faces[1]]], Question.Kind.ONE)
    return faces


def choice_on(html: str) -> list[str]:
    form = re.search(r'<form class="q-choice".*?</form>', html, re.DOTALL)
    return re.findall(r'name="yes" value="([^"]+)"', form[0]) if form else []


def said(project: Project) -> dict[str, str]:
    return dict(
        Label.objects.filter(subject=project.subject).values_list("region__public_id", "verdict")
    )


@pytest.mark.parametrize("page", ["ask", "grid"])
def test_one_number_answers_the_photo_and_one_undo_takes_it_back(
    page: str, project: Project, three: list[Region], client_of: ClientOf, bob: User
) -> None:
    client, here = client_of(bob), f"/p/{project.public_id}"
    ids = [face.public_id for face in three]
    html = client.get(f"{here}/{page}").content.decode()
    assert choice_on(html) == ids  # from left to right, as they are numbered on the photo
    assert [int(n) for n in re.findall(r'class="number" data-number="(\d)"', html)] == [1, 2, 3]
    form = {"client_uuid": uuid4(), "shown": ids, "yes": ids[2]}
    for _ in range(2):  # sent twice, it is one deed
        assert background(client, f"{here}/grid/answer", form).status_code == 200
    assert said(project) == {ids[0]: "no", ids[1]: "no", ids[2]: "yes"}
    assert Answer.objects.filter(user=bob).values("created_at").distinct().count() == 1
    background(client, f"{here}/undo", {"client_uuid": uuid4()})
    assert said(project) == {}
    # none of these
    background(client, f"{here}/grid/answer", {"client_uuid": uuid4(), "shown": ids})
    assert set(said(project).values()) == {"no"}


def test_only_what_is_open_is_to_be_chosen_from_and_only_by_members(
    project: Project, three: list[Region], client_of: ClientOf, alice: User, charlie: User
) -> None:
    here, photo = f"/p/{project.public_id}", Photo.objects.latest("id")
    form = {"client_uuid": uuid4(), "shown": [three[0].public_id, three[1].public_id]}
    assert background(client_of(charlie), f"{here}/grid/answer", form).status_code == 403
    assert said(project) == {}
    client = client_of(alice)
    answers.answer(project, three[0], photo, alice, "no", "ask", uuid4())
    lay_out(project, [[three[1]]], Question.Kind.ONE)
    left = [three[1].public_id, three[2].public_id]
    assert choice_on(client.get(f"{here}/ask").content.decode()) == left
    answers.answer(project, three[2], photo, alice, "no", "ask", uuid4())
    lay_out(project, [[three[1]]], Question.Kind.ONE)
    html = client.get(f"{here}/ask").content.decode()
    assert choice_on(html) == []
    assert "data-number" not in html


def test_a_crowd_is_no_choice(
    project: Project, cast: Cast, client_of: ClientOf, alice: User
) -> None:
    """More than there are keys would be said No of at a glance."""
    add_photo(project, [cast.face("pierre") for _ in range(10)])
    picture = Photo.objects.latest("id").picture_id
    lay_out(project, [[Region.objects.filter(picture=picture).earliest("id")]], Question.Kind.ONE)
    html = client_of(alice).get(f"/p/{project.public_id}/ask").content.decode()
    assert choice_on(html) == []
