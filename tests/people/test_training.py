"""Taking somebody's answers out of training, and what counts as their contribution."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from classify import answers
from classify.audit import rounds
from classify.labels import rebuild_labels, standing
from classify.models import Label, Origin, Question
from classify.trust.exclude import set_counts
from core.user_errors import Refused
from crawler.models import Region
from projects.members import services as members
from projects.models import AuditEvent, Contribution, Notification, Project, Tally, User
from tests.classify.conftest import Say, say
from tests.classify.crowd import add_crowd, look, look_at_all
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import MakeProject
from tests.factories import make_user

__all__ = ["say"]
pytestmark = pytest.mark.django_db

ANSWER, REVIEW = Contribution.Kind.ANSWER, Contribution.Kind.REVIEW


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User, charlie: User) -> Project:
    return make_project(alice, members=[bob, charlie])


def faces(project: Project, number: int, name: str = "marie") -> list[Region]:
    cast = Cast()
    return [add_photo(project, [cast.face(name)])[1][0] for _ in range(number)]


def word(region: Region) -> str:
    label = Label.objects.filter(region=region).first()
    return label.verdict if label else ""


def did(user: User, kind: str = ANSWER) -> int:
    """By the tallies, which must be the sums of what was written down."""
    rows = Contribution.objects.filter(user=user, kind=kind)
    tally = sum(Tally.objects.filter(user=user, kind=kind).values_list("amount", flat=True))
    assert sum(rows.values_list("amount", flat=True)) == tally
    return tally


def test_without_somebodys_answers_the_others_decide_and_with_them_all_is_as_before(
    project: Project, alice: User, bob: User, charlie: User, say: Say
) -> None:
    alone, later, earlier = faces(project, 3)
    say(bob, "yes", alone)
    say(charlie, "no", later)
    say(bob, "yes", later)
    say(bob, "no", earlier)
    say(charlie, "yes", earlier)
    before = {region.pk: word(region) for region in (alone, later, earlier)}
    revision = Project.objects.get(pk=project.pk).revision

    assert set_counts(project, alice, bob, False)
    assert not set_counts(project, alice, bob, False), "twice is once"
    assert [word(region) for region in (alone, later, earlier)] == ["", "no", "yes"]
    assert not Label.objects.filter(disputed=True).exists(), "nobody who counts differs"
    assert standing(project).filter(user=bob).count() == 3, "the answers themselves stay"
    assert did(bob) == 0
    assert Project.objects.get(pk=project.pk).revision > revision, "the learner is told"
    assert rebuild_labels(project) == 2

    assert say(bob, "yes", alone).pk
    assert word(alone) == "", "nor does what is said from now on"
    assert did(bob) == 0

    set_counts(project, alice, bob, True)
    assert {region.pk: word(region) for region in (alone, later, earlier)} == before
    assert did(bob) == 4
    actions = AuditEvent.objects.filter(target=f"user:{bob.pk}").values_list("action", flat=True)
    assert list(actions) == ["member.counts-not", "member.counts"]
    assert Notification.objects.get(user=bob, read_at=None).data["code"] == "counts"


def test_faces_left_without_a_word_are_asked_again_of_others(
    project: Project, alice: User, bob: User, say: Say
) -> None:
    regions = faces(project, 6)
    say(alice, "yes", regions[0])
    learn(project)
    for region in regions[1:4]:
        say(bob, "no", region)
    learn(project)
    assert not Question.objects.filter(region__in=regions[1:4]).exists()
    set_counts(project, alice, bob, False)
    learn(project)
    assert Question.objects.filter(region__in=regions[1:4]).count() == 3
    asked: list[UUID] = []
    while question := answers.next_question(project, bob, asked):
        asked.append(question.public_id)
        assert question.region not in regions[1:4], "he said what he has to say"


def test_it_works_for_who_left_or_was_banned_but_not_for_the_owner_or_a_stranger(
    project: Project, alice: User, bob: User, charlie: User, say: Say
) -> None:
    one, two = faces(project, 2)
    say(bob, "yes", one)
    say(charlie, "yes", two)
    members.leave(project, bob)
    members.ban(project, alice, charlie)
    for gone in (bob, charlie):
        set_counts(project, alice, gone, False)
    assert not Label.objects.exists()
    with pytest.raises(Refused, match="owner"):
        set_counts(project, alice, alice, False)
    with pytest.raises(Refused, match="no-member"):
        set_counts(project, alice, make_user(), False)


def test_second_looks_by_who_does_not_count_are_given_again(
    project: Project, alice: User, bob: User
) -> None:
    crowd = add_crowd(project, 60)
    crowd.say(alice, "yes", range(60))
    crowd.draw()
    wanted = rounds.wanted(project).approved
    look_at_all(project, bob, lambda region: True)
    assert rounds.wanted(project).approved == 0
    set_counts(project, alice, bob, False)
    assert rounds.wanted(project).approved == wanted
    look(project, alice, lambda region: True)
    set_counts(project, alice, bob, True)
    assert rounds.wanted(project).approved == 0


def test_what_a_review_overrules_counts_no_more_and_again_once_restored(
    project: Project, alice: User, bob: User, charlie: User, say: Say
) -> None:
    one, two, three = faces(project, 3)
    for region in (one, two, three):
        say(bob, "yes", region)
    assert did(bob) == 3
    say(charlie, "no", two)
    assert (did(bob), did(charlie)) == (3, 1), "two members who differ both took part"
    overruled = say(charlie, "no", three, Origin.REVIEW)
    assert (did(bob), did(charlie, REVIEW)) == (2, 1)
    say(alice, "no", one)
    assert did(bob) == 1, "the owner's word outranks a member's wherever it is said"
    say(bob, "yes", one)
    assert did(bob) == 1, "a word against it counts for nothing"

    answers.undo_many(project, charlie, [overruled.client_uuid])
    assert (did(bob), did(charlie, REVIEW)) == (2, 0)
    say(charlie, "no", three, Origin.AGAIN)
    say(alice, "yes", three, Origin.REVIEW)
    assert (did(bob), did(charlie, REVIEW), did(alice, REVIEW)) == (2, 0, 1)


def test_contributions_follow_roles(
    project: Project, alice: User, bob: User, charlie: User, say: Say
) -> None:
    [face] = faces(project, 1)
    say(charlie, "yes", face)
    say(bob, "no", face)
    assert (did(bob), did(charlie)) == (1, 1)
    members.set_role(project, alice, charlie, "reviewer")
    assert (word(face), did(bob), did(charlie)) == ("yes", 0, 1)
    members.leave(project, charlie)
    assert (word(face), did(bob), did(charlie)) == ("no", 1, 1)


def test_what_is_overruled_is_taken_off_the_day_it_was_said(
    project: Project, alice: User, bob: User, say: Say
) -> None:
    [face] = faces(project, 1)
    said = say(bob, "yes", face)
    earlier = said.created_at.replace(year=said.created_at.year - 1, month=3, day=1)
    type(said).objects.filter(pk=said.pk).update(created_at=earlier)
    Tally.objects.update(day=earlier.date())
    say(alice, "no", face, Origin.REVIEW)
    [tally] = Tally.objects.filter(user=bob)
    assert (tally.day, tally.amount) == (earlier.date(), 0)


def test_an_answer_sent_twice_counts_once(project: Project, bob: User) -> None:
    photo, [face] = add_photo(project, [Cast().face("marie")])
    sent = uuid4()
    for _ in range(2):
        answers.answer(project, face, photo, bob, "yes", Origin.ASK, sent)
    assert did(bob) == 1
