"""A project's page, and the part of it that is polled while something moves."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from crawler.selectors import set_aside
from projects.models import Membership, Project
from projects.permissions import Can, may, membership, project_view, signed_in
from sdc.models import EditBatch
from sdc.rights import first_steps, senders
from wikivisage.overview import latest_batches, likely_faces, overview

AVATARS = 4
CSRF_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')
POLL_MOVING, POLL_IDLE = 2, 10  # seconds


@dataclass(frozen=True)
class Moving:
    """The part of the page that is polled."""

    fragment: str  # HTML
    seen: str  # hash of it
    poll: int  # seconds until it is asked for again
    said: str  # for screen readers


@require_safe
@project_view(Can.VIEW)
def project(request: HttpRequest, project: Project) -> HttpResponse:
    active = project.memberships.filter(state=Membership.State.ACTIVE)
    shown = active
    if not may(request.user, Can.ANSWER, project):
        shown = active.filter(Q(user__show_on_leaderboard=True) | Q(role=Membership.Role.OWNER))
    members = shown.select_related("user").order_by("joined_at")[:AVATARS]
    total = active.count()
    context = {
        "project": project,
        "mine": membership(project, request.user),
        "manages": may(request.user, Can.MANAGE, project),
        "members": members,
        "more_members": total - len(members),
        **asdict(_moving(request, project)),
    }
    return render(request, "wikivisage/project.html", context)


@require_safe
@project_view(Can.VIEW)
def status(request: HttpRequest, project: Project) -> HttpResponse:
    """204 while nothing changed, so that the page stays as it is under people's hands."""
    moving = _moving(request, project)
    if request.GET.get("seen") == moving.seen:
        return HttpResponse(status=204)
    context = {"project": project, **asdict(moving)}
    return render(request, "wikivisage/_status.html", context)


def _handed_over(request: HttpRequest, project: Project) -> list[tuple[EditBatch, int]]:
    """What newcomers hand over, for those who may send it."""
    if not may(request.user, Can.SEND, project):
        return []
    user = signed_in(request)
    return first_steps.waiting(project, user) if senders.may_perhaps_send(user) else []


def _moving(request: HttpRequest, project: Project) -> Moving:
    view = overview(project)
    context: dict[str, Any] = {
        "project": project,
        "overview": view,
        "answers": may(request.user, Can.ANSWER, project),
        "manages": may(request.user, Can.MANAGE, project),
        "mine": membership(project, request.user),
        "likely": likely_faces(project) if view.next == "review" else [],
        "set_aside": set_aside(project),
        "sources": project.sources.order_by("id"),
        "batches": latest_batches(project),
        "handed_over": _handed_over(request, project),
    }
    fragment = render_to_string("wikivisage/_overview.html", context, request)
    same = CSRF_FIELD.sub("", fragment)  # the token is masked anew each time
    seen = hashlib.sha256(same.encode()).hexdigest()[:16]
    return Moving(fragment, seen, POLL_MOVING if view.moves else POLL_IDLE, view.said)
