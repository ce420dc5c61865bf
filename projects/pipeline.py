"""Announcing what happened, so that the next step wakes after commit."""

import logging
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)


def announce(event: str) -> None:
    """Wake the tasks that `settings.PIPELINE_WAKES` names for `event`, once committed.

    A broker that cannot be reached loses the message only: beat wakes the same tasks anyway.
    """
    for name in settings.PIPELINE_WAKES[event]:
        transaction.on_commit(partial(wake, name), robust=True)


def wake(task: str) -> None:
    """Send a wake-up to one task by its name. It expires, so that an idle queue stays short."""
    try:
        current_app.send_task(task, queue=settings.PIPELINE_TASKS[task], expires=60, retry=False)
    except Exception as error:  # whatever the broker's client raises: beat will wake it
        log.warning("the broker did not take a wake-up for %s: %s", task, type(error).__name__)
