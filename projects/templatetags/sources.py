"""Where a source is on the wiki, for templates."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.conf import settings

from projects.models import Source

register = template.Library()
Kind = Source.Kind


@register.filter
def wiki_url(source: Source) -> str:
    """The page of the wiki that shows what a source (or a place) holds."""
    wiki = settings.WIKI
    if source.kind == Kind.CATEGORY:
        return wiki.page_url(f"Category:{source.value}")
    if source.kind == Kind.UPLOADER:
        return wiki.page_url(f"Special:ListFiles/{source.value}")
    if source.kind == Kind.FILE:
        return wiki.page_url(source.value)
    text = source.value
    if source.kind == Kind.DEPICTS:
        text = f"haswbstatement:{wiki.depicts}={text}"
    asked = {"title": "Special:Search", "search": text, "ns6": 1, "fulltext": 1}
    return f"{wiki.commons}/w/index.php?{urlencode(asked)}"
