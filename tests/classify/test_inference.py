"""From answers to matches and to the next questions."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F

from classify import inference, services
from classify.knowledge import Faces
from classify.models import Learner, Origin, Question, Score, Skip
from classify.tasks import infer
from crawler.models import Photo, Region
from projects.models import Project, User
from projects.work import Overtaken, WorkState
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_face, add_photo, embed, learn, show
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db


def several(project: Project, cast: Cast, name: str, number: int) -> list[Region]:
    return [add_photo(project, [cast.face(name)])[1][0] for _ in range(number)]


def matches(project: Project) -> set[int]:
    return set(
        Score.objects.filter(project=project, is_match=True).values_list("region", flat=True)
    )


def asked(project: Project) -> list[int]:
    """Region ids in the order they would be asked."""
    return list(
        Question.objects.filter(project=project).order_by("rank").values_list("region", flat=True)
    )


def ids(regions: list[Region]) -> set[int]:
    return {region.pk for region in regions}


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


def test_what_people_answered_is_no_match(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 12)
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    assert matches(project) == ids(hers[5:])
    say(alice, "no", hers[5])
    say(alice, "cant-tell", hers[6])
    assert matches(project) == ids(hers[7:]), "at once, not only when it is learned from"
    learn(project)
    assert matches(project) == ids(hers[7:])


def test_an_undo_lowers_the_count_again(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 8)
    for region in hers[:5]:
        say(alice, "yes", region)
    assert learn(project).matches == 3
    services.undo(project, alice, uuid4())
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
    assert not project.labels.exists()

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
        services.skip(project, region, alice)
    assert Skip.objects.count() == 40
    learn(project)
    assert len(asked(project)) == 80


def test_questions_about_what_is_gone_are_removed(
    project: Project, cast: Cast, alice: User
) -> None:
    regions = several(project, cast, "marie", 3)
    learn(project)
    held = services.next_question(project, alice)
    assert held
    Photo.objects.filter(pk=held.photo_id).update(state=Photo.State.WITHDRAWN)
    Project.objects.update(revision=F("revision") + 1)
    learn(project)
    assert set(asked(project)) == ids(regions) - {held.region_id}
    assert not Score.objects.filter(region=held.region_id).exists()


def test_a_leased_question_keeps_its_place(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    several(project, cast, "marie", 60)
    learn(project)
    held = services.next_question(project, alice)
    assert held
    for _ in range(3):
        other = services.next_question(project, bob)
        assert other
        say(bob, "yes", other.region)
        learn(project)
        again = Question.objects.get(pk=held.pk)
        assert (again.leased_to, again.rank) == (alice, held.rank)


def test_faces_seen_later_are_scored_and_asked(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 6)
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    late = several(project, cast, "marie", 2)
    learn(project)
    assert matches(project) == ids([hers[5], *late])
    assert ids(late) < set(asked(project))


def test_scores_that_stand_still_are_not_written_again(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 10)
    for region in hers[:5]:
        say(alice, "yes", region)
    learn(project)
    before = dict(Score.objects.values_list("region", "revision"))
    say(alice, "cant-tell", hers[5])
    learn(project)
    after = dict(Score.objects.values_list("region", "revision"))
    moved = {region for region in before if before[region] != after[region]}
    assert moved <= {hers[5].pk}


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


def test_a_box_drawn_elsewhere_is_no_face_here(
    make_project: MakeProject, project: Project, cast: Cast, alice: User, charlie: User, say: Say
) -> None:
    photo, [_] = add_photo(project, [cast.face("marie")])
    drawn = add_face(photo.picture, cast.face("pierre"), x=0.6)
    Region.objects.filter(pk=drawn.pk).update(origin=Region.Origin.PERSON)
    say(alice, "yes", drawn, Origin.DRAWN)
    elsewhere = make_project(charlie, "Q937")
    show(elsewhere, photo)
    assert learn(elsewhere).faces == 1
    assert learn(project).faces == 2


def test_the_photo_as_a_whole_never_trains(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 6)
    for region in hers[:4]:
        say(alice, "yes", region)
    whole = Region.objects.create(
        picture=hers[4].picture, origin=Region.Origin.PHOTO, x=0, y=0, w=1, h=1
    )
    say(alice, "yes", whole, Origin.DRAWN)
    assert learn(project).confirmed == 4


def test_projects_take_turns_and_rest_when_up_to_date(
    make_project: MakeProject, project: Project, cast: Cast, alice: User, charlie: User
) -> None:
    other = make_project(charlie, "Q937")
    several(project, cast, "marie", 2)
    several(other, cast, "albert", 2)
    infer()
    learners = Learner.objects.order_by("project")
    assert [(learner.faces, learner.state) for learner in learners] == [(2, WorkState.DONE)] * 2
    attempts = list(learners.values_list("attempt", flat=True))
    infer()
    assert list(learners.values_list("attempt", flat=True)) == attempts


def test_a_worker_that_slept_past_its_lease_changes_nothing(project: Project, cast: Cast) -> None:
    several(project, cast, "marie", 3)
    slow = Learner.objects.create(project=project)
    quick = Learner.objects.get()
    assert slow.take(timedelta(seconds=-1))
    quick.refresh_from_db()
    assert quick.take(timedelta(minutes=1))
    with pytest.raises(Overtaken):
        inference.infer(slow)
    assert not Score.objects.exists()
    assert not Question.objects.exists()
    inference.infer(quick)
    assert Score.objects.count() == Question.objects.count() == 3


def test_answers_given_while_it_thinks_are_not_overruled(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people say between reading and saving stands, and is learned from next."""
    hers = several(project, cast, "marie", 8)
    for region in hers[:5]:
        say(alice, "yes", region)
    learner = Learner.objects.create(project=project)
    assert learner.take(timedelta(minutes=1))
    read = Faces.load.__func__  # type: ignore[attr-defined]

    def load_and_dawdle(cls: type[Faces], which: Project) -> Faces:
        faces: Faces = read(cls, which)
        say(alice, "no", hers[5])
        return faces

    monkeypatch.setattr(Faces, "load", classmethod(load_and_dawdle))
    inference.infer(learner)
    monkeypatch.undo()
    assert matches(project) == ids(hers[6:])
    assert hers[5].pk not in asked(project)
    learner.refresh_from_db()
    project.refresh_from_db()
    assert learner.revision < project.revision, "it is behind, so it is taken again"
    assert learn(project).matches == 2


def test_a_paused_project_is_left_alone(project: Project, cast: Cast) -> None:
    several(project, cast, "marie", 2)
    Project.objects.update(state=Project.State.PAUSED)
    infer()
    assert not Score.objects.exists()


def test_a_vector_that_cannot_be_opened_delays_its_project_only(
    make_project: MakeProject, project: Project, cast: Cast, charlie: User
) -> None:
    [region] = several(project, cast, "marie", 1)
    region.embeddings.update(vector=b"nonsense" * 8)
    other = make_project(charlie, "Q937")
    several(other, cast, "albert", 2)
    infer()
    broken, fine = Learner.objects.order_by("project")
    assert (broken.state, broken.error) == (WorkState.QUEUED, "failed")
    assert broken.due_at > broken.project.created_at
    assert (fine.state, fine.faces) == (WorkState.DONE, 2)


def test_two_thousand_faces_are_scored_again_in_well_under_a_second(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = []
    for _ in range(100):
        _, regions = add_photo(
            project, [cast.face("marie"), *(cast.face("crowd") for _ in range(19))]
        )
        hers.append(regions[0])
    learn(project)
    for region in hers[:5]:
        say(alice, "yes", region)
    assert learn(project).matches == 95
    say(alice, "yes", hers[5])
    started = time.process_time()
    learn(project)
    assert time.process_time() - started < 0.8
    assert matches(project) == ids(hers[6:])
