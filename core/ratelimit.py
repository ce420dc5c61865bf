"""How often one may do something: one table, a decorator, and a middleware for all other POSTs.

A limit counts for a person: the user, and before the login the browser, by its session or else by
the cookie against forged forms. Behind one address there may be a whole edit-a-thon, so an address
has a limit for a few things only that are done without a login, and that is a wide one
(`Limit.wide`); of who is logged in no address is ever counted.

What is promised: no span of `Limit.seconds`, wherever it begins, holds more than the amount. Time
is cut into cells of a quarter of that. The current cell and the `CELLS` before it cover such a span
and are counted together, so that an action counts for up to a quarter longer than `seconds`. What
is refused does not count: after the wait that is told, at least one is allowed.

Where the counts can't be kept (Redis is away, or has dropped them), everything is allowed, and the
log says so. allauth's own limiter does neither: it refuses then, and it never says how long to
wait.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import RedisError

log = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]
MINUTE, HOUR, DAY = 60, 3600, 86400
CELLS = 4  # parts of a limit's time that are counted apart


@dataclass(frozen=True)
class Limit:
    """`amount` times within so many `seconds` for a person; `wide` times for all of an address
    who are not logged in, together (0: no such limit). `each` is for one thing that is tried by
    anybody, such as an invite code. `trusted` is for reviewers and owners, in each of their
    projects; `amount` is for a plain member in all projects together."""

    amount: int
    seconds: int
    wide: int = 0
    each: int = 0
    trusted: int = 0


LIMITS = {
    # Every POST whose view has no limit of its own.
    "post": Limit(240, MINUTE, wide=2000),
    # A quick hand answers twice a second; what waited for the network comes all at once.
    "answer": Limit(600, MINUTE),
    "login": Limit(20, MINUTE, wide=2000),
    "project": Limit(30, HOUR),
    "invite": Limit(60, HOUR),
    # A code is one of 10^12: at this pace somebody tries 4320 a day. A class types the same one.
    "join": Limit(30, 10 * MINUTE, each=600),
    "export": Limit(60, 10 * MINUTE),
    # What is looked up on the wiki while one types.
    "lookup": Limit(240, MINUTE),
    "send": Limit(60, MINUTE),
    "objection": Limit(10, HOUR, wide=300),
    # Of these the first ones pause what they name: few, so that nobody stops a whole tool.
    "pause": Limit(3, 7 * DAY, wide=20),
    # What takes something away from everybody in a project, or has all of it looked at again.
    "leave-out": Limit(20, HOUR, trusted=600),
    "retry": Limit(20, HOUR, trusted=600),
    "release-box": Limit(20, HOUR, trusted=600),
    "redraw": Limit(20, HOUR, trusted=600),
}
READING = ("GET", "HEAD", "OPTIONS")


class Posts:
    """Middleware that limits whatever is no reading, unless its view is `limited`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.method in READING or hasattr(view, "limited"):
            return None
        wait = seconds_to_wait(request, "post")
        return too_many(request, wait) if wait else None


def limited(
    what: str,
    *,
    reads: bool = False,
    when: Callable[[HttpRequest], bool] | None = None,
    each: Callable[..., str] | None = None,
) -> Callable[[View], View]:
    """Answers 429 with Retry-After when somebody does this too often; see LIMITS.

    Looking (GET) is not counted, unless it `reads`; nor what is not `when`. `each` says from the
    view's arguments which thing is tried ("": none). The outermost decorator, so that nothing is
    looked up in vain.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            looking = request.method in READING and not reads
            if not looking and (when is None or when(request)):
                thing = each(request, *args, **kwargs) if each else ""
                if wait := seconds_to_wait(request, what, thing):
                    return too_many(request, wait)
            return view(request, *args, **kwargs)

        wrapper.limited = what  # type: ignore[attr-defined]
        return wrapper

    return decorate


def seconds_to_wait(request: HttpRequest, what: str, thing: str = "") -> int:
    """Counts this once; 0 while it is allowed."""
    limit = LIMITS[what]
    over = [
        count_once(what, who, amount, limit.seconds) for who, amount in _who(request, limit, thing)
    ]
    return max(over, default=0)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """Says how long to wait: a page, or for a script a sentence."""
    response: HttpResponse
    if "X-Background" in request.headers:
        told = {"error": "too-many", "sentence": sentence(wait), "retry_after": wait}
        response = JsonResponse(told, status=429)
    elif "HX-Request" in request.headers:
        response = HttpResponse(sentence(wait), status=429, content_type="text/plain")
    else:
        response = render(request, "429.html", {"sentence": sentence(wait)}, status=429)
    response["Retry-After"] = str(wait)
    return response


def sentence(wait: int) -> str:
    if wait <= MINUTE:
        told = ngettext("Try again in %(n)d second.", "Try again in %(n)d seconds.", wait)
        return _("Too many requests.") + " " + told % {"n": wait}
    minutes = ceil(wait / MINUTE)
    told = ngettext("Try again in %(n)d minute.", "Try again in %(n)d minutes.", minutes)
    return _("Too many requests.") + " " + told % {"n": minutes}


def _who(request: HttpRequest, limit: Limit, thing: str) -> Iterator[tuple[str, int]]:
    """Whom this counts for, and how much they may."""
    if request.user.is_authenticated:
        yield f"user:{request.user.pk}", limit.amount
    else:
        if browser := request.session.session_key or request.META.get("CSRF_COOKIE"):
            yield f"browser:{browser}", limit.amount
        if limit.wide:
            yield f"address:{_network(_address(request))}", limit.wide
    if thing and limit.each:
        yield f"thing:{thing}", limit.each


def _address(request: HttpRequest) -> str:
    """Where the request comes from, as the outermost of our own proxies saw it.

    Each proxy adds on the right whom it was asked by, so that what a client forges stands further
    left. Who came past the proxies is known by the connection.
    """
    told = request.headers.get("X-Forwarded-For", "").split(",")
    number = settings.TRUSTED_PROXIES
    if 0 < number <= len(told) and _is_address(told[-number].strip()):
        return told[-number].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(address: str) -> str:
    """What one machine has for itself: an address of IPv4, or 64 bits of one of IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return address  # of a socket that is a file
    if isinstance(found, IPv6Address) and not found.ipv4_mapped:
        return str(IPv6Network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", found))


def count_once(what: str, who: str, amount: int, seconds: int) -> int:
    """Count this once and return 0, or return the seconds until it is allowed again."""
    now, length = time.time(), seconds / CELLS
    cell = int(now // length)
    names = [_name(what, who, seconds, cell - age) for age in range(CELLS + 1)]
    kept = ceil(length * (CELLS + 1))  # a cell is read until CELLS later ones have passed
    counters: Any = caches["counts"]
    try:
        counts = counters.count(names, kept)
        if sum(counts) <= amount:
            return 0
        counters.uncount(names[0], kept)
    except (RedisError, OSError, ValueError, EOFError) as error:
        log.warning("limit %s is not counted: %s", what, type(error).__name__)
        return 0
    counts[0] -= 1
    # the oldest cells drop out first, one at the end of each cell
    dropped = next(n for n in range(1, CELLS + 2) if sum(counts[: CELLS + 1 - n]) < max(amount, 1))
    return max(1, ceil((cell + dropped) * length - now))


def _name(what: str, who: str, seconds: int, cell: int) -> str:
    """Return the key of a count, from which neither an address nor a session can be read."""
    counted = f"{what}:{who}:{seconds}:{cell}"
    return salted_hmac("core.ratelimit", counted, algorithm="sha256").hexdigest()
