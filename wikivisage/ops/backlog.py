"""How much work waits at each step, for how long, and what holds it back: for /metrics and health.

All of it are few queries along indexes, whatever the number of faces: no table is read through.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import inf

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, F, Min, Q
from django.utils import timezone

from classify.models import Bootstrap, Learner
from core.models import WikiPace
from core.work import WorkQuerySet, WorkState
from crawler.models import CrawlStep, EmbedJob, EngineLook, Photo, Picture, ProjectPhoto
from projects.models import Project
from projects.privacy import objections
from sdc.models import ClaimAttempt, Watch, WritingStop
from sdc.sending_rights import stop_page, stops
from sdc.writing import rate_buckets, scheduler
from wikivisage.ops import heartbeats

Labels = tuple[str, ...]
Gauge = tuple[str, str, list[str], dict[Labels, float]]  # name, what it says, labels, samples

LOOKED_AT = 2000  # pictures that wait longest, among which the oldest is looked for
SLOW = 300  # seconds for which what changes slowly is shown again
ACTIVE = Project.State.ACTIVE
PAUSED_LANES = ("read", "picture", rate_buckets.EVERYBODY)
UNREAD = "page-unread"  # the stop page can't be read, so that nothing is written


def gauges() -> Iterator[Gauge]:
    waiting = {name: _waiting(rows) for name, rows in _due().items()}
    oldest = {name: at for name, (_number, at) in waiting.items()} | {"detect": _oldest_picture()}
    due: dict[Labels, float] = {(name,): float(number) for name, (number, _at) in waiting.items()}
    yield "work_due", "Pieces of work that could be done now", ["step"], due
    ages: dict[Labels, float] = {(name,): _since(at) for name, at in oldest.items()}
    yield "work_oldest_seconds", "How long the oldest of them waits", ["step"], ages
    yield "attempts_in_doubt", "Edits of which nobody knows whether they were made", [], _doubts()
    yield "worker_seen_seconds", "Since a worker of a queue was seen", ["queue"], _workers_seen()
    yield "beat_seen_seconds", "Since a wake-up of beat came to a worker", [], _beat_seen()
    yield "wiki_pause_seconds", "How long a wiki still wants us to wait", ["lane"], _pauses()
    yield "next_edit_seconds", "Until somebody may make the next edit", [], _next_edit()
    yield "writing_stopped", "Whether all writing is stopped, and by what", ["source"], stopped()
    yield "objections", "Objections that wait for an answer", ["standing"], _objections()
    watched = cache.get_or_set("watched-statements", _watched, SLOW) or {}
    yield "watched_statements", "Statements of ours by what became of them", ["finding"], watched
    free, total = disk()
    yield "disk_free_bytes", "Room in the folder of data", [], {(): free}
    yield "disk_bytes", "All of the room there", [], {(): total}
    cap = float(settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD * 1000)
    yield "worker_memory_cap_bytes", "At which a worker process is replaced", [], {(): cap}


def disk() -> tuple[float, float]:
    """Bytes free and in all where the data is."""
    usage = shutil.disk_usage(settings.DATA_DIR)
    return float(usage.free), float(usage.total)


def stopped() -> dict[Labels, float]:
    """Source of a stop of everything -> 1 while it holds, else 0."""
    sources = [WritingStop.Source.MODERATOR.value, WritingStop.Source.PAGE.value]
    everything = stops.active().filter(scope=WritingStop.Scope.EVERYTHING)
    holding = set(everything.values_list("source", flat=True))
    here = WikiPace.objects.filter(wiki=settings.WIKI.code, lane=stop_page.LANE)
    if settings.STOP_PAGE and here.filter(reason=stop_page.UNREAD).exists():
        holding.add(UNREAD)
    return {(source,): float(source in holding) for source in (*sources, UNREAD)}


def pauses() -> dict[str, float]:
    """Lane -> seconds for which the wiki still wants all of us to wait there."""
    now = timezone.now()
    rows = WikiPace.objects.filter(wiki=settings.WIKI.code, lane__in=PAUSED_LANES)
    until = dict(rows.values_list("lane", "paused_until"))
    return {lane: max(0.0, (at - now).total_seconds()) for lane, at in until.items() if at}


def _due() -> dict[str, WorkQuerySet]:  # type: ignore[type-arg]
    """Step -> rows that a worker may take now, as far as that is cheap to say."""
    behind = Learner.objects.exclude(revision=F("project__revision"))
    resting = Q(due_at__lte=timezone.now()) & ~Q(state=WorkState.RUNNING)
    mine = Q(source__project__state=ACTIVE)
    watched = Q(source__project__state=Project.State.COMPLETED, source__watched=True)
    return {
        "crawl": CrawlStep.objects.due().filter(mine | watched).exclude(title=""),
        "detect": Picture.objects.due(),
        "embed": EmbedJob.objects.due().filter(project__state=ACTIVE),
        "look": EngineLook.objects.due(),
        "bootstrap": Bootstrap.objects.due().filter(project__state=ACTIVE),
        "infer": behind.filter(resting, project__state=ACTIVE),
        "write": scheduler.open_attempts().due(),
        "watch": Watch.objects.due(),
    }


def _waiting(rows: WorkQuerySet) -> tuple[int, datetime | None]:  # type: ignore[type-arg]
    found = rows.aggregate(number=Count("pk"), oldest=Min("due_at"))
    return found["number"], found["oldest"]


def _oldest_picture() -> datetime | None:
    """Of those that an active project waits for; the others are due and may wait for ever."""
    due = Picture.objects.due().order_by("due_at").values_list("pk", "due_at")[:LOOKED_AT]
    since = dict(due)
    live = ProjectPhoto.objects.live().filter(project__state=ACTIVE)
    awaited = live.filter(photo__in=Photo.objects.filter(picture__in=list(since)))
    found = awaited.values_list("photo__picture", flat=True)
    return min((since[picture] for picture in found if picture in since), default=None)


def _since(at: datetime | None) -> float:
    return max(0.0, (timezone.now() - at).total_seconds()) if at else 0.0


def _age(at: datetime | None) -> float:
    """Of a sign; endless where there never was one."""
    return _since(at) if at else inf


def _doubts() -> dict[Labels, float]:
    open_ = ClaimAttempt.objects.filter(state__in=(WorkState.QUEUED, WorkState.RUNNING))
    confirmed = open_.filter(batch__confirmed_at__isnull=False)
    return {(): float(confirmed.filter(in_doubt=True).count())}


def _workers_seen() -> dict[Labels, float]:
    return {(queue,): _age(at) for queue, at in heartbeats.last_seen().items()}


def _beat_seen() -> dict[Labels, float]:
    return {(): _age(heartbeats.beat_seen())}


def _pauses() -> dict[Labels, float]:
    found = pauses()
    return {(lane,): found.get(lane, 0.0) for lane in PAUSED_LANES}


def _next_edit() -> dict[Labels, float]:
    """Of the users with something to send, whoever may go on first."""
    users = scheduler.open_attempts().values_list("batch__user", flat=True).distinct()
    their = [f"{rate_buckets.EVERYBODY}:{user}" for user in users]
    if not their:
        return {(): 0.0}
    all_wait = max(pauses().get(lane, 0.0) for lane in (rate_buckets.EVERYBODY, "read"))
    return {(): max(all_wait, _opens_first(their))}


def _opens_first(names: Iterable[str]) -> float:
    rows = WikiPace.objects.filter(wiki=settings.WIKI.code, lane__in=list(names))
    now, none = timezone.now(), timedelta()
    waits = [max(row.next_at - now, (row.paused_until or now) - now, none) for row in rows]
    return min(waits, default=none).total_seconds()


def _objections() -> dict[Labels, float]:
    rows = {"open": objections.open_ones(), "overdue": objections.overdue()}
    return {(standing,): float(each.count()) for standing, each in rows.items()}


def _watched() -> dict[Labels, float]:
    rows = Watch.objects.order_by().values_list("finding").annotate(number=Count("pk"))
    found = dict(rows)
    return {(each,): float(found.get(each, 0)) for each in Watch.Finding.values}
