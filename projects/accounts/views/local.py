"""Using one's own copy on one's own machine, before it is registered with the wiki."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.ratelimit import limited
from core.redirects import next_url
from projects.models import User

LOOPBACK = ("127.0.0.1", "::1")


@limited("login")
@require_POST
def local_login(request: HttpRequest) -> HttpResponse:
    """Everything but sending, which takes somebody's token. `make run` on the real wiki turns
    this on while it has no consumer; it is for the very machine only."""
    if not settings.LOCAL_LOGIN or request.META["REMOTE_ADDR"] not in LOOPBACK:
        raise Http404
    user, _created = User.objects.get_or_create(
        issuer="local",
        sub="local",
        defaults={"username": "local", "wiki_username": _("You, on this machine")},
    )
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    UserSession.objects.create_from_request(request)
    return redirect(next_url(request, reverse("home")))
