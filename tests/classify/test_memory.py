"""What the worker keeps in mind is the same as what it would read anew, whatever happened."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db.models import F
from pytest_django import Settings

from classify import answers
from classify.learner import cache as learner_cache
from classify.learner import fill_queue
from classify.learner import run as learner_run
from classify.learner.cache import Mind
from classify.learner.project_arrays import Words
from classify.learning.distances import Floats, Ints, Mask
from classify.models import Answer, Label, Learner, Question, Score
from core import metrics
from core.models import Measure
from core.work import WorkState
from crawler.detection import embeddings
from crawler.engines import Face
from crawler.models import Embedding, EngineVersion, Photo, Picture, Region
from crawler.registry.versions import version
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.faces import ENGINE, Cast, add_photo, learn
from tests.classify.test_inference import matches, several
from tests.conftest import MakeProject

pytestmark = pytest.mark.django_db


def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors were opened, call by call."""
    counts: list[int] = []
    whole = embeddings.opened

    def counted(keys: Ints, engine: EngineVersion) -> tuple[Mask, Floats]:
        counts.append(len(keys))
        return whole(keys, engine)

    monkeypatch.setattr(embeddings, "opened", counted)
    return counts


def thought(project: Project) -> dict[int, tuple[float, bool]]:
    rows = Score.objects.filter(subject=project.subject).values_list(
        "region", "unlikely", "is_match"
    )
    return {region: (round(unlikely, 2), match) for region, unlikely, match in rows}


def anew(project: Project) -> dict[int, tuple[float, bool]]:
    """The scores that a worker comes to that remembers nothing, and finds none."""
    learner_cache.forget()
    Score.objects.filter(subject=project.subject).delete()
    Project.objects.filter(pk=project.pk).update(revision=F("revision") + 1)
    learn(project)
    return thought(project)


def close(one: dict[int, tuple[float, bool]], other: dict[int, tuple[float, bool]]) -> bool:
    return one.keys() == other.keys() and all(
        abs(one[key][0] - other[key][0]) <= 0.02 and one[key][1] == other[key][1] for key in one
    )


def tell(project: Project) -> None:
    Project.objects.filter(pk=project.pk).tell_learner()


def test_an_answer_opens_no_vector(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 5)
    counts = opened(monkeypatch)
    learn(project)
    assert counts == [5]
    say(alice, "yes", hers[0])
    learn(project)
    assert counts == [5]
    assert matches(project)


def test_faces_that_come_are_taken_in_without_opening_the_others(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 6)
    say(alice, "yes", hers[0])
    learn(project)
    counts = opened(monkeypatch)
    several(project, cast, "marie", 2)
    several(project, cast, "pierre", 1)
    learn(project)
    assert counts == [3]
    assert close(thought(project), anew(project))


def test_faces_that_go_are_forgotten(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 6)
    for region in hers[:2]:
        say(alice, "yes", region)
    learn(project)
    counts = opened(monkeypatch)
    Photo.objects.filter(picture=hers[0].picture).update(state=Photo.State.WITHDRAWN)
    tell(project)
    learn(project)
    assert sum(counts) == 0, "what is left was open"
    assert not Score.objects.filter(region=hers[0]).exists()
    assert close(thought(project), anew(project))


def test_a_vector_made_anew_is_noticed(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 5)
    say(alice, "yes", hers[0])
    learn(project)
    assert hers[1].pk in matches(project)
    counts = opened(monkeypatch)
    vector = cast.face("somebody else")
    face = Face(hers[1].box, 1.0, (), vector, 80)
    embeddings.save(hers[1], face, version(ENGINE))
    tell(project)
    learn(project)
    assert sum(counts) == 1
    assert hers[1].pk not in matches(project)
    assert close(thought(project), anew(project))


def test_two_projects_are_kept_apart(
    make_project: MakeProject, project: Project, cast: Cast, alice: User, charlie: User, say: Say
) -> None:
    other = make_project(charlie, "Q937")
    hers = several(project, cast, "marie", 4)
    his = several(other, cast, "albert", 4)
    learn(project)
    say(alice, "yes", hers[0])
    learn(project)
    assert matches(project) == {region.pk for region in hers[1:]}
    assert not matches(other)
    assert set(thought(other)) == {region.pk for region in his}


@pytest.mark.long
def test_whatever_happens_it_comes_to_the_same(
    project: Project, cast: Cast, alice: User, bob: User, say: Say
) -> None:
    """Random histories of answers, undos, redrawn boxes, faces that come and go."""
    random = np.random.default_rng(5)
    faces = [
        region
        for name in ("marie", "pierre", "irene")
        for region in several(project, cast, name, 8)
    ]
    for name in ("marie", "marie", "pierre"):
        add_photo(project, [cast.face(name)], already_depicts=name == "marie")

    def answer() -> None:
        region = faces[random.integers(len(faces))]
        if Photo.objects.get(picture=region.picture).state == Photo.State.LIVE:
            verdict = "yes" if region in faces[:8] else "no"
            say(
                bob if random.random() < 0.2 else alice,
                random.choice([verdict, verdict, "cant-tell"]),
                region,
            )

    def undo() -> None:
        answers.undo(project, alice, uuid4())

    def come() -> None:
        faces.insert(0, several(project, cast, "marie", 1)[0])

    def go() -> None:
        picture = faces[random.integers(len(faces))].picture
        photos = Photo.objects.filter(picture=picture)
        live = photos.get().state == Photo.State.LIVE
        photos.update(state=Photo.State.WITHDRAWN if live else Photo.State.LIVE)
        tell(project)

    deeds: list[Callable[[], None]] = [answer, answer, answer, answer, undo, come, go]
    for round_ in range(4):
        for _ in range(12):
            deeds[random.integers(len(deeds))]()
            if random.random() < 0.4:
                learn(project)
        learn(project)
        assert close(thought(project), anew(project)), f"round {round_}"


def test_scores_that_another_worker_saved_meanwhile_are_read_again(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 5)
    say(alice, "yes", hers[0])
    learn(project)
    Score.objects.filter(region=hers[1]).update(unlikely=0.9, is_match=False)
    Learner.objects.update(attempt=F("attempt") + 1)
    say(alice, "yes", hers[2])
    learn(project)
    assert hers[1].pk in matches(project)


def test_an_answer_and_its_undo_between_two_runs_leave_the_right_score(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    """Pages take a match away at once, and give it back by a guess of their own."""
    hers = several(project, cast, "marie", 5)
    others = several(project, cast, "pierre", 2)
    say(alice, "yes", hers[0])
    learn(project)
    say(alice, "no", hers[1])
    say(alice, "yes", others[0])
    both = Answer.objects.exclude(region=hers[0]).values_list("client_uuid", flat=True)
    answers.undo_many(project, alice, list(both))
    Score.objects.filter(region__in=[hers[1], others[0]]).update(is_match=False)
    learn(project)
    assert matches(project) == {region.pk for region in hers[1:]}


def test_after_a_failure_nothing_is_kept(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 5)
    learn(project)
    say(alice, "yes", hers[0])
    learner = Learner.objects.get()
    assert learner.take(timedelta(minutes=1))

    def fail(*args: object) -> bool:
        raise MemoryError

    monkeypatch.setattr(fill_queue, "prepare", fail)
    with pytest.raises(MemoryError):
        learner_run.infer(learner)
    monkeypatch.undo()
    counts = opened(monkeypatch)
    Learner.objects.update(state="q")
    learn(project)
    assert counts == [5]
    assert matches(project) == {region.pk for region in hers[1:]}


def test_the_memory_has_a_bound(
    make_project: MakeProject,
    project: Project,
    cast: Cast,
    charlie: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The project used longest ago is let go for the next one."""
    settings.LEARNING_MEMORY_MB = 0
    other = make_project(charlie, "Q937")
    several(project, cast, "marie", 3)
    several(other, cast, "albert", 4)
    learn(project)
    counts = opened(monkeypatch)
    tell(other)
    learn(other)
    assert sum(counts) == 0, "the last one stays"
    tell(project)
    learn(project)
    assert sum(counts) == 3


def test_a_project_in_which_nobody_answers_is_let_go(
    project: Project, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(project, cast, "marie", 3)
    learn(project)
    counts = opened(monkeypatch)
    monkeypatch.setattr(learner_cache, "RESTS", -1)
    tell(project)
    learn(project)
    assert counts == [3]


def test_a_vector_that_is_gone_when_it_is_opened_waits_for_next_time(
    project: Project, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 3)
    listed = embeddings.listed

    def listed_and_gone(which: Project, engine: EngineVersion | None = None) -> embeddings.Listed:
        found = listed(which, engine)
        Embedding.objects.filter(region=hers[1]).delete()
        return found

    monkeypatch.setattr(embeddings, "listed", listed_and_gone)
    assert learn(project).faces == 2
    assert set(thought(project)) == {hers[0].pk, hers[2].pk}


def test_without_any_face_there_is_nothing_to_ask(project: Project, alice: User) -> None:
    photo, _ = add_photo(project, [])
    assert learn(project).faces == 0
    answers.no_usable_face(project, photo, alice, uuid4())
    assert learn(project).faces == 0
    assert not Question.objects.exists()
    mind = Mind.read(project)
    words = Words.read(project, mind.faces)
    assert (words.people, len(words.yes), Label.objects.count()) == (0, 0, 1)


def test_a_region_that_comes_back_is_scored_again(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = several(project, cast, "marie", 4)
    say(alice, "yes", hers[0])
    learn(project)
    for state in (Photo.State.WITHDRAWN, Photo.State.LIVE):
        Photo.objects.filter(picture=hers[1].picture).update(state=state)
        tell(project)
        learn(project)
        there = state == Photo.State.LIVE
        assert Score.objects.filter(region=hers[1], is_match=True).exists() == there
    assert Region.objects.count() == 4


def test_many_scores_are_saved_bit_by_bit_while_others_get_their_turn(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hers = several(project, cast, "marie", 5)
    several(project, cast, "pierre", 6)
    learn(project)
    say(alice, "yes", hers[0])
    monkeypatch.setattr(learner_run, "BATCH", 4)
    monkeypatch.setattr(learner_run, "SECONDS", -1)
    for behind in (True, True, False):
        learner = Learner.objects.get()
        assert learner.take(timedelta(minutes=1))
        learner_run.infer(learner)
        project.refresh_from_db()
        learner.refresh_from_db()
        assert (learner.revision < project.revision) == behind
        assert matches(project) == {region.pk for region in hers[1:]}, "the likeliest come first"
        assert Question.objects.filter(marked=True).count() == 4
    assert not Score.objects.filter(unlikely=Score.FAR).exists()
    assert close(thought(project), anew(project))


def test_vectors_that_were_swapped_are_used_for_no_face_and_made_again(
    project: Project, cast: Cast, say: Say
) -> None:
    """By who can write into the database: else a stranger could be taken for the person."""
    hers = several(project, cast, "marie", 5)
    theirs = several(project, cast, "stranger", 2)
    rows = [Embedding.objects.get(region=region) for region in (hers[0], theirs[0])]
    for row, other in (rows, rows[::-1]):
        Embedding.objects.filter(pk=row.pk).update(vector=bytes(other.vector))
    mind = Mind.read(project)
    swapped = {row.region_id for row in rows}
    assert swapped.isdisjoint(mind.faces.region_ids.tolist())
    assert len(mind.faces) == 5
    assert not Embedding.objects.filter(region__in=swapped).exists()
    pictures = Picture.objects.filter(regions__in=swapped)
    assert set(pictures.values_list("state", flat=True)) == {WorkState.QUEUED}
    metrics.flush(at_once=True)
    assert Measure.objects.get(name="vectors_misplaced").value == 2
