"""Deleting a project or an account, taking one's data along, and coming back to a project."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.ratelimit import limited
from core.user_errors import Refused
from projects.lifecycle import activity as lifecycle_activity
from projects.models import Project
from projects.permissions import Can, project_view, signed_in
from sdc.erasure import accounts, projects


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.MANAGE, left_alone=True)
def project_delete(request: HttpRequest, project: Project) -> HttpResponse:
    """Lists what goes and what stays; the project's name has to be typed."""
    wanted, problem = str(project), ""
    if request.method == "POST":
        if not _same(request.POST.get("name", ""), wanted):
            problem = _("That is not its name. Nothing was deleted.")
        else:
            try:
                projects.delete(project, signed_in(request))
                messages.success(request, _("Deleted. What was written to the wiki stays there."))
                return redirect("projects")
            except Refused as refused:
                problem = refused.sentence
    context = {
        "project": project,
        "wanted": wanted,
        "problem": problem,
        "goes": projects.goes(project),
        "stays": projects.stays(project),
    }
    status = 422 if problem else 200
    return render(request, "wikivisage/project_delete.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account_delete(request: HttpRequest) -> HttpResponse:
    """Lists what goes, what stays nameless and what stays; one's own name has to be typed."""
    user, problem = signed_in(request), ""
    if request.method == "POST":
        if not _same(request.POST.get("name", ""), str(user)):
            problem = _("That is not your name. Nothing was deleted.")
        else:
            try:
                accounts.delete(user)
                logout(request)
                words = _(
                    "Your account here is deleted. Take the permission back on the wiki, too."
                )
                messages.success(request, words)
                return redirect("home")
            except Refused as refused:
                problem = refused.sentence
    context = {
        "problem": problem,
        "goes": accounts.goes(user),
        "nameless": accounts.becomes_nameless(user),
        "stays": accounts.stays(user),
        "with_others": accounts.own_with_others(user).with_subject(),
        "alone": accounts.own_alone(user).with_subject(),
    }
    status = 422 if problem else 200
    return render(request, "wikivisage/account_delete.html", context, status=status)


@limited("export", reads=True)
@never_cache
@login_required
@require_safe
def account_data(request: HttpRequest) -> HttpResponse:
    """All that is kept about who asks, as a file."""
    data = accounts.own_data(signed_in(request))
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="wikivisage-my-data.json"'
    return response


@require_POST
@project_view(Can.ANSWER)
def project_wake(request: HttpRequest, project: Project) -> HttpResponse:
    """Have the vectors made again that went while nobody came."""
    lifecycle_activity.wake(project, signed_in(request))
    messages.success(request, _("The faces are being looked at again. Questions come soon."))
    return redirect(project)


def _same(typed: str, wanted: str) -> bool:
    return " ".join(typed.split()).casefold() == " ".join(wanted.split()).casefold()
