"""A message that is none of ours ends no worker: it is dropped and counted, whatever it is.

One real worker meets them all, on Redis or on files, whichever the run uses.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.db.models import Sum

from celery_app import app
from core import metrics
from core.models import Measure
from wikivisage.runtime.beat import Scheduler
from wikivisage.runtime.wakeups import Unreadable, rebuild

QUEUE, TASK = "default", "sdc.switch"
OPTIONS = ("-Q", QUEUE, "-c", "1", "--without-gossip", "--without-mingle")


def wakeup(**headers: Any) -> dict[str, Any]:
    name = str(uuid4())
    return {
        "body": "W1tdLCB7fSwge31d",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"lang": "py", "task": TASK, "id": name, "expires": None, **headers},
        "properties": {
            "delivery_tag": str(uuid4()),
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "body_encoding": "base64",
        },
    }


def without(*path: str) -> dict[str, Any]:
    message = wakeup()
    inner: Any = message
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return message


NO_JSON = [
    b"garbage{", b"", b"\xff\xfe\x00", b"[" * 200_000,
    b'{"__type__": "datetime", "__value__": 5}',
]  # fmt: skip
NO_WAKEUPS: list[Any] = [
    None, [], {}, 7, "words", True, [[None]], {"headers": None}, {"headers": [], "properties": 1},
    without("headers"), without("properties"), without("headers", "task"),
    without("headers", "id"), without("properties", "delivery_tag"),
    wakeup(task="os.system"), wakeup(task="sdc.write"), wakeup(task=["a"]), wakeup(id="../x"),
    wakeup(expires="never"), wakeup(expires=7), wakeup(expires="2026-01-01T00:00:00"),
    {"filler": "x" * 5_000_000},
]  # fmt: skip
PICKLED = {**wakeup(), "content-type": "application/x-python-serialize"}
ODD = [  # our task's name, and more than that: only the name counts
    {**PICKLED, "headers": {**PICKLED["headers"], "id": str(uuid4())}},
    {**wakeup(timelimit="none", eta="soon", retries="x"), "body": "not base64", "body_encoding": 1},
    wakeup(chord={"task": "os.system"}, stamps=7, group=[1]),
]


def test_all_that_beat_sends_is_a_wakeup(tmp_path: Path) -> None:
    """Its schedule as beat sets it up, with what Celery adds by itself."""
    scheduler = Scheduler(app, schedule_filename=str(tmp_path / "beat"))
    tasks = [str(entry.task) for entry in scheduler.schedule.values()]
    scheduler.close()
    assert sorted(tasks) == sorted(settings.PIPELINE_TASKS)
    for task in tasks:
        queue = str(app.amqp.router.route({}, task)["queue"].name)
        assert rebuild(wakeup(task=task), queue)["headers"]["task"] == task


@pytest.mark.parametrize("message", NO_WAKEUPS, ids=lambda message: repr(message)[:30])
def test_what_is_no_wakeup_of_this_queue_is_unreadable(message: Any) -> None:
    before = copy.deepcopy(message)
    with pytest.raises(Unreadable) as told:
        rebuild(message, QUEUE)
    assert message == before
    assert "os.system" not in str(told.value), "nothing of it is told"


def test_a_wakeup_keeps_its_task_its_id_and_its_expiry_alone() -> None:
    forged = wakeup(expires="2027-01-01T00:00:00+00:00", kwargsrepr="{'a': 1}", eta="2027-01-01")
    forged["body"] = '[[1], {"a": 2}, {"chain": [{"task": "os.system"}]}]'
    message = rebuild(forged, QUEUE)
    kept = forged["headers"]
    assert {name: message["headers"][name] for name in ("task", "id", "expires")} == {
        name: kept[name] for name in ("task", "id", "expires")
    }
    assert message["headers"]["eta"] is None
    assert json.loads(message["body"])[:2] == [[], {}]
    assert "os.system" not in json.dumps(message)
    assert rebuild(message, QUEUE) == message, "also when it is put back and taken again"


class Files:
    """The broker of files that this test run uses."""

    folder = settings.BROKER_DIR / "queue"
    number = 0

    def put(self, raw: bytes) -> None:
        Files.number += 1
        (self.folder / f"{Files.number}_{uuid4()}.{QUEUE}.msg").write_bytes(raw)

    def put_no_files(self) -> int:
        """Put what has the name of a message and is no file; return how many."""
        (self.folder / f"1_folder.{QUEUE}.msg").mkdir()
        (self.folder / f"1_endless.{QUEUE}.msg").symlink_to("/dev/zero")
        return 2

    def is_empty(self) -> bool:
        return not list(self.folder.glob(f"*.{QUEUE}.msg"))

    def keep_unconfirmed(self, raw: bytes) -> int:
        return 0  # what was taken is gone

    def spoil(self, key: str) -> int:
        return 0  # there are no keys

    def is_spoiled(self) -> bool:
        return False


class Redis:
    """The Redis that this test run uses, under its prefix."""

    def __init__(self) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL)
        self.prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]

    def put(self, raw: bytes) -> None:
        self.client.lpush(f"{self.prefix}{QUEUE}", raw)

    def put_no_files(self) -> int:
        return 0

    def is_empty(self) -> bool:
        return not self.client.llen(f"{self.prefix}{QUEUE}")

    def keep_unconfirmed(self, raw: bytes) -> int:
        """As if a worker that died long ago had taken it."""
        self.client.hset(f"{self.prefix}unacked", f"tag-{raw!r}", raw)
        self.client.zadd(f"{self.prefix}unacked_index", {f"tag-{raw!r}": 1.0})
        return 1

    def spoil(self, key: str) -> int:
        """Put another type under a key of kombu's; return how many were spoiled."""
        self.client.delete(f"{self.prefix}{key}")
        if key == QUEUE:
            self.client.hset(f"{self.prefix}{key}", "a", "b")
        else:
            self.client.set(f"{self.prefix}{key}", "garbage")
        return 1

    def is_spoiled(self) -> bool:
        found = [self.client.type(f"{self.prefix}{key}") for key in KEYS if key != QUEUE]
        return b"string" in found


USED = (QUEUE, "unacked", "unacked_index")  # keys of Redis that each wake-up needs
KEYS = (*USED, f"_kombu.binding.{QUEUE}", f"_kombu.binding_permanent.{QUEUE}")


@contextmanager
def worker(log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "--quiet", "-A", "celery_app", "worker", *OPTIONS],
            cwd=settings.BASE_DIR, env=os.environ | {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"},
            stdout=out, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.process
def test_a_worker_drops_and_counts_them_and_goes_on(shared_database: str, tmp_path: Path) -> None:
    broker: Files | Redis = Redis() if settings.REDIS_URL else Files()
    log, last = tmp_path / "log", str(uuid4())
    unreadable = [*NO_JSON, *(json.dumps(message).encode() for message in NO_WAKEUPS)]
    dropped = len(unreadable) + broker.put_no_files()
    for raw in (b"garbage{", b"null", b'[[], "", "default"]'):
        dropped += broker.keep_unconfirmed(raw)
    for raw in unreadable:
        broker.put(raw)
    for message in ODD:
        broker.put(json.dumps(message).encode())
    app.send_task(TASK, queue=QUEUE, task_id=last)
    with worker(log) as process:
        ends = time.monotonic() + 60
        while f"{TASK}[{last}] succeeded" not in log.read_text() or not broker.is_empty():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.2)
        process.terminate()
        process.wait(20)
    text = log.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["message"] for line in lines if line["level"] in ("ERROR", "CRITICAL")] == []
    assert sum("is dropped" in line["message"] for line in lines) in range(1, 9), "not one each"
    assert "os.system" not in text
    for message in ODD:
        assert f"{TASK}[{message['headers']['id']}] succeeded" in text
    counted = Measure.objects.filter(name="messages_dropped").aggregate(n=Sum("value"))["n"]
    assert counted == dropped


@pytest.mark.process
def test_keys_of_another_type_are_dropped_and_counted(shared_database: str, tmp_path: Path) -> None:
    """At the start of a worker, and while it is at work."""
    broker: Files | Redis = Redis() if settings.REDIS_URL else Files()
    log = tmp_path / "log"
    spoiled = sum(broker.spoil(key) for key in KEYS)
    with worker(log) as process:

        def wait_until(is_true: Callable[[], bool]) -> None:
            ends = time.monotonic() + 60
            while not is_true():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.1)

        wait_until(lambda: not broker.is_spoiled())
        for key in USED:
            spoiled += broker.spoil(key)
            done = str(uuid4())
            app.send_task(TASK, queue=QUEUE, task_id=done)
            wait_until(partial(is_done, log, done))
        process.terminate()
        process.wait(20)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["message"] for line in lines if line["level"] in ("ERROR", "CRITICAL")] == []
    metrics.flush(at_once=True)  # what this process dropped
    counted = Measure.objects.filter(name="messages_dropped").aggregate(n=Sum("value"))["n"]
    assert (counted or 0) == spoiled


def is_done(log: Path, task: str) -> bool:
    return f"{TASK}[{task}] succeeded" in log.read_text()
