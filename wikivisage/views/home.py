"""The first page: what this is, one live question, and where a hand is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classify import selectors
from classify.models import Question
from crawler.models import Picture, Region
from projects.models import Contribution, Person, Project, Tally
from projects.work import WorkState
from sdc.models import Edit
from wikivisage.cards import cards, visible

SHOWN, CONSIDERED = 6, 30
A_MINUTE = 60


@dataclass(frozen=True)
class Together:
    """What was reached by everybody, in all projects of this server."""

    statements: int
    photos: int
    people: int
    volunteers: int


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """With htmx: the next question to try, after the one that was answered for fun."""
    public = Project.objects.filter(
        visibility=Project.Visibility.PUBLIC, state=Project.State.ACTIVE
    )
    trial = _question(public, request.GET.get("after", ""))
    said = request.GET.get("said", "")
    context: dict[str, Any] = {"trial": trial, "said": said if said in ("yes", "no") else ""}
    if request.headers.get("HX-Request"):
        return render(request, "wikivisage/_try.html", context)
    latest = public.select_related("person").order_by("-active_at", "-id")[:CONSIDERED]
    ordered = sorted(cards(latest), key=lambda card: -card.waiting)
    context |= {
        "cards": ordered[:SHOWN],
        "count": visible(request.user).exclude(state=Project.State.ARCHIVED).count(),
        "together": cache.get_or_set("together", _together, A_MINUTE),
    }
    return render(request, "wikivisage/home.html", context)


def _question(projects: Any, after: str) -> dict[str, Any] | None:
    """A face of a public project to try: shown, but neither leased nor saved.

    The first one is the person if any is; those `after` a region are prepared questions.
    """
    prepared = (
        Question.objects.filter(project__in=projects)
        .exclude(region__origin=Region.Origin.PHOTO)
        .select_related("project__person", "photo__picture", "region")
        .order_by("-project__active_at", "rank", "id")
    )
    last = prepared.filter(region__public_id=after).first() if after else None
    if last:  # at the end it begins again
        same = prepared.filter(project=last.project_id)
        later = Q(rank__gt=last.rank) | Q(rank=last.rank, id__gt=last.pk)
        prepared = same.filter(later) if same.filter(later).exists() else same
    question = prepared.first()
    if question is None:
        return None
    face = (None if after else selectors.typical(question.project)) or question
    faces = Region.objects.filter(picture=face.photo.picture_id, replaced_by=None)
    return {
        "project": question.project,
        "photo": face.photo,
        "region": face.region,
        "others": faces.exclude(pk=face.region.pk).exclude(origin=Region.Origin.PHOTO)[:60],
    }


def _together() -> Together:
    added, removed = Q(kind=Edit.Kind.ADD), Q(kind=Edit.Kind.REMOVE)
    edits = Edit.objects.aggregate(
        added=Count("pk", filter=added), removed=Count("pk", filter=removed)
    )
    gave = Tally.objects.filter(kind=Contribution.Kind.ANSWER, amount__gt=0)
    return Together(
        statements=edits["added"] - edits["removed"],
        photos=Picture.objects.filter(state=WorkState.DONE).count(),
        people=Person.objects.filter(projects__isnull=False).distinct().count(),
        volunteers=gave.values("user").distinct().count(),
    )
