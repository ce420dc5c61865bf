"""Pages that say something: help, how it decides, about, the parts of the look, errors."""

from __future__ import annotations

import re
import sys
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core.transactions import is_transient
from projects.help.topics import GROUPS
from sdc.erasure.audit_names import AUDIT_NAME_DAYS
from wikivisage.middleware import form_recovery, unavailable

COLOURS = ("paper", "ink", "ink-2", "line-2", "act", "face", "yes", "not", "bad", "warn-mark")
# What the page of styles shows.
PARTS = [("Written", 72, "yes"), ("Already there", 1, "other"), ("Refused", 1, "bad")]
EXAMPLES = [
    ("Marie Curie", "Physicist, chemist", 86, 144),
    ("Grace Hopper", "Computer scientist", 18, 57),
]
YEARS = [("1900", 4), ("1910", 22), ("1920", 41), ("1930", 13)]
COURSE = [
    ("Right", "yes", [(0, 0.6, 0.4, 0.8), (50, 0.93, 0.88, 0.97), (120, 0.99, 0.97, 1.0)]),
    ("Found", "act", [(0, 0.2, 0.1, 0.4), (50, 0.7, 0.6, 0.8), (120, 0.92, 0.86, 0.96)]),
]
SPRITE, SYMBOL = settings.BASE_DIR / "static" / "icons.svg", re.compile(r'symbol id="([\w-]+)"')
ROBOTS = "User-agent: *\nDisallow: /p/\nDisallow: /accounts/\nDisallow: /login/\n"


@require_safe
def how(request: HttpRequest) -> HttpResponse:
    return render(request, "wikivisage/how.html")


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "wikivisage/help.html", {"groups": GROUPS} | _site())


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "wikivisage/about.html", _site())


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    days = {"days": settings.RETENTION_DAYS, "audit_days": AUDIT_NAME_DAYS}
    return render(request, "wikivisage/privacy.html", _site() | days)


def _site() -> dict[str, Any]:
    return {
        "contact": settings.CONTACT,
        "source_url": settings.SOURCE_URL,
        "version": settings.VERSION,
    }


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    context = {
        "colours": COLOURS,
        "themes": ("light", "dark"),
        "people": EXAMPLES,
        "example_parts": PARTS,
        "example_years": YEARS,
        "example_course": COURSE,
        "icons": SYMBOL.findall(SPRITE.read_text()),
    }
    return render(request, "wikivisage/style.html", context)


@require_safe
@cache_control(max_age=86400, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain")


@require_safe
@cache_control(max_age=86400, public=True)
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look on pages that name no icon, as those of the admin."""
    return redirect(static("favicon.svg"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that came too late or from elsewhere. In the background: a sentence."""
    if form_recovery.in_background(request):
        return HttpResponse(_("This page is too old. Reload it and try again."), status=403)
    return render(request, "403_csrf.html", form_recovery.form_of(request), status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address or form that can't be read; or whose session was ended while it was answered, and
    then the way is to log in and look how things stand."""
    if not isinstance(exception, SessionInterrupted):
        return defaults.bad_request(request, exception)
    if form_recovery.in_background(request):
        return HttpResponse(_("Your session has ended"), status=401)
    back = form_recovery.came_from(request) if request.method == "POST" else request.get_full_path()
    return redirect_to_login(back)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the database, the session or any context: it must show when all else fails."""
    error = sys.exc_info()[1]
    if error and is_transient(error):
        return unavailable.unavailable(request, error)
    context = {"wiki": settings.WIKI, "request": request}
    return HttpResponse(get_template("500.html").render(context), status=500)
