"""Announcing what happened, so that the next step wakes after commit."""

import logging
import time
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)

SILENCE = 5.0  # seconds
_silent_until = 0.0


def announce(event: str) -> None:
    """Wake the tasks that `settings.PIPELINE_WAKES` names for `event`, once committed.

    A broker that cannot be reached loses the message only: beat wakes the same tasks anyway.
    """
    for name in settings.PIPELINE_WAKES[event]:
        transaction.on_commit(partial(wake, name), robust=True)


def wake(task: str) -> None:
    """Send a wake-up to one task by its name. It expires, so that an idle queue stays short.

    After one that the broker did not take this process sends none for some seconds, so that no
    page waits for a broker again and again; beat wakes the tasks meanwhile.
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task(task, queue=settings.PIPELINE_TASKS[task], expires=60, retry=False)
    except Exception as error:  # whatever the broker's client raises
        _silent_until = time.monotonic() + SILENCE
        log.warning("the broker did not take a wake-up for %s: %s", task, type(error).__name__)
