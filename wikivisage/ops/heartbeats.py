"""Whether the workers and beat live: each run leaves a sign in the database, now and then."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import metrics
from core.models import Measure, WikiPace

EVERY = 20  # seconds between two signs of a process
PATIENCE = timedelta(
    minutes=3
)  # beat wakes each worker every few seconds; runs may take two minutes
FAILING = timedelta(minutes=1)  # a task that always raises does so at each of beat's messages
KEPT = 15  # seconds for which a page believes what it read
# The lanes are clocks that all processes share; their reason is the version of the code that runs.
KEY, LANE, BEAT = "workers-away", "worker:", "beat"
_signs: dict[str, float] = {}


def seen(task: str, *, by_beat: bool = False) -> None:
    """A run of this task begins; whether beat woke it, and nobody's deed did."""
    if queue := settings.PIPELINE_TASKS.get(task, ""):
        _leave(LANE + queue)
        if by_beat:
            _leave(BEAT)


def _leave(lane: str) -> None:
    now = time.monotonic()
    if now - _signs.get(lane, -EVERY) < EVERY:
        return
    _signs[lane] = now
    told = {"next_at": timezone.now(), "reason": settings.VERSION}
    _row, new = WikiPace.objects.update_or_create(wiki=settings.WIKI.code, lane=lane, defaults=told)
    if new:
        _expect_the_others()


def _expect_the_others() -> None:
    """A worker that never comes is away since the first one of any queue was here."""
    for queue in queues():
        WikiPace.objects.get_or_create(wiki=settings.WIKI.code, lane=LANE + queue)


def last_seen() -> dict[str, datetime | None]:
    """Queue -> when a worker of it was last seen; None: never."""
    signs = {row.lane.removeprefix(LANE): row.next_at for row in _signs_of_workers()}
    return {queue: signs.get(queue) for queue in queues()}


def failing() -> set[str]:
    """Queues in which a task raised within the last minute."""
    rows = Measure.objects.filter(
        name=metrics.TASK_FAILURES, at__gt=timezone.now() - FAILING
    ).values_list("labels", flat=True)
    return {metrics.labels_of(labels)["queue"] for labels in rows}


def queues() -> list[str]:
    return sorted(set(settings.PIPELINE_TASKS.values()))


def beat_seen() -> datetime | None:
    row = WikiPace.objects.filter(wiki=settings.WIKI.code, lane=BEAT).first()
    return row.next_at if row else None


def forget() -> None:
    """Nobody was ever seen. Only for who knows that nothing runs, as after a restore."""
    WikiPace.objects.filter(Q(lane=BEAT) | Q(lane__startswith=LANE)).delete()
    _signs.clear()
    cache.delete(KEY)


def other_versions() -> list[str]:
    """Queues whose worker runs other code than this process."""
    rows = _signs_of_workers().exclude(reason__in=("", settings.VERSION))
    return sorted(row.lane.removeprefix(LANE) for row in rows)


def _signs_of_workers() -> QuerySet[WikiPace]:
    lanes = [LANE + queue for queue in queues()]
    return WikiPace.objects.filter(wiki=settings.WIKI.code, lane__in=lanes)


def away_since() -> datetime | None:
    """Since when one of the workers that were here is away; None while all of them come by."""
    known = cache.get(KEY)
    if known is None:
        known = _longest_away() or False
        cache.set(KEY, known, KEPT)
    return known or None


def _longest_away() -> datetime | None:
    last = _signs_of_workers().order_by("next_at").values_list("next_at", flat=True).first()
    return last if last and last < timezone.now() - PATIENCE else None
