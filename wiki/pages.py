"""The page of the wiki that a title or a page id leads to."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from wiki import http
from wiki.json_tree import Node


@dataclass(frozen=True)
class Page:
    """A page of the wiki as it is called now."""

    page_id: int
    title: str


def find_page(**named: str) -> Page | None:
    """Return the page that `titles="File:…"` or `pageids="12"` leads to now, through redirects;
    None where there is none. Raises WikiError."""
    return read_page(http.api(settings.WIKI.commons_api, action="query", redirects=1, **named))


def read_page(body: Node) -> Page | None:
    """Read the one page that was asked for."""
    page = body["query"]["pages"][0]
    if page["missing"].flag() or page["invalid"].flag():
        return None
    return Page(page["pageid"].integer(least=1), page["title"].text(longest=255))
