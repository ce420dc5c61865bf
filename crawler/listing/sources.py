"""Sources of a project that stands: added, taken away, read again, watched for new uploads."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import F, Max, Q, QuerySet
from django.dispatch import Signal
from django.utils import timezone

from core.events import announce
from core.transactions import atomic
from core.work import WorkState
from crawler.models import CrawlStep, ProjectPhoto
from projects.creation.services import MAX_SOURCES, too_many
from projects.creation.source_lookup import Kind, Place, clean
from projects.ledger import audit
from projects.live.pulse import beat
from projects.models import Project, Source, User
from projects.privacy import denylist
from projects.privacy.denylist import refuse_project

log = logging.getLogger(__name__)

EVERY = timedelta(days=1)  # a watched source is looked at
WATCH, ASKED = "watch", "asked"  # why a listing is read again: see listing.Page.fresh
WATCHABLE = (Kind.CATEGORY, Kind.SEARCH, Kind.UPLOADER, Kind.DEPICTS)
# Projects whose watched sources are looked at: of a completed one what is found waits, unseen.
WATCHING = (Project.State.ACTIVE, Project.State.COMPLETED)
BEGUN_AT_ONCE = 20  # watches that one wake-up begins
# Photos whose source is gone leave: receivers get `project` and `photos` (keys) within the
# transaction. What `staying` returns as a set of keys stays; `gone` says which have left.
staying, gone = Signal(), Signal()


@atomic
def add(project: Project, place: Place, by: User) -> Source:
    """Add a source, which is read soon. Call `source_lookup.look_up` before, outside of the
    transaction. Raises Refused."""
    refuse_project(project)
    value = clean(place.kind, place.value)
    if place.kind == Kind.CATEGORY:
        denylist.refuse_category(value)
    if place.kind == Kind.DEPICTS:
        value = project.person.qid
    _hold(project)  # two tabs do not pass the bound
    chosen = project.sources.exclude(kind=Kind.FILE)
    if not chosen.filter(kind=place.kind, value=value).exists() and chosen.count() >= MAX_SOURCES:
        raise too_many()
    source, new = Source.objects.get_or_create(
        project=project, kind=place.kind, value=value, defaults={"depth": place.depth}
    )
    if new:
        audit(by, "source.added", project, f"source:{source.pk}", place=Place(*place).key)
        announce("source-added")
    elif source.depth < place.depth:
        Source.objects.filter(pk=source.pk).update(depth=place.depth)
        CrawlStep.objects.filter(source=source, title=value).update(depth=place.depth)
        recrawl(project, by, source)
    beat(project.pk)
    return source


@atomic
def remove(source: Source, by: User) -> None:
    """Take a source away. Its photos leave once the others were read again and did not bring
    them; those that people answered stay."""
    project = source.project
    _hold(project)
    if not Source.objects.filter(pk=source.pk).exists():
        return  # somebody was quicker
    mine = ProjectPhoto.objects.filter(project=project, source=source)
    mine.update(source=None, round=ProjectPhoto.LEAVING)
    audit(by, "source.removed", project, f"source:{source.pk}", place=f"{source.kind}:{source}")
    source.delete()
    if project.sources.exists():
        recrawl(project, by)
    else:
        let_go(project)
    Project.objects.filter(pk=project.pk).tell_learner()
    beat(project.pk)


@atomic
def let_go(project: Project) -> int:
    """The photos whose source was taken away and that nothing brought again leave the project,
    but for those that people answered. Returns how many left."""
    mine = ProjectPhoto.objects.filter(project=project, round=ProjectPhoto.LEAVING)
    leaving = set(mine.values_list("photo", flat=True))
    if not leaving:
        return 0
    stay: set[int] = set()
    for _receiver, keys in staying.send(Project, project=project, photos=leaving):
        stay |= set(map(int, keys or ()))
    mine.filter(photo__in=stay).update(round=1)
    mine.filter(is_portrait=True).update(round=1)
    leaving = set(mine.values_list("photo", flat=True))
    mine.delete()
    gone.send(Project, project=project, photos=leaving)
    log.info("project %s: %d photos left with their source", project.pk, len(leaving))
    return len(leaving)


@atomic
def recrawl(project: Project, by: User | None = None, only: Source | None = None) -> None:
    """Read all sources again, or one: what is new is added, what changed is updated, what is gone
    from the wiki is withdrawn. A crawl that still runs begins anew."""
    _hold(project)
    sources = project.sources.filter(pk=only.pk) if only else project.sources.all()
    everything = CrawlStep.objects.filter(source__project=project)
    number = 1 + (everything.aggregate(last=Max("round"))["last"] or 0)
    steps = CrawlStep.objects.filter(source__in=sources)
    roots = Q(title=F("source__value"))
    # What is below is queued again when it is found again.
    _restart(steps.exclude(roots), state=WorkState.STOPPED)
    read = list(steps.filter(roots, state=WorkState.DONE).values_list("pk", flat=True))
    _restart(steps.filter(roots), state=WorkState.QUEUED, round=number)
    CrawlStep.objects.filter(pk__in=read).update(cursor={"fresh": ASKED})
    for source in sources:
        CrawlStep.objects.get_or_create(source=source, title="")
    _restart(steps.filter(title=""), state=WorkState.QUEUED, round=number)
    audit(by, "project.recrawled", project, round=number)
    announce("source-added")
    beat(project.pk)


def _hold(project: Project) -> None:
    """Lock the project until the transaction ends, before any of its sources and steps."""
    Project.objects.select_for_update().get(pk=project.pk)


def _restart(steps: QuerySet[CrawlStep], **fields: object) -> None:
    """The attempt grows, so that whoever works on a step now is overtaken."""
    steps.update(
        attempt=F("attempt") + 1,
        tries=0,
        cursor={},
        files=0,
        others=0,
        error="",
        error_detail="",
        lease_until=None,
        due_at=timezone.now(),
        **fields,
    )


@atomic
def watch(source: Source, by: User, on: bool) -> None:
    """Look at a source once a day from now on, or no more."""
    if source.kind not in WATCHABLE:
        return
    due_at = timezone.now() if on else None
    others = Source.objects.filter(pk=source.pk, watched=not on)
    if not others.update(watched=on, watch_due_at=due_at):
        return
    action = "source.watched" if on else "source.unwatched"
    audit(by, action, source.project, f"source:{source.pk}")
    announce("source-added")
    beat(source.project_id)


def begin_watches() -> None:
    """Have the newest files of watched sources read that are due. Only what was read to its end
    before: what is being read finds them anyway."""
    now = timezone.now()
    due = Source.objects.filter(watched=True, watch_due_at__lte=now)
    for source in due.filter(project__state__in=WATCHING)[:BEGUN_AT_ONCE]:
        _begin_watch(source)


@atomic
def _begin_watch(source: Source) -> None:
    mine = Source.objects.filter(pk=source.pk, watch_due_at=source.watch_due_at)
    if mine.update(watch_due_at=timezone.now() + EVERY):  # else another worker was quicker
        _read_newest(source)


def _read_newest(source: Source) -> None:
    read = CrawlStep.objects.filter(source=source, state=WorkState.DONE).exclude(title="")
    read.update(
        state=WorkState.QUEUED,
        attempt=F("attempt") + 1,
        tries=0,
        cursor={"part": "new", "fresh": WATCH},
        due_at=timezone.now(),
    )
    unread = CrawlStep.objects.filter(source=source, state=WorkState.ASIDE)
    unread.exclude(error="denied").requeue()
