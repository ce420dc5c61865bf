"""What supervisors and load balancers ask. What is told is told to everybody: a word for each part
and a plain sentence, never a host, a version or an error's text.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.utils import timezone
from django.views.decorators.http import require_safe

from wikivisage.middleware.unavailable import RETRY_AFTER
from wikivisage.ops import backlog, heartbeats, schema_history

OK, DEGRADED, FAILED = "ok", "degraded", "failed"
NEEDED = ("database", "migrations")  # without which it makes no sense to serve pages
KEPT = 3  # seconds for which an answer is given again
KEY, APPLIED = "health-ready", "health-migrations-applied"
LITTLE_ROOM = 500_000_000  # bytes
NO_ROOM = 50_000_000
PATIENCE = 1.0  # seconds for a broker that does not answer
log = logging.getLogger(__name__)
_failed: tuple[str, ...] = ()  # of NEEDED, when last asked

# Answered before any other middleware: by whatever host name, without https, without a session.
ADDRESSES = ("/health", "/health/live", "/health/ready", "/metrics")


@dataclass(frozen=True)
class Part:
    status: str
    says: str


class Probes:
    """Middleware that answers probes at once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info not in ADDRESSES:
            return self.get_response(request)
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponse = match.func(request)
        response.headers["Cache-Control"] = "no-store"
        return response


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is looked at."""
    return JsonResponse({"status": OK})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Each part apart. 503 only where serving pages makes no sense."""
    parts = cache.get(KEY)
    if parts is None:
        parts = look()
        cache.set(KEY, parts, KEPT)
    found = {part.status for part in parts.values()}
    serves = all(parts[name].status == OK for name in NEEDED)
    status = FAILED if not serves else OK if found == {OK} else DEGRADED
    told = {name: {"status": part.status, "says": part.says} for name, part in parts.items()}
    response = JsonResponse({"status": status, "parts": told}, status=200 if serves else 503)
    _log_change(tuple(name for name in NEEDED if parts[name].status != OK))
    if not serves:
        response["Retry-After"] = str(RETRY_AFTER)
        response._has_been_logged = True  # type: ignore[attr-defined]  # not by Django, each time
    return response


def _log_change(failed: tuple[str, ...]) -> None:
    """Log what pages lack, once until it changes."""
    global _failed
    if failed == _failed:
        return
    _failed = failed
    if failed:
        log.warning("not ready: %s", ", ".join(failed))
    else:
        log.info("ready again")


def look() -> dict[str, Part]:
    """All parts. Those that ask the database are left out while it does not answer."""
    parts = {"database": database()}
    if parts["database"].status == OK:
        parts["migrations"] = migrations()
    else:
        parts["migrations"] = Part(FAILED, "Nobody knows: the database does not answer.")
    parts |= {"broker": broker(), "cache": cache_works(), "disk": disk()}
    if all(parts[name].status == OK for name in NEEDED):
        parts |= {f"workers: {queue}": part for queue, part in of_queues().items()}
        parts |= {"beat": beat(), "wiki": wiki(), "writing": writing()}
    return parts


def database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return Part(FAILED, "The database does not answer.")
    return Part(OK, "The database answers.")


def migrations() -> Part:
    lacking, is_earlier = True, False
    try:
        lacking = not _are_applied()
        is_earlier = lacking and schema_history.is_earlier(connection)
    except DatabaseError:
        pass
    if is_earlier:
        return Part(FAILED, schema_history.SENTENCE)
    if lacking:
        return Part(FAILED, "The database lacks migrations: run manage.py migrate.")
    return Part(OK, "All migrations are applied.")


def broker() -> Part:
    try:
        knock_at_broker()
    except (OSError, redis.RedisError):
        return Part(DEGRADED, "The broker does not answer: work begins late or not at all.")
    return Part(OK, "The broker answers.")


def knock_at_broker() -> None:
    """Raises OSError, redis.RedisError."""
    if settings.REDIS_URL:
        with broker_client() as client:
            client.ping()
    else:
        with tempfile.NamedTemporaryFile(dir=settings.BROKER_DIR / "queue", suffix=".part"):
            pass


def broker_client() -> redis.Redis:
    patience = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    return redis.Redis.from_url(settings.REDIS_URL, **patience)


def cache_works() -> Part:
    key = f"health-{os.getpid()}"
    try:
        cache.set(key, "kept", 10)
        works = cache.get(key) == "kept"
    except Exception:  # whatever a cache's client raises
        works = False
    if works:
        return Part(OK, "The cache keeps what it is given.")
    return Part(DEGRADED, "The cache keeps nothing: pages take longer.")


def disk() -> Part:
    try:
        free, _total = backlog.disk()
    except OSError:
        return Part(DEGRADED, "The folder of data can't be read.")
    if free < NO_ROOM:
        return Part(DEGRADED, "The disk is full: nothing can be downloaded or kept.")
    if free < LITTLE_ROOM:
        return Part(DEGRADED, "There is little room left on the disk.")
    return Part(OK, "There is room on the disk.")


def of_queues() -> dict[str, Part]:
    now = timezone.now()
    failing = heartbeats.failing()
    found = {}
    for queue, at in heartbeats.last_seen().items():
        if at is None:
            found[queue] = Part(DEGRADED, "No worker of this queue was ever seen.")
        elif now - at > heartbeats.PATIENCE:
            minutes = int((now - at).total_seconds() // 60)
            found[queue] = Part(DEGRADED, f"No worker was seen for {minutes} minutes.")
        elif queue in failing:
            found[queue] = Part(
                DEGRADED, "A task failed within the last minute: see the worker's log."
            )
        else:
            found[queue] = Part(OK, "A worker was seen lately.")
    return found


def beat() -> Part:
    at = heartbeats.beat_seen()
    if at is None or timezone.now() - at > heartbeats.PATIENCE:
        return Part(DEGRADED, "Nothing of beat was seen lately: what is due later stays undone.")
    return Part(OK, "Beat was seen lately.")


def wiki() -> Part:
    if seconds := max(backlog.pauses().values(), default=0.0):
        return Part(DEGRADED, f"The wiki asked to wait; {seconds:.0f} seconds are left.")
    return Part(OK, "The wiki did not ask to wait.")


def writing() -> Part:
    holding = {source for (source,), holds in backlog.stopped().items() if holds}
    if backlog.UNREAD in holding:
        return Part(DEGRADED, "Nothing is written, since the wiki's stop page can't be read.")
    if holding:
        return Part(DEGRADED, "All writing is stopped by people.")
    return Part(OK, "Writing is not stopped.")


def _are_applied() -> bool:
    """Once they are, they stay: this very code does not lack any later on."""
    if not cache.get(APPLIED):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        cache.set(APPLIED, True, None)
    return True
