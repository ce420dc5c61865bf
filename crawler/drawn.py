"""Vectors and crops of the boxes that people drew."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.db import transaction

from crawler import crops, pictures, turns, vectors
from crawler.engines import Engine
from crawler.models import EmbedJob, Picture, Region
from crawler.pictures import Unusable
from projects import denials, pace
from projects.faults import crash_point
from projects.models import Project
from projects.pipeline import announce
from projects.work import Overtaken, WorkQuerySet, WorkState

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
    return _due().exists()


def _due() -> WorkQuerySet[EmbedJob]:
    active = EmbedJob.objects.due().filter(project__state=Project.State.ACTIVE)
    return active.exclude(project__person__qid__in=denials.denied_qids())


def _take_next() -> EmbedJob | None:
    for job in _due().select_related("region__picture", "project").order_by("due_at")[:10]:
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
        pixels = pictures.load(pictures.address_of(region.picture))
        face = engine.embed(pixels, region.box)
        crops.save(region, pixels)
        crash_point("embed:before-commit")
        with transaction.atomic():
            job.settle_or_raise(WorkState.DONE, tries=0, error="", error_detail="")
            Region.objects.filter(pk=region.pk).update(
                face_px=face.height_px, detector=engine.detector
            )
            vectors.save(region, face, engine.name)
            Project.objects.filter(pk=job.project_id).tell_learner()
            announce("region-embedded")
        crash_point("embed:after-commit")
    except Unusable as error:
        pictures.set_back(job, error)
    except MemoryError as error:
        job.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        log.exception("drawn box %s", job.pk)
        job.fail(Picture.Error.CRASHED, type(error).__name__)
