"""Handing out questions: in order, to one person at a time, also when many ask at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from classify import answers
from classify.asking import queue as asking_queue
from classify.models import Answer, Label, Question
from core.user_errors import Refused
from crawler.models import Photo, Region
from projects.models import Project, Tally, User
from projects.permissions import find
from tests.classify.conftest import Say
from tests.classify.faces import Cast, add_photo, learn
from tests.factories import make_user

T = TypeVar("T")


def at_once(deeds: list[Callable[[], T]]) -> list[T]:
    """Do all deeds at the same moment, each on a database connection of its own."""
    start = Barrier(len(deeds))

    def run(deed: Callable[[], T]) -> T:
        start.wait(timeout=20)
        try:
            return deed()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


@pytest.fixture
def regions(project: Project, cast: Cast) -> list[Region]:
    found = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(6)]
    learn(project)
    return found


def expire(question: Question) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Question.objects.filter(pk=question.pk).update(leased_until=past)


def ask(project: Project, user: User, *exclude: Question) -> Question:
    question = answers.next_question(project, user, [each.public_id for each in exclude])
    assert question
    return question


@pytest.mark.django_db
class TestOneAfterAnother:
    def test_the_lowest_rank_is_asked_first(
        self, project: Project, regions: list[Region], alice: User
    ) -> None:
        question = ask(project, alice)
        assert question == Question.objects.order_by("rank")[0]
        assert question.leased_to == alice
        assert question.leased_until
        left = question.leased_until - timezone.now()
        assert timedelta(minutes=1.9) < left <= timedelta(minutes=2)

    def test_the_same_user_gets_the_same_question_until_they_answer(
        self, project: Project, regions: list[Region], alice: User, say: Say
    ) -> None:
        question = ask(project, alice)
        assert ask(project, alice) == question
        say(alice, "yes", question.region)
        assert ask(project, alice) != question

    def test_the_page_fetches_the_next_one_ahead(
        self, project: Project, regions: list[Region], alice: User, bob: User, say: Say
    ) -> None:
        shown = ask(project, alice)
        ahead = ask(project, alice, shown)
        assert ahead != shown
        assert ask(project, alice, shown) == ahead, "a page that is loaded again changes nothing"
        assert ask(project, alice) == shown
        assert ask(project, bob) not in (shown, ahead)
        say(alice, "no", shown.region)
        assert ask(project, alice) == ahead

    def test_a_reload_shows_what_was_on_screen(
        self, project: Project, regions: list[Region], alice: User, say: Say
    ) -> None:
        shown = ask(project, alice)
        ahead = ask(project, alice, shown)
        Question.objects.filter(pk=ahead.pk).update(rank=0)  # by what was learned since
        Question.objects.filter(pk=shown.pk).update(rank=5)
        assert ask(project, alice) == shown
        ask(project, alice, shown)  # the reloaded page fetches ahead
        answer = say(alice, "no", shown.region)
        ask(project, alice, ahead)
        answers.undo_many(project, alice, [answer.client_uuid])
        assert ask(project, alice).region == shown.region, "what was put back is on screen"

    def test_what_a_page_keeps_stays_in_the_order_in_which_it_was_given(
        self, project: Project, regions: list[Region], alice: User
    ) -> None:
        shown = ask(project, alice)
        ahead = ask(project, alice, shown)
        Question.objects.filter(pk=ahead.pk).update(rank=0)
        Question.objects.filter(pk=shown.pk).update(rank=5)
        faces = [each.region.public_id for each in (ahead, shown)]
        mine = Question.objects.filter(subject=project.subject)
        assert asking_queue.keep(project, mine, alice, faces) == set(faces)
        assert ask(project, alice) == shown
        assert ask(project, alice, shown) == ahead

    def test_two_users_never_get_the_same(
        self, project: Project, regions: list[Region], alice: User, bob: User
    ) -> None:
        assert ask(project, alice) != ask(project, bob)

    def test_a_face_left_alone_for_two_minutes_is_asked_of_others(
        self, project: Project, regions: list[Region], alice: User, bob: User
    ) -> None:
        left_alone = ask(project, alice)
        expire(left_alone)
        assert ask(project, bob) == left_alone
        assert ask(project, alice) != left_alone

    def test_a_skipped_face_comes_last_to_the_one_and_next_to_the_other(
        self, project: Project, regions: list[Region], alice: User, bob: User, say: Say
    ) -> None:
        first = ask(project, alice)
        answers.skip(project, first.region, alice)
        second = ask(project, alice)
        answers.skip(project, second.region, alice)
        assert ask(project, bob) == first
        expire(first)
        for _ in range(4):
            question = ask(project, alice)
            assert question not in (first, second)
            say(alice, "no", question.region)
            learn(project)
        assert ask(project, alice) == first, "the one skipped longest ago"
        answers.skip(project, first.region, alice)
        assert ask(project, alice) == second

    def test_a_photo_that_was_withdrawn_is_not_asked(
        self, project: Project, regions: list[Region], alice: User
    ) -> None:
        Photo.objects.filter(picture__in=[region.picture_id for region in regions[1:]]).update(
            state=Photo.State.WITHDRAWN
        )
        assert ask(project, alice).region == regions[0]

    def test_nothing_is_left_to_ask(
        self, project: Project, regions: list[Region], alice: User, say: Say
    ) -> None:
        for region in regions:
            say(alice, "no", region)
        assert answers.next_question(project, alice) is None

    def test_the_next_question_takes_a_moment(
        self,
        project: Project,
        regions: list[Region],
        alice: User,
        django_assert_max_num_queries: Callable[[int], object],
    ) -> None:
        found = find(project.public_id, alice)
        assert found
        with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
            question = ask(found, alice)
            assert question.region.box
            assert question.photo.picture.width


@pytest.mark.usefixtures("shared_database")
class TestAtTheSameMoment:
    """Threads on a real database: what two people do at once."""

    @pytest.fixture
    def regions(
        self, shared_database: str, project: Project, cast: Cast
    ) -> list[Region]:  # after the database is shared
        found = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(12)]
        learn(project)
        return found

    def test_eight_people_get_eight_faces(self, project: Project, regions: list[Region]) -> None:
        people = [make_user() for _ in range(8)]
        found = at_once([lambda user=user: ask(project, user) for user in people])  # type: ignore[misc]
        assert len({question.pk for question in found}) == 8
        held = Question.objects.filter(leased_to__in=people)
        assert {(each.pk, each.leased_to_id) for each in held} == {
            (question.pk, user.pk) for question, user in zip(found, people, strict=True)
        }

    def test_an_answer_sent_eight_times_at_once_is_one_answer(
        self, project: Project, regions: list[Region], alice: User
    ) -> None:
        uuid, photo = uuid4(), regions[0].picture.photos.get()
        made = at_once(
            [lambda: answers.answer(project, regions[0], photo, alice, "yes", "ask", uuid)] * 8
        )
        assert len({answer.pk for answer in made}) == 1
        assert Answer.objects.count() == Label.objects.count() == 1
        assert [tally.amount for tally in Tally.objects.all()] == [1]

    def test_one_uuid_in_two_projects_is_taken_once(
        self, project: Project, regions: list[Region], cast: Cast, alice: User
    ) -> None:
        from tests.factories import make_project

        other = make_project(alice, "Q937")
        photo, [region] = add_photo(other, [cast.face("albert")])
        uuid, first = uuid4(), regions[0].picture.photos.get()

        def here() -> Answer | None:
            return answers.answer(project, regions[0], first, alice, "yes", "ask", uuid)

        def there() -> Answer | None:
            return answers.answer(other, region, photo, alice, "yes", "ask", uuid)

        def refused_or(deed: Callable[[], Answer | None]) -> Answer | None:
            try:
                return deed()
            except Refused as refusal:
                codes.append(refusal.code)
                return None

        codes: list[str] = []
        made = at_once([lambda: refused_or(here), lambda: refused_or(there)])
        assert len([answer for answer in made if answer]) == 1
        assert codes == ["used-twice"]
        assert Answer.objects.count() == Label.objects.count() == 1

    def test_several_undos_at_once_take_back_several_answers(
        self, project: Project, regions: list[Region], alice: User, say: Say
    ) -> None:
        for region in regions[:6]:
            say(alice, "yes", region)
        taken = at_once([lambda: answers.undo(project, alice, uuid4())] * 4)
        assert len({undo.undoes_id for undo in taken if undo}) == 4
        assert {label.region for label in Label.objects.all()} == set(regions[:2])
        assert [tally.amount for tally in Tally.objects.all()] == [2]

    def test_people_who_answer_the_same_face_leave_one_label(
        self, project: Project, regions: list[Region]
    ) -> None:
        people = [make_user() for _ in range(6)]
        photo = regions[0].picture.photos.get()
        verdicts = ["yes", "no"] * 3
        at_once(
            [
                lambda user=user, verdict=verdict: answers.answer(  # type: ignore[misc]
                    project, regions[0], photo, user, verdict, "ask", uuid4()
                )
                for user, verdict in zip(people, verdicts, strict=True)
            ]
        )
        label = Label.objects.get()
        last = Answer.objects.order_by("-id")[0]
        assert (label.answer, label.verdict, label.disputed) == (last, last.verdict, True)
