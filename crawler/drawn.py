"""Vectors and crops of the boxes that people drew."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import transaction
from django.db.models import F

from crawler import crops, pictures, turns, vectors
from crawler.engines import Engine
from crawler.models import EmbedJob, Photo, Picture, Region
from crawler.pictures import Unusable
from projects import pace
from projects.faults import crash_point
from projects.models import Project
from projects.pipeline import announce
from projects.work import Overtaken, WorkState

log = logging.getLogger(__name__)


def embed(engine: Callable[[], Engine], seconds: float) -> bool:
    """Work on drawn boxes for about so long; True while some are left that are due now.

    `engine` is called only when there is work: loading one takes a second.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and pace.paused_until(pictures.LANE) is None:
        job = _take_next()
        if job is None:
            return False
        look(job, engine())
    return EmbedJob.objects.due().exists()


def _take_next() -> EmbedJob | None:
    due = EmbedJob.objects.due().select_related("region__picture", "project").order_by("due_at")
    for job in due[:10]:
        if job.spent:
            job.fail(Picture.Error.CRASHED, final=True)
        elif job.take(turns.lease()):
            return job
    return None


def look(job: EmbedJob, engine: Engine) -> None:
    """The vector and crop of one drawn box. A box whose picture can't be had keeps its place,
    and waits or is set aside with the reason."""
    crash_point("embed:taken")
    region = job.region
    try:
        pixels = pictures.load(_address(region))
        face = engine.embed(pixels, region.box)
        crops.save(region, pixels)
        crash_point("embed:before-commit")
        with transaction.atomic():
            job.settle_or_raise(WorkState.DONE, tries=0, error="", error_detail="")
            Region.objects.filter(pk=region.pk).update(
                face_px=face.height_px, detector=engine.detector
            )
            vectors.save(region, face, engine.name)
            Project.objects.filter(pk=job.project_id).update(revision=F("revision") + 1)
            announce("region-embedded")
        crash_point("embed:after-commit")
    except Unusable as error:
        job.fail(error.code, error.detail, final=error.permanent)
    except MemoryError as error:
        job.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)


def _address(region: Region) -> str:
    photo = Photo.objects.filter(picture=region.picture, state=Photo.State.LIVE).first()
    if photo is None:
        raise Unusable(Picture.Error.GONE, "no page shows it any more")
    return photo.thumb_url
