"""Whose word a label is, when those who said something gain or lose their role."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from classify.labels import rebuild_labels
from classify.models import Label
from crawler.models import Region
from projects.members import services as members
from projects.models import Project, User
from projects.permissions import membership
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(project: Project) -> User:
    """A member like Bob, who disagrees with him."""
    user = make_user("Dora")
    project.memberships.create(user=user)
    return user


@pytest.fixture
def face(project: Project, cast: Cast, bob: User, dora: User, say: Say) -> Region:
    """Bob said yes, then Dora said no: the latest of two members counts."""
    [region] = add_photo(project, [cast.face("marie")])[1]
    say(bob, "yes", region)
    say(dora, "no", region)
    assert verdict(region) == "no"
    return region


def verdict(region: Region) -> str:
    return Label.objects.get(region=region).verdict


def test_a_reviewers_word_outranks_as_long_as_they_are_reviewer(
    project: Project,
    face: Region,
    alice: User,
    bob: User,
) -> None:
    before = Project.objects.get(pk=project.pk).revision
    members.set_role(project, alice, bob, "reviewer")
    assert verdict(face) == "yes"
    assert Project.objects.get(pk=project.pk).revision > before, "the learner must see it"
    members.set_role(project, alice, bob, "member")
    assert verdict(face) == "no"


@pytest.mark.parametrize(
    "goes",
    [
        lambda project, alice, dora: members.ban(project, alice, dora),
        lambda project, alice, dora: members.remove(project, alice, dora),
        lambda project, alice, dora: members.leave(project, dora),
    ],
    ids=["banned", "removed", "left"],
)
def test_who_goes_no_longer_outvotes_who_is_there(
    project: Project,
    face: Region,
    alice: User,
    dora: User,
    goes: Callable[[Project, User, User], None],
) -> None:
    goes(project, alice, dora)
    assert verdict(face) == "yes"
    mine = membership(project, dora)
    assert mine
    if mine.state == "left":
        members.join_by_code(members.invite(project, alice).code, dora)
        assert verdict(face) == "no", "back again"


def test_the_only_word_stands_whoever_said_it(
    project: Project,
    cast: Cast,
    alice: User,
    bob: User,
    say: Say,
) -> None:
    [region] = add_photo(project, [cast.face("marie")])[1]
    say(bob, "yes", region)
    members.ban(project, alice, bob)
    assert verdict(region) == "yes"


def test_labels_are_the_same_when_all_are_made_anew(
    project: Project,
    face: Region,
    alice: User,
    bob: User,
) -> None:
    members.set_role(project, alice, bob, "reviewer")
    kept = list(Label.objects.order_by("region").values_list("region", "verdict", "answer"))
    assert rebuild_labels(project) == len(kept)
    made = Label.objects.order_by("region").values_list("region", "verdict", "answer")
    assert list(made) == kept
