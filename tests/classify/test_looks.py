"""Rounds of second looks: who is asked what, third looks, undo, and what holds nothing up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from classify import answers as classify_answers
from classify.audit import rounds
from classify.models import Answer, Label, Look, Origin, Question, Round, Score, Verdict
from classify.review import galleries
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import Project, User
from tests.classify.conftest import Say
from tests.classify.crowd import Crowd, add_crowd, look, look_at_all
from tests.classify.faces import Cast, add_photo, learn

pytestmark = pytest.mark.django_db

About, Why = Round.About, Look.Why


def is_right(region: Region) -> bool:
    return True


@pytest.fixture
def crowd(project: Project, alice: User) -> Crowd:
    """130 faces: alice said Yes to the first hundred and No to twenty; ten nobody looked at."""
    crowd = add_crowd(project, 130)
    crowd.say(alice, Verdict.YES, range(100))
    crowd.say(alice, Verdict.NO, range(100, 120))
    return crowd


def drawn(about: str, why: str) -> set[int]:
    found = Look.objects.filter(round__about=about, why=why)
    return set(found.values_list("region", flat=True))


def open_rounds() -> int:
    return Round.objects.filter(done_at=None).count()


def test_a_round_has_the_unlikely_some_at_random_and_a_few_that_are_surely_not(
    project: Project, crowd: Crowd
) -> None:
    crowd.draw()
    yes, no = set(crowd.region_ids[:100].tolist()), set(crowd.region_ids[100:120].tolist())
    unlikely, sampled = drawn("approved", Why.UNLIKELY), drawn("approved", Why.SAMPLED)
    traps, rest = drawn("approved", Why.TRAP), drawn("approved", Why.FRAME)
    assert unlikely | sampled | rest == yes
    assert len(unlikely) + len(sampled) + len(traps) == 40  # two screens for a hundred
    assert sampled
    assert not unlikely & sampled
    assert traps
    assert traps < no
    assert Round.objects.get(about="approved").frame == 100
    ranks = Look.objects.filter(round__about="approved").exclude(why=Why.FRAME).order_by("rank")
    order = list(ranks.values_list("why", flat=True))
    assert order != sorted(order)  # nobody can tell which is which


def test_what_is_left_is_drawn_beside_it_and_all_of_it_where_it_is_little(
    project: Project, crowd: Crowd
) -> None:
    crowd.draw()
    assert drawn("left", Why.SAMPLED) == set(crowd.region_ids[120:].tolist())
    assert rounds.wanted(project) == rounds.Wanted(approved=40, left=10)
    assert rounds.wanted(project).screens == 3
    crowd.draw(seed=2)
    assert Round.objects.count() == 2  # both are open: nothing more is drawn


def test_of_two_drafts_the_first_one_is_opened(project: Project, crowd: Crowd) -> None:
    first, second = crowd.draft(seed=1), crowd.draft(seed=2)
    rounds.begin(project, first)
    rounds.begin(project, second)
    assert Round.objects.count() == 2  # of what is approved and of what is left
    drawn_first = [region for region, _photo, why, _ in first[0].looks if why == Why.SAMPLED]
    assert drawn("approved", Why.SAMPLED) == set(drawn_first)


def test_what_is_drawn_while_somebody_answers_is_drawn_again(
    project: Project, cast: Cast, alice: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer may be of a face in the draft, which would be looked at before it was drawn."""
    regions = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(6)]
    for region in regions[:5]:
        say(alice, "yes", region)
    real, answers = rounds.draft, iter(regions[5:])

    def draft(*args: Any) -> list[rounds.Draft]:
        drafts = real(*args)
        for region in answers:
            say(alice, "yes", region)
        return drafts

    monkeypatch.setattr(rounds, "draft", draft)
    say(alice, "no", regions[5])
    learn(project)
    assert Round.objects.get().frame == 6  # not 5


def test_the_worker_ends_a_round_of_photos_that_were_withdrawn(
    project: Project, cast: Cast, alice: User, say: Say
) -> None:
    hers = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(5)]
    for region in hers:
        say(alice, "yes", region)
    learn(project)
    assert open_rounds() == 1
    Photo.objects.update(state=Photo.State.WITHDRAWN)
    Project.objects.filter(pk=project.pk).tell_learner()
    learn(project)
    assert open_rounds() == 0


def test_of_much_that_is_left_three_screens_are_drawn(project: Project) -> None:
    crowd = add_crowd(project, 400)
    crowd.draw()
    assert len(drawn("left", Why.SAMPLED)) == 60
    assert Round.objects.get().frame == 400


def test_the_approved_come_first_all_marked_then_the_left_unmarked(
    project: Project, crowd: Crowd, alice: User
) -> None:
    crowd.draw()
    kinds = []
    while screen := rounds.next_screen(project, alice):
        kinds.append((screen.kind, len(screen.faces), screen.marked))
        look(project, alice, is_right)
    assert kinds == [("approved", 20, 20), ("approved", 20, 20), ("left", 10, 0)]


def test_the_same_person_gets_the_same_screen_and_another_one_gets_others(
    project: Project, crowd: Crowd, alice: User, bob: User
) -> None:
    crowd.draw()
    first, again = rounds.next_screen(project, alice), rounds.next_screen(project, alice)
    other = rounds.next_screen(project, bob)
    assert first
    assert other
    assert first == again
    ids = {face.region.pk for face in first.faces}
    assert not ids & {face.region.pk for face in other.faces}
    Look.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    late = rounds.next_screen(project, bob)
    assert late
    assert {face.region.pk for face in late.faces} == ids  # alice has gone away


def test_one_gets_first_what_somebody_else_answered(
    project: Project, alice: User, bob: User
) -> None:
    crowd = add_crowd(project, 40)
    crowd.say(alice, Verdict.YES, range(0, 40, 2))
    crowd.say(bob, Verdict.YES, range(1, 40, 2))
    Look.objects.all().delete()
    crowd.draw()
    mine = set(Label.objects.filter(user=bob).values_list("region", flat=True))
    screen = rounds.next_screen(project, bob)
    assert screen
    own = [face.region.pk in mine for face in screen.faces]
    assert own == sorted(own)
    assert look_at_all(project, bob, is_right) == 1  # and the rest of it all the same


def test_a_round_ends_when_all_was_looked_at_and_the_next_one_has_only_what_is_new(
    project: Project, crowd: Crowd, alice: User
) -> None:
    crowd.draw()
    no = set(crowd.region_ids[100:].tolist())
    look_at_all(project, alice, lambda region: region.pk not in no)
    assert open_rounds() == 0
    crowd.draw()
    assert open_rounds() == 0  # nothing is new
    crowd.say(alice, Verdict.YES, [125])
    crowd.draw()
    newest = Round.objects.get(done_at=None)
    assert (newest.about, newest.frame) == ("approved", 1)
    assert set(newest.looks.exclude(why=Why.TRAP).values_list("region", flat=True)) == {
        int(crowd.region_ids[125])
    }


def test_what_is_left_is_drawn_anew_when_faces_came_or_many_were_answered(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 200)
    crowd.draw()
    look_at_all(project, alice, lambda region: False)
    crowd.draw()
    assert Round.objects.count() == 1
    more = add_crowd(project, 20)
    both = crowd.with_(more)
    both.draw()
    assert Round.objects.filter(about="left").count() == 2
    look_at_all(project, alice, lambda region: False)
    both.draw()
    assert Round.objects.filter(about="left").count() == 2
    left = Label.objects.filter(subject=project.subject).values_list("region", flat=True)
    rows = [row for row, pk in enumerate(both.region_ids.tolist()) if pk not in set(left)]
    both.say(alice, Verdict.NO, rows[:40])
    both.draw()
    assert Round.objects.filter(about="left").count() == 3


def test_a_face_answered_differently_is_asked_once_more_alone_and_that_settles_it(
    project: Project, crowd: Crowd, alice: User, bob: User
) -> None:
    crowd.draw()
    no = set(crowd.region_ids[100:].tolist())
    screen = rounds.next_screen(project, alice)
    assert screen
    wrong = next(face.region for face in screen.faces if face.region.pk not in no)
    look(project, alice, lambda region: region != wrong and region.pk not in no)
    third = Look.objects.get(third=True)
    assert (third.region, third.before) == (wrong, "yes")
    question = Question.objects.get(kind=Question.Kind.THIRD)
    assert question.region == wrong
    assert classify_answers.next_question(project, bob) == question
    look_at_all(project, alice, lambda region: region.pk not in no)
    assert not Look.objects.filter(third=True).exists()
    assert not Question.objects.filter(kind=Question.Kind.THIRD).exists()
    assert Label.objects.get(region=wrong).verdict == Verdict.YES  # the latest of the three
    assert open_rounds() == 0


def test_a_round_waits_for_its_third_looks(project: Project, crowd: Crowd, alice: User) -> None:
    crowd.draw()
    while look(project, alice, lambda region: False):
        pass
    assert Round.objects.get(about="left").done_at
    assert Round.objects.get(about="approved").done_at is None


def test_who_lets_a_trap_pass_is_asked_again(project: Project, crowd: Crowd, alice: User) -> None:
    crowd.draw()
    while look(project, alice, is_right):
        pass
    assert drawn("approved", Why.TRAP) == set(
        Question.objects.filter(kind=Question.Kind.THIRD).values_list("region", flat=True)
    )


def test_undo_opens_the_looks_again(project: Project, crowd: Crowd, alice: User) -> None:
    crowd.draw()
    look(project, alice, lambda region: False)
    before = rounds.wanted(project)
    assert Question.objects.filter(kind=Question.Kind.THIRD).exists()
    classify_answers.undo(project, alice, uuid4())  # the whole screen
    assert rounds.wanted(project).approved == before.approved + 20
    assert not Question.objects.filter(kind=Question.Kind.THIRD).exists()
    assert Label.objects.filter(verdict=Verdict.YES).count() == 100


def test_undo_of_the_last_look_opens_its_round_again(
    project: Project, crowd: Crowd, alice: User
) -> None:
    no = set(crowd.region_ids[100:].tolist())
    crowd.draw()
    look_at_all(project, alice, lambda region: region.pk not in no)
    assert open_rounds() == 0
    classify_answers.undo(project, alice, uuid4())
    assert open_rounds() == 1
    look_at_all(project, alice, lambda region: region.pk not in no)
    assert open_rounds() == 0


def test_a_word_on_another_page_is_a_look_too(
    project: Project, crowd: Crowd, alice: User, bob: User
) -> None:
    crowd.draw()
    left = Look.objects.filter(round__about="left").first()
    assert left
    classify_answers.answer(
        project, left.region, left.photo, bob, Verdict.YES, Origin.REVIEW, uuid4()
    )
    left.refresh_from_db()
    assert left.said == Verdict.YES
    assert rounds.wanted(project).left == 9


@pytest.mark.parametrize("why", ["withdrawn", "denied", "overwritten", "redrawn", "taken-out"])
def test_a_face_that_is_gone_holds_nothing_up(
    project: Project, crowd: Crowd, alice: User, why: str
) -> None:
    crowd.draw()
    no = set(crowd.region_ids[100:].tolist())
    gone = Look.objects.filter(round__about="approved").exclude(why=Why.FRAME).first()
    assert gone
    photos = Photo.objects.filter(pk=gone.photo_id)
    if why == "withdrawn":
        photos.update(state=Photo.State.WITHDRAWN)
    elif why == "denied":
        photos.update(state=Photo.State.DENIED)
    elif why == "overwritten":
        photos.update(picture=Picture.objects.create(sha1="f" * 40, width=9, height=9))
    elif why == "taken-out":
        ProjectPhoto.objects.filter(photo=gone.photo_id).delete()
    else:
        classify_answers.draw(
            project, photos.get(), (0.2, 0.2, 0.3, 0.3), alice, uuid4(), replaces=gone.region
        )
    assert rounds.wanted(project).approved == 39
    look_at_all(project, alice, lambda region: region.pk not in no)
    gone.refresh_from_db()
    assert gone.said == ""
    assert open_rounds() == 0


def test_a_face_without_a_vector_is_looked_at(project: Project, crowd: Crowd, alice: User) -> None:
    photo = Photo.objects.get(pk=int(crowd.photo_ids[0]))
    box = classify_answers.draw(project, photo, (0.5, 0.5, 0.2, 0.2), alice, uuid4()).region
    crowd.draw()
    assert box.pk in drawn("approved", Why.UNLIKELY)


def test_statements_of_others_and_whole_photos_are_not_looked_at_again(
    project: Project, alice: User
) -> None:
    crowd = add_crowd(project, 2)
    crowd.say(alice, Verdict.YES, [0])
    Answer.objects.update(origin=Origin.BOOTSTRAP, user=None)
    classify_answers.rebuild_labels(project)
    classify_answers.no_usable_face(
        project, Photo.objects.get(pk=int(crowd.photo_ids[1])), alice, uuid4()
    )
    crowd.draw()
    assert not Round.objects.filter(about="approved").exists()


def test_nothing_is_looked_at_in_an_archived_project(
    project: Project, crowd: Crowd, alice: User
) -> None:
    crowd.draw()
    project.state = Project.State.ARCHIVED
    assert rounds.next_screen(project, alice) is None


def test_a_crash_leaves_a_screen_answered_or_not(
    project: Project, crowd: Crowd, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.draw()
    before = rounds.wanted(project)

    def crash(*_: object, **__: object) -> None:
        raise OSError("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr("classify.answers.give_credit", crash)  # the last step of the transaction
        with pytest.raises(OSError, match="went away"):
            look(project, alice, is_right)
    assert rounds.wanted(project) == before
    assert not Answer.objects.filter(origin=Origin.AGAIN).exists()
    assert look(project, alice, is_right) == 20
    assert rounds.wanted(project).approved == before.approved - 20


def test_looks_can_be_made_anew_from_the_answers(
    project: Project, crowd: Crowd, alice: User
) -> None:
    crowd.draw()
    look(project, alice, lambda region: region.pk % 2 == 0)
    kept = list(Look.objects.order_by("pk").values_list("region", "said", "third"))
    Look.objects.update(said="", third=False)
    rounds.settle(project, crowd.region_ids.tolist())
    assert list(Look.objects.order_by("pk").values_list("region", "said", "third")) == kept


def test_doubted_answers_are_shown_worst_first_until_the_word_is_said_twice(
    project: Project, crowd: Crowd, alice: User, bob: User
) -> None:
    ids = crowd.region_ids.tolist()
    for row, doubt in ((3, 1.5), (100, 4.0), (7, 2.0), (8, None)):
        Score.objects.create(
            subject=project.subject,
            photo_id=int(crowd.photo_ids[row]),
            region_id=ids[row],
            doubt=doubt,
            revision=1,
        )
    assert doubted(project) == [ids[100], ids[7], ids[3]]
    crowd.say(bob, Verdict.YES, [7])  # the same word: it stays, and is doubted no more
    crowd.say(alice, Verdict.YES, [100])  # changed: the other faces will be asked anew
    assert doubted(project) == [ids[100], ids[3]]
    assert galleries.gallery_counts(project)["doubted"] == 2


def doubted(project: Project) -> list[int]:
    tiles = galleries.gallery(project, galleries.Which.DOUBTED).tiles
    return [tile.region.pk for tile in tiles]
