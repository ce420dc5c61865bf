"""The answers of one member looked through, and taken out of training."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classify import answers
from classify.models import Verdict
from classify.pages.person import person_context
from classify.trust import apply as trust_apply
from classify.trust.answer_history import OVERRULED, agreement, answers_of, counts_of
from classify.trust.exclude import set_counts
from core.redirects import next_url
from core.user_errors import Refused
from projects.models import Membership, Project
from projects.permissions import Can, may, moderates, project_view, signed_in, why_not

PAGE = 60


@require_safe
@never_cache
@project_view(Can.VIEW)
def member(request: HttpRequest, project: Project, user_id: str) -> HttpResponse:
    """For the owner and reviewers, for moderators, and of one's own."""
    theirs = of_member(request, project, user_id)
    which, before = request.GET.get("which", ""), request.GET.get("before", "")
    which = which if which in (*Verdict.values, OVERRULED) else ""
    page = answers_of(
        project,
        theirs.user,
        which,
        int(before) if before.isdecimal() and len(before) < 19 else None,
        PAGE,
    )
    counts = counts_of(project, theirs.user)
    context: dict[str, Any] = person_context(project) | {
        "theirs": theirs,
        "page": page,
        "first_page": not before,
        "which": which,
        "filters": [(value, label, counts.get(value, 0)) for value, label in _filters()],
        "total": counts[""],
        "agreement": agreement(project, theirs.user),
        "is_owner": theirs.role == Membership.Role.OWNER,
        "judges": may_judge(request.user, theirs),
        "oversees": may(request.user, Can.OVERSEE, project),
        "manages": may(request.user, Can.MANAGE, project),
        "redrawn": answers.redrawn_by(project, theirs.user).count(),
    }
    return render(request, "classify/member.html", context)


@require_POST
@project_view(Can.OVERSEE)
def member_counts(request: HttpRequest, project: Project, user_id: str) -> HttpResponse:
    """Take somebody's answers out of training (`counts` is "no"), or let them count again."""
    theirs = of_member(request, project, user_id)
    if not may_judge(request.user, theirs):
        raise PermissionDenied(why_not(Can.MANAGE, project, request.user))
    counts = request.POST.get("counts") != "no"
    try:
        set_counts(project, signed_in(request), theirs.user, counts)
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _done(counts) % {"name": theirs.user})
    return redirect(next_url(request, reverse("member", args=[project.public_id, user_id])))


@require_POST
@project_view(Can.MANAGE)
def redrawn_undo(request: HttpRequest, project: Project, user_id: str) -> HttpResponse:
    """Undo all better boxes that somebody drew."""
    theirs = of_member(request, project, user_id)
    try:
        count = answers.undo_redrawn(project, theirs.user, signed_in(request))
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        said = ngettext("%(n)d box is undone.", "%(n)d boxes are undone.", count)
        messages.success(request, said % {"n": count})
    return redirect("member", project.public_id, user_id)


def may_judge(user: Any, theirs: Membership) -> bool:
    """The owner; of the owner's own answers, which only the guard takes out, somebody else."""
    if theirs.role == Membership.Role.OWNER:
        return (bool(theirs.doubt) or not theirs.counts) and trust_apply.may_look(user, theirs)
    return may(user, Can.MANAGE, theirs.project)


def of_member(request: HttpRequest, project: Project, user_id: str) -> Membership:
    """Somebody's membership, for who may look through what they said; they need not be a member
    any more. Raises Http404, PermissionDenied."""
    own = user_id == getattr(request.user, "public_id", None)
    if not (own or may(request.user, Can.OVERSEE, project) or moderates(request.user)):
        raise PermissionDenied(why_not(Can.OVERSEE, project, request.user))
    rows = project.memberships.select_related("user")
    return get_object_or_404(rows, user__public_id=user_id)


def _done(counts: bool) -> str:
    if counts:
        return _("The answers of %(name)s count again.")
    return _(
        "The answers of %(name)s are out of training. Faces on which nobody else has said a word "
        "are asked about again."
    )


def _filters() -> list[tuple[str, Any]]:
    return [("", _("All")), *Verdict.choices, (OVERRULED, _("Overruled"))]
