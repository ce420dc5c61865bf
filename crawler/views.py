"""Crops, what was set aside or left out, and reading the sources again."""

from __future__ import annotations

from math import ceil
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from core.user_errors import Refused
from crawler import omissions, selectors, services
from crawler.listing import sources
from crawler.models import EmbedJob, Photo, Region
from crawler.pictures import crops
from projects.live.census import is_being_counted
from projects.members.limits import limited_in_project
from projects.models import Project, User
from projects.permissions import Can, may, moderates, project_view, signed_in
from projects.privacy import denylist
from wiki import pace

DAY = 24 * 3600
A_PAGE = 60


@require_safe
@project_view(Can.VIEW)
def crop(request: HttpRequest, project: Project, region_id: str) -> HttpResponse:
    """The crop of a region that stands in a photo of this project; a face is found in no other way,
    and none where the person is left alone.

    It's for this reader only: a project may be private. A browser keeps it no longer than a day,
    as /privacy says, though it never changes: it may be gone here. One that has to be made first
    is to be asked for again, as static/js/crops.js does.
    """
    region = get_object_or_404(Region, public_id=region_id)
    shown = Photo.objects.filter(picture=region.picture_id, project_photos__project=project)
    photo = shown.exclude(state=Photo.State.DENIED).first()
    if photo is None or denylist.denied_project(project):
        raise Http404
    try:
        data = crops.read(region, photo)
    except pace.Later as later:
        headers = {"Retry-After": str(ceil(later.seconds)), "Cache-Control": "no-store"}
        return HttpResponse(status=503, headers=headers)
    if data is None:
        raise Http404
    response = HttpResponse(data, content_type="image/jpeg")
    response["Cache-Control"] = f"private, max-age={DAY}"
    return response


@require_safe
@project_view(Can.VIEW)
def set_aside(request: HttpRequest, project: Project) -> HttpResponse:
    groups = selectors.set_aside(project)
    reason = request.GET.get("reason", "")
    chosen = reason if reason in {group.reason for group in groups} else ""
    total = sum(group.count for group in groups)
    is_counted = not is_being_counted(project)
    # what was counted is not counted again; before that there is the first page
    of_all = {group.reason: group.count for group in groups}.get(chosen, total)
    photos = selectors.photos_set_aside(project, chosen)
    boxes = _page(request, selectors.boxes_set_aside(project), "boxes")
    left_out = omissions.left_out(project).select_related("photo", "left_out_by")
    context = {
        "project": project,
        "groups": groups,
        "reason": chosen,
        "total": total,
        "is_being_counted": not is_counted,
        "page": _page(request, photos, "page", of_all if is_counted else A_PAGE),
        "steps": _page(request, selectors.unread_steps(project), "sources"),
        "boxes_page": boxes,
        "boxes": selectors.boxes(project, boxes),
        "left_out": _page(request, left_out, "left"),
        "omitted": omissions.by_person(project),
        "overseers": (overseers := omissions.overseers(project)),
        "puts_back_all": request.user.pk in overseers,
        "answers": may(request.user, Can.ANSWER, project),
        "manages": may(request.user, Can.MANAGE, project),
        # as in the project's activity: others see the names that people show
        "sees_names": may(request.user, Can.ANSWER, project) or moderates(request.user),
    }
    return render(request, "crawler/set_aside.html", context)


@require_POST
@project_view(Can.ANSWER)
@limited_in_project("retry")
def retry(request: HttpRequest, project: Project) -> HttpResponse:
    """Try one `photo` or drawn `box` again, or all that were set aside for a `reason`, or all."""
    photo_id = request.POST.get("photo")
    count = services.retry(
        project,
        signed_in(request),
        photo=_photo(project, photo_id) if photo_id else None,
        box=request.POST.get("box", ""),
        reason=request.POST.get("reason", ""),
    )
    said = ngettext("%(n)d is tried again.", "%(n)d are tried again.", count) % {"n": count}
    messages.success(request, said)
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.ANSWER)
@limited_in_project("release-box")
def release_box(request: HttpRequest, project: Project, region_id: str) -> HttpResponse:
    job = get_object_or_404(EmbedJob, project=project, region__public_id=region_id)
    try:
        omissions.release_box(project, job, signed_in(request))
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, _("The drawn face is released. The answers about it stay."))
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.ANSWER)
@limited_in_project("leave-out")
def leave_out(request: HttpRequest, project: Project, photo_id: str) -> HttpResponse:
    """Leave a photo out; with `back` in the form put it back."""
    photo, user = _photo(project, photo_id), signed_in(request)
    try:
        if "back" in request.POST:
            omissions.put_back(project, photo, user)
            said = _("“%(photo)s” is back.")
        else:
            omissions.leave_out(project, photo, user)
            said = _("“%(photo)s” is left out of this project.")
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        messages.success(request, said % {"photo": photo})
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def put_back_all(request: HttpRequest, project: Project) -> HttpResponse:
    """Put back all that `user` left out and released; without one, what nobody is named for."""
    public_id = request.POST.get("user", "")
    of = get_object_or_404(User, public_id=public_id) if public_id else None
    count = omissions.put_back_all(project, of, signed_in(request))
    said = ngettext("%(n)d is back.", "%(n)d are back.", count) % {"n": count}
    messages.success(request, said)
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def recrawl(request: HttpRequest, project: Project) -> HttpResponse:
    sources.recrawl(project, signed_in(request))
    messages.success(
        request, _("The sources are read again: new photos come in, what changed is updated.")
    )
    if request.POST.get("next") == "sources":
        return redirect("sources", project.public_id)
    return redirect(project)


def _page(
    request: HttpRequest, rows: QuerySet[Any], name: str, count: int | None = None
) -> Page[Any]:
    """Return the page of one of the lists, each with a parameter of its own; `count` is the number
    of all rows where it is known already."""
    pages = Paginator(rows, A_PAGE)
    if count is not None:
        pages.__dict__["count"] = count
    return pages.get_page(request.GET.get(name))


def _photo(project: Project, public_id: str) -> Photo:
    return get_object_or_404(
        Photo.objects.select_related("picture"),
        public_id=public_id,
        project_photos__project=project,
    )
