"""From an address to pixels: downloading and decoding under limits.

Whatever goes wrong ends as `Unusable` with a code from `Picture.Error`, so that a person can
read why a photo was set aside.
"""

from __future__ import annotations

import io
import logging
import math
import threading
import time
from datetime import timedelta

import numpy as np
import requests
from django.conf import settings
from django.utils import timezone
from PIL import Image, ImageOps, UnidentifiedImageError
from urllib3.exceptions import HTTPError

from core.work import WorkRow, WorkState, delay_after
from crawler.engines.base import Picture as Pixels
from crawler.models import Photo, Picture
from crawler.pictures import error_details
from wiki import http, pace
from wiki.http import WikiError

log = logging.getLogger(__name__)

LANE = "picture"
ACCEPT = {"Accept": "image/jpeg,image/png,image/webp,image/gif", "Accept-Encoding": "identity"}
FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
# A thumbnail 960 px wide is seldom higher than this many pixels allow; HOG takes 4x as many
# after upsampling, some 2 s and 400 MB.
LOOK_PIXELS = 4_000_000
MAX_SIDE = 65_535  # pixels; JPEG has no more, and twelve million rows of one take 1 GB
# Each scan of a progressive JPEG goes over all pixels, some 2.5 s for so many; a common one has 10.
SCANNED_PIXELS = 1_000_000_000
SCAN = b"\xff\xda"  # begins one
SHOWN = (1920, 1280, settings.DETECT_WIDTH)  # pixels; steps of the wiki's thumbnails
OUTAGE_PAUSE = 5  # seconds
UNTOLD_PAUSE = 10  # seconds, where the wiki is busy and doesn't say for how long
# A wiki that is busy costs a picture no try. One at which it is always busy rests longer from the
# first number of attempts on, and is set aside at the second: a day later.
OFTEN_BUSY, ALWAYS_BUSY = 5, 100
# What the thumbnailers of the wiki say, with HTTP 429, of a file that they failed on.
FAILING = (b"for failing image", b"recent failed attempts")

Error = Picture.Error
_one_at_a_time = threading.Lock()


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
    if error.pause and row.attempt >= ALWAYS_BUSY:
        row.fail(error.code, error.detail, final=True)
        return
    rest = timedelta(seconds=error.wait)
    if error.pause:
        rest = max(rest, delay_after(row.attempt - OFTEN_BUSY))
    # The wiki is busy; that is not the picture's fault and costs it no try.
    row.settle(
        WorkState.QUEUED,
        tries=max(row.tries - 1, 0),
        due_at=timezone.now() + rest,
        error=error.code,
        error_detail=error.detail,
    )


def address_of(picture: Picture) -> str:
    """The thumbnail of a page that shows the picture now. Raises Unusable."""
    return page_of(picture).thumb_url


def page_of(picture: Picture) -> Photo:
    """A page that shows the picture now, as far as we know. Raises Unusable."""
    shown = Photo.objects.filter(picture=picture, state=Photo.State.LIVE).order_by("pk")
    photo = shown.select_related("picture").first()
    if photo is None:
        raise Unusable(Error.GONE, error_details.NO_PAGE)
    return photo


def load(url: str, longest: float = math.inf) -> Pixels:
    """The upright picture at an address as height x width x 3 RGB. Raises Unusable, and pace.Later
    where its turn would not come within the `longest` wait in seconds.

    MemoryError passes through: the caller knows what else is in memory.
    """
    return decode(download(url, longest))


def load_shown(photo: Photo) -> Pixels:
    """The same of the thumbnail on which people draw, as large as they see it."""
    width = shown_width(photo.picture)
    url = photo.thumb_url if width == settings.DETECT_WIDTH else photo.thumb(width)
    return decode(download(url), side=math.inf)


def shown_width(picture: Picture) -> int:
    """Of the thumbnail that pages show where a picture is looked at closely and drawn upon: the
    largest of these steps that is not wider than the picture; the wiki enlarges none."""
    return next((step for step in SHOWN if step < picture.width), SHOWN[-1])


def download(url: str, longest: float = math.inf) -> bytes:
    """The bytes at an address of our wiki, at the pace of the lane "picture". Raises what `load`
    does."""
    if url:
        pace.wait_turn(LANE, settings.PICTURES_A_MINUTE, longest)
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
        raise Unusable(Error.NO_THUMBNAIL, error_details.NO_ADDRESS)
    seconds = settings.PICTURE_SECONDS / 2
    until = time.monotonic() + seconds
    timeout = (http.TIMEOUT[0], min(http.TIMEOUT[1], seconds))
    try:
        response = http.fetch("GET", url, stream=True, headers=dict(ACCEPT), timeout=timeout)
    except WikiError as error:
        raise _unusable(error) from error
    with response:
        _check_status(response)
        kind = response.headers.get("Content-Type", "")
        if not kind.startswith("image/"):
            said = error_details.WRONG_KIND % {"kind": kind} if kind else error_details.NO_KIND
            raise Unusable(Error.NOT_A_PICTURE, said)
        return _body(response, until)


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
    if status == 429 and any(words in _some_of(response) for words in FAILING):
        raise Unusable(Error.NO_THUMBNAIL, error_details.FAILS, permanent=False)
    if status in (429, 503):
        told = http.retry_after_of(response)
        wait = UNTOLD_PAUSE if told is None else min(max(told, 1), 3600)
        pause = (wait, f"http-{status}")
        raise Unusable(Error.NETWORK, detail, permanent=False, wait=wait, pause=pause)
    raise Unusable(Error.NO_THUMBNAIL, detail, permanent=status < 500)


def _some_of(response: requests.Response) -> bytes:
    """The beginning of what a refusal says."""
    try:
        return response.raw.read1(2000) or b""
    except (HTTPError, OSError):
        return b""


def _body(response: requests.Response, until: float) -> bytes:
    """All bytes as they came: nothing is unpacked. Looks at the clock after each packet, so that
    a body which trickles in ends as well."""
    limit = settings.PICTURE_MAX_BYTES
    told = response.headers.get("Content-Length", "")
    if told.isdecimal() and int(told[:20]) > limit:
        raise Unusable(Error.TOO_MANY_BYTES, error_details.BYTES % {"n": told[:20]})
    data = bytearray()
    try:
        while chunk := response.raw.read1(65536, decode_content=False):
            data += chunk
            if len(data) > limit:
                raise Unusable(Error.TOO_MANY_BYTES, error_details.MORE_BYTES % {"n": limit})
            if time.monotonic() > until:
                raise Unusable(Error.NETWORK, error_details.SLOW, permanent=False)
    except (HTTPError, OSError) as error:
        raise Unusable(Error.NETWORK, type(error).__name__, permanent=False) from error
    return bytes(data)


def decode(data: bytes, side: float = settings.DETECT_WIDTH) -> Pixels:
    """Upright RGB pixels, no more than we look at: at most `side` on the shorter side. Raises
    Unusable and MemoryError.

    The format is told from the content; the first frame of an animation stands for it. A process
    decodes one picture at a time: its memory never holds more than one at full size.
    """
    with _one_at_a_time:
        return _decode(data, side)


def _decode(data: bytes, side: float) -> Pixels:
    image = _opened(data)
    try:
        image.draft(None, _target(image.size, side))  # JPEG decodes at 1/2, 1/4, 1/8 by itself
        pixels = np.asarray(_shrunk(_rgb(_upright(image)), side))
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
        raise Unusable(Error.NOT_A_PICTURE, error_details.NO_FORMAT) from error
    except MemoryError:
        raise
    except Exception as error:  # a broken header
        raise Unusable(Error.BROKEN, str(error)) from error
    width, height = image.size
    if width * height > settings.PICTURE_MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise Unusable(Error.TOO_LARGE, error_details.PIXELS % {"width": width, "height": height})
    scans = data.count(SCAN)
    if image.format == "JPEG" and width * height * scans > SCANNED_PIXELS:
        figures = {"width": width, "height": height, "n": scans}
        raise Unusable(Error.TOO_LARGE, error_details.SCANS % figures)
    return image


def _target(size: tuple[int, int], side: float) -> tuple[int, int]:
    """Not larger than the step we look at, nor with more pixels than we look at.

    What we ask for is a thumbnail at that step; only odd answers of the wiki are larger.
    """
    width, height = size
    scale = min(side / min(size), (LOOK_PIXELS / (width * height)) ** 0.5)
    return (max(1, round(width * scale)), max(1, round(height * scale))) if scale < 1 else size


def _shrunk(image: Image.Image, side: float) -> Image.Image:
    size = _target(image.size, side)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)


def _upright(image: Image.Image) -> Image.Image:
    """In place: a picture that stands upright already is not copied."""
    image.load()  # damaged pixels are told from EXIF that makes no sense
    try:
        ImageOps.exif_transpose(image, in_place=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever Pillow stumbles over: the pixels are there
        log.debug("EXIF that makes no sense: %s", error)
    return image


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_deep(image)
    if _has_alpha(image):
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image)
        return ground
    return image if image.mode == "RGB" else image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16 bits a pixel brought to 8; Pillow would clip it to white."""
    values = np.asarray(image)
    return Image.fromarray((values.clip(0, 65535) >> 8).astype(np.uint8)).convert("RGB")
