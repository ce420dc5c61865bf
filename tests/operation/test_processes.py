"""What beat and workers say while their broker is away, and when they end: lines of the log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from celery_app import app
from wikivisage.runtime.beat import Scheduler

CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "celery_app")


@contextmanager
def running(folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A process with a broker of files and a log in JSON, both in `folder`."""
    environment = {"DATA_DIR": str(folder), "LOG_FORMAT": "json", "REDIS_URL": ""}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*CELERY, *command],
            cwd=settings.BASE_DIR,
            env=os.environ | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.process
def test_beat_waits_longer_and_longer_in_one_line_each(tmp_path: Path) -> None:
    queue, away = tmp_path / "broker/queue", tmp_path / "away"
    log = tmp_path / "log"
    with running(tmp_path, "beat") as beat:
        wait(lambda: any(queue.glob("*.write.msg")))
        queue.rename(away)
        wait(lambda: "again in 4 s" in log.read_text())
        away.rename(queue)
        wait(lambda: "the broker is back" in log.read_text())
        beat.terminate()
        beat.wait(10)
    why = "can't be sent (FileNotFoundError: 2): again in"
    told = [(line["level"], line["message"].split(" ", 1)[1]) for line in lines(tmp_path)]
    assert told == [
        ("ERROR", f"{why} 1 s"),
        ("ERROR", f"{why} 2 s"),
        ("ERROR", f"{why} 4 s"),
        ("WARNING", "is sent: the broker is back"),
    ]
    assert not any("exception" in line for line in lines(tmp_path))


def test_what_beat_could_not_send_stays_due(tmp_path: Path) -> None:
    """What comes once an hour would else come an hour later."""
    queue, away = tmp_path / "queue", tmp_path / "away"
    for folder in (queue, tmp_path / "control"):
        folder.mkdir()
    scheduler: Any = Scheduler(app, schedule_filename=str(tmp_path / "beat"))
    scheduler.connection = Connection(
        "filesystem://",
        transport="wikivisage.runtime.broker:Transport",
        transport_options={
            "data_folder_in": str(queue),
            "data_folder_out": str(queue),
            "control_folder": str(tmp_path / "control"),
        },
    )
    scheduler.schedule["wikivisage.sweep"].last_run_at -= timedelta(hours=2)
    with closing(scheduler):
        queue.rename(away)
        assert scheduler.tick() == 1
        away.rename(queue)
        assert not any(queue.iterdir())
        assert scheduler.tick() == 0
        [sent] = queue.iterdir()
        assert json.loads(sent.read_text())["headers"]["task"] == "wikivisage.sweep"
        assert scheduler.tick() > 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("how", "word"), [(signal.SIGTERM, "Warm"), (signal.SIGQUIT, "Cold")], ids=["term", "quit"]
)
def test_a_worker_that_ends_says_so_in_a_line_of_the_log(
    tmp_path: Path, how: signal.Signals, word: str
) -> None:
    bound = tmp_path / "broker/control/default.exchange"
    options = ("-Q", "default", "-c", "1", "--without-gossip", "--without-mingle")
    with running(tmp_path, "worker", *options) as worker:
        wait(bound.exists)
        time.sleep(1)
        worker.send_signal(how)
        worker.wait(20)
    assert f"worker: {word} shutdown (MainProcess)" in [line["message"] for line in lines(tmp_path)]
