"""The pages of the preview and of batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from projects.http import WikiError
from projects.models import Project, User
from projects.permissions import Can, may, project_view, signed_in
from sdc import selectors, services
from sdc.models import ClaimAttempt, EditBatch
from sdc.reasons import Reason, sentence, title

ROWS = 50  # shown at once
Outcome = ClaimAttempt.Outcome
State = EditBatch.State


@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.SEND)
def preview(request: HttpRequest, project: Project) -> HttpResponse:
    """The draft of what the user would send; POST reads it again from the wiki."""
    user = signed_in(request)
    draft = None if request.method == "POST" else services.draft_of(project, user)
    try:
        draft = draft or services.prepare_batch(project, user)
    except WikiError as error:
        context = {"project": project, "error": error.code}
        return render(request, "sdc/preview_failed.html", context, status=503)
    if request.method == "POST":
        return redirect("preview", project.public_id)
    context = {
        "project": project,
        "batch": draft,
        "minutes_ago": int((timezone.now() - draft.created_at).total_seconds() // 60),
        "skipped": _skipped(draft),
        **_rows(draft),
        **_counts(draft),
    }
    return render(request, "sdc/preview.html", context)


@require_GET
@project_view(Can.SEND)
def preview_rows(request: HttpRequest, project: Project) -> HttpResponse:
    """The next rows of the user's draft, after the row that `after` names."""
    draft = _own_draft(project, signed_in(request))
    context = {"project": project, "batch": draft, **_rows(draft, request.GET.get("after", ""))}
    return render(request, "sdc/_rows.html", context)


@require_POST
@project_view(Can.SEND)
def attempt_exclude(request: HttpRequest, project: Project, attempt_id: int) -> HttpResponse:
    """Leave a row out, or take it in again (`keep`); answers with the card that counts them."""
    user = signed_in(request)
    attempt = get_object_or_404(
        ClaimAttempt.objects.select_related("batch__project"),
        pk=attempt_id,
        batch__in=EditBatch.objects.filter(project=project, user=user, state=State.DRAFT),
    )
    services.exclude(attempt, user, leave_out="keep" not in request.POST)
    if not request.headers.get("HX-Request"):
        return redirect("preview", project.public_id)
    context = {"project": project, "batch": attempt.batch, **_counts(attempt.batch)}
    return render(request, "sdc/_send_card.html", context)


@require_POST
@project_view(Can.SEND)
def batch_confirm(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    user = signed_in(request)
    batch = EditBatch.objects.filter(project=project, code=code).first()
    try:
        if batch is None:
            raise services.replaced()
        batch = services.confirm(batch, user)
    except services.Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("preview", project.public_id)
    return redirect(batch)


@require_GET
@project_view(Can.VIEW)
def batches(request: HttpRequest, project: Project) -> HttpResponse:
    page = Paginator(selectors.batches(project), ROWS).get_page(request.GET.get("page"))
    first = page.paginator.count - page.start_index() + 1
    context = {
        "project": project,
        "page": page,
        "batches": [(first - place, each) for place, each in enumerate(page.object_list)],
        "ready": selectors.ready_count(project) if may(request.user, Can.SEND, project) else 0,
    }
    return render(request, "sdc/batches.html", context)


@require_GET
@project_view(Can.VIEW)
def batch(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    found = get_object_or_404(EditBatch, project=project, code=code)
    if found.state == State.DRAFT:
        if found.user_id != request.user.pk:
            raise Http404
        return redirect("preview", project.public_id)
    return render(request, "sdc/batch.html", _status(request, project, found))


@require_GET
@project_view(Can.VIEW)
def batch_status(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    """What moves on a batch's page, polled while it is sent."""
    found = get_object_or_404(
        EditBatch.objects.exclude(state=State.DRAFT), project=project, code=code
    )
    return render(request, "sdc/_batch.html", _status(request, project, found))


@require_POST
@project_view(Can.SEND)
def batch_pause(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.pause)


@require_POST
@project_view(Can.SEND)
def batch_resume(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.resume)


@require_POST
@project_view(Can.SEND)
def batch_stop(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.stop)


def _steer(
    request: HttpRequest, project: Project, code: str, deed: Callable[[EditBatch, User], bool]
) -> HttpResponse:
    found = get_object_or_404(EditBatch, project=project, code=code)
    try:
        if not deed(found, signed_in(request)):
            messages.info(request, _("It had moved on already. This is how it stands now."))
    except services.Refused as refused:
        messages.error(request, refused.sentence)
    return redirect(found)


def _own_draft(project: Project, user: User) -> EditBatch:
    drafts = EditBatch.objects.filter(project=project, user=user, state=State.DRAFT)
    return get_object_or_404(drafts.order_by("-pk")[:1])


def _rows(draft: EditBatch, after: str = "") -> dict[str, Any]:
    """A page of rows that may be sent, in a steady order."""
    rows = _sendable(draft).select_related("claim__photo__picture", "region", "label__user")
    if after.isdecimal():
        rows = rows.filter(pk__gt=int(after))
    found = list(rows.order_by("pk")[: ROWS + 1])
    more = found[ROWS - 1].pk if len(found) > ROWS else None
    return {"rows": found[:ROWS], "more_after": more}


def _sendable(draft: EditBatch) -> QuerySet[ClaimAttempt]:
    return draft.attempts.filter(outcome__in=(Outcome.PLANNED, Outcome.EXCLUDED))


def _counts(draft: EditBatch) -> dict[str, Any]:
    edits = draft.attempts.filter(outcome=Outcome.PLANNED).count()
    left_out = draft.attempts.filter(outcome=Outcome.EXCLUDED).count()
    skipped = draft.attempts.filter(outcome=Outcome.SKIPPED).count()
    return {
        "edits": edits,
        "left_out": left_out,
        "skipped_count": skipped,
        "confirmed_count": edits + left_out + skipped,
        "a_minute": settings.EDITS_A_MINUTE,
        "seconds": 60 * edits / settings.EDITS_A_MINUTE,
        "full": edits + left_out >= settings.BATCH_MAX,
    }


def _skipped(draft: EditBatch) -> list[dict[str, Any]]:
    """What the preview skipped, by reason, most frequent first."""
    groups: dict[str, list[ClaimAttempt]] = {}
    rows = draft.attempts.filter(outcome=Outcome.SKIPPED).select_related(
        "claim__photo__picture", "region"
    )
    for row in rows.order_by("pk"):
        groups.setdefault(row.reason, []).append(row)
    return [
        {"title": title(reason), "sentence": sentence(reason), "rows": rows}
        for reason, rows in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]


def _status(request: HttpRequest, project: Project, batch: EditBatch) -> dict[str, Any]:
    show = request.GET.get("show", "")
    progress = selectors.batch_progress(batch)
    rows = Paginator(selectors.in_order(batch, show), ROWS).get_page(request.GET.get("page"))
    own = batch.user_id == request.user.pk and may(request.user, Can.SEND, project)
    going = batch.state in (State.RUNNING, State.PAUSED)
    return {
        "project": project,
        "batch": batch,
        "number": selectors.number_of(batch),
        "progress": progress,
        "bar": [
            (_("written"), progress.written, "yes"),
            (_("already there"), progress.present, "other"),
            (_("skipped"), progress.skipped, "not"),
            (_("refused"), progress.refused, "bad"),
        ],
        "page": rows,
        "show": show,
        "may_steer": going and (own or may(request.user, Can.MANAGE, project)),
        "may_resume": own and batch.state == State.PAUSED,
        "needs_login": own and batch.reason == Reason.LOGIN,
        "waits": title(progress.waiting_for),
        # it polls while anything can still change by itself
        "moving": batch.state == State.RUNNING
        or batch.resume_at is not None
        or (batch.state == State.STOPPED and progress.to_come > 0),
    }
