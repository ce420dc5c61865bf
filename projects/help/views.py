"""Which first-use tours somebody has seen."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.redirects import next_url
from core.transactions import atomic
from projects.help.tours import TOURS
from projects.models import User
from projects.permissions import signed_in


@require_POST
@login_required
def tours(request: HttpRequest) -> HttpResponse:
    """`seen`: a tour was seen, or is not wanted; `again`: all of them from the beginning."""
    again = "again" in request.POST
    _keep(signed_in(request), request.POST.get("seen", ""), again=again)
    if again:
        messages.success(request, _("You will be offered the tours again."))
    if request.headers.get("X-Background"):
        return HttpResponse(status=204)
    return redirect(next_url(request, reverse("help")))


@atomic
def _keep(user: User, seen: str, *, again: bool) -> None:
    user = User.objects.select_for_update().get(pk=user.pk)  # two tabs, two tours
    if again:
        user.tours = []
    elif seen in TOURS:
        user.tours = sorted({*user.tours, seen})
    user.save(update_fields=["tours"])
