"""Work rows: taken once, fenced, put back, set aside."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from core.work import Overtaken, WorkState, delay_after, end_all_leases
from crawler.models import Picture

LEASE = timedelta(minutes=1)


@pytest.fixture
def picture(db: None) -> Picture:
    return Picture.objects.create(sha1="a" * 40, width=10, height=10, mime="image/jpeg")


def expire_lease(picture: Picture) -> None:
    Picture.objects.filter(pk=picture.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_only_one_of_two_workers_gets_a_row(picture: Picture) -> None:
    same = Picture.objects.get(pk=picture.pk)
    assert picture.take(LEASE)
    assert not same.take(LEASE)
    assert (picture.attempt, picture.tries, picture.state) == (1, 1, WorkState.RUNNING)


def test_a_taken_row_is_not_due_until_its_lease_is_over(picture: Picture) -> None:
    assert list(Picture.objects.due()) == [picture]
    picture.take(LEASE)
    assert not Picture.objects.due()
    assert list(Picture.objects.in_flight()) == [picture]
    expire_lease(picture)
    assert list(Picture.objects.due()) == [picture]
    assert not Picture.objects.in_flight()


def test_a_worker_that_slept_past_its_lease_changes_nothing(picture: Picture) -> None:
    sleeper = picture
    sleeper.take(LEASE)
    expire_lease(picture)
    successor = Picture.objects.get(pk=picture.pk)
    assert successor.take(LEASE)
    with pytest.raises(Overtaken), transaction.atomic():
        sleeper.settle_or_raise(WorkState.DONE, faces=99)
    assert successor.settle(WorkState.DONE, faces=1)
    picture.refresh_from_db()
    assert (picture.state, picture.faces) == (WorkState.DONE, 1)


def test_a_failure_is_tried_again_later_and_then_set_aside(picture: Picture) -> None:
    for attempt in range(1, Picture.max_tries + 1):
        Picture.objects.update(due_at=timezone.now())
        picture.refresh_from_db()
        assert picture.take(LEASE)
        assert picture.attempt == attempt
        assert picture.fail("network", "reset")
        picture.refresh_from_db()
        if attempt < Picture.max_tries:
            assert picture.state == WorkState.QUEUED
            assert picture.due_at > timezone.now()
    assert (picture.state, picture.error) == (WorkState.ASIDE, "network")


def test_a_code_of_any_length_is_kept_as_far_as_it_fits(picture: Picture) -> None:
    assert picture.take(LEASE)
    assert picture.fail("internal_api_error_" + "x" * 100, final=True)
    picture.refresh_from_db()
    assert len(picture.error) == 40


def test_a_row_rests_longer_after_each_try() -> None:
    seconds = [delay_after(tries).total_seconds() for tries in (0, 1, 2, 3, 4, 5, 1_000_000)]
    assert seconds == [5, 5, 20, 80, 320, 900, 900]


def test_a_final_failure_is_set_aside_at_once(picture: Picture) -> None:
    picture.take(LEASE)
    picture.fail("broken", final=True)
    picture.refresh_from_db()
    assert picture.state == WorkState.ASIDE


def test_a_person_can_ask_to_try_again(picture: Picture) -> None:
    assert not picture.retry(), "it was not set aside"
    picture.take(LEASE)
    picture.fail("broken", final=True)
    picture.refresh_from_db()
    assert picture.retry()
    picture.refresh_from_db()
    assert (picture.state, picture.tries, picture.error) == (WorkState.QUEUED, 0, "")
    assert picture.attempt == 1, "the fence only grows"


def test_a_row_whose_tries_all_ended_in_a_crash_is_spent(picture: Picture) -> None:
    for _ in range(Picture.max_tries):
        picture.refresh_from_db()
        picture.take(LEASE)
        expire_lease(picture)
    assert picture.spent


def test_a_restart_takes_up_at_once_what_was_in_flight(picture: Picture) -> None:
    picture.take(LEASE)
    end_all_leases()
    assert list(Picture.objects.due()) == [picture]
