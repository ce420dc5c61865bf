"""What workers count and time, kept in the database, so that `/metrics` can show it.

Worker processes are many, die often and may stand on other machines than the web server. Each adds
up in its memory, and adds that to the rows of `Measure` every few seconds and at its end. One that
is killed takes its last seconds with it. See docs/decisions/0017-metrics-rest-in-the-database.md.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import time
from collections import defaultdict
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from core.models import Measure
from core.transactions import atomic

log = logging.getLogger(__name__)

EVERY = 15.0  # seconds between two times that a process writes down what it added up
MOST = 3000  # rows; whatever codes a wiki may think of, there will be no more
GONE = timedelta(minutes=10)  # after which a process that says nothing more is forgotten
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)  # seconds
GAUGE = "rss"  # bytes that a process has in memory now
TASK_FAILURES = "task_failures"  # tasks that raised, by queue
_CODE = re.compile(r"[A-Za-z0-9_:\\-]{0,40}")
_lock = threading.Lock()
_sums: dict[tuple[str, str], float] = defaultdict(float)
_written_at = time.monotonic()


def add(name: str, amount: float = 1.0, **labels: str) -> None:
    """Count something. Labels come from closed lists: never a name, a title or a Q-ID."""
    with _lock:
        _sums[name, _text(labels)] += amount


def observe(name: str, seconds: float, **labels: str) -> None:
    """Time something: one more in its bucket (the first that is large enough)."""
    bucket = next((str(each) for each in BUCKETS if seconds <= each), "+Inf")
    add(f"{name}_bucket", 1.0, le=bucket, **labels)
    add(f"{name}_sum", seconds, **labels)


def flush(queue: str = "", *, at_once: bool = False) -> bool:
    """Add what this process counted to the database, at most every few seconds; False where there
    was nothing to do. Call outside transactions. With the `queue` that it serves its memory is
    told, too.
    """
    global _written_at
    if not at_once and time.monotonic() - _written_at < EVERY:
        return False
    _written_at = time.monotonic()
    with _lock:
        taken = dict(_sums)
        _sums.clear()
    if not taken and not queue:
        return False
    try:
        _add(taken)
        if queue:
            _tell_memory(queue)
    except DatabaseError as error:  # another time
        log.warning("what was measured is kept for later: %s", type(error).__name__)
        with _lock:
            for key, amount in taken.items():
                _sums[key] += amount
    return True


@atomic
def _add(amounts: dict[tuple[str, str], float]) -> None:
    for (name, labels), amount in sorted(amounts.items()):  # in one order: no deadlocks
        _write(name, labels, amount)


def labels_of(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";") if part)


def resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _write(name: str, labels: str, amount: float) -> None:
    now = timezone.now()
    row = Measure.objects.filter(name=name, labels=labels)
    if row.update(value=F("value") + amount, at=now):
        return
    if Measure.objects.count() >= MOST:
        return
    _row, made = Measure.objects.get_or_create(
        name=name, labels=labels, defaults={"value": amount, "at": now}
    )
    if not made:
        row.update(value=F("value") + amount, at=now)


def _tell_memory(queue: str) -> None:
    now = timezone.now()
    labels = _text({"queue": queue, "process": f"{socket.gethostname()[:40]}:{os.getpid()}"})
    told = {"value": float(resident()), "at": now}
    Measure.objects.update_or_create(name=GAUGE, labels=labels, defaults=told)
    Measure.objects.filter(name=GAUGE, at__lt=now - GONE).delete()


def _text(labels: dict[str, str]) -> str:
    def clean(value: str) -> str:
        return value if _CODE.fullmatch(value) else "other"

    kept = {
        key: value if key in ("le", "process") else clean(value) for key, value in labels.items()
    }
    return ";".join(f"{key}={kept[key]}" for key in sorted(kept))
