"""Which first-use tours somebody has seen."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from projects.models import User
from projects.permissions import signed_in
from projects.tours import TOURS
from projects.views.account import next_url


@require_POST
@login_required
@transaction.atomic
def tours(request: HttpRequest) -> HttpResponse:
    """`seen`: a tour was seen, or is not wanted; `again`: all of them from the beginning."""
    user = User.objects.select_for_update().get(pk=signed_in(request).pk)  # two tabs, two tours
    if "again" in request.POST:
        user.tours = []
        messages.success(request, _("You will be offered the tours again."))
    elif (seen := request.POST.get("seen", "")) in TOURS:
        user.tours = sorted({*user.tours, seen})
    user.save(update_fields=["tours"])
    if request.headers.get("X-Background"):
        return HttpResponse(status=204)
    return redirect(next_url(request, reverse("help")))
