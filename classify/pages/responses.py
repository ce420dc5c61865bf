"""How a change is answered: JSON for the page's script, a redirect for plain forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import ngettext

from classify import answers as classify_answers
from classify.models import Answer
from classify.pages import progress
from core.redirects import next_url
from crawler.photo_pauses import OBJECTED
from projects.models import Project

View = Callable[[HttpRequest, Project], HttpResponse]


def is_script(request: HttpRequest) -> bool:
    """Whether the page's own script asks; it names itself in a header."""
    return "X-Background" in request.headers


def says_why(view: View) -> View:
    """What a service refuses becomes a sentence on the page."""

    @wraps(view)
    def wrapper(request: HttpRequest, project: Project) -> HttpResponse:
        try:
            return view(request, project)
        except classify_answers.Refused as refusal:
            # 422 while somebody objects: the answer is right, but none is taken now
            status = 422 if refusal.code == OBJECTED else 409
            return refused(request, project, refusal.code, refusal.sentence, status=status)

    return wrapper


def done(request: HttpRequest, project: Project, sentence: str, **facts: Any) -> HttpResponse:
    """The change is in the database."""
    if is_script(request):
        return JsonResponse(progress.of(project, request.user) | facts)
    messages.success(request, sentence)
    return back(request, project)


def kept(
    request: HttpRequest, project: Project, answers: Sequence[Answer], sentence: str
) -> HttpResponse:
    """These answers are in the database; where they replace others of the same user, it is said.

    A script gets no figures: they come with the next question, which it fetches anyway.
    """
    told = _changed(classify_answers.changed_minds(answers))
    if is_script(request):
        return JsonResponse({"told": told})
    return done(request, project, f"{sentence} {told}".strip())


def _changed(faces: int) -> str:
    if not faces:
        return ""
    return (
        ngettext(
            "You had answered %d face differently before: your last word counts.",
            "You had answered %d faces differently before: your last word counts.",
            faces,
        )
        % faces
    )


def wrong(request: HttpRequest, project: Project, form: Form) -> HttpResponse:
    """The form is wrong; nothing was changed, and sending it again would not help."""
    errors = [error for field in form.errors.as_data().values() for error in field]
    sentence = " ".join(str(line) for line in errors[0].messages)
    return refused(request, project, errors[0].code or "invalid", sentence, status=422)


def refused(
    request: HttpRequest, project: Project, code: str, sentence: str, status: int
) -> HttpResponse:
    if is_script(request):
        return JsonResponse({"error": code, "sentence": sentence}, status=status)
    messages.error(request, sentence)
    return back(request, project)


def back(request: HttpRequest, project: Project) -> HttpResponse:
    """To the page that the form names in `next`, if it is ours, else to the next question."""
    return redirect(next_url(request, reverse("ask", args=[project.public_id])))
