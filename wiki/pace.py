"""The pace of requests to a wiki, kept in the database so that all workers share it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from core import metrics
from core.models import WikiPace

IDLE = timedelta(seconds=10)  # a lane that nobody used for longer begins anew


class Later(Exception):
    """Not now: it is worth asking again in so many `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"in {seconds:.1f} s")
        self.seconds = seconds


def reserve(
    lane: str,
    per_minute: float,
    *,
    catch_up: float = 0.0,
    within: Iterable[str] = (),
    longest: float = math.inf,
) -> float:
    """Reserve the next slot of a lane; returns the seconds to wait until it comes.

    Slots are handed out by compare-and-set, so no two workers get the same one. A lane that is
    paused, or `within` one that is, hands out slots after the pause. Slots that nobody used are
    gone, but for those of the last `catch_up` seconds in a lane that was used lately, and never
    those of a pause. Raises Later, and reserves nothing, where the slot is further away than the
    `longest` wait. Call outside a transaction.
    """
    gap, slack = timedelta(seconds=60 / per_minute), timedelta(seconds=catch_up)
    lanes = WikiPace.objects.filter(wiki=settings.WIKI.code)
    while True:
        rows = {row.lane: row for row in lanes.filter(lane__in=[lane, *within])}
        if lane not in rows:
            lanes.get_or_create(wiki=settings.WIKI.code, lane=lane)
            continue
        pace, now = rows[lane], timezone.now()
        first = now - slack if now - pace.next_at < IDLE else now
        pauses = [row.paused_until for row in rows.values() if row.paused_until]
        slot = max(first, pace.next_at, *pauses)
        wait = max(0.0, (slot - now).total_seconds())
        if wait > longest:
            raise Later(wait)
        mine = WikiPace.objects.filter(pk=pace.pk, next_at=pace.next_at)
        if mine.update(next_at=slot + gap):
            return wait


def wait_turn(lane: str, per_minute: float, longest: float = math.inf) -> None:
    """Raises Later instead of waiting longer than that, in seconds."""
    time.sleep(reserve(lane, per_minute, longest=longest))


def pause(lane: str, seconds: float, reason: str) -> None:
    """Let nobody use a lane for a while, for example because the wiki said Retry-After."""
    metrics.add("pauses", lane=lane.partition(":")[0], reason=reason)
    until = timezone.now() + timedelta(seconds=seconds)
    WikiPace.objects.get_or_create(wiki=settings.WIKI.code, lane=lane)
    WikiPace.objects.filter(wiki=settings.WIKI.code, lane=lane).filter(
        Q(paused_until=None) | Q(paused_until__lt=until)
    ).update(paused_until=until, reason=reason)


def paused_until(lane: str) -> datetime | None:
    """When a paused lane opens again; None when it is open."""
    pace = WikiPace.objects.filter(
        wiki=settings.WIKI.code, lane=lane, paused_until__gt=timezone.now()
    ).first()
    return pace.paused_until if pace else None
