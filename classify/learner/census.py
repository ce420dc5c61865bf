"""Count all parts of large projects (see `projects.live.census`) in the `infer` worker.

It counts projects that changed since (`Project.pulse`), whether or not others wait to be learned,
and spends a tenth of its time on it at most.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from projects.live.census import count_parts, has_many_rows
from projects.live.pulse import beat
from projects.models import Census, Project

AT_LEAST = 2.0  # seconds from one count to the next
SHARE = 10  # a count that takes a second is made every ten


def count_all(seconds: float) -> bool:
    """Count the large projects that changed since they were counted; those that wait longest come
    first. Returns whether some are left: no more are begun after so many seconds."""
    until = time.monotonic() + seconds
    for project in Project.objects.filter(census=None).exclude(pulse=0)[:100]:
        Census.objects.get_or_create(project=project)
    changed = Census.objects.exclude(pulse=F("project__pulse")).order_by("counted_at")
    for census in changed.select_related("project")[:1000]:
        if time.monotonic() > until:
            return True
        if _is_due(census) and _take(census):
            count(census)
    return False


def count(census: Census) -> None:
    """Count all parts of its project; of a small one, write down that it is small."""
    project, begun, before = census.project, time.monotonic(), census.counts
    with many_rows():
        counts = count_parts(project) if has_many_rows(project) else {}
    if counts:
        counts["seconds"] = round(time.monotonic() - begun, 3)
    with transaction.atomic():
        # A change that came while it was counted makes the pulse differ, so it is counted again.
        told = int(counts != before)
        if told:
            beat(project.pk)
        census.counts, census.pulse = counts, project.pulse + told
        census.save(update_fields=["counts", "pulse"])


@contextmanager
def many_rows() -> Iterator[None]:
    """Pages have MariaDB answer EXISTS row by row (see settings); here it is for all rows."""
    if connection.vendor != "mysql":
        yield
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET optimizer_switch = 'exists_to_in=on'")
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET optimizer_switch = 'exists_to_in=off'")


def _is_due(census: Census) -> bool:
    rest = max(AT_LEAST, SHARE * census.counts.get("seconds", 0.0))
    return not census.counts or census.counted_at + timedelta(seconds=rest) <= timezone.now()


def _take(census: Census) -> bool:
    """Of several workers one counts."""
    now, was = timezone.now(), census.counted_at
    mine = Census.objects.filter(pk=census.pk, counted_at=was).update(counted_at=now)
    census.counted_at = now
    return bool(mine)
