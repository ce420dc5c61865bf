"""A screen of faces at once: which of them are the person?"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classify import screens, services
from classify.forms import ScreenForm
from classify.models import Origin, Question
from classify.screens import Screen
from classify.views import counts, replies, words
from classify.views.ask import MOST_EXCLUDED, not_asking, remember_way, whose
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in


@require_GET
@never_cache
@project_view(Can.VIEW)
def grid(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join."""
    if not may(request.user, Can.ANSWER, project):
        return render(request, "classify/ask_join.html", whose(project))
    remember_way(request, "grid")
    return page(request, project, _next(request, project, []))


@require_GET
@never_cache
@project_view(Can.ANSWER)
def grid_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next screen as a fragment; `exclude` names the faces that the page holds already."""
    context = _next(request, project, request.GET.getlist("exclude")[:MOST_EXCLUDED])
    return render(request, context["fragment"], context)


@require_POST
@project_view(Can.ANSWER)
@replies.says_why
def grid_answer(request: HttpRequest, project: Project) -> HttpResponse:
    form = ScreenForm(project, request.POST)
    if not form.is_valid():
        return replies.wrong(request, project, form)
    answers = services.answer_screen(
        project, signed_in(request), form.given, Origin.GRID, form.untold
    )
    return replies.done(request, project, kept(len(answers)))


@require_POST
@project_view(Can.ANSWER)
@replies.says_why
def grid_skip(request: HttpRequest, project: Project) -> HttpResponse:
    form = ScreenForm(project, request.POST)
    if not form.is_valid():
        return replies.wrong(request, project, form)
    services.skip_screen(project, form.regions, signed_in(request))
    return replies.done(request, project, _("Skipped for now."))


def page(request: HttpRequest, project: Project, context: dict[str, Any]) -> HttpResponse:
    """The page of a screen (see `shown`), or of the `fragment` that says why there is none."""
    told = context["counts"]
    context |= {
        "total": told["answered"] + told["left"],
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": words.grid(context["name"]),
    }
    return render(request, "classify/grid.html", context)


def shown(
    request: HttpRequest, project: Project, screen: Screen, title: str, lead: str, post_url: str
) -> dict[str, Any]:
    """What classify/grid.html and classify/_screen.html show of a screen."""
    return whose(project) | {
        "fragment": "classify/_screen.html",
        "screen": screen,
        "title": title,
        "lead": lead,
        "post_url": post_url,
        "skip_url": "",
        "client_uuid": uuid.uuid4(),  # sent twice by a plain form, it is one answer
        "counts": counts.of(project, request.user),
    }


def kept(n: int) -> str:
    return ngettext("%d answer is kept.", "%d answers are kept.", n) % n


def _next(request: HttpRequest, project: Project, faces: list[str]) -> dict[str, Any]:
    held = Question.objects.filter(project=project, region__public_id__in=faces)
    exclude = list(held.values_list("public_id", flat=True))
    screen = screens.next_screen(project, signed_in(request), exclude)
    addresses = {
        "post_url": reverse("grid-answer", args=[project.public_id]),
        "next_url": reverse("grid-next", args=[project.public_id]),
        "skip_url": reverse("grid-skip", args=[project.public_id]),
    }
    if screen is None:
        return (
            not_asking(project, signed_in(request))
            | {"counts": counts.of(project, request.user)}
            | addresses
        )
    context = whose(project)
    title, lead = _sentences(screen, context["name"])
    return shown(request, project, screen, title, lead, addresses["post_url"]) | addresses


def _sentences(screen: Screen, name: str) -> tuple[str, str]:
    """What is asked, and what to do."""
    person = format_html("<bdi>{}</bdi>", name)
    if screen.is_one:
        lead = _("The same picture more than once: one answer for all.")
        return format_html(_("Is this {}?"), person), lead if len(screen.faces) > 1 else ""
    match screen.kind:
        case Question.Kind.LIKELY if screen.marked == len(screen.faces):
            return format_html(_("Are these all {}?"), person), _("Tap the wrong ones.")
        case Question.Kind.LIKELY:
            return format_html(_("Are the ticked ones {}?"), person), _("Tap what is wrong.")
        case Question.Kind.OTHERS:
            title = format_html(_("Nobody here seems to be {}."), person)
            return title, _("Tap whoever is.")
        case Question.Kind.COMMON:
            title = format_html(_("Is {} among these?"), person)
            return title, _("They are seen most often. One tap is enough.")
    title = format_html(_("Which of these are {}?"), person)
    return title, _("People's answers differ here: look once more, and tap what is wrong.")
