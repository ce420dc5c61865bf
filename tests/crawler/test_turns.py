"""Whose picture is next: fairness, ceilings, order within a project."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from core.work import WorkState
from crawler.detection import queue as detection_queue
from crawler.models import Picture, ProjectPhoto
from projects.models import User
from tests.conftest import MakeProject
from tests.crawler.helpers import let_lease_end, make_pictures
from tests.factories import make_user


def take(number: int = 1) -> list[Picture]:
    hands = detection_queue.Turns()
    taken = [hands.take_next() for _ in range(number)]
    return [picture for picture in taken if picture]


def test_projects_take_turns(alice: User, bob: User, make_project: MakeProject) -> None:
    first = make_project(alice, "Q7186", [])
    second = make_project(bob, "Q7186", [])
    make_pictures(first, 6)
    make_pictures(second, 2)
    held = [picture.held_for_id for picture in take(4)]
    assert held == [first.pk, second.pk, first.pk, second.pk]


def test_no_more_pictures_of_a_project_at_once_than_allowed(
    alice: User, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PICTURES_A_PROJECT = 3
    make_pictures(make_project(alice, "Q7186", []), 5)
    taken = take(5)
    assert len(taken) == 3
    taken[0].settle(WorkState.DONE)
    assert len(take(5)) == 1


def test_no_more_projects_at_once_than_allowed(
    alice: User, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PROJECTS_AT_ONCE = 2
    for qid in ("Q1", "Q2", "Q3"):
        make_pictures(make_project(alice, qid, []), 3)
    taken = take(9)
    assert len({picture.held_for_id for picture in taken}) == 2
    assert len(taken) == 6


def test_a_dead_worker_s_picture_counts_no_longer(
    alice: User, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PICTURES_A_PROJECT = 1
    make_pictures(make_project(alice, "Q7186", []), 1)
    (picture,) = take()
    assert take() == []
    let_lease_end(picture)
    (again,) = take()
    assert (again.pk, again.attempt, again.tries) == (picture.pk, 2, 2)


def test_a_picture_that_kills_its_worker_is_set_aside_alone(
    alice: User, make_project: MakeProject
) -> None:
    poison, *others = make_pictures(make_project(alice, "Q7186", []), 3)
    Picture.objects.filter(pk__in=[one.pk for one in others]).update(
        due_at=timezone.now() + timedelta(hours=1)
    )
    for _ in range(Picture.max_tries):
        (taken,) = take()
        assert taken.pk == poison.pk
        let_lease_end(taken)
    assert take() == []
    poison.refresh_from_db()
    assert (poison.state, poison.error) == (WorkState.ASIDE, Picture.Error.CRASHED)
    Picture.objects.update(due_at=timezone.now())
    assert {picture.pk for picture in take(3)} == {one.pk for one in others}


def test_the_portrait_and_some_examples_come_first(
    alice: User, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PICTURES_A_PROJECT = 64
    project = make_project(alice, "Q7186", [])
    pictures = make_pictures(project, 12)

    def set_photos(numbers: range, **fields: bool) -> None:
        keys = [pictures[number].pk for number in numbers]
        ProjectPhoto.objects.filter(photo__picture__in=keys).update(**fields)

    set_photos(range(11, 12), is_portrait=True)
    set_photos(range(3, 11), already_depicts=True)
    hands = detection_queue.Turns()
    order = []
    for _ in range(12):
        picture = hands.take_next()
        assert picture
        picture.settle(WorkState.DONE)
        order.append(next(i for i, one in enumerate(pictures) if one.pk == picture.pk))
    assert order == [11, 3, 4, 5, 6, 7, 0, 1, 2, 8, 9, 10]


def test_the_ceiling_holds_when_all_ask_at_once(
    shared_database: str, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PICTURES_A_PROJECT = 3
    make_pictures(make_project(make_user("Alice"), "Q7186", []), 8)
    starting_line = threading.Barrier(6)

    def ask(_: int) -> int | None:
        starting_line.wait()
        try:
            taken = detection_queue.Turns().take_next()
        finally:
            connection.close()
        return taken.pk if taken else None

    with ThreadPoolExecutor(6) as pool:
        taken = [pk for pk in pool.map(ask, range(6)) if pk]
    assert len(taken) == len(set(taken)) == 3


@pytest.mark.parametrize("state", ["paused", "completed", "archived"])
def test_a_project_at_rest_gets_no_turn(alice: User, make_project: MakeProject, state: str) -> None:
    make_pictures(make_project(alice, "Q7186", [], state=state), 1)
    assert take() == []


def test_what_was_left_out_is_not_looked_at(alice: User, make_project: MakeProject) -> None:
    make_pictures(make_project(alice, "Q7186", []), 1)
    ProjectPhoto.objects.update(left_out=True)
    assert take() == []
