"""The members of a project: who they are, what each may do, and how one comes and goes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.ratelimit import limited
from core.redirects import next_url
from core.user_errors import Refused
from projects.members import services as members_services
from projects.members.leaderboard import PERIODS, contributions_in, standings
from projects.members.views.leaderboard import board_page
from projects.models import Membership, Project, Tally, User
from projects.permissions import (
    MEMBERS,
    ROLES,
    Can,
    may,
    membership,
    moderates,
    project_view,
    signed_in,
)

Role, State = Membership.Role, Membership.State
PAGE = 25
BOARD = 10  # places of its leaderboard
NAMES = 8  # offered while one types
SEARCHED = 8  # fewer members need no search
DEEDS = {
    "accept": members_services.accept,
    "decline": members_services.decline,
    "remove": members_services.remove,
    "ban": members_services.ban,
    "unban": members_services.unban,
}
# What the page says that each role may do.
RIGHTS = (
    (gettext_lazy("Answer questions about faces, and draw them"), ROLES[Can.ANSWER]),
    (gettext_lazy("Review what the tool finds"), ROLES[Can.REVIEW]),
    (gettext_lazy("Send statements, under their own name"), ROLES[Can.SEND]),
    (gettext_lazy("Have the last word where answers differ"), MEMBERS - {Role.MEMBER}),
    (gettext_lazy("Look through what a member answered"), ROLES[Can.OVERSEE]),
    (gettext_lazy("Take somebody’s answers out of training"), ROLES[Can.MANAGE]),
    (gettext_lazy("Invite, let in, remove, and give roles"), ROLES[Can.MANAGE]),
    (gettext_lazy("Change settings, hand the project over, end it"), ROLES[Can.MANAGE]),
)


@require_safe
@project_view(Can.VIEW)
def members(request: HttpRequest, project: Project) -> HttpResponse:
    """Members see each other; visitors see who chose to be seen, and how many more there are."""
    mine = membership(project, request.user)
    is_inside = bool(mine and mine.state == State.ACTIVE) or moderates(request.user)
    manages = may(request.user, Can.MANAGE, project)
    oversees = manages or may(request.user, Can.OVERSEE, project) or moderates(request.user)
    active = project.memberships.filter(state=State.ACTIVE)
    seen = _seen(active, is_inside)
    sought = request.GET.get("q", "").strip()[:100]
    found = _called(seen, contains=sought) if sought else seen
    page = Paginator(_in_order(found), PAGE).get_page(request.GET.get("page"))
    period = request.GET.get("period", "all")
    period = period if period in PERIODS else "all"
    total = active.count()
    context: dict[str, Any] = {
        "project": project,
        "mine": mine,
        "manages": manages,
        "oversees": oversees,
        "page": page,
        "members": _with_work(project, page.object_list),
        "sought": sought,
        "searched": total > SEARCHED,
        "total": total,
        "hidden": total - seen.count(),
        "rights": [
            (what, [role in may_do for role in Role.values[::-1]]) for what, may_do in RIGHTS
        ],
        "periods": PERIODS,
        "period": period,
        "standings": standings(period, request.user, project, board_page(request), BOARD),
    }
    if manages:
        context |= _managed(project)
    if oversees:
        context["doubted"] = _doubted(project, manages=manages)
        context["gone"] = _with_work(project, _gone(project)[:PAGE])
    return render(request, "projects/members.html", context)


def _called(rows: QuerySet[Membership], **how: str) -> QuerySet[Membership]:
    """By name, whatever its capitals: to MariaDB's collation of ours an A is no a."""
    named = {f"lowered__{lookup}": text.lower() for lookup, text in how.items()}
    return rows.alias(lowered=Lower("user__wiki_username")).filter(**named)


def _seen(active: QuerySet[Membership], is_inside: bool) -> QuerySet[Membership]:
    """Of the members those whose names a reader sees."""
    named = Q(user__show_on_leaderboard=True) | Q(role=Role.OWNER)
    return active if is_inside else active.filter(named)


@require_safe
@project_view(Can.VIEW)
def member_names(request: HttpRequest, project: Project) -> HttpResponse:
    """Options for a field in which one types a member: names with `q` in them."""
    mine = membership(project, request.user)
    is_inside = bool(mine and mine.state == State.ACTIVE) or moderates(request.user)
    sought = (request.GET.get("q") or request.GET.get("to") or "").strip()[:100]
    seen = _seen(project.memberships.filter(state=State.ACTIVE), is_inside)
    found = _called(seen, contains=sought) if sought else seen.none()
    names = found.order_by("user__wiki_username").values_list("user__wiki_username", flat=True)
    return render(request, "projects/_names.html", {"names": names[:NAMES]})


def _in_order(rows: QuerySet[Membership]) -> QuerySet[Membership]:
    """The owner, the reviewers, the others; who came first stands first."""
    first = Case(When(role=Role.OWNER, then=0), When(role=Role.REVIEWER, then=1), default=2)
    return rows.select_related("user").order_by(first, "joined_at", "id")


def _with_work(project: Project, rows: Any) -> list[tuple[Membership, int]]:
    """Each with how much of their work counts here."""
    rows = list(rows)
    did = contributions_in(project, [row.user_id for row in rows])
    return [(row, did.get(row.user_id, 0)) for row in rows]


def _gone(project: Project) -> QuerySet[Membership]:
    """Who was here: those who left something behind, and all who are kept out."""
    worked = Tally.objects.filter(project=project, user=OuterRef("user"))
    left = Q(state=State.LEFT) & Exists(worked)
    rows = project.memberships.filter(left | Q(state=State.BANNED))
    return rows.select_related("user").order_by("state", "-joined_at", "id")


def _doubted(project: Project, *, manages: bool) -> QuerySet[Membership]:
    """Whose answers wait for a look: the owner looks, and others at the owner's."""
    rows = project.memberships.exclude(doubt="").select_related("user").order_by("doubted_at")
    return rows.exclude(role=Role.OWNER) if manages else rows.filter(role=Role.OWNER)


def _managed(project: Project) -> dict[str, Any]:
    """What only the owner sees."""
    live = project.invites.filter(revoked_at=None, expires_at__gt=timezone.now())
    asked = project.memberships.filter(state=State.ASKED).select_related("user")
    return {
        "asked": asked.order_by("joined_at")[:PAGE],
        "invites": live.order_by("-id")[:PAGE],
        "invite_days": members_services.INVITE_DAYS,
        "invite_uses": members_services.INVITE_USES,
    }


@limited("invite")
@require_POST
@project_view(Can.MANAGE)
def invite_new(request: HttpRequest, project: Project) -> HttpResponse:
    try:
        days = int(request.POST.get("days", "7"))
        uses = int(request.POST.get("uses", "50"))
    except ValueError:
        days = uses = 0
    if days in members_services.INVITE_DAYS and uses in members_services.INVITE_USES:
        members_services.invite(project, signed_in(request), days, uses)
    else:
        messages.error(request, _("Choose how long the code is valid, and for how many people."))
    return redirect("members", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def invite_revoke(request: HttpRequest, project: Project) -> HttpResponse:
    code = get_object_or_404(project.invites, code=request.POST.get("code", ""))
    members_services.revoke(code, signed_in(request))
    messages.success(request, _("The code %(code)s opens nothing any more.") % {"code": code.code})
    return redirect("members", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def member_change(request: HttpRequest, project: Project) -> HttpResponse:
    """Let in, remove, ban, unban, or give another role: `deed` and the `user`'s public id."""
    user = _person(project, request.POST.get("user", ""))
    deed, actor = request.POST.get("deed", ""), signed_in(request)
    try:
        if deed in DEEDS:
            DEEDS[deed](project, actor, user)
        elif deed in (Role.MEMBER, Role.REVIEWER):
            members_services.set_role(project, actor, user, deed)
        else:
            raise Http404
        messages.success(request, _done(deed) % {"name": user})
    except Refused as problem:
        messages.error(request, problem.sentence)
    return redirect(next_url(request, _members(project)))


def _done(deed: str) -> str:
    return {
        "accept": _("%(name)s is a member now."),
        "decline": _("%(name)s was not let in."),
        "remove": _("%(name)s is no member any more."),
        "ban": _("%(name)s is kept out."),
        "unban": _("%(name)s may join again."),
        "member": _("%(name)s is a plain member now."),
        "reviewer": _("%(name)s is a reviewer now."),
    }[deed]


@require_safe
@project_view(Can.MANAGE)
def hand_over_to(request: HttpRequest, project: Project) -> HttpResponse:
    """From a name that was typed (`to`) to the page that asks once more."""
    name = " ".join(request.GET.get("to", "").replace("_", " ").split())[:255]
    others = project.memberships.filter(state=State.ACTIVE).exclude(role=Role.OWNER)
    found = _called(others, exact=name).select_related("user").first()
    if found:
        return redirect("hand-over", project.public_id, found.user.public_id)
    sentence = _("No other member of this project is called “%(name)s”.")
    messages.error(request, sentence % {"name": name})
    return redirect(reverse("project-settings", args=[project.public_id]) + "#hand-over")


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.MANAGE)
def hand_over(request: HttpRequest, project: Project, user_id: str) -> HttpResponse:
    """Ask once more, then make another member the owner."""
    user = _person(project, user_id)
    problem = ""
    if request.method == "POST" and "sure" not in request.POST:
        problem = _("Tick the box first: afterwards it is theirs to decide.")
    elif request.method == "POST":
        try:
            members_services.hand_over(project, signed_in(request), user)
        except Refused as refused:
            problem = refused.sentence
        else:
            words = _("%(name)s owns this project now. You stay as a reviewer.")
            messages.success(request, words % {"name": user})
            return redirect("members", project.public_id)
    context = {"project": project, "person": user, "problem": problem}
    status = 422 if problem else 200
    return render(request, "projects/hand_over.html", context, status=status)


def _code(request: HttpRequest, code: str = "") -> str:
    return request.POST.get("code", code).strip().upper()


@limited("join", reads=True, each=_code)
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str = "") -> HttpResponse:
    """Join by an invite code: typed in, or brought by a link. Looking at it joins nothing, and
    leads members to their project."""
    user = signed_in(request)
    typed = request.POST.get("code", code).strip()
    context: dict[str, object] = {"code": typed}
    try:
        if typed and (request.method != "POST" or "join" not in request.POST):
            found = members_services.find_invite(typed, user)
            mine = membership(found.project, user)
            if mine and mine.state == State.ACTIVE:
                messages.info(request, _("You are a member of this project already."))
                return redirect(found.project)
            context |= {"invite": found, "project": found.project}
        elif typed:
            project = members_services.join_by_code(typed, user)
            _welcome(request, project)
            return redirect(project)
        if request.method == "POST" and not typed:
            context["problem"] = _("Enter the code you were given.")
    except Refused as problem:
        context["problem"] = problem.sentence
    status = 422 if "problem" in context else 200
    return render(request, "projects/join.html", context, status=status)


@limited("join")
@require_POST
@project_view(Can.VIEW)
def project_join(request: HttpRequest, project: Project) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(project.get_absolute_url())
    try:
        members_services.join_open(project, signed_in(request))
        _welcome(request, project)
    except Refused as problem:
        messages.error(request, problem.sentence)
    return redirect(next_url(request, project.get_absolute_url()))


@limited("join")
@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.VIEW)
def project_ask(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask to be let in, with a few words; or take that back."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    user, context = signed_in(request), {"project": project, "problem": ""}
    if request.method == "POST":
        try:
            if "take-back" in request.POST:
                members_services.take_back_asking(project, user)
                messages.success(request, _("Taken back."))
            else:
                members_services.ask(project, user, request.POST.get("note", ""))
                messages.success(request, _("The owner is asked. You will hear of it here."))
            return redirect(project)
        except Refused as problem:
            context["problem"] = problem.sentence
    context["mine"] = membership(project, user)
    status = 422 if context["problem"] else 200
    return render(request, "projects/ask_to_join.html", context, status=status)


@require_POST
@project_view(Can.ANSWER)
def project_leave(request: HttpRequest, project: Project) -> HttpResponse:
    try:
        members_services.leave(project, signed_in(request))
    except Refused as problem:
        messages.error(request, problem.sentence)
        return redirect("members", project.public_id)
    messages.success(
        request, _("You have left %(project)s. Your answers stay.") % {"project": project}
    )
    return redirect("projects")


def _person(project: Project, public_id: str) -> User:
    return get_object_or_404(User, public_id=public_id, memberships__project=project)


def _members(project: Project) -> str:
    return reverse("members", args=[project.public_id])


def _welcome(request: HttpRequest, project: Project) -> None:
    count = project.memberships.filter(state=State.ACTIVE).count()
    text = ngettext("Welcome: you are the first.", "Welcome: you are %(n)d now.", count)
    messages.success(request, text % {"n": count})
