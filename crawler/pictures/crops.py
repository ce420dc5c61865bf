"""Small crops of regions: files made at detection, bounded by last use, made again when asked."""

from __future__ import annotations

import io
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from PIL import Image

from crawler.engines.base import Box
from crawler.engines.base import Picture as Pixels
from crawler.models import Photo, ProjectPhoto, Region
from crawler.pictures import fetch as pictures_fetch
from projects.lifecycle import activity as lifecycle_activity
from wiki import pace

log = logging.getLogger(__name__)

SIDE = 160  # pixels
AIR = 0.4  # of the box's longer side, half of it on each side
# Threads of a web process that make crops at a time: the others are there for pages.
MAKERS = 2
LONGEST = 3.0  # seconds that one of them waits for its turn at the wiki
SOON = 2.0  # seconds until somebody is told to ask again, where the wiki says nothing else

_in_work: set[int] = set()  # pictures by their keys
_lock = threading.Lock()


def path_of(region: Region) -> Path:
    name = region.public_id
    return Path(settings.CROPS_DIR, name[:2], f"{name}.jpg")


def cut(pixels: Pixels, box: Box) -> bytes:
    """A JPEG of at most 160 x 160 pixels: the box with air round it, square where there is room."""
    height, width = pixels.shape[:2]
    left, top, w, h = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    side = max(w, h) * (1 + AIR)
    x, wide = _span(left + w / 2, side, width)
    y, high = _span(top + h / 2, side, height)
    patch = Image.fromarray(pixels[y : y + high, x : x + wide])
    scale = SIDE / max(wide, high)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    out = io.BytesIO()
    patch.resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=85, optimize=True)
    return out.getvalue()


def _span(centre: float, side: float, limit: int) -> tuple[int, int]:
    """Start and length of a stretch round a centre, moved (or cut) to stay in the picture."""
    length = max(1, min(round(side), limit))
    return min(max(round(centre - side / 2), 0), limit - length), length


def save(region: Region, pixels: Pixels) -> bytes:
    """Make a region's crop and keep it; readers see the whole file or none. While the disk is
    full none is kept: it is made again when it is wanted."""
    data = cut(pixels, region.box)
    try:
        _keep(path_of(region), data)
    except OSError as error:
        log.warning("a crop could not be kept: %s", error)
    return data


def _keep(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def remove(region: Region) -> None:
    path_of(region).unlink(missing_ok=True)


def read(region: Region, photo: Photo) -> bytes | None:
    """A region's crop, made again from the photo's thumbnail where the folder dropped it.

    None when the wiki doesn't give the thumbnail. Raises pace.Later where it can't be made at once.
    """
    path = path_of(region)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        with _one_of_few(region.picture_id):
            return _make(region, photo)
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > 3600:
            os.utime(path)  # the time of its last use, to the hour
    return data


@contextmanager
def _one_of_few(picture_id: int) -> Iterator[None]:
    """Raises pace.Later where enough threads make crops, or one those of this picture."""
    with _lock:
        if picture_id in _in_work or len(_in_work) >= MAKERS:
            raise pace.Later(SOON)
        _in_work.add(picture_id)
    try:
        yield
    finally:
        with _lock:
            _in_work.remove(picture_id)


def _make(region: Region, photo: Photo) -> bytes | None:
    """By one download also the crops of the faces beside it, which the same page may want."""
    try:
        pixels = pictures_fetch.load(photo.thumb_url, LONGEST)
        for other in _lacking_beside(region):
            save(other, pixels)
        return save(region, pixels)
    except pictures_fetch.Unusable as error:
        if error.pause:  # of the wiki, not of this picture
            raise pace.Later(error.pause[0]) from error
        return None
    except MemoryError:
        return None


def _lacking_beside(region: Region) -> list[Region]:
    """The other faces of the picture without a crop, while a project works on it: what is kept of
    sleeping projects is for `classify.retention` to say, so there only what is asked for is made.
    """
    shown = ProjectPhoto.objects.live().filter(photo__picture=region.picture_id)
    if not shown.filter(project__in=lifecycle_activity.awake()).exists():
        return []
    faces = Region.objects.filter(picture=region.picture_id, replaced_by=None)
    others = faces.exclude(pk=region.pk).exclude(origin=Region.Origin.PHOTO)
    return [other for other in others if not path_of(other).exists()]


def trim(max_bytes: int) -> int:
    """Drop what was not used for longest until the folder fits; returns how many went."""
    files = []
    for entry in settings.CROPS_DIR.glob("*/*"):
        with suppress(FileNotFoundError):  # a worker may remove one at any moment
            stat = entry.stat()
            files.append((stat.st_mtime, stat.st_size, entry))
    size = sum(length for _, length, _ in files)
    dropped = 0
    for _, length, entry in sorted(files):
        if size <= max_bytes:
            break
        entry.unlink(missing_ok=True)
        size -= length
        dropped += 1
    return dropped
