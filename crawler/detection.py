"""Looking at one picture: download, decode, find faces, and commit what was found."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crawler import crops, pictures, vectors
from crawler.engines import Engine, Face
from crawler.engines.base import Picture as Pixels
from crawler.engines.boxes import overlap
from crawler.models import Embedding, Picture, Region
from crawler.pictures import Unusable
from crawler.turns import Turns
from projects import pace
from projects.faults import crash_point
from projects.models import Project
from projects.pipeline import announce
from projects.work import Overtaken, WorkState

log = logging.getLogger(__name__)

SAME_PLACE = 0.9  # overlap from which a face found again is the region that we have


def detect(engine: Callable[[], Engine], seconds: float) -> bool:
    """Look at pictures for about so long; True while some are left that are due now.

    `engine` is called only when there is work: loading one takes a second.
    """
    until = time.monotonic() + seconds
    turns = Turns()
    if not turns.projects():
        return False
    ready = engine()  # before a picture is taken: that it can't be loaded is no picture's fault
    while time.monotonic() < until:
        if pace.paused_until(pictures.LANE):
            return False
        picture = turns.take_next()
        if picture is None:
            return False
        look(picture, ready)
    return True


def look(picture: Picture, engine: Engine) -> None:
    """Look at a picture that this worker took, and settle it one way or the other."""
    crash_point("detect:taken")
    try:
        pixels = pictures.load(pictures.address_of(picture))
        crash_point("detect:downloaded")
        faces = engine.look(pixels, upsample=settings.DETECT_UPSAMPLE)
        save(picture, pixels, faces, engine)
    except Unusable as error:
        log.info("picture %s: %s", picture.pk, error)
        pictures.set_back(picture, error)
    except MemoryError as error:
        picture.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        log.exception("picture %s", picture.pk)
        picture.fail(Picture.Error.CRASHED, type(error).__name__)


def save(picture: Picture, pixels: Pixels, faces: list[Face], engine: Engine) -> None:
    """Regions, vectors and crops of a picture, in one transaction with its outcome.

    Raises Overtaken when this worker slept past its lease: nothing of it is kept then.
    """
    places = _places(picture, pixels, faces, engine)
    fresh = [region for region in places if region.pk is None]
    for region in places:
        crops.save(region, pixels)
    crash_point("detect:before-commit")
    try:
        with transaction.atomic():
            picture.settle_or_raise(
                WorkState.DONE,
                detector=engine.detector,
                faces=len(faces),
                looked_at=timezone.now(),
                tries=0,
                error="",
                error_detail="",
            )
            for region in fresh:
                region.save()
            Embedding.objects.filter(region__in=places, engine=engine.name).delete()
            Embedding.objects.bulk_create(
                vectors.of(region, face, engine.name)
                for region, face in zip(places, faces, strict=True)
            )
            seen_by_projects(picture)
            announce("pictures-detected")
    except Overtaken:
        for region in fresh:
            crops.remove(region)
        raise
    crash_point("detect:after-commit")


def seen_by_projects(picture: Picture) -> None:
    """Let the learners of all projects that show a picture know that it changed."""
    shown = Project.objects.filter(project_photos__photo__picture=picture)
    keys = sorted(set(shown.values_list("pk", flat=True)))
    Project.objects.filter(pk__in=keys).tell_learner()


def _places(picture: Picture, pixels: Pixels, faces: list[Face], engine: Engine) -> list[Region]:
    """A region for each face: the one we have where it was found before, else a new one."""
    known = list(picture.regions.filter(origin=Region.Origin.DETECTOR))
    regions = []
    for face in faces:
        same = next((one for one in known if overlap(one.box, face.box) >= SAME_PLACE), None)
        if same:
            known.remove(same)
        regions.append(same or _region(picture, face, engine))
    return regions


def _region(picture: Picture, face: Face, engine: Engine) -> Region:
    x, y, w, h = face.box
    return Region(
        picture=picture,
        origin=Region.Origin.DETECTOR,
        x=x,
        y=y,
        w=w,
        h=h,
        score=face.score,
        face_px=face.height_px,
        detector=engine.detector,
    )
