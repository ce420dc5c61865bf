"""From an address to pixels: downloading and decoding under limits.

Whatever goes wrong ends as `Unusable` with a code from `Picture.Error`, so that a person can
read why a photo was set aside.
"""

from __future__ import annotations

import io
import time
from contextlib import suppress
from datetime import timedelta

import numpy as np
import requests
from django.conf import settings
from django.utils import timezone
from PIL import Image, ImageOps, UnidentifiedImageError

from crawler.engines.base import Picture as Pixels
from crawler.models import Photo, Picture
from projects import http, pace
from projects.http import WikiError
from projects.work import WorkRow, WorkState

LANE = "picture"
ACCEPT = "image/jpeg,image/png,image/webp,image/gif"
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# A thumbnail 960 px wide is seldom higher than this many pixels allow; HOG takes 4x as many
# after upsampling, some 2 s and 400 MB.
LOOK_PIXELS = 4_000_000
OUTAGE_PAUSE = 5  # seconds
UNTOLD_PAUSE = 10  # seconds, where the wiki is busy and doesn't say for how long

Error = Picture.Error


class Unusable(Exception):
    """This picture can't be looked at. `permanent`: trying again would not help.

    `wait` is in seconds: the wiki asked for it, and the failure is not the picture's. `pause`,
    seconds and why, is for all who download (see `heed`).
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        permanent: bool = True,
        wait: float | None = None,
        pause: tuple[float, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = str(code)
        self.detail = detail
        self.permanent = permanent
        self.wait = wait
        self.pause = pause


def set_back(row: WorkRow, error: Unusable) -> None:
    """Settle what can't be looked at now: for later, or aside with its reason."""
    heed(error)
    if error.wait is None:
        row.fail(error.code, error.detail, final=error.permanent)
        return
    # The wiki is busy; that is not the picture's fault and costs it no try.
    row.settle(
        WorkState.QUEUED,
        tries=max(row.tries - 1, 0),
        due_at=timezone.now() + timedelta(seconds=error.wait),
        error=error.code,
        error_detail=error.detail,
    )


def address_of(picture: Picture) -> str:
    """The thumbnail of a page that shows the picture now. Raises Unusable."""
    photo = Photo.objects.filter(picture=picture, state=Photo.State.LIVE).order_by("pk").first()
    if photo is None:
        raise Unusable(Error.GONE, "no page shows it any more")
    return photo.thumb_url


def load(url: str) -> Pixels:
    """The upright picture at an address as height x width x 3 RGB. Raises Unusable.

    MemoryError passes through: the caller knows what else is in memory.
    """
    return decode(download(url))


def download(url: str) -> bytes:
    """The bytes at an address of our wiki, at the pace of the lane "picture". Raises Unusable."""
    if url:
        pace.wait_turn(LANE, settings.PICTURES_A_MINUTE)
    try:
        return fetch(url)
    except Unusable as error:
        heed(error)
        raise


def heed(error: Unusable) -> None:
    """What the wiki says to one worker holds for all of them."""
    if error.pause:
        pace.pause(LANE, *error.pause)


def fetch(url: str) -> bytes:
    """The same at once, without a word to the database: for a thread whose turn is reserved."""
    if not url:
        raise Unusable(Error.NO_THUMBNAIL, "the wiki gave no address for it")
    try:
        response = http.fetch("GET", url, stream=True, headers={"Accept": ACCEPT})
    except WikiError as error:
        raise _unusable(error) from error
    with response:
        _check_status(response)
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith("image/"):
            raise Unusable(Error.NOT_A_PICTURE, f"the wiki says it is {kind or 'nothing known'}")
        return _body(response)


def _unusable(error: WikiError) -> Unusable:
    if error.code == "forbidden-host":
        return Unusable(Error.FORBIDDEN_HOST, error.text)
    # When nothing answers, it isn't tried on all of them.
    pause = (OUTAGE_PAUSE, "network")
    return Unusable(Error.NETWORK, error.text, permanent=False, pause=pause)


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    detail = f"HTTP {status}"
    if status in (404, 410):
        raise Unusable(Error.GONE, detail)
    if status in (429, 503):
        told = http.retry_after_of(response)
        wait = UNTOLD_PAUSE if told is None else min(max(told, 1), 3600)
        pause = (wait, f"http-{status}")
        raise Unusable(Error.NETWORK, detail, permanent=False, wait=wait, pause=pause)
    raise Unusable(Error.NO_THUMBNAIL, detail, permanent=status < 500)


def _body(response: requests.Response) -> bytes:
    limit, until = settings.PICTURE_MAX_BYTES, time.monotonic() + settings.PICTURE_SECONDS / 2
    told = response.headers.get("Content-Length", "")
    if told.isdigit() and int(told) > limit:
        raise Unusable(Error.TOO_MANY_BYTES, f"{int(told)} bytes")
    data = bytearray()
    try:
        for chunk in response.iter_content(65536):
            data += chunk
            if len(data) > limit:
                raise Unusable(Error.TOO_MANY_BYTES, f"more than {limit} bytes")
            if time.monotonic() > until:
                raise Unusable(Error.NETWORK, "the download was too slow", permanent=False)
    except requests.RequestException as error:
        raise Unusable(Error.NETWORK, type(error).__name__, permanent=False) from error
    return bytes(data)


def decode(data: bytes) -> Pixels:
    """Upright RGB pixels, no more than we look at. Raises Unusable and MemoryError.

    The format is told from the content; the first frame of an animation stands for it.
    """
    image = _opened(data)
    try:
        image.draft(None, _target(image.size))  # JPEG decodes at 1/2, 1/4, 1/8 by itself
        pixels = np.asarray(_shrunk(_rgb(_upright(image))))
    except MemoryError:
        raise
    except Exception as error:  # Pillow raises whatever its decoders stumble over
        raise Unusable(Error.BROKEN, str(error)) from error
    finally:
        image.close()
    return np.ascontiguousarray(pixels, dtype=np.uint8)


def _opened(data: bytes) -> Image.Image:
    """The picture with its size read but no pixel decoded."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise Unusable(Error.TOO_LARGE, str(error)) from error
    except UnidentifiedImageError as error:
        raise Unusable(Error.NOT_A_PICTURE, "no format we know") from error
    except MemoryError:
        raise
    except Exception as error:  # a broken header
        raise Unusable(Error.BROKEN, str(error)) from error
    width, height = image.size
    if width * height > settings.PICTURE_MAX_PIXELS:
        raise Unusable(Error.TOO_LARGE, f"{width} x {height} pixels")
    return image


def _target(size: tuple[int, int]) -> tuple[int, int]:
    """Not larger than the step we look at, nor with more pixels than we look at.

    What we ask for is a thumbnail at that step; only odd answers of the wiki are larger.
    """
    width, height = size
    scale = min(settings.DETECT_WIDTH / min(size), (LOOK_PIXELS / (width * height)) ** 0.5)
    return (max(1, round(width * scale)), max(1, round(height * scale))) if scale < 1 else size


def _shrunk(image: Image.Image) -> Image.Image:
    size = _target(image.size)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _upright(image: Image.Image) -> Image.Image:
    """In place: a picture that stands upright already is not copied."""
    with suppress(ValueError, SyntaxError, TypeError, KeyError):  # EXIF that makes no sense
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _from_deep(image)
    if _has_alpha(image):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16 bits a pixel, or a scale of its own, brought to 8; Pillow would clip it to white."""
    values = np.asarray(image).astype(np.float32)
    top = 65535.0 if image.mode != "F" else float(values.max() or 1)
    return Image.fromarray((np.clip(values / top, 0, 1) * 255).astype(np.uint8)).convert("RGB")
