"""The pages of batches: how one runs, what became of it, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from projects import tokens
from projects.limits import limited
from projects.models import Project, User
from projects.permissions import Can, may, moderates, project_view, signed_in
from projects.polling import ticket
from projects.refusal import Refused
from sdc import selectors, services, undoing
from sdc.models import EditBatch
from sdc.ready import ready_count
from sdc.reasons import Reason, sentence, title
from sdc.rights import stops
from sdc.rights.senders import pace_of
from sdc.watch import findings, watching

ROWS = 50  # shown at once
FACES = 20  # of what is to be taken back
Kind, State = EditBatch.Kind, EditBatch.State
View = Callable[..., HttpResponseBase]


def batch_view(can: Can) -> Callable[[View], View]:
    """Like `project_view`, but a batch is open to its sender, too, whatever became of their
    membership: the edits stay theirs. And to moderators. What they may do, the service says."""

    def decorate(view: View) -> View:
        guarded = project_view(can)(view)

        @wraps(view)
        def wrapper(
            request: HttpRequest, project_id: str, code: str, **more: Any
        ) -> HttpResponseBase:
            user = request.user
            batches = EditBatch.objects.select_related("project__person", "project__owner", "user")
            batch = batches.filter(project__public_id=project_id, code=code).first()
            if batch and (batch.user_id == user.pk or moderates(user)):
                return view(request, batch.project, code=code, **more)
            return guarded(request, project_id, code=code, **more)

        wrapper.can = can  # type: ignore[attr-defined]
        return wrapper

    return decorate


@require_GET
@project_view(Can.VIEW)
def batches(request: HttpRequest, project: Project) -> HttpResponse:
    page = Paginator(selectors.batches(project), ROWS).get_page(request.GET.get("page"))
    first = page.paginator.count - page.start_index() + 1
    context = {
        "project": project,
        "page": page,
        "batches": [(first - place, each) for place, each in enumerate(page.object_list)],
        "ready": ready_count(project) if may(request.user, Can.SEND, project) else 0,
    }
    return render(request, "sdc/batches.html", context)


@require_GET
@batch_view(Can.VIEW)
def batch(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    found = get_object_or_404(EditBatch, project=project, code=code)
    if found.state == State.DRAFT and found.user_id != request.user.pk:
        raise Http404
    if found.state in (State.DRAFT, State.HANDED):
        return redirect("preview", project.public_id)
    return render(request, "sdc/batch.html", _status(request, project, found))


@require_GET
@batch_view(Can.VIEW)
def batch_status(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    """What moves on a batch's page, polled while it is sent."""
    found = _confirmed(project, code)
    return render(request, "sdc/_batch.html", _status(request, project, found))


@require_POST
@batch_view(Can.SEND)
def batch_pause(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.pause)


@require_POST
@batch_view(Can.SEND)
def batch_resume(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.resume)


@require_POST
@batch_view(Can.SEND)
def batch_stop(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, services.stop)


@limited("send")
@require_http_methods(["GET", "HEAD", "POST"])
@batch_view(Can.VIEW)
def batch_undo(
    request: HttpRequest, project: Project, code: str, attempt_id: int | None = None
) -> HttpResponseBase:
    """Says what taking back a batch, or one edit of it, will do; POST is the confirmation."""
    found = _confirmed(project, code)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not undoing.may_undo(found, request.user):
        raise PermissionDenied(_("Only whoever sent a batch, or a moderator, takes it back."))
    user = signed_in(request)
    written = undoing.standing(found)
    one = None
    if attempt_id is not None:
        rows = found.attempts.select_related("claim__photo__picture", "region", "batch")
        one = get_object_or_404(rows, pk=attempt_id)
        written = written.filter(pk=one.pk)
    if request.method == "POST":
        try:
            return redirect(undoing.undo(one or found, user))
        except Refused as refused:
            messages.error(request, refused.sentence)
            return redirect(found)
    edits = written.count()
    context = {
        "project": project,
        "batch": found,
        "number": selectors.number_of(found),
        "one": one,
        "edits": edits,
        "faces": written.select_related("claim__photo__picture", "region").order_by("pk")[:FACES],
        "changed": 0 if one else selectors.changed(found).count(),
        "gone": 0 if one else undoing.removed_before(found).count(),
        "others": found.user_id != user.pk,
        "seconds": 60 * edits / pace_of(user),
        "stopped": stops.of_everything(),
        "running": found.state in (State.RUNNING, State.PAUSED),
    }
    return render(request, "sdc/undo.html", context)


def _confirmed(project: Project, code: str) -> EditBatch:
    confirmed = EditBatch.objects.exclude(state__in=(State.DRAFT, State.HANDED))
    return get_object_or_404(confirmed, project=project, code=code)


def _steer(
    request: HttpRequest, project: Project, code: str, deed: Callable[[EditBatch, User], bool]
) -> HttpResponse:
    found = get_object_or_404(EditBatch, project=project, code=code)
    try:
        if not deed(found, signed_in(request)):
            messages.info(request, _("It had moved on already. This is how it stands now."))
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect(found)


def _status(request: HttpRequest, project: Project, batch: EditBatch) -> dict[str, Any]:
    show, user = request.GET.get("show", ""), request.user
    progress = selectors.batch_progress(batch)
    rows = Paginator(selectors.in_order(batch, show), ROWS).get_page(request.GET.get("page"))
    going = batch.state in (State.RUNNING, State.PAUSED)
    may_undo = undoing.may_undo(batch, user)
    may_resume = services.may_resume(batch, user)
    watched = findings.watch_summary(batch) if batch.kind == Kind.ADD else None
    legend = selectors.legend(batch, progress)
    return {
        "project": project,
        "ticket": ticket(request, project, seconds=60),  # the pace of the last minute is shown
        "batch": batch,
        "number": selectors.number_of(batch),
        "progress": progress,
        "legend": legend,
        "bar": [(word, count, colour) for word, count, colour in legend if colour != "none"],
        "page": rows,
        "show": show,
        "may_steer": going and services.may_steer(batch, user),
        "may_stop": going and services.may_stop(batch, user),
        "may_resume": may_resume and batch.state == State.PAUSED,
        "needs_login": may_resume and batch.reason == Reason.LOGIN,
        "signed_in": batch.reason == Reason.LOGIN and tokens.is_signed_in(batch.user),
        "waits": title(progress.waiting_for),
        "why_waits": sentence(progress.waiting_for),
        "watched": watched,
        "to_look": selectors.to_look(batch) if watched and watched.to_look else None,
        "may_check": watching.may_check(batch, user),
        "may_export": may(user, Can.ANSWER, project) or moderates(user),
        "may_undo": may_undo,
        "standing": undoing.standing(batch).count() if may_undo else 0,
        "undone_by": selectors.undone_by(batch),
        "undoes": batch.undoes,
        "undoes_number": selectors.number_of(batch.undoes) if batch.undoes else None,
        # it polls while anything can still change by itself
        "moving": batch.state == State.RUNNING
        or batch.resume_at is not None
        or (batch.state == State.STOPPED and progress.to_come > 0),
    }
