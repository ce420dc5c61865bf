"""Looking at one picture: download, decode, find faces, and commit what was found."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.utils import timezone

from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic, is_transient
from core.work import Overtaken, WorkState
from crawler.detection import match_regions, reembed
from crawler.detection.queue import Turns
from crawler.detection.timing import see
from crawler.engines import Engine, Face
from crawler.engines.base import Picture as Pixels
from crawler.models import Picture, ProjectPhoto
from crawler.pictures import crops
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from crawler.pictures.prefetch import Ahead
from crawler.registry import selection
from crawler.registry.versions import version
from projects.live.pulse import beat
from wiki import pace

log = logging.getLogger(__name__)

Load = Callable[[str], Engine]  # by name, as `crawler.engines.load`
LATE = 4.0  # seconds after its time at which a task lets go what it has downloaded


def detect(load: Load, seconds: float) -> bool:
    """Look at pictures for about so long; True while some are left that are due now.

    Engines are loaded only when there is work: loading one takes a second.
    """
    until = time.monotonic() + seconds
    turns = Turns()
    waiting = turns.projects()
    if not waiting:
        return False
    for name in selection.needed(waiting):
        load(name)  # before a picture is taken: that it can't be loaded is no picture's fault
    with Ahead(turns, settings.PICTURES_AHEAD) as ahead:
        while time.monotonic() < (until + LATE if len(ahead) else until):
            if pace.paused_until(pictures_fetch.LANE):
                return False
            taken = ahead.take_next()
            if taken is None:
                return False
            picture, data = taken

            def download(
                picture: Picture = picture, data: Callable[[], bytes] = data.result
            ) -> bytes:
                got = data()
                crash_point("detect:downloaded")
                if time.monotonic() < until:
                    ahead.fill(picture)
                return got

            look(picture, load(selection.first_for(picture)), load, download)
    return True


def look(
    picture: Picture,
    engine: Engine,
    load: Load | None = None,
    download: Callable[[], bytes] | None = None,
) -> None:
    """Look at a picture that this worker took, and settle it one way or the other.

    With `load` also with the engines of other projects that show it, since it's here now.
    """
    crash_point("detect:taken")
    try:
        data = (
            download() if download else pictures_fetch.download(pictures_fetch.address_of(picture))
        )
        pixels = pictures_fetch.decode(data)
        faces = see(engine, pixels)
        save(picture, pixels, faces, engine)
    except Unusable as error:
        log.info("picture %s: %s", picture.pk, error)
        pictures_fetch.set_back(picture, error)
    except MemoryError as error:
        picture.fail(Picture.Error.MEMORY, str(error))
    except Overtaken as error:
        log.info("overtaken: %s", error)
    except Exception as error:
        if is_transient(error):
            picture.give_back()
        else:
            log.exception("picture %s", picture.pk)
            picture.fail(Picture.Error.CRASHED, type(error).__name__)
    else:
        if load:
            reembed.look_too(picture, pixels, engine.name, load)
        return
    shown = ProjectPhoto.objects.filter(photo__picture=picture).values_list("project", flat=True)
    beat(*shown.distinct())  # it waits, or is set aside


def save(picture: Picture, pixels: Pixels, faces: list[Face], engine: Engine) -> None:
    """Regions, vectors and crops of a picture, in one transaction with its outcome.

    Raises Overtaken when this worker slept past its lease: nothing of it is kept then.
    """
    placed = match_regions.place(picture, pixels, faces, engine)
    fresh = [region for region, _ in placed if region.pk is None]
    for region, _ in placed:
        crops.save(region, pixels)
    crash_point("detect:before-commit")
    try:
        _keep(picture, len(faces), placed, engine)
    except Overtaken:
        for region in fresh:
            crops.remove(region)
        raise
    crash_point("detect:after-commit")


@atomic
def _keep(picture: Picture, faces: int, placed: match_regions.Placed, engine: Engine) -> None:
    picture.settle_or_raise(
        WorkState.DONE,
        detector=version(engine.detector.name),
        engine=version(engine.name),
        faces=faces,
        looked_at=timezone.now(),
        tries=0,
        error="",
        error_detail="",
    )
    match_regions.keep(placed, engine)
    reembed.seen_by_projects(picture)
    announce("pictures-detected")
