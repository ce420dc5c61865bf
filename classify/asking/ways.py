"""How one likes to answer, and from when on one is asked again what one skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.http import HttpRequest

# In the session, how one likes to answer: "ask", one face at a time; "grids", many faces at once;
# "grid", what saves most work by what is known, the usual way.
WAY = "way"
# Milliseconds since EVER: what one skipped before is asked again, as the page says, and nothing
# that one skipped after.
ANEW, EVER = "anew", datetime(1970, 1, 1, tzinfo=UTC)


def remember_way(request: HttpRequest, way: str) -> None:
    """The way of answering used last, to which a project's main button leads."""
    if request.session.get(WAY, "grid") != way:
        request.session[WAY] = way


def way_used(request: HttpRequest) -> str:
    """The name of the address, "grid" or "ask"."""
    return "ask" if request.session.get(WAY) == "ask" else "grid"


def skipped_since(request: HttpRequest) -> datetime:
    """What the visitor skipped since then is not asked."""
    try:
        return EVER + timedelta(milliseconds=int(request.GET.get(ANEW, "0")))
    except (ValueError, OverflowError):
        return EVER


def lead_on(request: HttpRequest, url: str) -> str:
    """The address of what comes next on a page on which one looks at skipped faces anew, or not."""
    since = skipped_since(request)
    return anew(url, since) if since > EVER else url


def anew(url: str, now: datetime) -> str:
    """The address under which what was skipped until now is asked again."""
    since = (now - EVER) // timedelta(milliseconds=1)
    return f"{url}{'&' if '?' in url else '?'}{ANEW}={since}"
