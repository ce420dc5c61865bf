"""Parts of pages that templates share: icons, photos with boxes, bars of several values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import template
from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

register = template.Library()

THEMES = ("light", "dark")


@register.simple_tag
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
    width: int = 960,
    alt: str = "",
    thumb: bool = False,
    lazy: bool = False,
) -> dict[str, Any]:
    """A photo (crawler's Photo) with the box of `region` and thin boxes of `others` over it.

    Boxes are drawn in the pixels of the upright picture, so that they fit at any size. A
    region that stands for the whole photo gets no box. `thumb` draws a plain line.
    """
    size = (photo.picture.width, photo.picture.height)
    return {
        "src": photo.thumb_url if width == settings.DETECT_WIDTH else photo.thumb(width),
        "width": size[0],
        "height": size[1],
        "box": pixels(region, size) if region else None,
        "others": [pixels(other, size) for other in others if other != region],
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
    """As much of a photo as fits a frame of `aspect` (width : height), round the face."""
    drawn = boxed_photo(photo, region, others, width=width, thumb=thumb)
    full_w, full_h = drawn["width"], drawn["height"]
    w, h = min(full_w, full_h * aspect), min(full_h, full_w / aspect)
    middle_x, middle_y = (
        (region.x + region.w / 2, region.y + region.h / 2) if region else (0.5, 0.5)
    )
    x = min(max(middle_x * full_w - w / 2, 0), full_w - w)
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
def label_of(person: Any, language: str = "en") -> str:
    """The person's name in the language of the page."""
    return str(person.label(language))


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
