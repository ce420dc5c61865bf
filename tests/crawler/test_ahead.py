"""Downloading ahead: politely, once a picture, and at no price for those that wait."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings

from core.work import WorkState
from crawler.detection import detect as detection_detect
from crawler.detection import queue as detection_queue
from crawler.engines import KINDS, load
from crawler.listing import store as listing_store
from crawler.listing.file_info import File
from crawler.models import Photo, Picture, Region
from crawler.pictures.prefetch import Ahead
from projects.models import Project, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import (
    ARMSTRONG,
    add_files,
    crawl,
    let_lease_end,
    look,
    make_due,
    make_pictures,
    open_lanes,
)
from wiki import pace

DLIB = KINDS["dlib"].name
SIX = (
    ARMSTRONG,
    "File:Barack Obama O000167.jpg",
    "File:Nancy Pelosi P000197.jpg",
    "File:John Kerry K000148.jpg",
    "File:Elizabeth Warren W000817.jpg",
    "File:Bernie Sanders S000033.jpg",
)


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    made = make_project(alice, "Q76", [])
    add_files(made, *SIX)
    crawl()
    assert Picture.objects.count() >= 4
    return made


def downloads(sandbox: RunningSandbox) -> dict[str, int]:
    counts = sandbox.world.request_counts
    return {key: number for key, number in counts.items() if key.startswith("/upload")}


def test_what_is_ahead_is_held_and_costs_no_try(project: Project, sandbox: RunningSandbox) -> None:
    hands = detection_queue.Turns()
    with Ahead(hands, 2) as ahead:
        taken = ahead.take_next()
        assert taken
        ahead.fill(taken[0])
        ahead.fill(taken[0])  # it is full
        assert len(ahead) == 2
        held = Picture.objects.filter(state=WorkState.QUEUED, due_at__gt=timezone.now())
        assert set(held.values_list("attempt", "tries")) == {(0, 0)}
        keys = set(held.values_list("pk", flat=True))
        assert len(keys) == 2
        other = detection_queue.Turns().take_next()
        assert other
        assert other.pk not in keys | {taken[0].pk}
        taken[0].settle(WorkState.DONE)
        following = ahead.take_next()
        assert following
        assert following[0].pk in keys
        assert (following[0].state, following[0].tries) == (WorkState.RUNNING, 1)
        assert following[1].result(20)
    assert not Picture.objects.filter(state=WorkState.QUEUED, due_at__gt=timezone.now()).exists()


def test_what_a_dead_worker_held_is_free_by_itself(project: Project) -> None:
    hands = detection_queue.Turns()
    first = hands.take_next()
    assert first
    held = hands.hold_next(first)
    assert held
    assert held.due_at - timezone.now() < detection_queue.lease()
    Picture.objects.filter(pk=held.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    somebody = detection_queue.Turns()
    keys = {picture.pk for _ in range(3) if (picture := somebody.take_next())}
    assert held.pk in keys
    assert hands.begin(held) is False, "somebody else has it"
    held.refresh_from_db()
    assert (held.state, held.attempt, held.tries) == (WorkState.RUNNING, 1, 1)


def test_a_picture_that_kills_its_worker_is_set_aside_and_those_behind_it_are_not(
    alice: User, make_project: MakeProject
) -> None:
    make_pictures(make_project(alice, "Q7186", []), 3)
    for _ in range(Picture.max_tries):
        hands = detection_queue.Turns()
        poison = hands.take_next()
        assert poison
        while hands.hold_next(poison):
            pass
        let_lease_end(poison)  # and here the worker dies
    assert poison
    assert detection_queue.Turns().take_next() is None
    poison.refresh_from_db()
    assert (poison.state, poison.error) == (WorkState.ASIDE, Picture.Error.CRASHED)
    others = Picture.objects.exclude(pk=poison.pk)
    assert set(others.values_list("state", "tries")) == {(WorkState.QUEUED, 0)}
    make_due(others)
    assert detection_queue.Turns().take_next() in list(others)


def test_no_more_of_a_project_at_once_with_what_is_ahead(
    alice: User, make_project: MakeProject, settings: Settings
) -> None:
    settings.MAX_PICTURES_A_PROJECT = 1
    make_pictures(make_project(alice, "Q7186", []), 4)
    hands = detection_queue.Turns()
    first = hands.take_next()
    assert first
    held = hands.hold_next(first)
    assert held
    assert detection_queue.Turns().take_next() is None
    assert hands.begin(held) is False, "the first one still runs"
    first.settle(WorkState.DONE)
    again = hands.hold_next(first)
    assert again
    assert hands.begin(again) is True


@pytest.mark.engine
def test_after_a_refusal_nothing_more_is_asked_until_the_wiki_s_time(
    project: Project, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=60)
    sandbox.world.reset_request_counts()
    look()
    assert sum(downloads(sandbox).values()) == 1
    until = pace.paused_until("picture")
    assert until
    assert until > timezone.now() + timedelta(seconds=50)
    assert set(Picture.objects.values_list("state", "tries")) == {(WorkState.QUEUED, 0)}
    open_lanes()


@pytest.mark.engine
def test_a_refusal_of_one_ahead_costs_nobody_a_try(
    project: Project, sandbox: RunningSandbox
) -> None:
    hands = detection_queue.Turns()
    with Ahead(hands, 3) as ahead:
        taken = ahead.take_next()
        assert taken
        assert taken[1].result(20)
        sandbox.faults.add("http", {"path": "/upload"}, status=429, retry_after=60)
        sandbox.world.reset_request_counts()
        ahead.fill(taken[0])
        assert len(ahead) == 3
        for _ in range(3):
            following = ahead.take_next()
            assert following
            detection_detect.look(
                following[0], load(DLIB), download=partial(following[1].result, 20)
            )
    assert sum(downloads(sandbox).values()) == 1
    behind = Picture.objects.filter(state=WorkState.QUEUED, attempt=1)
    assert [picture.tries for picture in behind] == [0, 0, 0]
    open_lanes()


@pytest.mark.engine
def test_downloads_keep_the_pace_of_the_lane(
    project: Project, sandbox: RunningSandbox, settings: Settings
) -> None:
    settings.PICTURES_A_MINUTE = 120
    began = time.monotonic()
    look()
    number = sum(downloads(sandbox).values())
    assert number == Picture.objects.count()
    assert time.monotonic() - began >= 0.5 * (number - 1)


@pytest.mark.engine
def test_the_same_picture_is_downloaded_and_looked_at_once_whoever_shows_it(
    project: Project, sandbox: RunningSandbox, bob: User, make_project: MakeProject
) -> None:
    look()
    regions = set(Region.objects.values_list("pk", flat=True))
    attempts = set(Picture.objects.values_list("pk", "attempt"))
    shown = Photo.objects.select_related("picture").get(title=ARMSTRONG)
    again = File(
        page_id=shown.page_id + 1_000_000,
        title="File:The same under another name.png",
        sha1=shown.picture.sha1,
        width=shown.picture.width,
        height=shown.picture.height,
        mime=shown.picture.mime,
        thumb_path="/upload/thumb/of/another/name.png",
        uploader="",
        uploaded_at=None,
        author="",
        licence="",
        taken_from=None,
        taken_to=None,
    )
    moved = replace(again, page_id=again.page_id + 1, title="File:And once more.png")
    assert len(listing_store._save_photos([again, moved])) == 2
    other = make_project(bob, "Q76", [])
    add_files(other, *SIX)
    sandbox.world.reset_request_counts()
    crawl()
    look()
    assert downloads(sandbox) == {}
    assert set(Region.objects.values_list("pk", flat=True)) == regions
    assert set(Picture.objects.values_list("pk", "attempt")) == attempts
    assert Photo.objects.filter(picture=shown.picture).count() == 3
