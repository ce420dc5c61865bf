"""One face at a time: is this the person?"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classify import looks, questions, selectors, services
from classify.models import Answer, Question
from classify.views import counts, words
from crawler import selectors as crawler
from crawler.models import Region
from projects.models import Project, User
from projects.permissions import Can, may, project_view, signed_in

MOST_EXCLUDED = 200
WAY = "way"  # in the session: how one answered last, "grid" or "ask"


@require_GET
@never_cache
@project_view(Can.VIEW)
def ask(request: HttpRequest, project: Project) -> HttpResponse:
    """The page; who may look but not answer reads why, and how to join."""
    if not may(request.user, Can.ANSWER, project):
        return render(request, "classify/ask_join.html", whose(project))
    remember_way(request, "ask")
    context = _next(request, project, [])
    told = context["counts"]
    context |= {
        "total": told["answered"] + told["left"],
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
    }
    context["words"] = words.ask(context["name"])
    return render(request, "classify/ask.html", context)


@require_GET
@never_cache
@project_view(Can.ANSWER)
def question_next(request: HttpRequest, project: Project) -> HttpResponse:
    """The next question as a fragment; `exclude` names the faces that the page holds already."""
    context = _next(request, project, request.GET.getlist("exclude")[:MOST_EXCLUDED])
    return render(request, context["fragment"], context)


def remember_way(request: HttpRequest, way: str) -> None:
    """The way of answering used last, to which a project's main button leads."""
    if way_used(request) != way:
        request.session[WAY] = way


def way_used(request: HttpRequest) -> str:
    """The name of the address, "grid" or "ask"."""
    return str(request.session.get(WAY, "grid"))


def asked_again(request: HttpRequest, project: Project, undone: Answer) -> str:
    """The question that an undo has put back, as a fragment; nothing for other undos."""
    questions = Question.objects.select_related("region", "photo__picture")
    question = questions.filter(project=project, region=undone.region_id).first()
    if question is None:
        return ""
    context = _shown(project, question) | {"counts": counts.of(project, request.user)}
    return render_to_string("classify/_question.html", context, request)


def whose(project: Project) -> dict[str, Any]:
    """The project, the person's name and portrait: what every answering page shows.

    The portrait is the face in it, where it was found, else the file as it is.
    """
    file = project.person.portrait
    return {
        "project": project,
        "name": project.person.label(get_language() or "en"),
        "portrait": selectors.portrait(project),
        "portrait_src": settings.WIKI.file_path(file, 250) if file else "",
    }


def _next(request: HttpRequest, project: Project, faces: list[str]) -> dict[str, Any]:
    held = Question.objects.filter(project=project, region__public_id__in=faces)
    exclude = list(held.values_list("public_id", flat=True))
    question = services.next_question(project, signed_in(request), exclude)
    shown = _shown(project, question) if question else not_asking(project, signed_in(request))
    return shown | {"counts": counts.of(project, request.user)}


def _shown(project: Project, question: Question) -> dict[str, Any]:
    boxes = Region.objects.filter(picture=question.photo.picture_id, replaced_by=None)
    return (
        whose(project)
        | {
            "fragment": "classify/_question.html",
            "question": question,
            "client_uuid": uuid.uuid4(),  # sent twice by a plain form, it is one answer
            "boxes": boxes.exclude(origin=Region.Origin.PHOTO),
            "nearest": selectors.nearest_confirmed(question)[:5],
        }
    )


def not_asking(project: Project, user: User) -> dict[str, Any]:
    """Why there is nothing to ask `user` now, and in how many seconds to ask again."""
    held = Question.objects.filter(project=project).exclude(questions.free())
    # before what is learned: an answer that comes in between makes the learner be behind
    holders = set(held.values_list("leased_to", flat=True))
    known = selectors.learner(project)
    progress, faces = crawler.crawl_progress(project), selectors.face_counts(project)
    if project.state != Project.State.ACTIVE:
        why, again = "paused", 30
    elif progress.crawling or progress.detecting:
        why, again = "looking", 1
    elif known.behind:
        why, again = "learning", 1
    elif holders - {user.pk}:
        why, again = "others-answer", 5
    elif holders:  # by this page, or its answer is on the way: what follows depends on it
        why, again = "learning", 2
    elif faces.unanswered:
        why, again = "enough", 15
    else:
        why, again = "all-answered" if progress.faces else "no-faces", 15
    return whose(project) | {
        "fragment": "classify/_no_question.html",
        "why": why,
        "again": again,
        "progress": progress,
        "faces": faces,
        "left": known.left,
        "looks": looks.wanted(project).faces,
    }
