"""What every template may show: that all writing is stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest

from sdc.models import WritingStop
from sdc.sending_rights import stops

KEY = "writing-stop"
SECONDS = 3  # the banner may be late by that; the writer always asks the database


@dataclass(frozen=True)
class Stopped:
    """By whom (nothing where a page of the wiki says so), since when, with which words."""

    by: str
    at: datetime
    words: str
    page: str  # title of the wiki's page that says so

    @property
    def page_url(self) -> str:
        return settings.WIKI.page_url(self.page)


def writing(request: HttpRequest) -> dict[str, Any]:
    """Only templates that ask for it look it up."""
    return {"writing_stop": stopped}


def stopped() -> Stopped | None:
    known = cache.get(KEY)
    if known is None:
        known = _read() or False
        cache.set(KEY, known, SECONDS)
    return known or None


def forget() -> None:
    """After a change, for the pages of this process."""
    cache.delete(KEY)


def _read() -> Stopped | None:
    stop = stops.active().filter(scope=WritingStop.Scope.EVERYTHING)
    first = stop.select_related("placed_by").order_by("pk").first()
    if first is None:
        return None
    of_page = first.source == WritingStop.Source.PAGE
    return Stopped(
        by=str(first.placed_by or ""),
        at=first.placed_at,
        words=first.reason,
        page=settings.STOP_PAGE if of_page else "",
    )
