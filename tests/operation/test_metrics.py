"""What Prometheus reads: who may, what is there, what it costs, and that the alerts use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import yaml
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from bench.system import ROOT
from core import metrics as core_metrics
from core.models import Measure
from core.work import WorkState
from crawler.models import CrawlStep, Picture
from projects.models import Project, User
from sdc.batches import services as batches
from tests.classify.faces import Cast, add_photo
from tests.conftest import MakeProject
from wiki import pace
from wikivisage.ops import metrics

pytestmark = pytest.mark.django_db
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
OURS = re.compile(r"\bwikivisage_\w+")
LEASE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    core_metrics._sums.clear()
    yield
    core_metrics._sums.clear()


def scrape() -> tuple[dict[tuple[str, ...], float], set[str]]:
    """Samples by name and sorted labels, and the names that exist, samples or not."""
    core_metrics.flush(at_once=True)
    cache.clear()
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    samples, names = {}, set()
    for family in text_string_to_metric_families(answer.content.decode()):
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        names |= {family.name + end for end in ends.get(family.type, ("",))}
        for each in family.samples:
            samples[each.name, *sorted(f"{key}={value}" for key, value in each.labels.items())] = (
                each.value
            )
    return samples, names


def settle(row: Any, state: str, **fields: Any) -> None:
    assert row.take(LEASE)
    row.settle(state, **fields)


def test_only_this_machine_or_who_has_the_token(settings: Any) -> None:
    assert Client().get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="203.0.113.7").get("/metrics").status_code == 404
    assert Client(headers={"X-Forwarded-For": "203.0.113.7"}).get("/metrics").status_code == 404
    assert Client(headers={"X-Real-IP": "203.0.113.7"}).get("/metrics").status_code == 404
    for host in ("evil.example", "[", "[::1", "127.0.0.1.evil.example"):
        assert Client(headers={"host": host}).get("/metrics").status_code == 404
    assert Client(headers={"host": "[::1]:8000"}).get("/metrics").status_code == 200
    for site in ("https://wikivisage.example.org", "http://wikivisage.example.org"):
        settings.SITE_URL = site  # a proxy in front that adds no header, as nginx unless told to
        assert Client().get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "a token of many letters"
    assert Client().get("/metrics").status_code == 404
    wrong = {"Authorization": "Bearer a token of many lettérs"}
    assert Client(headers=wrong).get("/metrics").status_code == 404
    right = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    told = Client(REMOTE_ADDR="203.0.113.7", headers=right | {"host": "web:8000"}).get("/metrics")
    assert told.status_code == 200


def test_what_waits_and_how_work_ended(
    make_project: MakeProject, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    project = make_project(alice)
    add_photo(project, [Cast().face("marie")])
    picture = Picture.objects.get()
    Picture.objects.filter(pk=picture.pk).update(
        state=WorkState.QUEUED, due_at=timezone.now() - timedelta(minutes=9)
    )
    found, _names = scrape()
    assert found["wikivisage_work_due", "step=detect"] == 1
    assert 530 < found["wikivisage_work_oldest_seconds", "step=detect"] < 600
    assert found["wikivisage_worker_seen_seconds", "queue=crawl"] == float("inf")
    picture.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        settle(picture, WorkState.ASIDE, error="broken")
    pace.pause("read", 30, "maxlag")
    core_metrics.flush("detect", at_once=True)
    found, _names = scrape()
    assert found["wikivisage_work_due", "step=detect"] == 0
    assert found["wikivisage_wiki_pause_seconds", "lane=read"] > 25
    assert found["wikivisage_wiki_pauses_total", "lane=read", "reason=maxlag"] == 1
    ended = ("outcome=aside", "reason=broken", "step=detect")
    assert found["wikivisage_step_outcomes_total", *ended] == 1
    lag = {key[1]: value for key, value in found.items() if key[0].endswith("lag_seconds_bucket")}
    assert lag["le=300.0"] == 0
    assert lag["le=1800.0"] == lag["le=+Inf"] == 1
    assert [key for key in found if "queue=detect" in key and "resident" in key[0]]


def test_of_a_paused_project_nothing_is_too_old(make_project: MakeProject, alice: User) -> None:
    project = make_project(alice)
    add_photo(project, [])
    long_ago = timezone.now() - timedelta(days=3)
    Picture.objects.update(state=WorkState.QUEUED, due_at=long_ago)
    CrawlStep.objects.update(state=WorkState.QUEUED, due_at=long_ago)
    Project.objects.update(state=Project.State.PAUSED)
    found, _names = scrape()
    old = {key for key, value in found.items() if key[0].endswith("oldest_seconds") and value}
    assert old == set()


def test_a_rolled_back_end_counts_nothing(make_project: MakeProject, alice: User) -> None:
    project = make_project(alice)
    add_photo(project, [])
    picture = Picture.objects.get()
    Picture.objects.update(state=WorkState.QUEUED)
    picture.refresh_from_db()
    with transaction.atomic():
        settle(picture, WorkState.DONE)
        transaction.set_rollback(True)
    assert not core_metrics._sums


def test_processes_add_up_and_codes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for _process in range(2):
        core_metrics.add("outcomes", step="crawl", outcome="again", reason="Alice said; DROP")
        core_metrics.flush(at_once=True)
    row = Measure.objects.get()
    assert (row.labels, row.value) == ("outcome=again;reason=other;step=crawl", 2.0)
    monkeypatch.setattr(core_metrics, "MOST", 1)
    core_metrics.add("outcomes", step="crawl", outcome="again", reason="new")
    core_metrics.flush(at_once=True)
    assert Measure.objects.count() == 1


def test_a_scrape_costs_few_queries_and_none_of_faces(
    make_project: MakeProject, alice: User, django_assert_max_num_queries: Any
) -> None:
    project = make_project(alice)
    for _photo in range(3):
        add_photo(project, [Cast().face("marie")])
    batches.call_writer(alice)
    cache.clear()
    with django_assert_max_num_queries(22) as asked:
        Client().get("/metrics")
    large = ("region", "embedding", "score", "label", "answer", "question")
    tables = [f'_{name}"' for name in large] + [f"_{name}`" for name in large]
    assert not [each["sql"] for each in asked if any(table in each["sql"] for table in tables)]
    with django_assert_max_num_queries(0):
        Client().get("/metrics")


def test_every_alert_uses_what_is_there_and_says_what_to_do() -> None:
    _found, names = scrape()
    headings = set(re.findall(r"^### (\w+)$", (ROOT / "docs/operations.md").read_text(), re.M))
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    alerts = {rule["alert"]: rule for rule in group["rules"]}
    assert alerts.keys() == headings, "each has its section"
    for name, rule in alerts.items():
        used = set(OURS.findall(rule["expr"]))
        assert used <= names, (name, used - names)
        assert used or "up{" in rule["expr"]
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{name.lower()}"
    documented = set(OURS.findall((ROOT / "docs/operations.md").read_text()))
    assert documented <= names | {each.removesuffix("_bucket") for each in names}
    example = yaml.safe_load(RULES.with_name("prometheus.yml").read_text())
    assert example["scrape_configs"][0]["metrics_path"] == "/metrics"


def test_requests_are_counted_by_route_not_by_address(client_of: Any, alice: User) -> None:
    client_of(alice).get("/p/Canary_Q7186/?who=alice")
    client_of(alice).get("/nothing/Canary")
    page = Client().get("/metrics").content.decode()
    assert 'route="project",status="4xx"' in page
    assert 'route="none",status="4xx"' in page
    for secret in ("Canary", "Q7186", "lice"):
        assert secret not in page
    assert metrics.LOOPBACK
