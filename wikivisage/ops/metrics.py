"""What Prometheus reads at /metrics. See docs/decisions/0017-metrics-rest-in-the-database.md.

Of the work the database tells: how much waits and for how long (`wikivisage.ops.backlog`), and what
workers counted (`core.metrics`). Web requests are counted in the web processes themselves.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from core import metrics as core_metrics
from core.models import Measure
from wikivisage.ops import backlog

KEPT = 10  # seconds for which what the database said is shown again
KEY = "metrics"
LOOPBACK = ("127.0.0.1", "::1")
PROXY_HEADERS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")

requests = Histogram(
    "wikivisage_request_seconds",
    "Web requests by the name of their route",
    ["route", "status"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
memory = Gauge(
    "wikivisage_web_resident_bytes",
    "Memory of each web process",
    multiprocess_mode="liveall",
)

# name of a measure -> what it is called outside, what it says, and by which labels
HISTOGRAMS = {
    "step": ("wikivisage_step_seconds", "From taking a piece of work to its end", ["step"]),
    "lag": ("wikivisage_step_lag_seconds", "From when work was due to its end", ["step"]),
}
COUNTERS = {
    "outcomes": (
        "wikivisage_step_outcomes",
        "Pieces of work that ended, or were put back with a reason",
        ["step", "outcome", "reason"],
    ),
    core_metrics.TASK_FAILURES: (
        "wikivisage_task_failures",
        "Tasks that raised an error, often before they took any work",
        ["queue"],
    ),
    "messages_dropped": (
        "wikivisage_messages_dropped",
        "Messages in our queues that were no wake-ups of ours, and keys of another type",
        [],
    ),
    "counts_dropped": (
        "wikivisage_counts_dropped",
        "Counts of limits that were no numbers, and began again",
        [],
    ),
    "vectors_misplaced": (
        "wikivisage_vectors_misplaced",
        "Vectors that were not sealed for the face at which they stood, and are made again",
        [],
    ),
    "pauses": ("wikivisage_wiki_pauses", "Times the wiki made us wait", ["lane", "reason"]),
    "engine_pictures": ("wikivisage_engine_pictures", "Pictures looked at", ["engine"]),
    "engine_faces": ("wikivisage_engine_faces", "Faces found", ["engine"]),
    "engine_seconds": ("wikivisage_engine_seconds", "Time of looking at pictures", ["engine"]),
}
EDITS = {"write": "add", "undo": "take back"}  # by their steps


class Requests:
    """Middleware: how long each request takes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = (match.view_name if match else "") or "none"
        # A crop that has to be made first is no failure: who asks is told when to ask again.
        comes_later = route == "crop" and response.status_code == 503
        status = "later" if comes_later else f"{response.status_code // 100}xx"
        requests.labels(route, status).observe(time.perf_counter() - begun)
        memory.set(core_metrics.resident())
        return response


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For who brings the token; where none is set, see `_may_read`. 404 for all others."""
    if not _may_read(request):
        raise Http404
    body = _of_database() + generate_latest(_of_web())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}")
    # Behind a proxy everybody comes from this machine, and some proxies add no header. So without
    # a token only a site that is for this machine alone is open, as `make run` makes it.
    if urlsplit(settings.SITE_URL).hostname not in (*LOOPBACK, "localhost"):
        return False
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    # a name of somebody's that leads to this machine misleads a browser, which then sends it
    host, _port = split_domain_port(request.headers.get("Host", "localhost"))
    is_ours = host.strip("[]") in (*LOOPBACK, "localhost")
    return is_ours and request.META.get("REMOTE_ADDR") in LOOPBACK and not proxied


def _of_web() -> CollectorRegistry:
    """What the web processes count: all of them, if gunicorn.conf.py gave them a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _of_database() -> bytes:
    """What the rows say; of a database that does not answer, that."""
    known: bytes | None = cache.get(KEY)
    if known is not None:
        return known
    try:
        body = b"".join(generate_latest(_registry(each)) for each in (Up(1.0), Work()))
    except DatabaseError:
        return generate_latest(_registry(Up(0.0)))
    cache.set(KEY, body, KEPT)
    return body


def _registry(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


class Up(Collector):
    def __init__(self, value: float) -> None:
        self.value = value

    def collect(self) -> Iterator[Metric]:
        about = "Whether the database answers"
        yield GaugeMetricFamily("wikivisage_database_up", about, value=self.value)


class Work(Collector):
    def collect(self) -> Iterator[Metric]:
        for name, about, labels, samples in backlog.gauges():
            gauge = GaugeMetricFamily(f"wikivisage_{name}", about, labels=labels)
            for values, number in samples.items():
                gauge.add_metric(list(values), number)
            yield gauge
        rows: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for name, text, value in Measure.objects.exclude(name=core_metrics.GAUGE).values_list(
            "name", "labels", "value"
        ):
            rows[name].append((core_metrics.labels_of(text), value))
        for measure, (name, about, labels) in COUNTERS.items():
            counter = CounterMetricFamily(name, about, labels=labels)
            for told, value in rows[measure]:
                counter.add_metric([told.get(label, "") for label in labels], value)
            yield counter
        yield _edits(rows["outcomes"])
        for measure, (name, about, labels) in HISTOGRAMS.items():
            yield _histogram(name, about, labels, rows[f"{measure}_bucket"], rows[f"{measure}_sum"])
        yield _memory()


def _edits(outcomes: list[tuple[dict[str, str], float]]) -> Metric:
    counter = CounterMetricFamily(
        "wikivisage_edits",
        "Edits that were tried, by what became of them",
        labels=["kind", "outcome", "reason"],
    )
    for told, value in outcomes:
        if kind := EDITS.get(told["step"]):
            counter.add_metric([kind, told["outcome"], told.get("reason", "")], value)
    return counter


def _histogram(
    name: str,
    about: str,
    labels: list[str],
    counts: list[tuple[dict[str, str], float]],
    sums: list[tuple[dict[str, str], float]],
) -> Metric:
    """Workers count each in its bucket; Prometheus wants to know how many are there or below."""
    found = HistogramMetricFamily(name, about, labels=labels)
    by_labels: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for told, value in counts:
        by_labels[tuple(told[label] for label in labels)][told["le"]] = value
    total = {tuple(told[label] for label in labels): value for told, value in sums}
    for values, each in by_labels.items():
        until, buckets = 0.0, []
        for bound in (*map(str, core_metrics.BUCKETS), "+Inf"):
            until += each.get(bound, 0.0)
            buckets.append((bound, until))
        found.add_metric(list(values), buckets, total.get(values, 0.0))
    return found


def _memory() -> Metric:
    gauge = GaugeMetricFamily(
        "wikivisage_worker_resident_bytes",
        "Memory of each worker process",
        labels=["queue", "process"],
    )
    fresh = Measure.objects.filter(
        name=core_metrics.GAUGE, at__gt=timezone.now() - core_metrics.GONE
    )
    for text, value in fresh.values_list("labels", "value"):
        told = core_metrics.labels_of(text)
        gauge.add_metric([told["queue"], told["process"]], value)
    return gauge
