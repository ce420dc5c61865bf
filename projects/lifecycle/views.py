"""A project's settings: its owner only."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from core.user_errors import Refused
from projects.lifecycle.forms import SettingsForm
from projects.lifecycle.services import set_state
from projects.models import Membership, Project
from projects.permissions import Can, project_view, signed_in

STATES = {
    "pause": (
        Project.State.PAUSED,
        gettext_lazy("Paused: nothing is looked at or sent until you resume."),
    ),
    "resume": (Project.State.ACTIVE, gettext_lazy("Going on.")),
    "complete": (
        Project.State.COMPLETED,
        gettext_lazy("Completed. Thank you! Open it again whenever there is more to do."),
    ),
    "archive": (
        Project.State.ARCHIVED,
        gettext_lazy("Archived. What was written to the wiki stays there."),
    ),
    "reopen": (Project.State.ACTIVE, gettext_lazy("Open again.")),
}


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.MANAGE)
def settings(request: HttpRequest, project: Project) -> HttpResponse:
    form = SettingsForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        form.store(signed_in(request))
        messages.success(request, _("Saved."))
        return redirect("project-settings", project.public_id)
    status = 422 if form.errors else 200
    fresh = Project.objects.with_subject().select_related("owner").get(pk=project.pk)
    members = project.memberships.filter(state=Membership.State.ACTIVE)
    has_others = members.exclude(role=Membership.Role.OWNER).exists()
    context = {"project": fresh, "form": form, "has_others": has_others}
    return render(request, "projects/settings.html", context, status=status)


@require_POST
@project_view(Can.MANAGE)
def state(request: HttpRequest, project: Project) -> HttpResponse:
    """Pause, resume, complete, archive (with its box ticked) or reopen."""
    deed = request.POST.get("deed", "")
    if deed not in STATES or (deed == "archive" and "sure" not in request.POST):
        messages.error(request, _("Tick the box first: archiving ends the work of everybody here."))
        return redirect("project-settings", project.public_id)
    new_state, sentence = STATES[deed]
    try:
        set_state(project, signed_in(request), new_state)
        messages.success(request, sentence)
    except Refused as problem:
        messages.error(request, problem.sentence)
    if request.POST.get("next") == "project":
        return redirect(project)
    return redirect("project-settings", project.public_id)
