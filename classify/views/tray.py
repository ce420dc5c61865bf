"""Photos in which no face was found: people draw one, or say that the person is there."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classify.models import Label
from classify.views import counts, replies, words
from classify.views.ask import whose
from crawler.models import Region
from crawler.selectors import photos_without_faces
from projects.models import Project
from projects.permissions import Can, project_view

PAGE = 48


@require_GET
@never_cache
@project_view(Can.ANSWER)
def tray(request: HttpRequest, project: Project) -> HttpResponse:
    """Photos that wait for a word, by key: `after` is the last photo of the page before."""
    said = Label.objects.filter(project=project, region__origin=Region.Origin.PHOTO)
    waiting = photos_without_faces(project).exclude(pk__in=said.values("photo"))
    after = request.GET.get("after", "")
    rest = waiting.filter(public_id__gt=after) if after else waiting
    photos = list(rest.order_by("public_id")[: PAGE + 1])
    more = len(photos) > PAGE
    context = whose(project) | {
        "photos": [(photo, uuid.uuid4()) for photo in photos[:PAGE]],
        "after": photos[PAGE - 1].public_id if more else "",
    }
    if replies.is_script(request):
        return render(request, "classify/_tray.html", context)
    context |= {
        "counts": counts.of(project, request.user),
        "total": waiting.count(),
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": words.review(context["name"]),
    }
    return render(request, "classify/tray.html", context)
