"""Somebody's own page: who they are on the wiki, their projects, what is shown of them."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core.redirects import next_url
from projects.members.leaderboard import contributions_of
from projects.models import Membership
from projects.notifications.services import offered
from projects.permissions import signed_in
from projects.privacy import denylist

YEAR = 365 * 24 * 3600


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    mine = (
        user.memberships.filter(state=Membership.State.ACTIVE)
        .select_related("project__subject__person")
        .annotate(left_alone=denylist.left_alone("project__subject__person__qid"))
        .order_by("-project__active_at")[:100]
    )
    context = {
        "credential": user.credentials.filter(wiki=settings.WIKI.code).first(),
        "memberships": mine,
        "contributions": contributions_of(user),
        "kinds": [(kind, kind.value not in user.muted) for kind in offered(user)],
    }
    return render(request, "projects/account.html", context)


@require_POST
@login_required
def visibility(request: HttpRequest) -> HttpResponse:
    """Show one's name on leaderboards, or stop showing it."""
    user = signed_in(request)
    user.show_on_leaderboard = request.POST.get("show") == "on"
    user.save(update_fields=["show_on_leaderboard"])
    if user.show_on_leaderboard:
        messages.success(request, _("Your name is on the leaderboard now."))
    else:
        messages.success(request, _("Your name is no longer shown. You are counted without it."))
    return redirect(next_url(request, reverse("account")))


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the system says: a cookie of this browser."""
    response = redirect(next_url(request, reverse("home")))
    chosen = request.POST.get("theme")
    if chosen in ("light", "dark"):
        response.set_cookie("theme", chosen, max_age=YEAR, samesite="Lax", secure=settings.HTTPS)
    else:
        response.delete_cookie("theme")
    return response
