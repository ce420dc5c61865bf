"""Who may do what in a project: one table, one decorator, used by every view of a project."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import FilteredRelation, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.prepared_queries import prepared
from projects.models import Membership, Project, User
from projects.privacy import denylist, pauses

P = ParamSpec("P")
Role = Membership.Role


class Can(Enum):
    """What a view lets people do."""

    VIEW = auto()
    ANSWER = auto()
    REVIEW = auto()
    SEND = auto()
    OVERSEE = auto()  # look through what somebody else answered
    MANAGE = auto()


MEMBERS = frozenset({Role.OWNER, Role.REVIEWER, Role.MEMBER})
ROLES: dict[Can, frozenset[str]] = {
    Can.VIEW: MEMBERS,  # and anybody, while the project is public
    Can.ANSWER: MEMBERS,
    Can.REVIEW: MEMBERS,
    Can.SEND: MEMBERS,
    Can.OVERSEE: frozenset({Role.OWNER, Role.REVIEWER}),
    Can.MANAGE: frozenset({Role.OWNER}),
}


# What every page of a project reads with it, in one query
_read_with = ["subject__person", "owner", "census", "reader"]
LEFT_ALONE = "left_alone"  # on such a project: whether its person is on the deny-list
READER = "_reader"  # on a project found for a page: the key of who asks, and their membership


def read_with(relation: str) -> None:
    """Have every page of a project read one more relation with it. Call it in
    `AppConfig.ready`."""
    _read_with.append(relation)


def membership(project: Project, user: Any) -> Membership | None:
    """As it is now; of who asks for a page, as it was when they asked."""
    if not user.is_authenticated:
        return None
    reader, mine = project.__dict__.get(READER, (None, None))
    return mine if reader == user.pk else project.memberships.filter(user=user).first()


def find(public_id: str, user: Any) -> Project | None:
    """A project with all that its pages ask about it, and about who looks, in one query."""
    project: Project | None = next(iter(_found(public_id, user.pk, timezone.now())), None)
    if project and user.is_authenticated:
        project.__dict__[READER] = (user.pk, project.__dict__.pop("reader", None))
    return project


@prepared
def _found(public_id: Any, user: Any, now: Any) -> QuerySet[Project]:
    mine = Q(memberships__user=user)
    found = Project.objects.annotate(
        reader=FilteredRelation("memberships", condition=mine),
        **{LEFT_ALONE: denylist.left_alone(), pauses.PAUSED_UNTIL: pauses.until_of(now=now)},
    )
    return found.select_related(*_read_with).filter(public_id=public_id)


MODERATE = "projects.moderate"
MODERATORS = "moderators"  # the group: see wikivisage.moderation.moderator_group


def moderates(user: Any) -> bool:
    """Whether somebody is a moderator: the permission says so, that the group gives.

    Being staff opens the admin's door and gives nothing; nobody moderates without it, so that
    who is not staff costs no look into the permissions.
    """
    return user.is_active and user.is_staff and user.has_perm(MODERATE)  # type: ignore[no-any-return]


def moderators() -> QuerySet[User]:
    """All who moderate."""
    backend = "django.contrib.auth.backends.ModelBackend"
    return User.objects.with_perm(MODERATE, backend=backend).filter(is_staff=True)


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
    return grants(mine, can)


def grants(mine: Membership | None, can: Can) -> bool:
    """What being a member lets people do, whatever everybody may."""
    if mine is None or mine.state != Membership.State.ACTIVE:
        return False
    return mine.role in ROLES[can]


View = Callable[Concatenate[HttpRequest, Project, P], HttpResponseBase]


def is_left_alone(project: Project) -> bool:
    """Whether its person is on the deny-list; of a project found for a page, as it was then."""
    known: bool | None = project.__dict__.get(LEFT_ALONE)
    return denylist.denied_project(project) if known is None else known


def is_hidden(project: Project, user: Any) -> bool:
    """Its person is left alone: what there is of it only moderators still see."""
    return is_left_alone(project) and not moderates(user)


def project_view(
    can: Can, *, left_alone: bool = False
) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """Turns `project_id` of the address into the Project, if the user may `can` there.

    A project that one may not see is not found. Without login one is sent to log in for whatever
    one may not do, and for what is not there, so that nobody learns which ids there are; htmx and
    other background requests get 401 instead, so that the page can say so. To what a page's script
    sends for somebody who was a member when it was opened, the answer is a sentence, too.

    Of a person who is left alone nothing is shown but by views that say `left_alone`; what is done
    there the services refuse.
    """

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapper(
            request: HttpRequest, project_id: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            project, user = find(project_id, request.user), request.user
            shows = request.method in ("GET", "HEAD") and not left_alone
            if project and shows and may(user, Can.VIEW, project) and is_hidden(project, user):
                raise PermissionDenied(denylist.why_alone(project))
            if project and may(user, can, project):
                try:
                    return view(request, project, *args, **kwargs)
                except PermissionDenied as refusal:
                    if user.is_authenticated and _is_sent_by_script(request):
                        return _refused(str(refusal))
                    if user.is_authenticated:
                        raise
            elif project and user.is_authenticated and may(user, Can.VIEW, project):
                if _is_sent_by_script(request):
                    return _not_taken(403)
                request.to_join = project if joining_helps(can, project, user) else None  # type: ignore[attr-defined]
                raise PermissionDenied(why_not(can, project, user))
            if not user.is_authenticated:
                return _log_in_first(request)
            if _is_sent_by_script(request):
                return _not_taken(404)
            raise Http404

        wrapper.can = can  # type: ignore[attr-defined]  # the permission matrix reads it
        return wrapper

    return decorate


def joining_helps(can: Can, project: Project, user: Any) -> bool:
    """Whether somebody may do this in a project once they are a member."""
    mine = membership(project, user)
    is_inside = mine is not None and mine.state == Membership.State.ACTIVE
    return not is_inside and Role.MEMBER in ROLES[can]


def why_not(can: Can, project: Project, user: Any) -> str:
    """What to tell somebody who may look at a project, and may not do this in it."""
    if joining_helps(can, project, user):
        return _("Join this project first: its page says how.")
    if can is Can.OVERSEE:
        return _("Only the owner and the reviewers of this project may do that.")
    return _("Only the owner of this project may do that.")


def _is_sent_by_script(request: HttpRequest) -> bool:
    return request.method == "POST" and "X-Background" in request.headers


def _not_taken(status: int) -> HttpResponse:
    sentence = _("This was not taken: you are no longer a member of this project.")
    return JsonResponse({"error": "no-member", "sentence": sentence}, status=status)


def _refused(sentence: str) -> HttpResponse:
    """Answer a page's script with what a view itself refused."""
    sentence = sentence or _("You may not do that here.")
    return JsonResponse({"error": "refused", "sentence": sentence}, status=403)


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
