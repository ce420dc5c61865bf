"""The first page: what this is, one live question, and where a hand is needed."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from classify import selectors
from classify.models import Question, Round
from crawler.models import Region, not_paused
from projects.models import Project
from projects.privacy import denylist, pauses
from wikivisage.pages.cards import Card, cards, visible
from wikivisage.pages.site_stats import together

SHOWN, CONSIDERED = 6, 30


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """With htmx: the next question to try, after the one that was answered for fun."""
    public = Project.objects.filter(
        ~denylist.left_alone(),
        ~pauses.is_paused(),
        visibility=Project.Visibility.PUBLIC,
        state=Project.State.ACTIVE,
    )
    trial = _question(public, request.GET.get("after", ""))
    said = request.GET.get("said", "")
    context: dict[str, Any] = {"trial": trial, "said": said if said in ("yes", "no") else ""}
    if request.headers.get("HX-Request"):
        return render(request, "wikivisage/_try.html", context)
    asked = Question.objects.filter(subject=OuterRef("subject__pk"))
    again = Round.objects.filter(subject=OuterRef("subject__pk"), done_at=None)
    waits = Q(Exists(asked)) | Q(Exists(again)) | Q(learner__matches__gt=0)
    open_ = public.filter(waits).with_subject()
    latest = open_.order_by("-active_at", "-id")[:CONSIDERED]
    ordered = sorted((card for card in cards(latest) if card.waiting), key=_need)
    context |= {
        "cards": ordered[:SHOWN],
        "count": visible(request.user).exclude(state=Project.State.ARCHIVED).count(),
        "together": together(),
    }
    return render(request, "wikivisage/home.html", context)


def _need(card: Card) -> tuple[bool, int]:
    """Where anybody may help comes first, then where most waits."""
    return (card.project.joining != Project.Joining.OPEN, -card.waiting)


def _question(projects: Any, after: str) -> dict[str, Any] | None:
    """Return a face of a public project to try: shown, but neither leased nor saved.

    The first one is the person if any is; those `after` a region are prepared questions. None is
    in the portrait, which stands beside it.
    """
    prepared = Question.objects.filter(not_paused()).exclude(selectors.of_portraits())
    prepared = prepared.exclude(region__origin=Region.Origin.PHOTO).order_by("rank", "id")
    answered = prepared.filter(region__public_id=after, subject__project__in=projects)
    last = answered.first() if after else None
    asked = projects.filter(subject=last.subject_id) if last else projects
    asked = asked.filter(Exists(prepared.filter(subject=OuterRef("subject__pk"))))
    project = asked.with_subject().order_by("-active_at", "-id").first()
    if project is None:
        return None
    same = prepared.filter(subject=project.subject).select_related("photo__picture", "region")
    later = Q(rank__gt=last.rank) | Q(rank=last.rank, id__gt=last.pk) if last else Q()
    question = same.filter(later).first() or same.first()  # at the end it begins again
    face = (None if after else selectors.typical(project)) or question
    if face is None:
        return None
    faces = Region.objects.filter(picture=face.photo.picture_id, replaced_by=None)
    return {
        "project": project,
        "photo": face.photo,
        "region": face.region,
        "others": faces.exclude(pk=face.region.pk).exclude(origin=Region.Origin.PHOTO)[:60],
    }
