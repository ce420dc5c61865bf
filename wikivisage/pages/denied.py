"""What a project's page says of a person on the deny-list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from projects.models import Project
from projects.permissions import Can, grants, is_left_alone, membership
from projects.privacy import denylist, denylist_changes
from sdc.erasure import projects


@dataclass(frozen=True)
class Alone:
    since: datetime
    on_request: bool  # somebody objected
    by_people: bool  # else by a rule of the tool


def why(project: Project) -> Alone | None:
    """Since when, and who wanted it; None where nobody did."""
    entry = denylist.entry_of(project) if is_left_alone(project) else None
    if entry is None:
        return None
    asked = denylist_changes.objections_to(entry).exists()
    return Alone(entry.created_at, asked, by_people=entry.created_by_id is not None)


def page(request: HttpRequest, project: Project) -> HttpResponse:
    """All that others than moderators see; the owner also what is left and how to delete it."""
    mine = membership(project, request.user)
    manages = grants(mine, Can.MANAGE)
    context = {
        "project": project,
        "alone": why(project),
        "inside": grants(mine, Can.VIEW),
        "manages": manages,
        "goes": projects.goes(project) if manages else [],
        "stays": projects.stays(project) if manages else [],
    }
    return render(request, "wikivisage/left_alone.html", context)
