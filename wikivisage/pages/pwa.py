"""The site as an app on a phone or a desk: manifest, service worker, and a page without network."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, get_language_bidi
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

THEME, GROUND = "#202122", "#f8f9fa"
# The frame of the pages, by hashed names, so that they open sooner and the offline page has its
# look. Not all that answering takes: a page on which one answers has its modules in memory once
# it is open, and without network none is opened.
SHELL = (
    "css/base.css",
    "css/parts.css",
    "css/site.css",
    "css/ask.css",
    "css/grid.css",
    "css/faces.css",
    "js/base.js",
    "js/crops.js",
    "js/ask.js",
    "js/grid.js",
    "django_htmx/htmx-2.min.js",
    "favicon.svg",
    "icons.svg",
)
PICTURES = (("icon-192.png", "192x192", "any"), ("icon-512.png", "512x512", "any"),
            ("icon-maskable-512.png", "512x512", "maskable"))  # fmt: skip


@require_safe
@cache_control(max_age=3600, private=True)
def manifest(request: HttpRequest) -> HttpResponse:
    icons = [
        {"src": static(f"app/{name}"), "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes, purpose in PICTURES
    ]
    described = {
        "id": "/",
        "name": "WikiVisage",
        "short_name": "WikiVisage",
        "description": _("Say who is in the picture, for photos on Wikimedia Commons."),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": THEME,
        "icons": icons,
        "shortcuts": [
            {"name": _("Answer a few questions"), "url": reverse("answer-now")},
            {"name": _("Your projects"), "url": reverse("projects") + "?mine=1"},
            {"name": _("Start a project"), "url": reverse("project-new")},
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """static/js/sw.js at the root, so that it may look after every page, told what to keep."""
    kept = [static(name) for name in SHELL]
    told = {"kept": kept, "offline": reverse("offline"), "version": _version(get_language() or "")}
    script = f"const told = {json.dumps(told)};\n{_script()}"
    return HttpResponse(script, content_type="text/javascript")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Kept by the service worker, so it says nothing of who looks at it."""
    return render(request, "offline.html")


@cache
def _script() -> str:
    return _found("js/sw.js").decode()


@cache
def _version(language: str) -> str:
    """Another one whenever anything that is kept is another: names alone say so only if hashed."""
    kept = sha256(language.encode())
    for name in (*SHELL, "js/sw.js"):
        kept.update(_found(name))
    kept.update((settings.BASE_DIR / "templates" / "offline.html").read_bytes())
    return kept.hexdigest()[:12]


def _found(name: str) -> bytes:
    path = finders.find(name)
    assert path, name
    with open(path, "rb") as file:
        return file.read()
