"""The pages of what was removed or changed: a second look at the face, and one's own edits."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from classify.models import Verdict
from classify.pages.person import person_context
from classify.review.galleries import Tile, Which, gallery
from core.user_errors import Refused
from crawler.models import Region, not_paused
from projects.models import Project
from projects.permissions import Can, may, project_view, signed_in
from projects.privacy import pauses
from sdc.batches import undo
from sdc.models import EditBatch, Watch
from sdc.watch import face_review, findings, recheck

ROWS = 50  # shown at once
FEW = 5  # lines of the part of another page
FACES = 5  # confirmed ones to compare with
LAST_LOOK = "last-second-look"  # in the session: what undo takes back


class LookForm(forms.Form):
    """What somebody says of a face, sent once under a UUID made by the page."""

    CHOICES = ((Verdict.YES, ""), (Verdict.NO, ""), (Verdict.BACKGROUND, ""))
    client_uuid = forms.UUIDField()
    verdict = forms.ChoiceField(choices=CHOICES, required=False)


@require_safe
@never_cache
@project_view(Can.VIEW)
def second_looks_page(request: HttpRequest, project: Project) -> HttpResponse:
    """One finding after the other for members, and the list of all for everybody."""
    found = findings.findings(project)
    waiting = findings.to_look(found)
    may_look = may(request.user, Can.REVIEW, project) and project.state != Project.State.ARCHIVED
    may_look = may_look and not pauses.of_project(project)
    context: dict[str, Any] = person_context(project) | {
        "waiting": waiting.count(),
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "may_look": may_look,
        "can_undo": may_look and _last_look(request, project) is not None,
    }
    shown = waiting.filter(not_paused("claim_attempt__claim__photo"))
    if may_look and (watch := _chosen(request, shown)):
        context |= _look(project, watch)
    return render(request, "sdc/second_looks.html", context)


@require_POST
@project_view(Can.REVIEW)
def second_look(request: HttpRequest, project: Project, watch_id: int) -> HttpResponse:
    """Keep what the user says of the face, and go on with the next one."""
    form = LookForm(request.POST)
    watch = get_object_or_404(findings.findings(project), pk=watch_id)
    if not form.is_valid():
        messages.error(request, _("That is not an answer we know."))
        return redirect("second-looks", project.public_id)
    said, user = form.cleaned_data, signed_in(request)
    try:
        face_review.look_again(watch, user, said["verdict"], said["client_uuid"])
    except Refused as refused:
        messages.error(request, refused.sentence)
    else:
        where = [project.public_id, watch.pk, str(said["client_uuid"])]
        request.session[LAST_LOOK] = where
        messages.success(request, _thanks(project, said["verdict"]))
    return redirect("second-looks", project.public_id)


@require_POST
@project_view(Can.REVIEW)
def second_look_undo(request: HttpRequest, project: Project) -> HttpResponse:
    """Take back the user's last second look of this session."""
    last = _last_look(request, project)
    request.session.pop(LAST_LOOK, None)
    address = reverse("second-looks", args=[project.public_id])
    if last is None:
        messages.info(request, _("There is nothing to undo."))
        return redirect(address)
    watch = get_object_or_404(findings.findings(project), pk=last[0])
    try:
        if face_review.take_back(watch, signed_in(request), last[1]):
            messages.success(request, _("Taken back."))
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect(f"{address}?at={watch.pk}")


@require_POST
@project_view(Can.VIEW)
def batch_check(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    """Look at a batch's statements now instead of waiting for the next look."""
    batch = get_object_or_404(
        EditBatch.objects.select_related("project"), project=project, code=code
    )
    asked = recheck.check_now(batch, signed_in(request))
    words = ngettext("%(n)d file is being looked at.", "%(n)d files are being looked at.", asked)
    if asked:
        messages.success(request, words % {"n": asked})
    else:
        messages.info(
            request, _("There is nothing left to look at: the month of watching is over.")
        )
    return redirect(batch.project_url)


@require_safe
@never_cache
@login_required
def my_edits(request: HttpRequest) -> HttpResponse:
    """The user's own edits: how they stand, and what was removed or changed. A few lines for the
    account's page, or a page of its own."""
    user = signed_in(request)
    part = bool(request.headers.get("HX-Request"))
    shown = FEW if part else ROWS
    found = Paginator(findings.findings_of_user(user), shown).get_page(request.GET.get("page"))
    batches = list(findings.batches_of_user(user)[:shown])
    projects = {row.claim_attempt.batch.project for row in found} | {
        batch.project for batch in batches
    }
    context = {
        "standings": findings.standings_of_user(user),
        "page": found,
        "batches": undo.offered(batches, user),
        # of a private project that one has left, only one's own edits are left to see
        "visible": [project for project in projects if may(user, Can.VIEW, project)],
        "part": part,
    }
    return render(request, "sdc/_my_edits.html" if part else "sdc/my_edits.html", context)


def _look(project: Project, watch: Watch) -> dict[str, Any]:
    """The finding in question, with what to compare its face with."""
    photo = watch.claim_attempt.claim.photo
    face = face_review.face_of(watch)
    boxes = Region.objects.filter(picture=photo.picture_id, replaced_by=None)
    return {
        "watch": watch,
        "photo": photo,
        "face": face,
        "has_box": face is not None and face.origin != Region.Origin.PHOTO,
        "boxes": boxes.exclude(origin=Region.Origin.PHOTO)[:60],
        "nearest": _confirmed(project, face),
        "client_uuid": uuid.uuid4(),
    }


def _confirmed(project: Project, face: Region | None) -> list[Tile]:
    """Some confirmed faces, without the one in question."""
    tiles = gallery(project, Which.CONFIRMED, limit=FACES + 1).tiles
    return [tile for tile in tiles if tile.region != face][:FACES]


def _chosen(request: HttpRequest, waiting: Any) -> Watch | None:
    """The finding that the address names, if it waits, else the first one."""
    at = request.GET.get("at", "")
    named = waiting.filter(pk=int(at)).first() if at.isdecimal() and len(at) < 19 else None
    found: Watch | None = named or waiting.first()
    return found


def _last_look(request: HttpRequest, project: Project) -> tuple[int, uuid.UUID] | None:
    where, watch, given = request.session.get(LAST_LOOK, ["", 0, ""])
    return (watch, uuid.UUID(given)) if where == project.public_id else None


def _thanks(project: Project, verdict: str) -> str:
    name = project.person.label(get_language() or "en")
    return {
        Verdict.YES.value: _(
            "Kept: it is %(name)s. It stays out, unless you ask for it in the preview."
        ),
        Verdict.NO.value: _("Kept: it is not %(name)s."),
        Verdict.BACKGROUND.value: _("Kept: %(name)s is only in the background."),
    }.get(verdict, _("Left as it is.")) % {"name": name}
