"""What the Action API says of a file page, read into what we keep of it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.utils.html import strip_tags

from projects.privacy import denylist
from wiki.json_tree import Node

BITMAPS = {"image/jpeg", "image/png", "image/gif", "image/webp", "image/tiff"}
# What to ask for with `prop=imageinfo`; only the current version of each file comes back.
IMAGEINFO = {
    "prop": "imageinfo",
    "iiprop": "url|size|mime|mediatype|sha1|timestamp|user|extmetadata",
    "iiurlwidth": settings.DETECT_WIDTH,
    "iiextmetadatafilter": "Artist|LicenseShortName|DateTimeOriginal",
    "redirects": 1,
}
NAMESPACE = 6
LARGEST = 2**31 - 1  # pixels of a side
LONGEST_HTML = 20_000  # characters
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


def read_files(pages: Node) -> tuple[list[File], int]:
    """The bitmap pictures among pages, and how many files are something else. A page that can't
    be read is neither."""
    found = pages.read_items(_read_page)
    files = [file for file in found if isinstance(file, File)]
    return files, sum(file is Other.FILE for file in found)


class Other(Enum):
    """What a page is that has no bitmap picture."""

    FILE = "another file"
    PAGE = "no file"


def _read_page(page: Node) -> File | Other:
    info = page["imageinfo"][0]
    is_file = page["ns"].integer(-9, least=-9) == NAMESPACE and not page["missing"].flag()
    if not is_file or info.is_missing:
        return Other.PAGE
    sha1 = info["sha1"].text("", longest=40)
    if info["mime"].text("", longest=255) not in BITMAPS or not sha1:
        return Other.FILE
    about = info["extmetadata"]
    thumb = info["thumburl"].text("")
    taken = taken_range(_about(about, "DateTimeOriginal", 255))
    return File(
        page_id=page["pageid"].integer(least=1),
        title=page["title"].text(longest=255),
        sha1=sha1,
        width=info["width"].integer(0, most=LARGEST),
        height=info["height"].integer(0, most=LARGEST),
        mime=info["mime"].text(),
        thumb_path="" if _ICON in thumb or len(thumb) > _LONGEST else _path(thumb),
        uploader=info["user"].text("", longest=255),
        uploaded_at=None if info["timestamp"].is_missing else info["timestamp"].moment(),
        author=denylist.normal(denylist.Kind.AUTHOR, _about(about, "Artist", LONGEST_HTML)),
        licence=_about(about, "LicenseShortName", 100),
        taken_from=taken[0],
        taken_to=taken[1],
    )


def _about(about: Node, key: str, longest: int) -> str:
    """A value of `extmetadata`, which holds HTML, as plain text. Numbers are left out."""
    value = about[key]["value"].value
    try:
        return _plain(value[:LONGEST_HTML])[:longest] if isinstance(value, str) else ""
    except SuspiciousOperation:  # Django strips no tags without end
        return ""


def _path(thumb: str) -> str:
    return thumb.removeprefix(settings.WIKI.image_hosts[0])


def _plain(text: str) -> str:
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
