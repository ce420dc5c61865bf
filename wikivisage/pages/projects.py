"""The list of projects, and the way from "Answer" to a project that has questions."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, TextChoices, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from classify.asking.queue import SILENT
from classify.asking.ways import way_used
from classify.models import Question
from core import i18n
from projects.models import Membership, Project
from wikivisage.pages.cards import cards, visible

A_PAGE = 24
State = Project.State
STATES = (
    (State.ACTIVE, gettext_lazy("Active")),
    (State.PAUSED, gettext_lazy("Paused")),
    (State.COMPLETED, gettext_lazy("Completed")),
    (State.ARCHIVED, gettext_lazy("Archived")),
)


class Sort(TextChoices):
    ACTIVE = "active", gettext_lazy("Lately active")
    LEFT = "left", gettext_lazy("Most left to do")
    NAME = "name", gettext_lazy("By name")
    NEWEST = "newest", gettext_lazy("Newest")


@require_safe
def projects(request: HttpRequest) -> HttpResponse:
    """Public projects and one's own: `q` searches names and Q-IDs, `mine=1` shows only own, `state`
    those in one state (without it all, but archived ones only of one's own), `sort` is one of Sort.
    """
    query = request.GET.get("q", "").strip()[:100]
    mine = request.GET.get("mine") == "1" and request.user.is_authenticated
    rows = visible(request.user)
    if mine:
        rows = rows.filter(_own(request))
    if query:
        rows = _matching(rows, query)
    state, states = request.GET.get("state", ""), _states(rows)
    if state in states:
        rows = rows.filter(state=state)
    elif not mine:
        rows = rows.exclude(state=Project.State.ARCHIVED)
    sort = request.GET.get("sort", "")
    sort = sort if sort in Sort.values else Sort.ACTIVE.value
    rows = _sorted(rows, Sort(sort))
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "cards": cards(page.object_list),
        "q": query,
        "mine": mine,
        "sort": sort,
        "sorts": Sort.choices,
        "state": state if state in states else "",
        "states": [(value, name, states[value]) for value, name in STATES if value in states],
        "any_state": sum(n for each, n in states.items() if mine or each != State.ARCHIVED),
    }
    return render(request, "wikivisage/projects.html", context)


@require_safe
def answer_now(request: HttpRequest) -> HttpResponse:
    """To the questions of one of my projects, or to the list of those that need a hand."""
    if request.user.is_authenticated:
        waiting = Exists(Question.objects.filter(subject=OuterRef("subject__pk"), leased_to=None))
        mine = visible(request.user).filter(_own(request), waiting, state=Project.State.ACTIVE)
        if project := mine.first():
            return redirect(way_used(request), project.public_id)
        messages.info(request, _("No question waits in your projects. Others need a hand:"))
    return redirect("projects")


def _states(rows: QuerySet[Project]) -> dict[str, int]:
    """How many of the projects are in each state that there is among them."""
    counted = rows.order_by().values("state").annotate(n=Count("pk"))
    return dict(counted.values_list("state", "n"))


def _own(request: HttpRequest) -> Q:
    own = Membership.objects.filter(
        project=OuterRef("pk"), user=request.user.pk, state=Membership.State.ACTIVE
    )
    return Q(Exists(own))


def _sorted(rows: QuerySet[Project], sort: Sort) -> QuerySet[Project]:
    match sort:
        case Sort.LEFT:  # by what the learner thinks worth asking: no faces are counted
            left = Case(When(~Q(state__in=SILENT), then="learner__worth"))
            return rows.order_by(left.desc(nulls_last=True), "-active_at", "-id")
        case Sort.NAME:
            codes = i18n.chain(get_language() or "en")
            names = [KeyTextTransform(code, "subject__person__labels") for code in codes]
            own = NullIf("name", Value(""))
            return rows.order_by(Lower(Coalesce(own, *names, "subject__person__qid")), "id")
        case Sort.NEWEST:
            return rows.order_by("-id")
        case Sort.ACTIVE:
            return rows


def _matching(rows: QuerySet[Project], query: str) -> QuerySet[Project]:
    # lowered here: to MariaDB's collation of ours an A is no a
    rows = rows.alias(own=Lower("name"))
    named = Q(subject__person__qid=query.upper()) | Q(own__contains=query.lower())
    for code in i18n.chain(get_language() or "en"):
        named |= Q(**{f"subject__person__labels__{code}__icontains": query})
    return rows.filter(named)
