"""Whether a page still shows the picture that we know: a file may be overwritten at any time."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from crawler.listing import store as listing_store
from crawler.listing.file_info import IMAGEINFO, File, read_files
from crawler.models import Photo, Picture
from crawler.pictures import error_details
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from wiki import http, pace
from wiki.http import WikiError
from wiki.json_tree import unreadable
from wiki.pywikibot_client import READ_LANE

HURRY = (3, 8)  # seconds to connect and to read: somebody waits for the page


def check(photo: Photo) -> None:
    """For a worker that has just loaded the photo's pixels. Raises Unusable: overwritten, gone,
    and what comes of a wiki that does not answer."""
    pace.wait_turn(READ_LANE, settings.READS_A_MINUTE)
    try:
        shown = _read(photo, timeout=http.TIMEOUT)
    except WikiError as error:
        pause = (error.retry_after or pictures_fetch.OUTAGE_PAUSE, error.code)
        wait = error.retry_after
        raise Unusable(
            Picture.Error.NETWORK, error.code, permanent=False, wait=wait, pause=pause
        ) from error
    if shown is None:
        raise Unusable(Picture.Error.GONE, error_details.PAGE_GONE)
    if shown.sha1 != photo.picture.sha1:
        listing_store.follow([shown])
        raise Unusable(Picture.Error.OVERWRITTEN, error_details.NOW % {"sha1": shown.sha1})


def is_overwritten(photo: Photo) -> bool:
    """For a page: whether the wiki shows something else by now, which is then taken over and
    looked at. Where the wiki does not answer soon, nobody is held up: the worker looks again."""
    try:
        shown = _read(photo, timeout=HURRY)
    except WikiError:
        return False
    if shown is None or shown.sha1 == photo.picture.sha1:
        return False
    listing_store.follow([shown])
    return True


def _read(photo: Photo, timeout: tuple[int, int]) -> File | None:
    """The page's file as the wiki has it now; None where there is none. Raises WikiError."""
    query: dict[str, Any] = {
        "format": "json",
        "formatversion": 2,
        "errorformat": "plaintext",
        "action": "query",
        "pageids": photo.page_id,
        **IMAGEINFO,
    }
    response = http.fetch("GET", settings.WIKI.commons_api, params=query, timeout=timeout)
    pages = http.read_answer(response)["query"]["pages"]
    files, _others = read_files(pages)
    if not files and pages[0].is_missing:
        raise unreadable("nothing of the page that was asked for")
    return files[0] if files else None
