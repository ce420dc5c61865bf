"""The Celery app: five queues, no results, messages that only wake."""

import logging
import logging.config
import os
import resource
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from billiard import active_children
from celery import Celery
from celery.signals import (
    heartbeat_sent,
    setup_logging,
    task_failure,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
    worker_shutting_down,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wikivisage.settings")

# Said at each start in a container or on a rented machine, where root is all there is.
warnings.filterwarnings("ignore", message="You're running the worker with superuser")

# Seconds that tasks may still take once their worker is told to end, and then the worker itself.
WARM, COLD = 5, 2

app = Celery("wikivisage")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def limit_memory(**kwargs: Any) -> None:
    """A picture that asks for too much memory gets a MemoryError, not the whole machine."""
    from django.conf import settings

    limit = settings.WORKER_ADDRESS_SPACE_MB * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


@worker_shutting_down.connect
def end_in_time(how: str, **kwargs: Any) -> None:
    """SIGTERM lets tasks end (warm), for as long as whoever stops us has patience; then they are
    cut off (cold, which is what SIGQUIT means to Celery). Their rows are taken again."""
    if how == "Warm":
        threading.Thread(target=_cut_off, daemon=True).start()


def _cut_off() -> None:
    """With a broker of files Celery may wait for ever for a lock that one of the tasks held which
    it has cut off: then all processes are ended by force."""
    time.sleep(WARM)
    os.kill(os.getpid(), signal.SIGQUIT)
    time.sleep(COLD)
    for child in active_children():
        if child.pid:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(0)


@heartbeat_sent.connect
def leave_a_trace(**kwargs: Any) -> None:
    """For a health check that costs nothing: this process runs and reaches the broker."""
    if path := os.environ.get("ALIVE_FILE"):
        Path(path).touch()


@worker_init.connect
def count_in_the_leading_process(**kwargs: Any) -> None:
    """It runs no task, after which the others write down what they counted."""
    heartbeat_sent.connect(write_down_of_the_leader)


def write_down_of_the_leader(**kwargs: Any) -> None:
    from django.db import connections

    from core import metrics

    if metrics.flush():
        connections.close_all()  # a process that is forked must not share them


@setup_logging.connect
def log_as_all_processes_do(**kwargs: Any) -> None:
    """Celery then leaves logging alone, and what it prints while it ends is a line of the log."""
    from celery.apps import worker
    from django.conf import settings

    from wikivisage.ops import logs

    logging.captureWarnings(True)
    logging.config.dictConfig(settings.LOGGING)
    worker.safe_say = logs.say  # type: ignore[attr-defined]


@task_prerun.connect
def leave_a_sign(task: Any, **kwargs: Any) -> None:
    """So that pages can say when the workers are away."""
    from wikivisage.ops import heartbeats

    by_beat = (task.request.get("headers") or {}).get("by_beat") or task.request.get("by_beat")
    heartbeats.seen(task.name, by_beat=bool(by_beat))


@task_failure.connect
def count_failure(sender: Any, **kwargs: Any) -> None:
    """Count a task that raised. Where that was before it took any row, no row tells of it."""
    from django.conf import settings

    from core import metrics

    metrics.add(metrics.TASK_FAILURES, queue=settings.PIPELINE_TASKS.get(sender.name, ""))


@task_postrun.connect
def write_down_measures(task: Any, **kwargs: Any) -> None:
    from django.conf import settings

    from core import metrics

    metrics.flush(settings.PIPELINE_TASKS.get(task.name, ""))


@worker_shutdown.connect
@worker_process_shutdown.connect
def write_down_the_last(**kwargs: Any) -> None:
    from core import metrics

    metrics.flush(at_once=True)
