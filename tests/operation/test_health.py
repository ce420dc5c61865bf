"""What probes are told: each part apart, at once, and nothing about the inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

import celery_app  # noqa: F401 - hears its signals
from bench.system import ROOT
from core import metrics as core_metrics
from core.models import Measure, WikiPace
from crawler.tasks import crawl
from sdc.models import WritingStop
from sdc.sending_rights import stops
from wiki import pace
from wikivisage.ops import health, heartbeats


def all_seen() -> None:
    heartbeats._signs.clear()
    for task in ("crawler.crawl", "crawler.detect", "crawler.tidy", "classify.infer", "sdc.write"):
        heartbeats.seen(task, by_beat=True)
    heartbeats._signs.clear()


def ready(status: int = 200) -> dict[str, Any]:
    cache.delete(health.KEY)
    answer = Client().get("/health/ready")
    assert answer.status_code == status
    found: dict[str, Any] = answer.json()
    return found


def test_alive_asks_nobody(settings: Any) -> None:
    """No `db` here: a query would be refused. Any host, no https, no session."""
    settings.SECURE_SSL_REDIRECT = True
    answer = Client(headers={"host": "10.0.0.7:8000"}).get("/health/live")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert not answer.cookies
    assert answer.headers["Cache-Control"] == "no-store"
    assert Client().post("/health/live").status_code == 405


@pytest.mark.django_db
def test_ready_tells_each_part_apart(settings: Any) -> None:
    settings.STOP_PAGE = ""
    all_seen()
    assert ready()["status"] == "ok"
    away = timezone.now() - timedelta(minutes=7)
    WikiPace.objects.filter(lane="worker:infer").update(next_at=away)
    WikiPace.objects.filter(lane="beat").delete()
    pace.pause("read", 40, "maxlag")
    stops.place(WritingStop.Source.MODERATOR, "Alice is wrong about Q7186")
    found = ready()
    assert found["status"] == "degraded"
    odd = {name: part["says"] for name, part in found["parts"].items() if part["status"] != "ok"}
    assert odd.keys() == {"workers: infer", "beat", "wiki", "writing"}
    assert odd["workers: infer"] == "No worker was seen for 7 minutes."
    assert "Alice" not in json.dumps(found)


@pytest.mark.django_db
def test_a_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    def lines() -> list[tuple[str, str]]:
        cache.delete(health.APPLIED)
        caplog.clear()
        with caplog.at_level("INFO"):
            for _ in range(3):
                ready(200 if not lacking else 503)
        return [(line.levelname, line.message) for line in caplog.records]

    rows = MigrationRecorder(connection).migration_qs
    lacking = False
    assert lines() == []
    last = rows.filter(app="sessions").latest("id")
    rows.filter(pk=last.pk).delete()
    lacking = True
    assert lines() == [("WARNING", "not ready: migrations")]
    assert lines() == []
    last.save(force_insert=True)
    lacking = False
    assert lines() == [("INFO", "ready again")]


@pytest.mark.django_db
def test_ready_is_cheap(django_assert_max_num_queries: Any) -> None:
    ready()
    with django_assert_max_num_queries(7):
        ready()
    with django_assert_max_num_queries(0):
        Client().get("/health/ready")


def test_a_task_that_raises_before_its_work_is_seen(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    """As each crawl did where HOME could not be written to, while every row looked well."""

    def refuse(budget: float) -> bool:
        raise PermissionError("/home/wikivisage/.pywikibot")

    all_seen()
    core_metrics._sums.clear()
    monkeypatch.setattr("crawler.tasks.listing_crawl.crawl", refuse)
    assert crawl.apply().state == "FAILURE"
    core_metrics.flush(at_once=True)
    part = ready()["parts"]["workers: crawl"]
    assert part == {
        "status": "degraded",
        "says": "A task failed within the last minute: see the worker's log.",
    }
    cache.clear()
    counted = 'wikivisage_task_failures_total{queue="crawl"} 1.0'
    assert counted in Client().get("/metrics").content.decode()
    Measure.objects.update(at=timezone.now() - heartbeats.FAILING)
    assert ready()["parts"]["workers: crawl"]["status"] == "ok"


BROKEN = """
import json, sys, django
django.setup()
from django.test import Client
from django.core.management import call_command
browser = Client()
for path in ("/health/live", "/health/ready", "/metrics"):
    answer = browser.get(path, headers={"Authorization": "Bearer short"})
    print(json.dumps([answer.status_code, answer.content.decode()]))
try:
    call_command("doctor", quick=True, json=True)
except SystemExit as end:
    print(json.dumps(end.code))
"""


@pytest.mark.process
def test_without_database_and_broker_it_says_so_and_nothing_more() -> None:
    """A real process whose servers are not there, and whose settings are those of nobody."""
    pytest.importorskip("MySQLdb")  # the extra [mariadb]
    environment = os.environ | {
        "DATABASE_URL": "mysql://canary:hunter2@127.0.0.1:1/canary",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "WIKI": "commons",
        "SITE_URL": "https://canary.example.org",
        "DJANGO_SETTINGS_MODULE": "wikivisage.settings",
        "SECRET_KEY": "x" * 40,
        "METRICS_TOKEN": "short",
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BROKEN],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    live, ready, metrics, *findings, code = ran.stdout.splitlines()
    assert json.loads(live)[0] == 200
    status, body = json.loads(ready)
    assert status == 503
    parts = json.loads(body)["parts"]
    assert parts["database"] == {"status": "failed", "says": "The database does not answer."}
    assert parts["migrations"]["status"] == "failed"
    assert parts["broker"]["status"] == "degraded"
    for secret in ("canary", "hunter2", "127.0.0.1", "2002", "Error"):
        assert secret not in body
    status, body = json.loads(metrics)
    assert status == 200
    assert "wikivisage_database_up 0.0" in body
    assert json.loads(code) == 1
    told = {(each["about"], each["status"]): each for each in json.loads("\n".join(findings))}
    for about in ("database", "broker", "keys", "workers and beat"):
        assert told[about, "fail"]["do"]
    says = {each["says"] for each in json.loads("\n".join(findings)) if each["about"] == "settings"}
    wanted = ("E002", "E004", "W003", "W004", "W005", "W006", "wikivisage.W009", "security.W009")
    assert [each for each in wanted if not any(each in line for line in says)] == []
    assert "hunter2" not in ran.stdout + ran.stderr
