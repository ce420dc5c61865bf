"""The lanes of writing: one for each user's pace, and one that stands still for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from core.models import WikiPace
from projects.models import User

# Seconds whose slots may still be used later: those that passed while a worker was dying.
CATCH_UP = 5.0
EVERYBODY = "write"  # paused when the wiki asks all tools to wait


def lane_of(user: User) -> str:
    return f"write:{user.pk}"


def opens(lanes: Iterable[str], *fields: str) -> datetime | None:
    """When all of these lanes are open again by these of their times; None if they are now."""
    now = timezone.now()
    rows = WikiPace.objects.filter(wiki=settings.WIKI.code, lane__in=list(lanes))
    times = [at for row in rows for field in fields if (at := getattr(row, field)) and at > now]
    return max(times, default=None)


def standstill() -> WikiPace | None:
    """The lane of everybody while it is paused: until when, and the code of why."""
    now = timezone.now()
    lane = WikiPace.objects.filter(wiki=settings.WIKI.code, lane=EVERYBODY, paused_until__gt=now)
    return lane.first()
