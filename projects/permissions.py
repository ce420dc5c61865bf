"""Who may do what in a project: one table, one decorator, used by every view of a project."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from projects.models import Membership, Project, User

P = ParamSpec("P")
Role = Membership.Role


class Can(Enum):
    """What a view lets people do."""

    VIEW = auto()
    ANSWER = auto()
    REVIEW = auto()
    SEND = auto()
    MANAGE = auto()


MEMBERS = frozenset({Role.OWNER, Role.REVIEWER, Role.MEMBER})
ROLES: dict[Can, frozenset[str]] = {
    Can.VIEW: MEMBERS,  # and anybody, while the project is public
    Can.ANSWER: MEMBERS,
    Can.REVIEW: MEMBERS,
    Can.SEND: MEMBERS,
    Can.MANAGE: frozenset({Role.OWNER}),
}


def membership(project: Project, user: Any) -> Membership | None:
    if not user.is_authenticated:
        return None
    return project.memberships.filter(user=user).first()


MODERATE = "projects.moderate"
MODERATORS = "moderators"  # the group that a migration makes


def moderates(user: Any) -> bool:
    """Whether somebody is a moderator: the permission says so, that the group gives.

    Being staff opens the admin's door and gives nothing; nobody moderates without it, so that
    who is not staff costs no look into the permissions.
    """
    return user.is_active and user.is_staff and user.has_perm(MODERATE)  # type: ignore[no-any-return]


def check_moderates(user: Any) -> None:
    if not moderates(user):
        raise PermissionDenied


def may(user: Any, can: Can, project: Project) -> bool:
    """Moderators may look at everything; only members may do anything."""
    mine = membership(project, user)
    if mine and mine.state == Membership.State.BANNED:
        return False
    active = mine is not None and mine.state == Membership.State.ACTIVE
    if can is Can.VIEW:
        public = project.visibility == Project.Visibility.PUBLIC
        return public or active or moderates(user)
    return active and mine is not None and mine.role in ROLES[can]


View = Callable[Concatenate[HttpRequest, Project, P], HttpResponseBase]


def project_view(can: Can) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Turns `project_id` of the address into the Project, if the user may `can` there.

    A project that one may not see is not found; without login one is sent to log in; htmx and
    other background requests get 401 instead, so that the page can say so.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(
            request: HttpRequest, project_id: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            found = Project.objects.select_related("person", "owner").filter(public_id=project_id)
            project = found.first()
            if project and may(request.user, can, project):
                return view(request, project, *args, **kwargs)
            if project and not request.user.is_authenticated:
                return _log_in_first(request)
            if project and may(request.user, Can.VIEW, project):
                raise PermissionDenied(_why_not(project, request.user))
            raise Http404

        wrapper.can = can  # type: ignore[attr-defined]  # the permission matrix reads it
        return wrapper

    return decorate


def _why_not(project: Project, user: Any) -> str:
    mine = membership(project, user)
    if mine and mine.state == Membership.State.ACTIVE:
        return _("Only the owner of this project may do that.")
    return _("Join this project first: its page says how.")


def _log_in_first(request: HttpRequest) -> HttpResponse:
    in_background = request.headers.get("HX-Request") or request.headers.get("X-Background")
    if in_background or request.method != "GET":
        return HttpResponse(_("Your session has ended. Log in again; nothing is lost."), status=401)
    return redirect_to_login(request.get_full_path())


def signed_in(request: HttpRequest) -> User:
    """The logged-in user, typed; for views behind a permission that needs one."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
