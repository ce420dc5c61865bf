"""Workers leave signs; when these cease, the pages say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from core.models import WikiPace
from projects.models import User
from tests.conftest import ClientOf, MakeProject
from wikivisage.ops import heartbeats

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_sign_yet() -> Iterator[None]:
    heartbeats._signs.clear()
    yield
    heartbeats._signs.clear()


def test_a_run_leaves_one_sign_for_its_queue_and_no_more_for_a_while() -> None:
    heartbeats.seen("crawler.detect")
    first = WikiPace.objects.get(lane="worker:detect").next_at
    for _ in range(3):
        heartbeats.seen("crawler.detect")
        heartbeats.seen("crawler.embed")  # of the same queue
    heartbeats.seen("celery.backend_cleanup")  # none of ours
    assert WikiPace.objects.get(lane="worker:detect").next_at == first
    assert {row.lane for row in WikiPace.objects.all()} == {
        f"worker:{q}" for q in heartbeats.queues()
    }


def test_pages_say_since_when_one_of_the_workers_is_away(alice: User, client_of: ClientOf) -> None:
    assert heartbeats.away_since() is None, "nobody was ever here"
    for task in ("crawler.detect", "classify.infer"):
        heartbeats.seen(task)
    cache.clear()
    assert heartbeats.away_since() is None
    away = timezone.now() - timedelta(hours=2)
    WikiPace.objects.filter(lane="worker:infer").update(next_at=away)
    assert heartbeats.away_since() is None, "asked at most every few seconds"
    cache.clear()
    assert heartbeats.away_since() == away
    page = client_of(alice).get("/how").content.decode()
    assert "A part of this site rests" in page
    assert "2\xa0hours ago" in page
    assert "A part of this site rests" not in client_of(None).get("/how").content.decode()


@pytest.mark.parametrize("queue", heartbeats.queues())
def test_whoever_waits_for_any_queue_is_told(
    queue: str, alice: User, client_of: ClientOf, make_project: MakeProject
) -> None:
    """Also of one that never came at all."""
    project = make_project(alice)
    heartbeats.seen("crawler.detect")
    away = timezone.now() - timedelta(hours=2)
    WikiPace.objects.filter(lane=f"worker:{queue}").update(next_at=away)
    page = f"/p/{project.public_id}"
    for path in (f"{page}/", f"{page}/batches", f"{page}/sources/"):
        assert "A part of this site rests" in client_of(alice).get(path).content.decode(), path
    for path in (f"{page}/ask", f"{page}/grid"):
        assert "The workers are away" in client_of(alice).get(path).content.decode(), path


def test_a_real_task_leaves_a_sign() -> None:
    from crawler.tasks import tidy

    tidy.apply()
    assert WikiPace.objects.filter(lane="worker:default").exists()
