"""What pages share on which people answer or look twice: the page itself, and screens."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from classify.asking.screens import Screen
from classify.pages import progress as pages_progress
from classify.pages import strings
from classify.pages.person import comparison, faces_to_compare, person_context
from projects.models import Project
from projects.permissions import membership

MOST_HELD = 200  # faces that a page names
LEASE_MAY_END = 30  # seconds after which a page that waits looks whether others let go of a face


def answering_page(
    request: HttpRequest, context: dict[str, Any], said: dict[str, str], template: str = "ask"
) -> HttpResponse:
    """A page on which one answers: about what `context` shows, or its `fragment` says why not."""
    told = context["counts"]
    context |= {
        "total": told["answered"] + told["left"],
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": said,
    }
    return render(request, f"classify/{template}.html", context)


def screen_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Return the page of a screen, or of the `fragment` that says why there is none."""
    return answering_page(request, context, strings.grid(context["name"]), "grid")


def screen_context(
    request: HttpRequest, project: Project, screen: Screen, title: str, lead: str, post_url: str
) -> dict[str, Any]:
    """What classify/grid.html and classify/_screen.html show of a screen."""
    person, first = person_context(project), screen.faces[0]
    known = screen.nearest
    many = {"nearest": faces_to_compare(person, known)}
    return person | {
        "fragment": "classify/_screen.html",
        "screen": screen,
        "title": title,
        "lead": lead,
        "post_url": post_url,
        "skip_url": "",
        "client_uuid": uuid.uuid4(),  # sent twice by a plain form, it is one answer
        "counts": pages_progress.of(project, request.user, screen.given, screen.worth),
        "face": first,
        "op": "screen",
        "field": "all",
        "skip_op": "skipscreen",
        **(comparison(person, first, known) if screen.is_one else many),
    }


def how_to_join(request: HttpRequest, project: Project) -> HttpResponse:
    """Instead of a page on which one answers, for who may look only."""
    context = person_context(project) | {"mine": membership(project, request.user)}
    return render(request, "classify/ask_join.html", context)


def faces_named(request: HttpRequest, field: str) -> list[str]:
    """Public ids of regions."""
    return request.GET.getlist(field)[:MOST_HELD]
