"""The list of projects, and the way from "Answer" to a project that has questions."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from classify.models import Question
from classify.views.ask import way_used
from projects.models import Membership, Project
from wikivisage.cards import cards, visible

A_PAGE = 24


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """Public projects and one's own: `q` searches names and Q-IDs, `mine=1` shows only own."""
    query = request.GET.get("q", "").strip()[:100]
    mine = request.GET.get("mine") == "1" and request.user.is_authenticated
    rows = visible(request.user)
    rows = rows.filter(_own(request)) if mine else rows.exclude(state=Project.State.ARCHIVED)
    if query:
        rows = _matching(rows, query)
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "cards": cards(page.object_list), "q": query, "mine": mine}
    return render(request, "wikivisage/projects.html", context)


@require_safe
def answer_now(request: HttpRequest) -> HttpResponse:
    """To the questions of one of my projects, or to the list of those that need a hand."""
    if request.user.is_authenticated:
        waiting = Exists(Question.objects.filter(project=OuterRef("pk"), leased_to=None))
        mine = visible(request.user).filter(_own(request), waiting, state=Project.State.ACTIVE)
        if project := mine.first():
            return redirect(way_used(request), project.public_id)
        messages.info(request, _("No question waits in your projects. Others need a hand:"))
    return redirect("projects")


def _own(request: HttpRequest) -> Q:
    own = Membership.objects.filter(
        project=OuterRef("pk"), user=request.user.pk, state=Membership.State.ACTIVE
    )
    return Q(Exists(own))


def _matching(rows: QuerySet[Project], query: str) -> QuerySet[Project]:
    language = get_language() or "en"
    named = Q(person__qid=query.upper())
    for code in {language, language.split("-")[0], "en", "mul"}:
        named |= Q(**{f"person__labels__{code}__icontains": query})
    return rows.filter(named)
