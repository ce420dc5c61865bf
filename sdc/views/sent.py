"""What everybody sees of a batch that was sent, found by its code alone: its edits on the wiki and
who made them, and nothing else of a private project. Patrollers stop and undo it here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.ratelimit import limited
from projects.live.polling import fingerprint
from projects.models import User
from projects.permissions import is_hidden
from projects.privacy import denylist
from sdc import selectors
from sdc.batches import services as batches
from sdc.batches import undo
from sdc.models import ClaimAttempt, EditBatch
from sdc.sending_rights import patrollers
from sdc.views.batches import ROWS, find_sent, sees_project, steer, undo_page

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, EditBatch, P], HttpResponseBase]
Kind, State = EditBatch.Kind, EditBatch.State
Outcome = ClaimAttempt.Outcome


def sent_view(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Turns `code` of the address into a batch that was sent. Of a person who is left alone only
    patrollers, and whoever takes something back, see it."""

    @wraps(view)
    def wrapper(
        request: HttpRequest, code: str, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        user = request.user
        found = find_sent(code, user)
        if found is None:
            raise Http404
        if "HX-Request" not in request.headers:  # a poll waits for no wiki
            patrollers.refresh(user)
        acts = found.user_id == user.pk or patrollers.patrols(user)
        if is_hidden(found.project, user) and not acts:
            raise PermissionDenied(denylist.why_alone(found.project))
        return view(request, found, *args, **kwargs)

    return wrapper


@require_GET
@sent_view
def sent_batch(request: HttpRequest, batch: EditBatch) -> HttpResponse:
    if sees_project(batch, request.user):
        return redirect(batch.project_url)
    response = render(request, "sdc/sent.html", _status(request, batch))
    response["X-Robots-Tag"] = "noindex"
    return response


@require_GET
@sent_view
def sent_batch_status(request: HttpRequest, batch: EditBatch) -> HttpResponse:
    """What moves on the page; 204 while nothing does. It has no ticket, which would name the
    project and say whether anything at all happens there."""
    if sees_project(batch, request.user):  # a member by now
        return HttpResponse(headers={"HX-Redirect": batch.project_url})
    context = _status(request, batch)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "sdc/_sent_status.html", context)


def _status(request: HttpRequest, batch: EditBatch) -> dict[str, Any]:
    user = request.user
    going = batch.state in (State.RUNNING, State.PAUSED)
    may_undo = undo.may_undo(batch, user)
    context = {
        "batch": batch,
        "page": Paginator(_rows(batch), ROWS).get_page(request.GET.get("page")),
        "summaries": selectors.summaries(batch, written=True),
        "undoes": batch.undoes,
        "undone_by": selectors.undone_by(batch),
        "may_undo": may_undo,
        "standing": undo.standing(batch).count() if may_undo else 0,
        "may_stop": going and batches.may_stop(batch, user),
        "may_resume": batch.state == State.PAUSED and batches.may_resume(batch, user),
        "may_pause": batch.state == State.RUNNING and batches.may_resume(batch, user),
    }
    moving = selectors.is_moving(batch)
    fragment = render_to_string("sdc/_sent.html", context, request)
    return context | {"moving": moving, "fragment": fragment, "seen": fingerprint(fragment)}


def _rows(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """The edits that were made; of what takes back all rows, whose statements were public."""
    rows = selectors.in_order(batch)
    if batch.kind == Kind.ADD:
        rows = rows.filter(outcome=Outcome.WRITTEN)
    return rows.order_by("-ended_at", "-pk")


@limited("send")
@require_http_methods(["GET", "HEAD", "POST"])
@sent_view
def sent_batch_undo(
    request: HttpRequest, batch: EditBatch, attempt_id: int | None = None
) -> HttpResponseBase:
    return undo_page(request, batch, attempt_id, outside=True)


@limited("send")
@require_POST
@sent_view
def sent_batch_stop(request: HttpRequest, batch: EditBatch) -> HttpResponseBase:
    return _steer_signed_in(request, batch, batches.stop)


@limited("send")
@require_POST
@sent_view
def sent_batch_pause(request: HttpRequest, batch: EditBatch) -> HttpResponseBase:
    return _steer_signed_in(request, batch, batches.pause)


@limited("send")
@require_POST
@sent_view
def sent_batch_resume(request: HttpRequest, batch: EditBatch) -> HttpResponseBase:
    return _steer_signed_in(request, batch, batches.resume)


def _steer_signed_in(
    request: HttpRequest, batch: EditBatch, deed: Callable[[EditBatch, User], bool]
) -> HttpResponseBase:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("sent-batch", args=[batch.code]))
    return steer(request, batch, deed)
