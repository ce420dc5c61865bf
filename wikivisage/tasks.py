"""The one task that looks across all apps."""

from __future__ import annotations

import logging

from celery import shared_task

from projects.pipeline import wake
from wikivisage.sweeping import sweep

log = logging.getLogger(__name__)

BUDGET = 20  # seconds of work a wake-up


@shared_task(name="wikivisage.sweep", soft_time_limit=110, time_limit=120)
def sweep_all() -> None:
    went = {name: count for name, count in sweep(BUDGET).items() if count}
    if went:
        log.info("swept %s", went)
        wake("wikivisage.sweep")
