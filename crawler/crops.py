"""Small crops of regions: files made at detection, bounded by last use, made again when asked."""

from __future__ import annotations

import io
import logging
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from PIL import Image

from crawler import pictures
from crawler.engines.base import Box
from crawler.engines.base import Picture as Pixels
from crawler.models import Photo, Region
from projects import pace

log = logging.getLogger(__name__)

SIDE = 160  # pixels
AIR = 0.4  # of the box's longer side, half of it on each side


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

    None when the wiki doesn't give the thumbnail now.
    """
    path = path_of(region)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if pace.paused_until(pictures.LANE):  # no page waits as long as a pause may last
            return None
        try:
            return save(region, pictures.load(photo.thumb_url))
        except (pictures.Unusable, MemoryError):
            return None
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > 3600:
            os.utime(path)  # the time of its last use, to the hour
    return data


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
