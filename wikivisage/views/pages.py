"""Pages that say something: how it decides, the parts of the look, robots.txt, errors."""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

COLOURS = ("paper", "ink", "ink-2", "line-2", "act", "face", "yes", "not", "bad", "warn-mark")
SPRITE, SYMBOL = settings.BASE_DIR / "static" / "icons.svg", re.compile(r'symbol id="([\w-]+)"')
ROBOTS = "User-agent: *\nDisallow: /p/\nDisallow: /accounts/\nDisallow: /login/\n"


@require_safe
def how(request: HttpRequest) -> HttpResponse:
    return render(request, "wikivisage/how.html")


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    parts = [("Written", 72, "yes"), ("Already there", 1, "other"), ("Refused", 1, "bad")]
    context = {
        "colours": COLOURS,
        "themes": ("light", "dark"),
        "example_parts": parts,
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
    if request.headers.get("HX-Request") or request.headers.get("X-Background"):
        return HttpResponse(_("This page is too old. Reload it and try again."), status=403)
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the database, the session or any context: it must show when all else fails."""
    return HttpResponse(get_template("500.html").render({"wiki": settings.WIKI}), status=500)
