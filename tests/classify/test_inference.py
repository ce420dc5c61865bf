"""From answers to matches and to the next questions."""

import time
from datetime import timedelta

import pytest
from django.db.models import F

from classify import answers
from classify.learner import run as learner_run
from classify.learner.project_arrays import Faces, Words
from classify.models import Learner, Origin, Question, Score
from classify.review.galleries import Which, rows_of
from classify.tasks import infer
from core.work import Overtaken, WorkState
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_face, add_photo, learn, show
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db


def several(project: Project, cast: Cast, name: str, number: int) -> list[Region]:
    return [add_photo(project, [cast.face(name)])[1][0] for _ in range(number)]


def matches(project: Project) -> set[int]:
    return set(rows_of(project, Which.MATCHES).values_list("region", flat=True))


def asked(project: Project) -> list[int]:
    """Region ids in the order they would be asked."""
    return list(
        Question.objects.filter(subject=project.subject)
        .order_by("rank")
        .values_list("region", flat=True)
    )


def ids(regions: list[Region]) -> set[int]:
    return {region.pk for region in regions}


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


def test_questions_about_what_is_gone_are_removed(
    project: Project, cast: Cast, alice: User
) -> None:
    regions = several(project, cast, "marie", 3)
    learn(project)
    held = answers.next_question(project, alice)
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
    held = answers.next_question(project, alice)
    assert held
    for _ in range(3):
        other = answers.next_question(project, bob)
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
        learner_run.infer(slow)
    assert not Score.objects.exists()
    assert not Question.objects.exists()
    learner_run.infer(quick)
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
    read = Words.read.__func__  # type: ignore[attr-defined]

    def read_and_dawdle(cls: type[Words], which: Project, faces: Faces) -> Words:
        words: Words = read(cls, which, faces)
        say(alice, "no", hers[5])
        return words

    monkeypatch.setattr(Words, "read", classmethod(read_and_dawdle))
    learner_run.infer(learner)
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
