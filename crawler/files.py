"""What the Action API says of a file page, read into what we keep of it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.html import strip_tags

BITMAPS = {"image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff"}
# What to ask for with `prop=imageinfo`; only the current version of each file comes back.
IMAGEINFO = {
    "prop": "imageinfo",
    "iiprop": "url|size|mime|mediatype|sha1|timestamp|user|extmetadata",
    "iiurlwidth": settings.DETECT_WIDTH,
    "iiextmetadatafilter": "Artist|LicenseShortName|DateTimeOriginal",
    "redirects": 1,
}
_LONGEST = 2000  # characters of an address that we keep
_ICON = "/file-type-icons/"  # stands where the wiki can't render a thumbnail
_ISO = re.compile(r"\b(\d{4})-(\d{2})(?:-(\d{2}))?")
_YEAR = re.compile(r"\b(1[5-9]\d{2}|20\d{2})(s?)\b")


@dataclass(frozen=True)
class File:
    """A file page with a bitmap picture; sizes are pixels of the upright original."""

    page_id: int
    title: str
    sha1: str
    width: int
    height: int
    mime: str
    thumb_path: str  # without the origin that pictures come from
    uploader: str
    uploaded_at: datetime | None
    author: str
    licence: str
    taken_from: date | None
    taken_to: date | None

    @property
    def mid(self) -> str:
        return f"M{self.page_id}"


def read_files(pages: Iterable[dict[str, Any]]) -> tuple[list[File], int]:
    """The bitmap pictures among pages, and how many files are something else."""
    files, others = [], 0
    for page in pages:
        info = next(iter(page.get("imageinfo", ())), None)
        if page.get("ns") != 6 or page.get("missing") or info is None:
            continue
        if info.get("mime") in BITMAPS and info.get("sha1"):
            files.append(_file(page, info))
        else:
            others += 1
    return files, others


def _file(page: dict[str, Any], info: dict[str, Any]) -> File:
    known = info.get("extmetadata") or {}  # PHP writes an empty object as []
    about = {key: str(one.get("value", "")) for key, one in known.items()}
    thumb = info.get("thumburl", "")
    taken = taken_range(_plain(about.get("DateTimeOriginal", "")))
    return File(
        page_id=page["pageid"],
        title=page["title"],
        sha1=info["sha1"],
        width=info.get("width", 0),
        height=info.get("height", 0),
        mime=info["mime"],
        thumb_path="" if _ICON in thumb or len(thumb) > _LONGEST else _path(thumb),
        uploader=info.get("user", ""),
        uploaded_at=parse_datetime(info.get("timestamp", "")),
        author=_plain(about.get("Artist", ""))[:255],
        licence=_plain(about.get("LicenseShortName", ""))[:100],
        taken_from=taken[0],
        taken_to=taken[1],
    )


def _path(thumb: str) -> str:
    return thumb.removeprefix(settings.WIKI.image_hosts[0])


def _plain(text: str) -> str:
    """`extmetadata` holds HTML."""
    return " ".join(html.unescape(strip_tags(text)).split())


def taken_range(text: str) -> tuple[date | None, date | None]:
    """First and last day that free text about a date may mean; (None, None) if it names none.

    “1921-04-03” is a day, “1921-04” a month, “circa 1921” a year, “1920s” ten of them, and
    “between 1920 and 1923” four.
    """
    if found := _ISO.search(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3] or 0)
        try:
            if day:
                return date(year, month, day), date(year, month, day)
            following = date(year + month // 12, month % 12 + 1, 1)
            return date(year, month, 1), date.fromordinal(following.toordinal() - 1)
        except ValueError:
            pass  # 1921-00-00: the year is all that is known
    years = [(int(year), int(year) + (9 if s else 0)) for year, s in _YEAR.findall(text)]
    if not years:
        return None, None
    return date(min(years)[0], 1, 1), date(max(last for _, last in years), 12, 31)
