"""The exemplars rule: what a face is compared with, what is asked, and when asking ends."""

from datetime import date
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.db.models import F

from classify import answers, selectors
from classify.asking.screens import next_screen
from classify.models import Question, Round, Score
from crawler.models import Photo, Region
from projects.models import Person, Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, Vector, add_photo, embed, learn
from tests.classify.test_inference import asked, ids, matches, several
from tests.factories import make_user

pytestmark = pytest.mark.django_db

Kind = Question.Kind


def screens(project: Project) -> list[list[Question]]:
    """Questions by screen, as they would be asked."""
    found: dict[int, list[Question]] = {}
    for question in Question.objects.filter(subject=project.subject).order_by("rank"):
        found.setdefault(question.screen, []).append(question)
    return list(found.values())


def between(one: Vector, other: Vector, share: float) -> Vector:
    mixed = share * one + (1 - share) * other
    unit: Vector = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return unit


def doubt_quality(region: Region) -> None:
    Region.objects.filter(pk=region.pk).update(quality=0.1)
    Project.objects.update(revision=F("revision") + 1)


def test_one_confirmed_face_is_enough(project: Project, cast: Cast, alice: User, say: Say) -> None:
    hers = several(project, cast, "marie", 6)
    several(project, cast, "pierre", 6)
    learn(project)
    assert not matches(project)
    assert selectors.still_needed(project) == 1
    say(alice, "yes", hers[0])
    learner = learn(project)
    assert matches(project) == ids(hers[1:])
    assert selectors.still_needed(project) == 0
    assert selectors.learner(project).ready
    assert (learner.confirmed, learner.matches, learner.left) == (1, 5, 11)
    assert learner.worth == 5, "one screen, of which these are asked for"


def test_a_portrait_is_enough(project: Project, cast: Cast) -> None:
    _, [portrait] = add_photo(project, [cast.face("marie")], is_portrait=True)
    hers = several(project, cast, "marie", 3)
    several(project, cast, "pierre", 3)
    learn(project)
    assert selectors.learner(project).needed == 0
    assert matches(project) == ids([*hers, portrait])


def test_with_nothing_known_those_seen_most_often_are_asked_in_one_screen(
    project: Project, cast: Cast
) -> None:
    hers = several(project, cast, "marie", 8)
    for stranger in range(5):
        several(project, cast, f"stranger {stranger}", 1)
    learn(project)
    first = screens(project)[0]
    assert {question.kind for question in first} == {Kind.COMMON}
    assert first[0].region in hers, "one stands for all eight"
    assert len([question for question in first if question.region in hers]) == 1
    assert not any(question.marked for question in first)


def test_a_screen_marks_the_likely_ones_and_stands_before_the_others(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 25)
    several(project, cast, "pierre", 40)
    for region in hers[:2]:
        say(alice, "yes", region)
    learn(project)
    first, second, *_ = screens(project)
    assert len(first) == 20
    assert {question.kind for question in first} == {Kind.LIKELY}
    assert all(question.marked and (question.chance or 0) > 0.9 for question in first)
    marked = [question.region_id for question in second if question.marked]
    assert {question.region_id for question in first} | set(marked) == ids(hers[2:])
    assert all(question.nearest for question in first)


def test_asking_ends_when_nothing_is_worth_it_and_looking_again_begins(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 6)
    several(project, cast, "pierre", 30)
    for region in hers:
        say(alice, "yes", region)
    learner = learn(project)
    assert asked(project) == []
    assert learner.worth == 0
    assert learner.left == 30
    assert Round.objects.filter(subject=project.subject).exists()


def test_one_face_a_photo_is_the_person(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 3)
    _, twins = add_photo(project, [cast.face("marie"), cast.face("marie")])
    _, [known, beside] = add_photo(project, [cast.face("marie"), cast.face("marie")])
    for region in [*hers, known]:
        say(alice, "yes", region)
    learn(project)
    assert len(matches(project) & ids(twins)) == 1
    assert beside.pk not in matches(project)
    assert len(Question.objects.filter(region__in=twins, marked=True)) <= 1


def test_statements_are_examples_and_are_checked_until_people_taught_enough(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    stated = [
        add_photo(project, [cast.face("marie")], already_depicts=True)[1][0] for _ in range(3)
    ]
    hers = several(project, cast, "marie", 8)
    several(project, cast, "pierre", 8)
    learn(project)
    assert matches(project) == ids(hers), "what is on Commons is no tag to be given"
    first = screens(project)[0]
    assert ids(stated) <= {question.region_id for question in first if question.marked}
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    assert not ids(stated) & set(asked(project))
    assert ids(hers[5:]) <= set(asked(project))


def test_a_wrong_statement_is_outweighed_by_people(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    _, [wrong] = add_photo(project, [cast.face("pierre")], already_depicts=True)
    his = several(project, cast, "pierre", 3)
    hers = several(project, cast, "marie", 5)
    learn(project)
    assert matches(project) == ids(his)
    say(alice, "no", wrong)
    say(alice, "yes", hers[0])
    learn(project)
    assert matches(project) == ids(hers[1:])


def test_of_a_tagged_group_photo_one_face_is_the_person(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 2)
    stranger = cast.face("pierre")
    half = between(cast.face("marie"), stranger, 0.45)
    _, group = add_photo(project, [half, cast.face("irene")], already_depicts=True)
    _, alone = add_photo(project, [half, cast.face("irene")])
    for region in hers:
        say(alice, "yes", region)
    learn(project)
    tagged, untagged = (Score.objects.get(region=regions[0]).unlikely for regions in (group, alone))
    assert tagged < untagged
    assert not matches(project) & ids(group), "the statement is there already"


def test_a_face_that_cannot_be_trusted_is_asked_alone_and_never_guessed(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 30)
    doubt_quality(hers[3])
    say(alice, "yes", hers[0])
    learn(project)
    assert hers[3].pk not in matches(project)
    while hers[3].pk not in asked(project):
        for question in screens(project)[0]:
            say(alice, "yes", question.region)
        learn(project)
    *grids, last = screens(project)
    assert all(len(grid) > 1 for grid in grids), "it comes after the grids"
    assert [question.region_id for question in last] == [hers[3].pk]
    assert (last[0].kind, last[0].marked, last[0].chance) == (Kind.ONE, False, None)


def test_a_face_that_cannot_be_trusted_is_no_example(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    [blurred, *hers] = several(project, cast, "marie", 4)
    doubt_quality(blurred)
    say(alice, "yes", blurred)
    learn(project)
    assert not matches(project)
    say(alice, "yes", hers[0])
    learn(project)
    assert matches(project) == ids(hers[1:])


def test_a_box_that_a_person_drew_and_confirmed_is_an_example(
    project: Project, cast: Cast, alice: User
) -> None:
    photo, _ = add_photo(project, [])
    drawn = answers.draw(project, photo, (0.1, 0.1, 0.3, 0.3), alice, uuid4())
    hers = several(project, cast, "marie", 3)
    learn(project)
    assert not matches(project)
    embed(drawn.region, cast.face("marie"))
    Project.objects.filter(pk=project.pk).tell_learner()
    learn(project)
    assert matches(project) == ids(hers)
    answers.undo(project, alice, uuid4())
    learn(project)
    assert not matches(project)
    assert not Score.objects.filter(region=drawn.region).exists()


def test_a_photo_from_before_the_birth_is_less_likely(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 3)
    half = between(cast.face("marie"), cast.face("pierre"), 0.55)
    _, [early] = add_photo(project, [half])
    _, [later] = add_photo(project, [half])
    Photo.objects.filter(picture=early.picture).update(taken_from=date(1850, 1, 1))
    Photo.objects.filter(picture=later.picture).update(taken_from=date(1900, 1, 1))
    Person.objects.update(born_from=date(1867, 11, 7), born_to=date(1867, 11, 7))
    for region in hers:
        say(alice, "yes", region)
    learn(project)
    chances = {
        region.pk: 1 - Score.objects.get(region=region).unlikely for region in (early, later)
    }
    assert chances[early.pk] < chances[later.pk] / 5


@pytest.mark.parametrize("verdict", ["cant-tell", "not-a-face", "background", "artwork"])
def test_other_words_teach_nothing_and_are_not_asked_again(
    project: Project, cast: Cast, alice: User, say: Say, verdict: str
) -> None:
    hers = several(project, cast, "marie", 6)
    say(alice, "yes", hers[0])
    learn(project)
    before = dict(Score.objects.values_list("region", "unlikely"))
    say(alice, verdict, hers[1])
    learn(project)
    assert dict(Score.objects.exclude(region=hers[1]).values_list("region", "unlikely")) == {
        region: unlikely for region, unlikely in before.items() if region != hers[1].pk
    }
    assert hers[1].pk not in matches(project) | set(asked(project))


def test_an_answer_that_the_rest_contradicts_is_doubted(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers, his = several(project, cast, "marie", 6), several(project, cast, "pierre", 6)
    for region in hers[:5]:
        say(alice, "yes", region)
    for region in his[:4]:
        say(alice, "no", region)
    say(alice, "no", hers[5])  # a slip
    say(alice, "yes", his[5])  # another
    learn(project)
    doubted = dict(Score.objects.exclude(doubt=None).values_list("region", "doubt"))
    assert doubted.keys() == {hers[5].pk, his[5].pk}
    assert all(odds and odds > 1 for odds in doubted.values())
    say(alice, "yes", hers[5])
    learn(project)
    assert Score.objects.get(region=hers[5]).doubt is None


def test_the_second_person_gets_the_next_screen(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 50)
    for region in hers[:2]:
        say(alice, "yes", region)
    learn(project)
    mine, bobs = next_screen(project, alice), next_screen(project, bob)
    assert mine
    assert bobs
    regions = {face.region.pk for face in mine.faces}
    assert len(regions) == len(bobs.faces) == 20
    assert not regions & {face.region.pk for face in bobs.faces}
    Project.objects.update(revision=F("revision") + 1)
    learn(project)
    again = next_screen(project, alice)
    assert again
    assert {face.region.pk for face in again.faces} == regions


def test_by_hand_many_are_asked_even_where_a_screen_of_one_face_comes_first(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 50)
    for region in hers[:2]:
        say(alice, "yes", region)
    learn(project)
    Question.objects.update(rank=F("rank") + 1)
    alone = Question.objects.order_by("rank").last()
    assert alone
    Question.objects.filter(pk=alone.pk).update(rank=0.0, screen=99, kind=Question.Kind.COMMON)
    saves_most, by_hand = next_screen(project, alice), next_screen(project, alice, together=True)
    assert saves_most
    assert by_hand
    assert (len(saves_most.faces), len(by_hand.faces)) == (1, 20)


def test_copies_stand_side_by_side(project: Project, cast: Cast, alice: User, say: Say) -> None:
    hers = several(project, cast, "marie", 8)
    _, [copy] = add_photo(project, [cast.face("marie")])
    original = hers[4]
    vector = cast.face("marie")
    for region in (original, copy):
        region.embeddings.all().delete()
        embed(region, vector)
        Region.objects.filter(pk=region.pk).update(phash="0f" * 16)
    say(alice, "yes", hers[0])
    learn(project)
    order = asked(project)
    assert abs(order.index(original.pk) - order.index(copy.pk)) == 1


def test_the_centroid_rule_is_a_setting_away(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 8)
    for region in hers[:3]:
        say(alice, "yes", region)
    learn(project)
    assert matches(project) == ids(hers[3:])
    Project.objects.filter(pk=project.pk).update(rule=Project.Rule.CENTROID)
    Project.objects.filter(pk=project.pk).tell_learner()
    learn(project)
    assert not matches(project), "it wants five"
    project.refresh_from_db()
    assert selectors.still_needed(project) == 2


@pytest.mark.long
@pytest.mark.parametrize("people", [3, 6])
def test_many_volunteers_who_hold_two_screens_each_leave_some_for_all(
    project: Project, cast: Cast, alice: User, say: Say, people: int
) -> None:
    hers = several(project, cast, "marie", 300)
    several(project, cast, "pierre", 60)
    say(alice, "yes", hers[0])
    learn(project)
    given: list[int] = []
    for volunteer in [make_user() for _ in range(people)]:
        held: list[UUID] = []
        for _screen in range(2):  # the one on screen, and the one fetched ahead
            screen = next_screen(project, volunteer, held)
            assert screen, "nothing was left"
            regions = [face.region.pk for face in screen.faces]
            given += regions
            held += Question.objects.filter(region__in=regions).values_list("public_id", flat=True)
            learn(project)
    assert len(given) == len(set(given)) == people * 2 * 20


def test_a_room_full_of_people_finds_a_screen_each_while_nothing_is_learned(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 300)
    say(alice, "yes", hers[0])
    learn(project)
    people = [make_user() for _ in range(6)]
    for volunteer in people:
        assert next_screen(project, volunteer)
        learn(project)
    Project.objects.filter(pk=project.pk).tell_learner()
    learn(project)
    for volunteer in people:
        mine = Question.objects.filter(leased_to=volunteer)
        screen = next_screen(project, volunteer, mine.values_list("public_id", flat=True))
        assert screen, "nothing was left"
        assert len(screen.faces) == 20


def test_holding_what_one_holds_already_wakes_nobody(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 12)
    say(alice, "yes", hers[0])
    learn(project)
    next_screen(project, alice)
    learner = learn(project)
    next_screen(project, alice)
    project.refresh_from_db()
    assert learner.revision == project.revision


def test_a_screen_that_somebody_holds_ends_with_the_rule_that_made_it(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 8)
    several(project, cast, "pierre", 30)
    Project.objects.update(rule=Project.Rule.CENTROID)
    for region in hers:
        say(alice, "yes", region)
    learn(project)
    assert next_screen(project, alice)
    Project.objects.update(rule=Project.Rule.EXEMPLARS, revision=F("revision") + 1)
    assert learn(project).worth == 0
    assert asked(project) == []
