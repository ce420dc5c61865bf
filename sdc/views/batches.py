"""The pages of batches: how one runs, what became of it, and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.ratelimit import limited
from core.user_errors import Refused
from projects.accounts import tokens
from projects.live.polling import ticket
from projects.models import Project, User
from projects.permissions import (
    Can,
    find,
    is_hidden,
    may,
    moderates,
    project_view,
    signed_in,
)
from sdc import selectors
from sdc.batches import services as batches_services
from sdc.batches import undo
from sdc.models import ClaimAttempt, EditBatch
from sdc.preview.eligibility import ready_count
from sdc.sending_rights import patrollers, stops
from sdc.sending_rights.limits import pace_of
from sdc.watch import findings, recheck
from sdc.writing.reasons import Reason, sentence, title
from wiki.http import WikiError

ROWS = 25  # shown at once
FACES = 20  # of what is to be taken back
READ_WITH = ("project__subject__person", "project__owner", "user", "undoes")
Kind, State = EditBatch.Kind, EditBatch.State
Outcome = ClaimAttempt.Outcome
View = Callable[..., HttpResponseBase]


def batch_view(can: Can, *, sent: bool = False) -> Callable[[View], View]:
    """Like `project_view`, but a batch is open to its sender, too, whatever became of their
    membership: the edits stay theirs. And to moderators. To patrollers, too, where they may see
    the project. What they may do, the service says.

    With `sent` everybody else is led to what everybody sees of a batch that was sent.
    """

    def decorate(view: View) -> View:
        guarded = project_view(can)(view)

        @wraps(view)
        def wrapper(
            request: HttpRequest, project_id: str, code: str, **more: Any
        ) -> HttpResponseBase:
            user = request.user
            batches = EditBatch.objects.select_related(*READ_WITH)
            batch = batches.filter(project__public_id=project_id, code=code).first()
            if batch and (is_sender(batch, user) or _may_act(request, batch)):
                return view(request, batch.project, code=code, **more)
            if sent and (batch is None or not sees_project(batch, user)):
                project = batch.project if batch else find(project_id, user)
                sees = project and may(user, Can.VIEW, project)
                if project and is_hidden(project, user) and patrollers.patrols(user):
                    sees = False  # what they undo there goes on after the person was denied
                if not sees and find_sent(code, user):
                    return redirect("sent-batch", code)
            return guarded(request, project_id, code=code, **more)

        wrapper.can = can  # type: ignore[attr-defined]
        return wrapper

    return decorate


def _may_act(request: HttpRequest, batch: EditBatch) -> bool:
    """Whether somebody who undoes the edits of others reaches the service that decides."""
    user = request.user
    if request.method != "POST":
        return False
    return batch.user_id == user.pk or (patrollers.patrols(user) and sees_project(batch, user))


def is_sender(batch: EditBatch, user: Any) -> bool:
    """Whether the batch's edits, or those that it takes back, are the user's; or a moderator
    looks."""
    edits = batch.undoes or batch
    return edits.user_id == user.pk or moderates(user)


def sees_project(batch: EditBatch, user: Any) -> bool:
    """Whether the batch is shown to this user as a part of its project."""
    if is_sender(batch, user):
        return True
    return may(user, Can.VIEW, batch.project) and not is_hidden(batch.project, user)


def find_sent(code: str, user: Any) -> EditBatch | None:
    """A batch by its code alone, if it is the user's, an edit of it was made on the wiki, or the
    user sees its project."""
    written = ClaimAttempt.objects.filter(batch=OuterRef("pk"), outcome=Outcome.WRITTEN)
    sent = EditBatch.objects.exclude(confirmed_at=None).filter(code=code)
    found = sent.annotate(is_written=Exists(written)).select_related(*READ_WITH).first()
    if found is None:
        return None
    shown = found.is_written or found.user_id == user.pk or sees_project(found, user)
    return found if shown else None


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
@batch_view(Can.VIEW, sent=True)
def batch(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    found = get_object_or_404(EditBatch, project=project, code=code)
    if found.state == State.DRAFT and found.user_id != request.user.pk:
        raise Http404
    if found.state in (State.DRAFT, State.HANDED):
        return redirect("preview", project.public_id)
    patrollers.refresh(request.user)
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
    return _steer(request, project, code, batches_services.pause)


@require_POST
@batch_view(Can.SEND)
def batch_resume(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, batches_services.resume)


@require_POST
@batch_view(Can.SEND)
def batch_stop(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    return _steer(request, project, code, batches_services.stop)


@limited("send")
@require_http_methods(["GET", "HEAD", "POST"])
@batch_view(Can.VIEW)
def batch_undo(
    request: HttpRequest, project: Project, code: str, attempt_id: int | None = None
) -> HttpResponseBase:
    """Says what taking back a batch, or one edit of it, will do; POST is the confirmation."""
    return undo_page(request, _confirmed(project, code), attempt_id)


def undo_page(
    request: HttpRequest, found: EditBatch, attempt_id: int | None, *, outside: bool = False
) -> HttpResponseBase:
    """The confirmation, or its result; `outside` of the project it names nothing of it."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    user = signed_in(request)
    patrollers.refresh(user)
    if not undo.may_undo(found, user):
        raise PermissionDenied(why_not_undo())
    written = undo.standing(found)
    one = None
    if attempt_id is not None:
        rows = found.attempts.select_related("claim__photo__picture", "region", "batch")
        one = get_object_or_404(rows.filter(outcome=Outcome.WRITTEN), pk=attempt_id)
        written = written.filter(pk=one.pk)
    reason = request.POST.get("reason", "").strip()
    if request.method == "POST":
        try:
            return redirect(undo.undo(one or found, user, reason))
        except Refused as refused:
            messages.error(request, refused.sentence)
            if refused.code != undo.BAD_REASON:
                return redirect(found)
        except WikiError:
            messages.error(request, unreadable())
    edits = written.count()
    context = {
        "project": found.project,
        "batch": found,
        "outside": outside,
        "number": selectors.number_of(found),
        "one": one,
        "edits": edits,
        "faces": written.select_related("claim__photo__picture", "region").order_by("pk")[:FACES],
        "changed": 0 if one else selectors.changed(found).count(),
        "gone": 0 if one else undo.removed_before(found).count(),
        "others": found.user_id != user.pk,
        "needs_reason": undo.needs_reason(found, user),
        "reason": reason,
        "reason_length": undo.REASON_LENGTH,
        "seconds": 60 * edits / pace_of(user),
        "stopped": stops.of_everything(),
        "running": found.state in (State.RUNNING, State.PAUSED),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "sdc/undo.html", context, status=status)


def why_not_undo() -> str:
    return _(
        "Only whoever sent a batch, a moderator, or somebody with rollback or patrol rights on"
        " the wiki takes it back."
    )


def unreadable() -> str:
    return _("The wiki can’t be read now. Try again in a minute.")


def _confirmed(project: Project, code: str) -> EditBatch:
    confirmed = EditBatch.objects.exclude(state__in=(State.DRAFT, State.HANDED))
    return get_object_or_404(confirmed, project=project, code=code)


def _steer(
    request: HttpRequest, project: Project, code: str, deed: Callable[[EditBatch, User], bool]
) -> HttpResponse:
    return steer(request, get_object_or_404(EditBatch, project=project, code=code), deed)


def steer(
    request: HttpRequest, found: EditBatch, deed: Callable[[EditBatch, User], bool]
) -> HttpResponse:
    """Pause, resume or stop a batch, and go back to its page."""
    try:
        if not deed(found, signed_in(request)):
            messages.info(request, _("This batch has already changed. Here is where it stands."))
    except Refused as refused:
        messages.error(request, refused.sentence)
    except WikiError:
        messages.error(request, unreadable())
    return redirect(found)


def _status(request: HttpRequest, project: Project, batch: EditBatch) -> dict[str, Any]:
    show, user = request.GET.get("show", ""), request.user
    progress = selectors.batch_progress(batch)
    rows = Paginator(selectors.in_order(batch, show), ROWS).get_page(request.GET.get("page"))
    going = batch.state in (State.RUNNING, State.PAUSED)
    may_undo = undo.may_undo(batch, user)
    may_resume = batches_services.may_resume(batch, user)
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
        "summaries": selectors.summaries(batch),
        "may_steer": going and batches_services.may_steer(batch, user),
        "may_stop": going and batches_services.may_stop(batch, user),
        "may_resume": may_resume and batch.state == State.PAUSED,
        "needs_login": may_resume and batch.reason == Reason.LOGIN,
        "signed_in": batch.reason == Reason.LOGIN and tokens.is_signed_in(batch.user),
        "waits": title(progress.waiting_for),
        "why_waits": sentence(progress.waiting_for),
        "watched": watched,
        "to_look": selectors.to_look(batch) if watched and watched.to_look else None,
        "may_check": recheck.may_check(batch, user),
        "may_export": may(user, Can.ANSWER, project) or moderates(user),
        "may_undo": may_undo,
        "standing": undo.standing(batch).count() if may_undo else 0,
        "undone_by": selectors.undone_by(batch),
        "undoes": batch.undoes,
        "undoes_number": selectors.number_of(batch.undoes) if batch.undoes else None,
        "moving": selectors.is_moving(batch),
    }
