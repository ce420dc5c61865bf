"""How often a member may do something in a project: reviewers and owners more often."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from core.ratelimit import LIMITS, View, count_once, too_many
from projects.models import Project
from projects.permissions import Can, may


def limited_in_project(what: str) -> Callable[[View], View]:
    """Limit a view that has its project already: the decorator below `project_view`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(
            request: HttpRequest, project: Project, *args: Any, **kwargs: Any
        ) -> HttpResponseBase:
            if wait := seconds_to_wait_in(project, request, what):
                return too_many(request, wait)
            return view(request, project, *args, **kwargs)

        wrapper.limited = what  # type: ignore[attr-defined]
        return wrapper

    return decorate


def seconds_to_wait_in(project: Project, request: HttpRequest, what: str) -> int:
    """Count this once for a member of a project; return 0 while it is allowed."""
    limit = LIMITS[what]
    if may(request.user, Can.OVERSEE, project):
        return count_once(
            what, f"user:{request.user.pk}:{project.pk}", limit.trusted, limit.seconds
        )
    return count_once(what, f"user:{request.user.pk}", limit.amount, limit.seconds)
