"""Polite polling: while nothing changed, asking again costs the database one cheap query.

A part of a page that moves by itself carries a *ticket*: the project's pulse when it was read,
signed for this session. `static/js/poll.js` sends the ticket along. While the pulse is still the
same this middleware says so (204) before the session, the user or their permission is looked at;
nothing else is told. Otherwise the address answers as ever, with its permission check.

A ticket ends after a while, so that what changes without a pulse (a lease that ran out, a session
that ended) is seen, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from projects.models import Project

TICKET = "ticket"
SECONDS = 600  # a ticket is good for
CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')

View = Callable[[HttpRequest], HttpResponse]


class Polls:
    """Middleware; it stands before that of the session."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get(TICKET, "")
        if text and request.method == "GET" and _is_unchanged(request, text):
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        return self.get_response(request)


def ticket(request: HttpRequest, project: Project, seconds: int = SECONDS) -> str:
    """For what is read of the project after it was found: a change since then is one."""
    told = [project.public_id, project.pulse, seconds]
    return signing.dumps(told, salt=_salt(request))


def fingerprint(fragment: str) -> str:
    """Hash the HTML of a polled part, so that the next poll can say which one the page shows."""
    same = CSRF_FIELD.sub("", fragment)  # the token is masked anew each time
    return hashlib.sha256(same.encode()).hexdigest()[:16]


def _is_unchanged(request: HttpRequest, text: str) -> bool:
    try:
        public_id, pulse, seconds = signing.loads(text, salt=_salt(request), max_age=SECONDS)
        signing.loads(text, salt=_salt(request), max_age=seconds)
    except signing.BadSignature:
        return False
    return Project.objects.filter(public_id=public_id, pulse=pulse).exists()


def _salt(request: HttpRequest) -> str:
    """Somebody else's ticket is worth nothing, nor is one from before a login."""
    return f"poll:{request.COOKIES.get(settings.SESSION_COOKIE_NAME, '')}"
