"""A person is in a photo at most once, unless people say otherwise: twice of each face."""

import pytest

from classify.models import Origin, Score
from crawler.models import Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, learn
from tests.classify.test_exemplars import between
from tests.classify.test_inference import several

pytestmark = pytest.mark.django_db


@pytest.fixture
def collage(project: Project, cast: Cast, alice: User, say: Say) -> list[Region]:
    """One photo with two faces of Marie and a third that is a little like her. Alice knows her
    from three others, and says Yes to the two."""
    for region in several(project, cast, "marie", 3):
        say(alice, "yes", region)
    doubtful = between(cast.face("marie"), cast.face("pierre"), 0.5)
    _, faces = add_photo(project, [cast.face("marie"), cast.face("marie"), doubtful])
    add_photo(project, [doubtful])
    for region in faces[:2]:
        say(alice, "yes", region)
    return faces


def chance(region: Region) -> float:
    return 1 - Score.objects.get(region=region).unlikely


def test_two_yes_in_one_photo_are_doubted_and_speak_against_the_third_face(
    project: Project, collage: list[Region]
) -> None:
    learn(project)
    elsewhere = Region.objects.last()
    assert elsewhere
    assert chance(collage[2]) < 0.5 < chance(elsewhere)


def test_both_said_twice_make_it_a_collage(
    project: Project, alice: User, bob: User, collage: list[Region], say: Say
) -> None:
    say(alice, "yes", collage[0], Origin.AGAIN)
    learn(project)
    assert chance(collage[2]) < 0.5, "one of them was said once: it may be a slip"
    say(bob, "yes", collage[1])
    learn(project)
    assert chance(collage[2]) > 0.5


def test_a_yes_weighs_once_against_the_faces_beside_it(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    for region in several(project, cast, "marie", 3):
        say(alice, "yes", region)
    like_her = between(cast.face("marie"), cast.face("pierre"), 0.7)
    _, [hers, beside] = add_photo(project, [cast.face("marie"), like_her])
    say(alice, "yes", hers)
    learn(project)
    assert chance(beside) > 0.8  # a fiftieth, not a fiftieth of that


def test_a_no_takes_it_back(project: Project, alice: User, collage: list[Region], say: Say) -> None:
    for region in collage[:2]:
        say(alice, "yes", region, Origin.AGAIN)
    learn(project)
    assert chance(collage[2]) > 0.5
    say(alice, "no", collage[1])
    learn(project)
    assert chance(collage[2]) < 0.5


def test_doubt_of_two_in_a_photo_ends_with_it(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    for region in several(project, cast, "marie", 4):
        say(alice, "yes", region)
    _, pair = add_photo(project, [cast.face("pierre"), cast.face("marie")])
    for region in pair:
        say(alice, "yes", region)
    learn(project)
    before = Score.objects.get(region=pair[0]).doubt
    for region in pair:
        say(alice, "yes", region)
    learn(project)
    after = Score.objects.get(region=pair[0]).doubt
    assert before
    assert after is None or after < before - 3  # what being there twice counts for
