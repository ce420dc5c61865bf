"""A change of engine: pictures are looked at once more, in the background, while the old
engine's vectors go on serving. Newest projects first; it can be stopped and killed at any time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic, is_transient
from core.work import Overtaken, WorkQuerySet, WorkState
from crawler.detection import match_regions
from crawler.detection import queue as detection_queue
from crawler.detection.timing import see
from crawler.engines import Engine
from crawler.engines.base import Picture as Pixels
from crawler.models import (
    Embedding,
    EmbedJob,
    EngineLook,
    EngineVersion,
    Photo,
    Picture,
    ProjectEngine,
    ProjectPhoto,
    Region,
)
from crawler.pictures import crops
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from crawler.registry import selection
from crawler.registry.versions import version
from projects.ledger import audit
from projects.lifecycle import activity as lifecycle_activity
from projects.models import Project
from wiki import pace

log = logging.getLogger(__name__)

PLANNED = 500  # looks of a project that are begun in one go


@dataclass(frozen=True)
class Progress:
    """How far a project is on its way to the engine that it is to have."""

    serving: str  # names of embedders
    wanted: str
    pictures: int  # that were looked at by any engine
    lacking: int
    set_aside: int  # that could not be looked at again; they don't hold it up

    @property
    def changing(self) -> bool:
        return self.serving != self.wanted

    @property
    def seen(self) -> int:
        """Pictures of which all is there by the engine that is wanted."""
        return self.pictures - self.lacking


def work(load: Callable[[str], Engine], seconds: float) -> bool:
    """Look at pictures again for about so long; True while some are left that are due now."""
    until = time.monotonic() + seconds
    plan()
    while time.monotonic() < until and pace.paused_until(pictures_fetch.LANE) is None:
        row = _take_next()
        if row is None:
            break
        look(row, load(row.engine.name))
    finish()
    return pace.paused_until(pictures_fetch.LANE) is None and _due().exists()


@atomic
def choose(project: Project, engine: EngineVersion | None) -> None:
    """Let a project change to an engine; None: to the deployment's, whichever it is.

    What could not be looked at is tried again.
    """
    row = selection.row_of(project)
    looks = EngineLook.objects.filter(engine=engine or selection.default())
    ProjectEngine.objects.filter(pk=row.pk).update(chosen=engine, checked=-1)
    shown = Picture.objects.filter(photos__project_photos__project=project)
    looks.filter(picture__in=shown, state=WorkState.ASIDE).requeue()
    audit(None, "project.engine", project, chosen=engine.name if engine else "")
    announce("photos-crawled")


def plan() -> None:
    """Begin the looks that projects lack; those with nothing new since the last time are left."""
    rows = {row.project_id: row for row in selection.rows()}
    for project in lifecycle_activity.awake().order_by("-pk"):
        row = rows.get(project.pk) or selection.row_of(project)
        engines = {row.serving, selection.wanted(row)}
        if len(engines) == 1 and row.checked == project.revision:
            continue
        begun = [_begin(project, engine) for engine in engines]
        if not any(begun):
            ProjectEngine.objects.filter(pk=row.pk).update(checked=project.revision)


def finish() -> None:
    """Let projects whose vectors are all there have their new engine from now on."""
    rows = selection.rows().select_related("project")
    for row in rows.exclude(project__state=Project.State.ARCHIVED):
        engine = selection.wanted(row)
        if row.serving == engine or lacking(row.project, engine).exists():
            continue
        _change(row, engine)


@atomic
def _change(row: ProjectEngine, engine: EngineVersion) -> None:
    mine = ProjectEngine.objects.filter(pk=row.pk, serving=row.serving)
    if mine.update(serving=engine, changed_at=timezone.now()):
        Project.objects.filter(pk=row.project_id).tell_learner()
        names = {"serving": engine.name, "before": row.serving.name}
        audit(None, "project.engine", row.project, **names)
        announce("pictures-detected")


def lacking(project: Project, engine: EngineVersion) -> WorkQuerySet[Picture]:
    """Pictures of a project that this engine has not looked at, or of whose faces it lacks a
    vector (a box drawn since, a face that only the other engine found)."""
    looks = EngineLook.objects.filter(picture=OuterRef("pk"), engine=engine)
    unseen = ~Q(engine=engine) & ~Exists(looks.filter(state=WorkState.DONE))
    mine = Embedding.objects.filter(region=OuterRef("pk"), engine=engine)
    waiting = EmbedJob.objects.filter(region=OuterRef("pk")).exclude(state=WorkState.DONE)
    bare = Region.objects.filter(~Exists(mine), ~Exists(waiting), picture=OuterRef("pk"))
    bare = bare.filter(replaced_by=None).exclude(origin=Region.Origin.PHOTO)
    return (
        _looked_at(project)
        .filter(unseen | Exists(bare))
        .exclude(Exists(looks.filter(state=WorkState.ASIDE)))
    )


def progress(project: Project) -> Progress:
    row = selection.row_of(project)
    engine = selection.wanted(row)
    shown = _looked_at(project)
    aside = EngineLook.objects.filter(picture__in=shown, engine=engine, state=WorkState.ASIDE)
    return Progress(
        row.serving.name,
        engine.name,
        shown.count(),
        lacking(project, engine).count(),
        aside.count(),
    )


def _looked_at(project: Project) -> WorkQuerySet[Picture]:
    live = ProjectPhoto.objects.live().filter(project=project)
    return Picture.objects.filter(pk__in=live.values("photo__picture"), state=WorkState.DONE)


def _begin(project: Project, engine: EngineVersion) -> bool:
    """The looks by an engine that a project lacks; False when it lacks none."""
    keys = list(lacking(project, engine).order_by("pk").values_list("pk", flat=True)[:PLANNED])
    if not keys:
        return False
    rows = [EngineLook(picture_id=key, engine=engine, project=project) for key in keys]
    EngineLook.objects.bulk_create(rows, ignore_conflicts=True)
    here = EngineLook.objects.filter(picture__in=keys, engine=engine)
    here.filter(state__in=(WorkState.DONE, WorkState.STOPPED)).requeue()
    return True


def _due() -> WorkQuerySet[EngineLook]:
    live = Photo.objects.filter(picture=OuterRef("picture"), state=Photo.State.LIVE)
    return EngineLook.objects.due().filter(Exists(live))


def _take_next() -> EngineLook | None:
    rows = (
        _due()
        .select_related("picture", "engine")
        .order_by(F("project").desc(nulls_last=True), "pk")
    )
    for row in rows[:10]:
        if row.spent:
            row.fail(Picture.Error.CRASHED, final=True)
        elif row.take(detection_queue.lease()):
            return row
    return None


def look_too(picture: Picture, pixels: Pixels, seen_by: str, load: Callable[[str], Engine]) -> None:
    """Look at a picture that is here anyway with the other engines that projects need."""
    for name in sorted(selection.needed_for(picture) - {seen_by}):
        row, _new = EngineLook.objects.get_or_create(picture=picture, engine=version(name))
        if row.state in (WorkState.DONE, WorkState.STOPPED):
            EngineLook.objects.filter(pk=row.pk, state=row.state).requeue()
            row.refresh_from_db()
        if row.take(detection_queue.lease()):
            look(row, load(name), pixels)


def look(row: EngineLook, engine: Engine, pixels: Pixels | None = None) -> None:
    """Look at a picture with one engine more, and settle the row one way or the other."""
    crash_point("reembed:taken")
    picture = row.picture
    try:
        if pixels is None:
            pixels = pictures_fetch.load(pictures_fetch.address_of(picture))
        _save(row, pixels, engine)
    except Unusable as error:
        pictures_fetch.set_back(row, error)
    except MemoryError as error:
        row.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        if is_transient(error):
            row.give_back()
        else:
            log.exception("picture %s by %s", picture.pk, row.engine)
            row.fail(Picture.Error.CRASHED, type(error).__name__)


def _save(row: EngineLook, pixels: Pixels, engine: Engine) -> None:
    picture = row.picture
    faces = see(engine, pixels)
    placed = match_regions.place(picture, pixels, faces, engine)
    fresh = [region for region, _ in placed if region.pk is None]
    for region in fresh:
        crops.save(region, pixels)
    crash_point("reembed:before-commit")
    try:
        _keep(row, placed, engine)
    except Overtaken:
        for region in fresh:
            crops.remove(region)
        raise
    crash_point("reembed:after-commit")


@atomic
def _keep(row: EngineLook, placed: match_regions.Placed, engine: Engine) -> None:
    row.settle_or_raise(WorkState.DONE, tries=0, error="", error_detail="")
    match_regions.keep(placed, engine)
    seen_by_projects(row.picture, row.engine)
    announce("pictures-detected")


def seen_by_projects(picture: Picture, engine: EngineVersion | None = None) -> None:
    """Let the learners of all projects that show a picture know that it changed (of those that
    this engine serves, if one is named)."""
    shown = Project.objects.filter(project_photos__photo__picture=picture)
    if engine:
        shown = shown.filter(engine_row__serving=engine)
    keys = sorted(set(shown.values_list("pk", flat=True)))
    Project.objects.filter(pk__in=keys).tell_learner()


@atomic
def forget(engine: EngineVersion) -> int | None:
    """Delete the vectors of an engine that no live project has or changes to; None if one does."""
    if engine.name in selection.needed(lifecycle_activity.live().values_list("pk", flat=True)):
        return None
    EngineLook.objects.filter(engine=engine).delete()
    Picture.objects.filter(engine=engine).update(engine=None)
    number, _ = Embedding.objects.filter(engine=engine).delete()
    return number
