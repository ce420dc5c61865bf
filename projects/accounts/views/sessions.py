"""Where one is logged in, and ending it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from projects.accounts import sessions as deeds
from projects.permissions import signed_in


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    found = deeds.sessions_of(request, signed_in(request))
    this = request.session.session_key
    rows = [(each, each.session_key == this) for each in found]
    return render(request, "projects/sessions.html", {"rows": rows})


@require_POST
@login_required
def sessions_end(request: HttpRequest) -> HttpResponse:
    """End the `session` named, or all `others`."""
    user, named = signed_in(request), request.POST.get("session", "")
    if "others" in request.POST:
        ended = deeds.end_others(request, user)
        text = ngettext("%(n)d session was ended.", "%(n)d sessions were ended.", ended)
        messages.success(request, text % {"n": ended})
    elif named.isdecimal() and len(named) < 19 and deeds.end(user, int(named)):
        if not request.session.exists(request.session.session_key or ""):
            logout(request)
            return redirect("home")
        messages.success(request, _("That session was ended."))
    else:
        messages.error(request, _("That session has ended already."))
    return redirect("sessions")
