"""Parts of pages that templates share: icons, photos with boxes, bars of several values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from core.text import plain
from projects.models import Person, Project

register = template.Library()

THEMES = ("light", "dark")
FACE_AND_MARGIN = 1.15  # of a face's height is shown at least


@register.simple_block_tag
def rendered(content: SafeString) -> SafeString:
    """`{% rendered as marks %}…{% endrendered %}`: what a page shows many times, made once."""
    return content


@register.simple_tag
@cache
def icon(name: str, label: str = "", extra: str = "") -> SafeString:
    """`{% icon "check" %}`: a line icon, hidden from screen readers unless it has a label."""
    href = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon icon-{} {}" role="img" aria-label="{}"><use href="{}"/></svg>',
            name, extra, label, href,
        )  # fmt: skip
    return format_html(
        '<svg class="icon icon-{} {}" aria-hidden="true"><use href="{}"/></svg>', name, extra, href
    )


@register.simple_tag(takes_context=True)
def theme(context: dict[str, Any]) -> str:
    """The theme somebody chose: "light", "dark", or nothing to follow their system."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else ""


@register.inclusion_tag("_boxed_photo.html")
def boxed_photo(
    photo: Any,
    region: Any = None,
    others: Iterable[Any] = (),
    numbered: Iterable[Any] = (),
    width: int = 960,
    alt: str = "",
    thumb: bool = False,
    lazy: bool = False,
) -> dict[str, Any]:
    """A photo (crawler's Photo) with the box of `region` and thin boxes of `others` over it.

    Boxes are drawn in the pixels of the upright picture, so that they fit at any size. A
    region that stands for the whole photo gets no box. `numbered` are those that get a number,
    from 1. `thumb` draws a plain line.
    """
    size = (photo.picture.width, photo.picture.height)
    return {
        "src": photo.thumb_url if width == settings.DETECT_WIDTH else photo.thumb(width),
        "picture": "" if thumb else photo.picture.sha1,  # so that a box is kept for this one only
        "width": size[0],
        "height": size[1],
        "box": pixels(region, size) if region else None,
        "others": [pixels(other, size) for other in others if other != region],
        "numbered": [pixels(each, size) for each in numbered],
        "number_size": max(size) // 24,
        "alt": alt or photo.name,
        "thumb": thumb,
        "lazy": lazy,
    }


def pixels(region: Any, size: tuple[int, int]) -> dict[str, Any] | None:
    """The box of a region in pixels, with the path of its four corners; None for a whole photo."""
    if region.origin == "photo":
        return None
    x, w = region.x * size[0], region.w * size[0]
    y, h = region.y * size[1], region.h * size[1]
    arm = 0.28 * min(w, h)
    corners = (
        f"M{x:.1f} {y + arm:.1f}V{y:.1f}H{x + arm:.1f}"
        f"M{x + w - arm:.1f} {y:.1f}H{x + w:.1f}V{y + arm:.1f}"
        f"M{x + w:.1f} {y + h - arm:.1f}V{y + h:.1f}H{x + w - arm:.1f}"
        f"M{x + arm:.1f} {y + h:.1f}H{x:.1f}V{y + h - arm:.1f}"
    )
    # as text, so that no locale puts a comma into an SVG attribute
    return {"x": f"{x:.1f}", "y": f"{y:.1f}", "w": f"{w:.1f}", "h": f"{h:.1f}", "corners": corners}


@register.inclusion_tag("_windowed_photo.html")
def windowed_photo(
    photo: Any,
    region: Any = None,
    others: Iterable[Any] = (),
    aspect: float = 1.55,
    width: int = 960,
    thumb: bool = False,
) -> dict[str, Any]:
    """As much of a photo as fits a frame of `aspect` (width : height), round the face; where the
    face is higher than that, the frame has room beside the photo."""
    drawn = boxed_photo(photo, region, others, width=width, thumb=thumb)
    full_w, full_h = drawn["width"], drawn["height"]
    w, h = min(full_w, full_h * aspect), min(full_h, full_w / aspect)
    if region and drawn["box"]:
        h = max(h, min(full_h, FACE_AND_MARGIN * region.h * full_h))
        w = max(w, h * aspect)
    middle_x, middle_y = (
        (region.x + region.w / 2, region.y + region.h / 2) if region else (0.5, 0.5)
    )
    x = min(max(middle_x * full_w - w / 2, 0), full_w - w) if w <= full_w else (full_w - w) / 2
    y = min(max(middle_y * full_h - h / 2, 0), full_h - h)
    return drawn | {"view": f"{x:.1f} {y:.1f} {w:.1f} {h:.1f}"}


@register.inclusion_tag("_stacked_bar.html")
def stacked_bar(parts: Sequence[tuple[str, int, str]], total: int = 0) -> dict[str, Any]:
    """One bar of several values. `parts`: (word, count, colour), colour one of yes, face, warn,
    bad, act, not, other, none. `total` above their sum leaves the rest of the bar empty."""
    whole = max(total, sum(count for _word, count, _colour in parts))
    drawn, start = [], 0.0
    for _word, count, colour in parts:
        length = 1000 * count / whole if whole else 0
        end = start + length
        gap = 2 if end < 999.9 else 0  # between two parts, not at the end of a full bar
        if count:
            width = max(length - gap, 1.5)
            drawn.append({"x": f"{start:.1f}", "w": f"{width:.1f}", "colour": colour})
        start = end
    label = ", ".join(f"{word} {count}" for word, count, _colour in parts)
    return {"drawn": drawn, "label": label}


@register.filter
def label_of(row: Person | Project, language: str = "en") -> str:
    """A person's name in the language of the page; of a project its own name, if it has one."""
    own, person = (row.name, row.person) if isinstance(row, Project) else ("", row)
    return plain(own) or person.label(language)


@register.filter
def named(row: Person | Project) -> SafeString:
    """`{{ person|named }}`: the name in the language of the page, marked with its own language
    where that is another, and kept apart from text that runs the other way. `{{ project|named }}`:
    the same, or the project's own name."""
    own, person = (row.name, row.person) if isinstance(row, Project) else ("", row)
    if own:
        return format_html("<bdi>{}</bdi>", plain(own))
    language = get_language() or "en"
    code = person.label_language(language)
    if code:
        return format_html('<bdi lang="{}">{}</bdi>', code, person.label(language))
    return format_html("<bdi>{}</bdi>", person.label(language))


@register.filter
def about_of(person: Any, language: str = "en") -> str:
    """Who that is, with the years: “physicist and chemist (1867–1934)”."""
    return str(person.about(language))


@register.filter
def initials(user: object) -> str:
    """“Ingrid S.” → “IS”."""
    words = str(user).replace("_", " ").split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def hue(row: Model) -> int:
    """A steady colour class number, 0–5, for somebody's initials."""
    return int(row.pk or 0) % 6


@register.filter
def duration(seconds: float | None) -> str:
    """“20 seconds”, “3 minutes”, “2 hours”: rounded up, for what is left or was taken."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    if whole < 90:
        return ngettext("%(n)d second", "%(n)d seconds", whole) % {"n": whole}
    if whole < 90 * 60:
        minutes = round(whole / 60)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = round(whole / 3600)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """The languages of the pages: code and name, as people who speak it write it."""
    return list(settings.LANGUAGES)


@register.filter
def moment(at: datetime | None) -> str:
    """“7 November, 14:05”: for what is not long ago. Dates alone have formats of Django's."""
    if at is None:
        return ""
    # Translators: a day of the year and a time of day
    return _("%(day)s, %(time)s") % {
        "day": date_format(at, "MONTH_DAY_FORMAT"),
        "time": date_format(at, "TIME_FORMAT"),
    }


@register.simple_tag(takes_context=True)
def here(context: dict[str, Any], *prefixes: str) -> str:
    """`aria-current="page"` for the place in the header that the address belongs to."""
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    is_here = any(path.startswith(prefix) for prefix in prefixes)
    return format_html('aria-current="{}"', "page") if is_here else ""


@register.simple_tag
def portrait_url(person: Any, width: int = 120) -> str:
    """The address of a person's portrait at one of the wiki's thumbnail steps."""
    return str(settings.WIKI.file_path(person.portrait, width)) if person.portrait else ""


@register.inclusion_tag("_face_crop.html")
def face_crop(photo: Any, region: Any, alt: str = "") -> dict[str, Any]:
    """A square round a face with 40 % air, cut by SVG out of the photo that is on the page
    anyway. Grids use the stored crops instead: they load no full pictures."""
    width, height = photo.picture.width, photo.picture.height
    side = 1.4 * max(region.w * width, region.h * height)
    x = (region.x + region.w / 2) * width - side / 2
    y = (region.y + region.h / 2) * height - side / 2
    return {
        "src": photo.thumb_url,
        "width": width,
        "height": height,
        "view": f"{x:.1f} {y:.1f} {side:.1f} {side:.1f}",
        "alt": alt,
    }
