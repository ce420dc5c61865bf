"""A screen of faces at once: which of them are the person?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from classify import answers as classify_answers
from classify.asking import evidence, screens
from classify.asking.context import not_asking
from classify.asking.screens import Screen
from classify.asking.ways import WAY, lead_on, remember_way, skipped_since
from classify.models import Origin, Question
from classify.pages import progress, responses, strings
from classify.pages.answering import faces_named, how_to_join, screen_context, screen_page
from classify.pages.fields import ScreenForm
from classify.pages.person import help_context
from core.ratelimit import limited
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in


@require_GET
@never_cache
@project_view(Can.VIEW)
def grid(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join.

    It asks in the way that saves most work, which may be one face alone; `way=grid` asks about
    many faces at once from now on, `way=auto` no longer.
    """
    if not may(request.user, Can.ANSWER, project):
        return how_to_join(request, project)
    remember_way(request, "grids" if _is_by_hand(request) else "grid")
    return screen_page(request, _next(request, project, []))


@require_GET
@never_cache
@project_view(Can.ANSWER)
def grid_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next screen as a fragment; `exclude` names the faces that the page holds already, and
    `way` says how the page asks."""
    context = _next(request, project, faces_named(request, "exclude"))
    return render(request, context["fragment"], context)


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def grid_answer(request: HttpRequest, project: Project) -> HttpResponse:
    """Takes what a browser had in its queue while the person is paused, like `answers.answer`."""
    form = ScreenForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    answers = classify_answers.answer_screen(
        project, signed_in(request), form.given, Origin.GRID, form.untold
    )
    return responses.kept(request, project, answers, strings.answers_kept(len(answers)))


@limited("answer")
@require_POST
@project_view(Can.ANSWER)
@responses.says_why
def grid_skip(request: HttpRequest, project: Project) -> HttpResponse:
    form = ScreenForm(project, request.POST)
    if not form.is_valid():
        return responses.wrong(request, project, form)
    classify_answers.skip_screen(project, form.regions, signed_in(request))
    return responses.done(request, project, _("Skipped for now."))


def _is_by_hand(request: HttpRequest) -> bool:
    """Whether the visitor wants many faces at once, whatever saves most work."""
    chosen = request.GET.get("way")
    return chosen == "grid" or (chosen is None and request.session.get(WAY) == "grids")


def _next(request: HttpRequest, project: Project, faces: list[str]) -> dict[str, Any]:
    by_hand = _is_by_hand(request)
    screen = screens.next_screen(
        project,
        signed_in(request),
        held=faces,
        together=by_hand,
        skipped_since=skipped_since(request),
    )
    way = "grid" if by_hand else "auto"
    next_url = f"{reverse('grid-next', args=[project.public_id])}?way={way}"
    addresses = {
        "here": way,
        "post_url": reverse("grid-answer", args=[project.public_id]),
        "next_url": lead_on(request, next_url),
        "keep_url": reverse("questions-keep", args=[project.public_id]),
        "skip_url": reverse("grid-skip", args=[project.public_id]),
    }
    if screen is None:
        url = f"{reverse('grid', args=[project.public_id])}?way={way}"
        nothing = not_asking(request, project, url)
        return nothing | {"counts": progress.of(project, request.user)} | addresses
    title, lead = _sentences(screen, project.person.label(get_language() or "en"))
    context = (
        screen_context(request, project, screen, title, lead, addresses["post_url"]) | addresses
    )
    return context | _beside(screen)


def _beside(screen: Screen) -> dict[str, Any]:
    """What stands beside the faces of a screen, besides confirmed ones."""
    why = {"why": evidence.why(screen.kind), "is_nearest": bool(screen.nearest)}
    if screen.is_one:
        return why | help_context(screen.faces[0], screen)
    return why | {"helps": True, "names": screen.named}


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
        case Question.Kind.THIRD:
            title = format_html(_("Which of these are {}?"), person)
            return title, _("People's answers differ here: look once more, and tap what is wrong.")
    title = format_html(_("Which of these are {}?"), person)
    return title, _("Each was to be asked alone. Tap whoever is.")
