"""What gunicorn reads by itself where it is started: its logs as ours, metrics of several
processes, and how long it waits for the database.

prometheus-client adds up what web processes count through files in one folder. It belongs to this
server alone (never to a shared disk, where another server has processes of the same numbers), is
new at each start and goes with it, or at the next start of one on this machine.
"""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

PREFIX = "wikivisage-metrics-"


def forget_killed_servers() -> None:
    """Folders named after a process that is no more, and had no time to remove its own."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            shutil.rmtree(folder, ignore_errors=True)


forget_killed_servers()
FOLDER = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = FOLDER  # before prometheus-client is imported

from wikivisage.settings import DATABASES, LOGGING  # noqa: E402

# How long a thread waits for MariaDB to answer a statement. Longer than innodb_lock_wait_timeout,
# so that waiting for a lock stays an error of its own. Only the web server has this limit: a task
# has CELERY_TASK_TIME_LIMIT, and a migration or a backup takes as long as it needs.
DATABASE_ANSWER_SECONDS = 10
options = DATABASES["default"]["OPTIONS"]
assert isinstance(options, dict)
if DATABASES["default"]["ENGINE"] == "django.db.backends.mysql":
    options["read_timeout"] = options["write_timeout"] = DATABASE_ANSWER_SECONDS

logging.captureWarnings(True)
logconfig_dict = LOGGING
worker_class = "wikivisage.runtime.serving.Worker"
# Nothing here uses it, and servers of one user, even on machines with one home, would share it.
control_socket_disable = True


def child_exit(server: Any, worker: Any) -> None:
    """What it counted stays; what it alone had, its memory, goes."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
