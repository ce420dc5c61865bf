"""Second looks: a screen of what is approved, or of what nobody looked at, drawn by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classify import answers as classify_answers
from classify.asking.screens import Screen
from classify.audit import estimates, rounds
from classify.models import Origin, Question, Round
from classify.pages import progress, responses, strings
from classify.pages.answering import (
    LEASE_MAY_END,
    faces_named,
    how_to_join,
    screen_context,
    screen_page,
)
from classify.pages.fields import ScreenForm
from classify.pages.person import person_context
from core.ratelimit import limited
from crawler import photo_pauses
from projects.live.polling import ticket
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in


@require_GET
@never_cache
@project_view(Can.VIEW)
def again(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join."""
    if not may(request.user, Can.REVIEW, project):
        return how_to_join(request, project)
    return screen_page(request, _next(request, project, []))


@require_GET
@never_cache
@project_view(Can.REVIEW)
def again_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next screen as a fragment; `exclude` names the faces that the page holds already."""
    context = _next(request, project, faces_named(request, "exclude"))
    return render(request, context["fragment"], context)


@require_GET
@never_cache
@project_view(Can.REVIEW)
def again_keep(request: HttpRequest, project: Project) -> HttpResponse:
    """Of the faces that a page holds (`face`) those that may still be looked at there."""
    kept = rounds.keep(project, signed_in(request), faces_named(request, "face"))
    return JsonResponse({"kept": sorted(kept)})


@limited("answer")
@require_POST
@project_view(Can.REVIEW)
@responses.says_why
def again_answer(request: HttpRequest, project: Project) -> HttpResponse:
    form = ScreenForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    photo_pauses.refuse_paused(project, [each.photo for each, _verdict in form.given])
    answers = classify_answers.answer_screen(project, signed_in(request), form.given, Origin.AGAIN)
    return responses.done(request, project, strings.answers_kept(len(answers)), **_more(project))


@require_POST
@project_view(Can.REVIEW)
def again_rest(request: HttpRequest, project: Project) -> HttpResponse:
    """All that is stated by a sample only is to be looked at, too."""
    if project.state != Project.State.ARCHIVED:
        rounds.draw_rest(project, np.random.default_rng())
    return redirect("again", project.public_id)


def _next(request: HttpRequest, project: Project, held: list[str]) -> dict[str, Any]:
    addresses = {
        "post_url": reverse("again-answer", args=[project.public_id]),
        "next_url": reverse("again-next", args=[project.public_id]),
        "keep_url": reverse("again-keep", args=[project.public_id]),
        "here": "again",
        "outbox": "again",
    }
    screen = rounds.next_screen(project, signed_in(request), held)
    if screen is None:
        return _nothing(request, project) | addresses
    title, lead = _sentences(screen, person_context(project)["name"])
    context = screen_context(request, project, screen, title, lead, addresses["post_url"])
    return context | addresses | {"counts": context["counts"] | _more(project)}


def _nothing(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What came of it; or others are looking at the last ones, or the answer is on its way."""
    sure = estimates.of(project)
    why, again = "all-looked-at", 15
    if rounds.others_look(project, signed_in(request)):
        why, again = "others-look", 5
    elif sure.wanted.faces:
        why, again = "moment", 2
    return person_context(project) | {
        "fragment": "classify/_no_look.html",
        "ticket": ticket(request, project, seconds=LEASE_MAY_END),
        "why": why,
        "again": again,
        "sure": sure,
        "third": Question.objects.filter(subject=project.subject, kind=Question.Kind.THIRD).count(),
        "may_review": True,
        "counts": progress.of(project, request.user) | _more(project),
    }


def _more(project: Project) -> dict[str, int]:
    """What is left here is what is to be looked at."""
    return {"left": rounds.wanted(project).faces, "worth": 0}


def _sentences(screen: Screen, name: str) -> tuple[str, str]:
    """What is asked, and what to do."""
    person = format_html("<bdi>{}</bdi>", name)
    if screen.is_one:
        return format_html(_("Is this {}?"), person), _("A second look.")
    if screen.kind == Round.About.APPROVED:
        title = format_html(_("Second look: are these all {}?"), person)
        return title, _("People said Yes to most of them. Tap the wrong ones.")
    title = format_html(_("Is {} among these?"), person)
    return title, _("Drawn by chance from what nobody looked at. Tap whoever is.")
