"""Vectors and crops of the boxes that people drew."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic, is_transient
from core.work import Overtaken, WorkQuerySet, WorkState
from crawler.detection import embeddings, match_regions
from crawler.detection import queue as detection_queue
from crawler.engines import Engine, Face
from crawler.models import EmbedJob, EngineVersion, Picture, Region
from crawler.pictures import crops, freshness
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from crawler.pictures.hashing import face_hash
from crawler.registry import selection
from crawler.registry.versions import version
from projects.models import Project
from projects.privacy import denylist
from wiki import pace

log = logging.getLogger(__name__)


def embed(load: Callable[[str], Engine], seconds: float) -> bool:
    """Work on drawn boxes for about so long; True while some are left that are due now.

    Engines are loaded only when there is work: loading one takes a second.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and pace.paused_until(pictures_fetch.LANE) is None:
        job = _take_next()
        if job is None:
            return False
        look(job, load)
    return _due().exists()


def _due() -> WorkQuerySet[EmbedJob]:
    # a box is drawn by a person, so a completed project gets its vector, too
    reviewed = (Project.State.ACTIVE, Project.State.COMPLETED)
    active = EmbedJob.objects.due().filter(project__state__in=reviewed)
    return active.exclude(project__subject__person__qid__in=denylist.denied_qids())


def _take_next() -> EmbedJob | None:
    for job in _due().select_related("region__picture", "project").order_by("due_at")[:10]:
        if job.spent:
            job.fail(Picture.Error.CRASHED, final=True)
        elif job.take(detection_queue.lease()):
            return job
    return None


def look(job: EmbedJob, load: Callable[[str], Engine]) -> None:
    """The vector and crop of one drawn box, by each engine that a project with it needs, from the
    pixels that were drawn on. A box whose picture can't be had keeps its place, and waits or is
    set aside with the reason."""
    crash_point("embed:taken")
    region = job.region
    first = selection.serving(job.project)
    others = (selection.needed_for(region.picture) | selection.needed([job.project_id])) - {
        first.name
    }
    try:
        photo = pictures_fetch.page_of(region.picture)
        pixels = pictures_fetch.load_shown(photo)
        freshness.check(photo)  # afterwards: what was loaded before is what was drawn on
        engine = load(first.name)
        face = engine.embed(pixels, region.box)
        more = {name: load(name).embed(pixels, region.box) for name in sorted(others)}
        phash = face_hash(pixels, region.box)
        crops.save(region, pixels)
        crash_point("embed:before-commit")
        detector = version(engine.detector.name)
        _keep(job, region, phash, detector, {first.name: face, **more})
        crash_point("embed:after-commit")
    except Unusable as error:
        pictures_fetch.set_back(job, error)
    except MemoryError as error:
        job.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        if is_transient(error):
            job.give_back()
        else:
            log.exception("drawn box %s", job.pk)
            job.fail(Picture.Error.CRASHED, type(error).__name__)


@atomic
def _keep(
    job: EmbedJob, region: Region, phash: str, detector: EngineVersion, faces: dict[str, Face]
) -> None:
    """Save a drawn face; the first of `faces` is the serving engine's."""
    first = next(iter(faces.values()))
    job.settle_or_raise(WorkState.DONE, tries=0, error="", error_detail="")
    Region.objects.filter(pk=region.pk).update(
        face_px=first.height_px,
        detector=detector,
        landmarks=match_regions.rounded(first.landmarks),
        quality=first.quality,
        phash=phash,
    )
    for name, face in faces.items():
        embeddings.save(region, face, version(name))
    Project.objects.filter(pk=job.project_id).tell_learner()
    announce("region-embedded")
