"""Photos in which no face was found: people draw one, or say that the person is there."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from classify import selectors
from classify.pages import progress, responses, strings
from classify.pages.person import person_context
from crawler.models import Photo, ProjectPhoto
from projects.live.census import is_being_counted
from projects.models import Project
from projects.permissions import Can, project_view
from projects.privacy import pauses

PAGE = 48
CHUNK = 1000  # photos of a project that are looked through at once
CHUNKS = 10  # and how often for one page


@require_GET
@never_cache
@project_view(Can.ANSWER)
def tray(request: HttpRequest, project: Project) -> HttpResponse:
    """Photos that wait for a word, by key: `after` is where the page before ended."""
    after = request.GET.get("after", "")
    photos: list[Photo] = []
    rest = 0
    if not pauses.of_project(project):
        photos, rest = _page(project, int(after) if after.isdecimal() and len(after) < 19 else 0)
    context = person_context(project) | {
        "photos": [(photo, uuid.uuid4()) for photo in photos],
        "after": rest or "",
    }
    if responses.is_script(request):
        return render(request, "classify/_tray.html", context)
    context |= {
        "counts": progress.of(project, request.user),
        "total": selectors.wordless_count(project),
        "is_being_counted": is_being_counted(project),
        "undo_uuid": uuid.uuid4(),
        "csrf_cookie": settings.CSRF_COOKIE_NAME,
        "words": strings.review(context["name"]),
    }
    return render(request, "classify/tray.html", context)


def _page(project: Project, after: int) -> tuple[list[Photo], int]:
    """The photos, and the key to go on from; 0 at the end. So many of the project's photos are
    looked through at once, and a page may be short where hardly any wait."""
    waiting = selectors.wordless(project).select_related("picture")
    held = ProjectPhoto.objects.filter(project=project).order_by("pk")
    found: list[tuple[int, Photo]] = []
    for _turn in range(CHUNKS):
        chunk = list(held.filter(pk__gt=after).values_list("photo", "pk")[:CHUNK])
        keys = dict(chunk)
        found += sorted(
            ((keys[photo.pk], photo) for photo in waiting.filter(pk__in=keys)),
            key=lambda each: each[0],
        )
        if len(found) > PAGE:
            return [photo for _key, photo in found[:PAGE]], found[PAGE - 1][0]
        if len(chunk) < CHUNK:
            return [photo for _key, photo in found], 0
        after = chunk[-1][1]
    return [photo for _key, photo in found], after
