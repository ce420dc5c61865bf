"""A form that the server did not take, because its page or the session was too old: its text is
kept and can be sent again, with a click of the person who wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from core.ratelimit import sentence

MOST = 200  # fields; larger forms are lists of ticks that are quickly made again
TOKEN = "csrfmiddlewaretoken"  # noqa: S105


class KeptForms:
    """Middleware. Where a form met the login page instead of its view, it says so and keeps the
    form, since a redirect would lose it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method != "POST" or in_background(request):
            return response
        if response.status_code == 429:
            return later(request, response)
        return session_ended(request) if needs_login(response) else response


def needs_login(response: HttpResponse) -> bool:
    """Refused for want of a login: see `projects.permissions` and Django's `login_required`."""
    if response.status_code == 401:
        return True
    where = urlsplit(response.get("Location", "")).path
    return response.status_code == 302 and where == resolve_url(settings.LOGIN_URL)


def in_background(request: HttpRequest) -> bool:
    """Sent by a script, which says itself what went wrong."""
    return bool(request.headers.get("HX-Request") or request.headers.get("X-Background"))


def session_ended(request: HttpRequest) -> HttpResponse:
    back = urlencode({"next": came_from(request)})
    login = f"{resolve_url(settings.LOGIN_URL)}?{back}"
    return render(request, "401.html", form_of(request) | {"login_first": login}, status=401)


def later(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The form came too soon after others (see core.ratelimit): it is kept for then."""
    wait = int(response.get("Retry-After", "60"))
    context = form_of(request) | {"sentence": sentence(wait)}
    page = render(request, "429.html", context, status=429)
    page["Retry-After"] = str(wait)
    return page


def form_of(request: HttpRequest) -> dict[str, Any]:
    """What was sent, for `_kept_form.html`; nothing where it came from another site."""
    if not _is_ours(request):
        return {}
    fields = [
        (name, value) for name, values in request.POST.lists() if name != TOKEN for value in values
    ]
    if len(fields) > MOST:
        return {}
    texts = [value for _name, value in fields if " " in value.strip()]
    return {"kept": fields, "texts": texts}


def _is_ours(request: HttpRequest) -> bool:
    """Sent by a page of this site. Nobody else's form may be put before somebody to confirm."""
    origin = request.headers.get("Origin", "")
    return origin == f"{request.scheme}://{request.get_host()}"


def came_from(request: HttpRequest) -> str:
    """Return the page that the form stood on, if that is one of ours."""
    referer = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(referer, {request.get_host()}, request.is_secure())
    return (urlsplit(referer)._replace(scheme="", netloc="").geturl() if ours else "") or "/"
