"""The tasks that look across all apps."""

from __future__ import annotations

import logging

from celery import shared_task

from core.events import wake
from wikivisage.ops.retention import sweep
from wikivisage.pages import site_stats

log = logging.getLogger(__name__)

BUDGET = 20  # seconds of work a wake-up


@shared_task(name="wikivisage.sweep", soft_time_limit=110, time_limit=120)
def sweep_all() -> None:
    went = {name: count for name, count in sweep(BUDGET).items() if count}
    if went:
        log.info("swept %s", went)
        wake("wikivisage.sweep")


@shared_task(name="wikivisage.count", soft_time_limit=110, time_limit=120)
def count_reached() -> None:
    """Count what was reached together, for the first page of a server of many photos."""
    site_stats.count_now_and_then()
