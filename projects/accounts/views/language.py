"""The language of the pages: for an account, or for this browser."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.redirects import next_url
from projects.accounts.views.account import YEAR
from projects.models import User


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """One of those there are, or nothing: then the browser's word counts.

    Whoever is logged in finds it on every device; the cookie is for the pages after a logout.
    """
    response = redirect(next_url(request, reverse("home")))
    chosen = request.POST.get("language", "")
    chosen = chosen if chosen in dict(settings.LANGUAGES) else ""
    if isinstance(request.user, User):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    name = settings.LANGUAGE_COOKIE_NAME
    if chosen:
        response.set_cookie(name, chosen, max_age=YEAR, samesite="Lax", secure=settings.HTTPS)
    else:
        response.delete_cookie(name, samesite="Lax")
    return response
