"""What the database ends for no fault of ours is done once more, and costs a row no try."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from crawler.models import Picture
from projects.models import WikiPace
from projects.transactions import is_transient, retried
from projects.work import WorkState

DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock")


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_collided_is_run_again() -> None:
    runs: list[int] = []

    @retried
    def work() -> int:
        with transaction.atomic():
            WikiPace.objects.create(wiki="sandbox", lane=f"run {len(runs)}")
            runs.append(1)
            if len(runs) < 3:
                raise DEADLOCK
        return len(runs)

    assert work() == 3
    assert WikiPace.objects.count() == 1, "the first two were rolled back"
    runs.clear()
    with pytest.raises(OperationalError), transaction.atomic():
        work()
    assert len(runs) == 1, "within a transaction that is for whoever began it"


@pytest.mark.django_db(transaction=True)
def test_two_workers_in_each_others_way_both_get_their_turn(shared_database: str) -> None:
    """On MariaDB this is a deadlock: each holds the row that the other wants."""
    if connection.vendor != "mysql":
        return  # SQLite lets one writer in at a time
    a, b = (WikiPace.objects.create(wiki="sandbox", lane=lane).pk for lane in "ab")
    both = threading.Barrier(2)
    met: list[int] = []

    @retried
    def take(first: int, second: int) -> None:
        with transaction.atomic():
            WikiPace.objects.filter(pk=first).update(reason=first)
            if len(met) < 2:
                met.append(first)
                both.wait(30)
            WikiPace.objects.filter(pk=second).update(reason=first)

    failed: list[BaseException] = []

    def run(*rows: int) -> None:
        try:
            take(*rows)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=rows) for rows in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


@pytest.mark.django_db
def test_what_is_nobodys_fault_costs_a_row_no_try() -> None:
    row = Picture.objects.create(sha1="a" * 40, width=1, height=1, mime="image/jpeg")
    assert row.take(timedelta(minutes=1))
    assert row.tries == 1
    assert row.give_back()
    row.refresh_from_db()
    assert (row.state, row.tries, row.attempt) == (WorkState.QUEUED, 0, 1)
    assert is_transient(DEADLOCK)
    assert not is_transient(OperationalError(1366, "Incorrect string value"))
    assert not is_transient(ValueError("the picture's own"))
