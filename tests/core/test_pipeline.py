"""The one table of what wakes what, and the sending of wake-ups."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from celery_app import app
from classify import tasks as classify
from core.events import announce
from crawler.detection import queue as detection_queue
from crawler.listing import crawl as listing_crawl
from sdc.watch import recheck
from wikivisage import pipeline


def queued() -> list[str]:
    """Take all waiting messages from the broker and return the names of their tasks."""
    names = []
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        for queue in settings.CELERY_TASK_QUEUES:
            queue(channel).declare()
            while message := channel.basic_get(queue.name, no_ack=True):
                names.append(message.headers["task"])
    return sorted(names)


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    queued()


def test_every_task_in_the_table_exists_and_has_limits() -> None:
    app.loader.import_default_modules()
    for name in pipeline.TASKS:
        assert name in app.tasks, name
        assert app.tasks[name].time_limit or settings.CELERY_TASK_TIME_LIMIT
    for names in pipeline.WAKES.values():
        assert set(names) <= set(pipeline.TASKS)
    assert set(pipeline.HEARTBEAT) == set(pipeline.TASKS)


@pytest.mark.parametrize(
    ("task", "lease"),
    [
        ("crawler.crawl", listing_crawl.LEASE),
        ("crawler.detect", detection_queue.lease()),
        ("crawler.embed", detection_queue.lease()),
        ("classify.infer", classify.LEARNING_LEASE),
        ("classify.bootstrap", classify.LEASE),
        ("sdc.watch", recheck.LEASE),
    ],
)
def test_a_lease_outlives_its_worker_yet_stalls_nobody_for_long(
    task: str, lease: timedelta
) -> None:
    app.loader.import_default_modules()
    limits = app.tasks[task]
    assert (limits.soft_time_limit or 0) < (limits.time_limit or 0) < lease.total_seconds() <= 60


@pytest.mark.django_db(transaction=True)
class TestAnnouncing:
    def test_what_happened_wakes_its_tasks_after_commit(self) -> None:
        with transaction.atomic():
            announce("project-created")
            assert queued() == []
        assert queued() == ["classify.bootstrap", "crawler.crawl"]

    def test_what_is_rolled_back_wakes_nobody(self) -> None:
        with transaction.atomic():
            announce("answers-given")
            transaction.set_rollback(True)
        assert queued() == []

    def test_an_unknown_event_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            announce("nobody-knows")
