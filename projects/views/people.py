"""The members of a project: who they are, and how one comes and goes."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects import people
from projects.models import Membership, Project, User
from projects.permissions import Can, may, membership, moderates, project_view, signed_in
from projects.refusal import Refused
from projects.standings import PERIODS, standings
from projects.views.account import next_url

State = Membership.State
DEEDS = {
    "remove": people.remove,
    "ban": people.ban,
    "unban": people.unban,
}


@require_safe
@project_view(Can.VIEW)
def members(request: HttpRequest, project: Project) -> HttpResponse:
    """Members see each other; visitors see who chose to be seen, and how many more there are."""
    mine = membership(project, request.user)
    is_inside = bool(mine and mine.state == State.ACTIVE) or moderates(request.user)
    active = project.memberships.filter(state=State.ACTIVE).select_related("user")
    seen = active if is_inside else active.filter(
        Q(user__show_on_leaderboard=True) | Q(role=Membership.Role.OWNER)
    )  # fmt: skip
    manages = may(request.user, Can.MANAGE, project)
    period = request.GET.get("period", "all")
    rows = list(seen.order_by("joined_at")[:200])
    context = {
        "project": project,
        "mine": mine,
        "manages": manages,
        "members": rows,
        "more": active.count() - len(rows),
        "banned": project.memberships.filter(state=State.BANNED).select_related("user")
        if manages
        else [],
        "invites": project.invites.filter(revoked_at=None, expires_at__gt=timezone.now()).order_by(
            "-id"
        )
        if manages
        else [],
        "invite_days": people.INVITE_DAYS,
        "invite_uses": people.INVITE_USES,
        "periods": PERIODS,
        "period": period if period in PERIODS else "all",
        "standings": standings(period if period in PERIODS else "all", request.user, project),
    }
    return render(request, "projects/members.html", context)


@require_POST
@project_view(Can.MANAGE)
def invite_new(request: HttpRequest, project: Project) -> HttpResponse:
    try:
        days = int(request.POST.get("days", "7"))
        uses = int(request.POST.get("uses", "50"))
    except ValueError:
        days = uses = 0
    if days in people.INVITE_DAYS and uses in people.INVITE_USES:
        people.invite(project, signed_in(request), days, uses)
    else:
        messages.error(request, _("Choose how long the code is valid, and for how many people."))
    return redirect("members", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def invite_revoke(request: HttpRequest, project: Project) -> HttpResponse:
    code = get_object_or_404(project.invites, code=request.POST.get("code", ""))
    people.revoke(code, signed_in(request))
    messages.success(request, _("The code %(code)s opens nothing any more.") % {"code": code.code})
    return redirect("members", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def member_change(request: HttpRequest, project: Project) -> HttpResponse:
    """Remove, ban, unban, or give another role: `deed` and the `user`'s public id."""
    user = get_object_or_404(
        User, public_id=request.POST.get("user", ""), memberships__project=project
    )
    deed, actor = request.POST.get("deed", ""), signed_in(request)
    try:
        if deed in DEEDS:
            DEEDS[deed](project, actor, user)
        elif deed in ("member", "reviewer"):
            people.set_role(project, actor, user, deed)
        else:
            raise Http404
    except Refused as problem:
        messages.error(request, problem.sentence)
    return redirect("members", project.public_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str = "") -> HttpResponse:
    """Join by an invite code: typed in, or brought by a link. Looking at it joins nothing."""
    typed = request.POST.get("code", code).strip()
    context: dict[str, object] = {"code": typed}
    try:
        if typed and (request.method != "POST" or "join" not in request.POST):
            found = people.find_invite(typed)
            context |= {"invite": found, "project": found.project}
        elif typed:
            project = people.join_by_code(typed, signed_in(request))
            _welcome(request, project)
            return redirect(project)
        if request.method == "POST" and not typed:
            context["problem"] = _("Enter the code you were given.")
    except Refused as problem:
        context["problem"] = problem.sentence
    status = 422 if "problem" in context else 200
    return render(request, "projects/join.html", context, status=status)


@require_POST
@project_view(Can.VIEW)
def project_join(request: HttpRequest, project: Project) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(project.get_absolute_url())
    try:
        people.join_open(project, signed_in(request))
        _welcome(request, project)
    except Refused as problem:
        messages.error(request, problem.sentence)
    return redirect(next_url(request, project.get_absolute_url()))


@require_POST
@project_view(Can.ANSWER)
def project_leave(request: HttpRequest, project: Project) -> HttpResponse:
    try:
        people.leave(project, signed_in(request))
    except Refused as problem:
        messages.error(request, problem.sentence)
        return redirect("members", project.public_id)
    messages.success(
        request, _("You have left %(project)s. Your answers stay.") % {"project": project}
    )
    return redirect("projects")


def _welcome(request: HttpRequest, project: Project) -> None:
    count = project.memberships.filter(state=State.ACTIVE).count()
    text = ngettext("Welcome: you are the first.", "Welcome: you are %(n)d now.", count)
    messages.success(request, text % {"n": count})
