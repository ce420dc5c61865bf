"""What looking through so many photos takes, by what this server measured lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.conf import settings
from django.core.cache import cache

from core.work import WorkState
from crawler.models import Picture

LATELY = 500  # pictures looked at last
ENOUGH = 50  # of them, before they say more than the defaults
IDLE = 30  # seconds between two pictures, after which nobody was looking
KEPT = 60  # seconds
# Until then: categories of one person hold some group photos, and an engine takes a tenth of a
# second a picture (docs/benchmarks.md).
FACES_A_PHOTO = 2.0
SECONDS_A_PICTURE = 0.1


@dataclass(frozen=True)
class Pace:
    faces_a_photo: float
    a_minute: float  # pictures looked at
    measured: bool


@dataclass(frozen=True)
class Estimate:
    photos: int
    faces: int
    minutes: int  # rounded; 0 is less than one
    measured: bool  # else it is a guess by the defaults


def estimate(photos: int) -> Estimate:
    pace = cache.get_or_set("pace-lately", _pace, KEPT)
    assert pace is not None
    faces = _rounded(photos * pace.faces_a_photo)
    return Estimate(photos, faces, _rounded(photos / pace.a_minute), pace.measured)


def _pace() -> Pace:
    """By the newest pictures: they have the highest keys, so no index is wanted for it."""
    done = Picture.objects.filter(state=WorkState.DONE, looked_at__isnull=False)
    rows = done.order_by("-pk").values_list("faces", "looked_at")[:LATELY]
    looks = [(faces or 0, at) for faces, at in rows if at]
    fastest = 60 * settings.DETECT_PROCESSES / SECONDS_A_PICTURE
    if len(looks) < ENOUGH:
        return Pace(FACES_A_PHOTO, min(fastest, settings.PICTURES_A_MINUTE), False)
    faces = sum(found for found, _at in looks) / len(looks)
    rate = _a_minute(sorted(at for _found, at in looks)) or fastest
    return Pace(faces, min(rate, settings.PICTURES_A_MINUTE), True)


def _a_minute(moments: list[datetime]) -> float:
    """While pictures were being looked at; the times in between do not count."""
    gaps = [(after - before).total_seconds() for before, after in pairwise(moments)]
    busy = [gap for gap in gaps if gap < IDLE]
    return 60 * len(busy) / sum(busy) if sum(busy) else 0.0


def _rounded(number: float) -> int:
    """To two figures: an estimate promises no more."""
    digits = max(0, len(str(int(number))) - 2)
    return int(round(number / 10**digits) * 10**digits)
