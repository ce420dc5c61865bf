"""The keys somebody answers and reviews with: shown, changed, and put back."""

from __future__ import annotations

import json

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from classify.asking import hotkeys as own
from core.redirects import next_url
from projects.permissions import signed_in

FIELD = "key-"  # and the name of the command


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """A page of its own; for htmx the form alone. Only the commands that are sent change."""
    user, page = signed_in(request), request.POST.get("page", "")
    typed, told = None, ""
    if request.method == "POST":
        typed = _typed(request)
        if "reset" in request.POST:
            user.keys, told = {}, _("The usual keys are back.")
        elif not own.wrong(now := own.of(user), typed):
            chosen = {name: own.normal(text) or "" for name, text in typed.items()}
            user.keys, told = own.changed(now | chosen), _("Your keys are saved.")
        if told:
            user.save(update_fields=["keys"])
            typed = None
    if "HX-Request" not in request.headers and told:
        messages.success(request, told)
        return redirect(next_url(request, reverse("keys")))
    context = {"rows": own.rows(user, page, typed), "page": page, "told": told}
    if "HX-Request" not in request.headers:
        return render(request, "classify/keys.html", context)
    response = render(request, "classify/_keys_form.html", context)
    if told:
        response["HX-Trigger"] = json.dumps({"keys": told_to_script(own.of(user))})
    return response


def told_to_script(chosen: dict[str, str]) -> dict[str, dict[str, str]]:
    labels = {name: own.label(key) for name, key in chosen.items()}
    return {"keys": chosen, "labels": labels}


def _typed(request: HttpRequest) -> dict[str, str]:
    sent = request.POST
    return {name: sent[FIELD + name] for name in own.BY_NAME if FIELD + name in sent}
