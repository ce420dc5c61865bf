"""The centroid rule: after five confirmed faces, what is nearer than 0.6 to their mean."""

from uuid import uuid4

import pytest
from django.db.models import F

from classify import answers
from classify.models import Origin, Question, Score, Skip
from crawler.models import Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, embed, learn
from tests.classify.test_inference import asked, ids, matches, several
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    return make_project(alice, members=[bob], rule="centroid")


def test_there_are_no_matches_before_five_confirmed_faces(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 10)
    others = several(project, cast, "pierre", 10)
    for region in hers[:4]:
        say(alice, "yes", region)
    learner = learn(project)
    assert (learner.confirmed, learner.matches, learner.faces) == (4, 0, 20)
    assert not matches(project)
    assert not Score.objects.exclude(unlikely=Score.FAR).exists()

    say(alice, "yes", hers[4])
    learner = learn(project)
    assert matches(project) == ids(hers[5:])
    assert (learner.confirmed, learner.matches) == (5, 5)
    near = Score.objects.filter(unlikely__lt=0.6)
    assert set(near.values_list("region", flat=True)) == ids(hers)
    assert set(others) == {score.region for score in Score.objects.filter(unlikely__gt=0.6)}


def test_the_threshold_is_the_projects(project: Project, cast: Cast, alice: User, say: Say) -> None:
    hers = several(project, cast, "marie", 8)
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    farthest = Score.objects.filter(region__in=hers[5:]).order_by("-unlikely")[0]
    Project.objects.update(threshold=farthest.unlikely, revision=F("revision") + 1)
    learn(project)
    assert matches(project) == ids(hers[5:]) - {farthest.region_id}


def test_an_undo_lowers_the_count_again(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 8)
    for region in hers[:5]:
        say(alice, "yes", region)
    assert learn(project).matches == 3
    answers.undo(project, alice, uuid4())
    assert learn(project).matches == 0
    assert not matches(project)
    assert not Score.objects.exclude(unlikely=Score.FAR).exists()


def test_bootstrap_examples_count_only_if_the_project_says_so(project: Project, cast: Cast) -> None:
    for _ in range(5):
        add_photo(project, [cast.face("marie")], already_depicts=True)
    hers = several(project, cast, "marie", 3)
    assert learn(project).confirmed == 0
    assert not matches(project)
    Project.objects.update(bootstrap_counts=True, revision=F("revision") + 1)
    assert learn(project).confirmed == 5
    assert matches(project) == ids(hers)


def test_the_portrait_and_those_like_it_are_asked_first(project: Project, cast: Cast) -> None:
    others = several(project, cast, "pierre", 20)
    hers = several(project, cast, "marie", 5)
    _, [portrait] = add_photo(project, [cast.face("marie")], is_portrait=True)
    learn(project)
    order = asked(project)
    assert order[0] == portrait.pk
    assert set(order[1:6]) == ids(hers)
    assert set(order[6:]) == ids(others)


def test_those_like_a_bootstrap_example_are_asked_first(project: Project, cast: Cast) -> None:
    others = several(project, cast, "pierre", 20)
    _, [example] = add_photo(project, [cast.face("marie")], already_depicts=True)
    hers = several(project, cast, "marie", 5)
    learn(project)
    order = asked(project)
    assert set(order[:5]) == ids(hers)
    assert example.pk not in order
    assert set(order[5:]) == ids(others)
    nearest = Question.objects.get(region=hers[0]).nearest
    assert nearest == [example.pk]


def test_a_portrait_that_was_answered_no_is_no_example(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    _, [statue] = add_photo(project, [cast.face("statue")], is_portrait=True)
    statues = several(project, cast, "statue", 3)
    hers = several(project, cast, "marie", 3)
    say(alice, "yes", hers[0])
    say(alice, "no", statue)
    learn(project)
    assert set(asked(project)[:2]) == ids(hers[1:])
    assert set(asked(project)[2:]) == ids(statues)


def test_a_tagged_group_photo_is_asked_first_and_never_guessed(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    add_photo(project, [cast.face("marie")], is_portrait=True)
    hers = several(project, cast, "marie", 3)
    _, group = add_photo(
        project,
        [cast.face("pierre"), cast.face("marie"), cast.face("irene")],
        already_depicts=True,
    )
    learn(project)
    assert asked(project)[0] == group[1].pk
    assert not project.subject.labels.exists()

    say(alice, "yes", group[1])
    learn(project)
    order = asked(project)
    assert set(order[-2:]) == {group[0].pk, group[2].pk}, "the others in it add nothing now"
    assert ids(hers) < set(order[:-2])


def test_a_tagged_group_photo_is_not_pressed_after_a_no(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    """The detector may have missed the person's face in it."""
    add_photo(project, [cast.face("marie")], is_portrait=True)
    _, group = add_photo(project, [cast.face("pierre"), cast.face("irene")], already_depicts=True)
    hers = several(project, cast, "marie", 3)
    learn(project)
    first = Region.objects.get(pk=asked(project)[0])
    assert first.pk in ids(group)
    say(alice, "no", first)
    learn(project)
    assert set(asked(project)[1:4]) == ids(hers)


def test_once_there_are_matches_those_just_beyond_the_threshold_are_asked_before_them(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 8)
    others = several(project, cast, "pierre", 3)
    doubtful = cast.face("marie")
    _, [unsure] = add_photo(project, [doubtful])
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    distance = Score.objects.get(region=unsure).unlikely
    nearest = Score.objects.filter(region__in=hers[5:]).order_by("unlikely")[0].unlikely
    assert distance
    assert nearest
    threshold = (distance + nearest) / 2 if nearest < distance else distance - 0.001
    Project.objects.update(threshold=threshold, revision=F("revision") + 1)
    learn(project)
    found, order = matches(project), asked(project)
    beyond = ids([*hers[5:], unsure]) - found
    assert unsure.pk in beyond
    assert set(order[: len(beyond)]) == beyond
    assert set(order[len(beyond) : len(beyond) + len(found)]) == found
    assert set(order[len(beyond) + len(found) :]) == ids(others)


def test_forty_questions_are_kept_ahead(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    several(project, cast, "marie", 60)
    learn(project)
    assert len(asked(project)) == 40
    for region in Region.objects.filter(pk__in=asked(project)[:10]):
        say(alice, "no", region)
    assert len(asked(project)) == 30
    learn(project)
    assert len(asked(project)) == 40


def test_skipped_faces_do_not_use_up_the_questions(
    project: Project, cast: Cast, alice: User
) -> None:
    several(project, cast, "marie", 90)
    learn(project)
    for region in Region.objects.filter(pk__in=asked(project)):
        answers.skip(project, region, alice)
    assert Skip.objects.count() == 40
    learn(project)
    assert len(asked(project)) == 80


def test_a_drawn_box_counts_before_it_has_a_vector(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 6)
    for region in hers[:4]:
        say(alice, "yes", region)
    drawn = Region.objects.create(
        picture=hers[4].picture, origin=Region.Origin.PERSON, x=0.4, y=0.4, w=0.2, h=0.2
    )
    say(alice, "yes", drawn, Origin.DRAWN)
    assert learn(project).confirmed == 5
    assert matches(project) == {hers[4].pk, hers[5].pk}
    embed(drawn, cast.face("marie"))
    Project.objects.update(revision=F("revision") + 1)
    assert learn(project).faces == 7
