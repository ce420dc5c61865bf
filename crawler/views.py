"""Crops, what was set aside, and reading the sources again."""

from __future__ import annotations

from math import ceil

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from crawler import crops, selectors, services, sourcing
from crawler.models import EmbedJob, Photo, Region
from projects import denials, pace
from projects.models import Project
from projects.parts import is_being_counted
from projects.permissions import Can, may, project_view, signed_in

DAY = 24 * 3600
A_PAGE = 60
A_LIST = 200  # of what is seldom long; those beyond come up as these go


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
    if photo is None or denials.denied_project(project):
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
    pages = Paginator(selectors.photos_set_aside(project, chosen), A_PAGE)
    # what was counted is not counted again; before that there is the first page
    of_all = {group.reason: group.count for group in groups}.get(chosen, total)
    is_counted = not is_being_counted(project)
    pages.__dict__["count"] = of_all if is_counted else A_PAGE
    context = {
        "project": project,
        "groups": groups,
        "reason": chosen,
        "total": total,
        "is_being_counted": not is_counted,
        "page": pages.get_page(request.GET.get("page")),
        "steps": selectors.unread_steps(project)[:A_LIST],
        "boxes": selectors.boxes_set_aside(project, A_LIST),
        "left_out": selectors.left_out(project)[:A_LIST],
        "answers": may(request.user, Can.ANSWER, project),
    }
    return render(request, "crawler/set_aside.html", context)


@require_POST
@project_view(Can.ANSWER)
def retry(request: HttpRequest, project: Project) -> HttpResponse:
    """Try one `photo` or drawn `box` again, or all that were set aside for a `reason`, or all."""
    if box_id := request.POST.get("box"):
        count = services.retry_box(project, box_id)
    elif photo_id := request.POST.get("photo"):
        count = int(services.retry_photo(_photo(project, photo_id)))
    else:
        count = services.retry_all(project, request.POST.get("reason", ""))
    said = ngettext("%(n)d is tried again.", "%(n)d are tried again.", count) % {"n": count}
    messages.success(request, said)
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.ANSWER)
def let_box_go(request: HttpRequest, project: Project, region_id: str) -> HttpResponse:
    get_object_or_404(EmbedJob, project=project, region__public_id=region_id)
    services.let_box_go(project, region_id)
    messages.success(request, _("The drawn face is let go; what was said of it stays."))
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.ANSWER)
def leave_out(request: HttpRequest, project: Project, photo_id: str) -> HttpResponse:
    """`back` in the form takes a photo back that was left out."""
    photo = _photo(project, photo_id)
    back = "back" in request.POST
    services.leave_out(project, photo, not back)
    said = _("“%(photo)s” is back.") if back else _("“%(photo)s” is left out of this project.")
    messages.success(request, said % {"photo": photo})
    return redirect("set-aside", project.public_id)


@require_POST
@project_view(Can.MANAGE)
def recrawl(request: HttpRequest, project: Project) -> HttpResponse:
    sourcing.recrawl(project, signed_in(request))
    messages.success(
        request, _("The sources are read again: new photos come in, what changed is updated.")
    )
    if request.POST.get("next") == "sources":
        return redirect("sources", project.public_id)
    return redirect(project)


def _photo(project: Project, public_id: str) -> Photo:
    return get_object_or_404(
        Photo.objects.select_related("picture"),
        public_id=public_id,
        project_photos__project=project,
    )
