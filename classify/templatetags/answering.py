"""Parts of the answering pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from classify.asking import evidence, hotkeys
from crawler.models import Photo, Region
from crawler.pictures import fetch as pictures_fetch

register = template.Library()

register.filter("guess", evidence.guess)
register.filter("percent", evidence.percent)


COUNTED: dict[str, Callable[[int], str]] = {
    # Translators: n is the number of answers given, in this project
    "answered": lambda n: ngettext("{n} answered", "{n} answered", n),
    # Translators: n is the number of faces that nobody has answered yet
    "left": lambda n: ngettext("{n} left", "{n} left", n),
    "shown": lambda n: ngettext(
        "Approve the {n} on this screen", "Approve all {n} on this screen", n
    ),
}


@register.simple_tag
def counted(name: str, n: int) -> SafeString:
    """A number in its words, with those for one and for several: static/js/counts.js changes it."""
    words = COUNTED[name]
    before, _gap, after = words(n).partition("{n}")
    return format_html(
        '<span data-one="{}" data-other="{}">{}<b data-count="{}">{}</b>{}</span>',
        *(words(1), words(2), before, name, number_format(n, force_grouping=True), after),
    )


@register.filter
def large_width(photo: Photo) -> int:
    """Of the thumbnail that is shown where one looks closely or draws."""
    return pictures_fetch.shown_width(photo.picture)


@register.filter
def large_src(photo: Photo) -> str:
    return photo.thumb(large_width(photo))


@register.filter
def of_face(found: dict[int, Any], region: Region) -> Any:
    """What a dict has under a region's id."""
    return found.get(region.pk)


@register.simple_tag(takes_context=True)
def kbd(context: dict[str, Any], command: str) -> SafeString:
    """`{% kbd "yes" %}`: the key that the user has for a command, as it stands on its button."""
    key = hotkeys.of(context["user"])[command]
    hidden = "" if key else " hidden"
    return format_html('<kbd data-key="{}"{}>{}</kbd>', command, hidden, hotkeys.label(key))


@register.simple_tag(takes_context=True)
def own_keys(context: dict[str, Any]) -> SafeString:
    """The attribute by which static/js/keys.js knows the user's keys; it stands on the body."""
    return format_html(' data-keys="{}"', json.dumps(hotkeys.of(context["user"])))


@register.inclusion_tag("classify/_keys_form.html", takes_context=True)
def keys_form(context: dict[str, Any], page: str = "") -> dict[str, Any]:
    """The keys of a page ("ask", "grid", "review"), or all of them, to be looked at and changed."""
    rows = hotkeys.rows(context["user"], page)
    return {"rows": rows, "page": page, "request": context["request"]}
