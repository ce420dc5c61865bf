"""One face at a time: is this the person?"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classify import answers
from classify.asking import queue as asking_queue
from classify.asking.context import not_asking, question_context
from classify.asking.ways import lead_on, remember_way, skipped_since
from classify.models import Question
from classify.pages import progress as pages_progress
from classify.pages import strings
from classify.pages.answering import answering_page, faces_named, how_to_join
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in


@require_GET
@never_cache
@project_view(Can.VIEW)
def ask(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join."""
    if not may(request.user, Can.ANSWER, project):
        return how_to_join(request, project)
    remember_way(request, "ask")
    context = _next(request, project, []) | {
        "here": "ask",
        "next_url": lead_on(request, reverse("question-next", args=[project.public_id])),
        "keep_url": reverse("questions-keep", args=[project.public_id]),
    }
    return answering_page(request, context, strings.ask(context["name"]))


@require_GET
@never_cache
@project_view(Can.ANSWER)
def question_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next question as a fragment; `exclude` names the faces that the page holds already."""
    context = _next(request, project, faces_named(request, "exclude"))
    return render(request, context["fragment"], context)


@require_GET
@never_cache
@project_view(Can.ANSWER)
def questions_keep(request: HttpRequest, project: Project) -> HttpResponse:
    """Of the faces that a page holds (`face`) those that may still be asked there, for two
    minutes more; and the figures as they are by now."""
    asked = Question.objects.filter(subject=project.subject)
    kept = asking_queue.keep(project, asked, signed_in(request), faces_named(request, "face"))
    return JsonResponse({"kept": sorted(kept)} | pages_progress.of(project, request.user))


def _next(request: HttpRequest, project: Project, faces: list[str]) -> dict[str, Any]:
    since, url = skipped_since(request), reverse("ask", args=[project.public_id])
    question: Any = answers.next_question(
        project, signed_in(request), held=faces, skipped_since=since
    )
    shown = question_context(project, question) if question else not_asking(request, project, url)
    told = (question.given, question.worth) if question else ()
    return shown | {"counts": pages_progress.of(project, request.user, *told)}
