"""A project's page, and the part of it that is polled while something moves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from classify.asking.ways import way_used
from crawler.listing.source_stats import brought
from projects.live.polling import SECONDS, fingerprint, ticket
from projects.models import Membership, Project
from projects.permissions import Can, grants, is_hidden, membership, project_view, signed_in
from sdc.models import EditBatch
from sdc.sending_rights import limits, probation
from wikivisage.pages import denied
from wikivisage.pages.activity import latest
from wikivisage.pages.overview import Next, latest_batches, likely_faces, overview

MEMBERS = 8
PROMISED = 10  # seconds after which it is looked anew whether “within seconds” is still true


@dataclass(frozen=True)
class Moving:
    """The part of the page that is polled."""

    fragment: str  # HTML
    seen: str  # hash of it
    ticket: str  # with which it is asked for again
    said: str  # for screen readers


@require_safe
@project_view(Can.VIEW, left_alone=True)
def project(request: HttpRequest, project: Project) -> HttpResponse:
    if is_hidden(project, request.user):
        return denied.page(request, project)
    reader = _reader(request, project)
    context = reader | asdict(_moving(request, project, reader))
    return render(request, "wikivisage/project.html", context)


@require_safe
@project_view(Can.VIEW)
def status(request: HttpRequest, project: Project) -> HttpResponse:
    """204 while nothing changed, so that the page stays as it is under people's hands."""
    moving = _moving(request, project, _reader(request, project))
    if request.GET.get("seen") == moving.seen:
        return HttpResponse(status=204, headers={"X-Ticket": moving.ticket})
    context = {"project": project, **asdict(moving)}
    return render(request, "wikivisage/_status.html", context)


def _reader(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What is shown depends on who reads: what they may do, and whose names they see."""
    mine = membership(project, request.user)
    answers = grants(mine, Can.ANSWER)
    active = project.memberships.filter(state=Membership.State.ACTIVE)
    named = Q(user__show_on_leaderboard=True) | Q(role=Membership.Role.OWNER)
    shown = active if answers else active.filter(named)
    members = list(shown.select_related("user").order_by("joined_at", "pk")[:MEMBERS])
    some_are_not_there = not answers or len(members) == MEMBERS
    total = active.count() if some_are_not_there else len(members)
    return {
        "project": project,
        "answers": answers,
        "manages": grants(mine, Can.MANAGE),
        "sends": grants(mine, Can.SEND),
        "mine": mine,
        "members": members,
        "member_count": total,
        "more_members": total - len(members),
    }


def _handed_over(request: HttpRequest, project: Project) -> list[tuple[EditBatch, int]]:
    """What newcomers hand over, for those who may send it."""
    user = signed_in(request)
    return probation.waiting(project, user) if limits.may_perhaps_send(user) else []


def _moving(request: HttpRequest, project: Project, reader: dict[str, Any]) -> Moving:
    view = overview(project, alone=way_used(request) == "ask")
    sources = brought(project)
    read = [each.source for each in sources]
    context = reader | {
        "alone": denied.why(project),
        "overview": view,
        "likely": likely_faces(project) if view.next == "review" else [],
        "sources": sources,
        "batches": latest_batches(project),
        "activity": latest(project, read, request.user, reader["answers"]),
        "handed_over": _handed_over(request, project) if reader["sends"] else [],
    }
    fragment = render_to_string("wikivisage/_overview.html", context, request)
    promises = view.next == Next.LISTING and not view.is_slow
    again = ticket(request, project, seconds=PROMISED if promises else SECONDS)
    return Moving(fragment, fingerprint(fragment), again, view.said)
