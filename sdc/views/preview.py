"""The pages of the preview: what would be written, what a person chooses in it, and sending it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from classify.audit import estimates
from classify.labels import standing as standing_answers
from classify.models import Answer, Origin, Verdict
from core.ratelimit import limited
from projects.accounts import oauth_consumer
from projects.models import Project, User
from projects.permissions import Can, may, project_view, signed_in
from sdc import selectors
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch
from sdc.preview import warnings
from sdc.preview.drafts import ASKABLE, may_ask
from sdc.sending_rights import limits, probation
from sdc.sending_rights.limits import Standing
from sdc.writing.reasons import Reason, sentence, title
from sdc.writing.responses import of_the_site
from wiki.http import WikiError

ROWS = 50  # shown at once: a page
Outcome = ClaimAttempt.Outcome
State = EditBatch.State
TWICE, LEFT_OUT = "twice", "left-out"


@dataclass(frozen=True)
class Shown:
    """A row of the preview with all that is said about it."""

    row: ClaimAttempt
    said: list[tuple[str, Answer]]  # a word for how, and the answer: who, when
    cautions: list[tuple[str, str]]  # code, sentence
    statement: str  # exactly as it will be sent


@dataclass(frozen=True)
class Skipped:
    row: ClaimAttempt
    spoken: warnings.Spoken | None  # who removed it, took it back, rejected it
    may_ask: bool


@limited("send")
@require_http_methods(["GET", "HEAD", "POST"])
@project_view(Can.SEND)
def preview(request: HttpRequest, project: Project) -> HttpResponse:
    """The draft of what the user would send; POST reads it again from the wiki."""
    user = signed_in(request)
    try:
        if request.method == "POST":
            batches.prepare_batch(project, user)
            return redirect("preview", project.public_id)
        draft = batches.draft_of(project, user)
        batch = draft or probation.handed_by(user, project).order_by("pk").last()
        batch = batch or batches.prepare_batch(project, user)
        standing = limits.standing_of(user)
    except WikiError as error:
        reason = of_the_site(error)
        if reason:
            oauth_consumer.report_refused(reason)
        context = {"project": project, "error": str(error)[:200], "reason": reason}
        response = render(request, "sdc/preview_failed.html", context, status=503)
        response["Retry-After"] = "60"
        return response
    show = request.GET.get("show", "")
    page = Paginator(_sendable(batch, show), ROWS).get_page(request.GET.get("page"))
    context = {
        "minutes_ago": int((timezone.now() - batch.created_at).total_seconds() // 60),
        "skipped": _skipped(batch),
        "page": page,
        "rows": _rows(project, page),
        "page_is_in": all(row.outcome == Outcome.PLANNED for row in page),
        **_counts(project, batch, user, standing, show),
    }
    return render(request, "sdc/preview.html", context)


@require_POST
@project_view(Can.SEND)
def preview_choose(request: HttpRequest, project: Project) -> HttpResponse:
    """Of the rows of a page, keep those that are ticked, or all, or none of them."""
    user = signed_in(request)
    draft = _own_draft(project, user)
    shown = _numbers(request, "shown")
    keep = _numbers(request, "keep")
    page_box = request.headers.get("HX-Trigger-Name") == "page"
    if page_box or "all" in request.POST:
        takes_in = "page" in request.POST if page_box else request.POST["all"] == "in"
        keep = shown if takes_in else []
    _try(request, lambda: batches.choose(draft, user, shown, keep, limit=_limit(user)))
    return redirect(_back(request, project))


@require_POST
@project_view(Can.SEND)
def attempt_exclude(request: HttpRequest, project: Project, attempt_id: int) -> HttpResponse:
    """Leave a row out, or take it in again (`keep`); answers with the card that counts them."""
    user = signed_in(request)
    attempt = _own_attempt(project, user, attempt_id)
    leave_out = attempt.pk not in _numbers(request, "keep")
    limit = _limit(user)
    done = _try(request, lambda: batches.exclude(attempt, user, leave_out, limit=limit))
    if not request.headers.get("HX-Request"):
        return redirect(_back(request, project))
    if not done:  # the page shows how it stands, and why
        return HttpResponse(headers={"HX-Refresh": "true"})
    show = request.GET.get("show", "")
    standing = _standing(user)
    context = {"oob": True, **_counts(project, attempt.batch, user, standing, show)}
    return render(request, "sdc/_chosen.html", context)


@require_POST
@project_view(Can.SEND)
def attempt_ask(request: HttpRequest, project: Project, attempt_id: int) -> HttpResponse:
    """Send this very file all the same."""
    user = signed_in(request)
    attempt = _own_attempt(project, user, attempt_id)
    limit = _limit(user)
    if not _try(request, lambda: batches.ask_for(attempt, user, limit=limit)):
        messages.info(request, _("This file can’t be asked for now."))
    address = reverse("preview", args=[project.public_id])
    return redirect(f"{address}?{urlencode({'show': TWICE})}#edit-{attempt.pk}")


@limited("send")
@require_POST
@project_view(Can.SEND)
def batch_confirm(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    user = signed_in(request)
    batch = EditBatch.objects.filter(project=project, code=code).first()
    try:
        if batch is None:
            raise batches.replaced()
        batch = batches.confirm(batch, user)
    except batches.Refused as refused:
        messages.error(request, refused.sentence)
        return redirect("preview", project.public_id)
    return redirect(batch.project_url)


@require_POST
@project_view(Can.SEND)
def batch_hand_over(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    """By somebody who may not send, to the members who may."""
    user = signed_in(request)
    batch = get_object_or_404(EditBatch, project=project, user=user, code=code)
    try:
        _try(request, lambda: probation.hand_over(batch, user))
    except WikiError:
        messages.error(request, _("The wiki can’t be read now. Try again in a minute."))
    return redirect("preview", project.public_id)


@require_POST
@project_view(Can.SEND)
def batch_take_back_hand_over(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    user = signed_in(request)
    batch = get_object_or_404(EditBatch, project=project, user=user, code=code)
    probation.take_back(batch, user)
    return redirect("preview", project.public_id)


@require_POST
@project_view(Can.SEND)
def batch_looked(request: HttpRequest, project: Project, code: str) -> HttpResponse:
    """The user looked at the edits of the first batch, and finds them right."""
    user = signed_in(request)
    batch = get_object_or_404(EditBatch, project=project, user=user, code=code)
    if probation.looked_at(batch, user):
        messages.success(request, _("Thank you. From now on a batch may be larger."))
    return redirect("preview", project.public_id)


def _try(request: HttpRequest, deed: Callable[[], object]) -> bool:
    """Do it, or tell the person why not; whether it was done."""
    try:
        return bool(deed())
    except batches.Refused as refused:
        messages.error(request, refused.sentence)
        return False


def _own_draft(project: Project, user: User) -> EditBatch:
    drafts = EditBatch.objects.filter(project=project, user=user, state=State.DRAFT)
    return get_object_or_404(drafts.select_related("project").order_by("-pk")[:1])


def _own_attempt(project: Project, user: User, attempt_id: int) -> ClaimAttempt:
    drafts = EditBatch.objects.filter(project=project, user=user, state=State.DRAFT)
    rows = ClaimAttempt.objects.select_related("batch__project__subject__person", "claim__photo")
    return get_object_or_404(rows, pk=attempt_id, batch__in=drafts)


def _numbers(request: HttpRequest, name: str) -> list[int]:
    given = request.POST.getlist(name)
    return [int(each) for each in given if each.isdecimal() and len(each) < 19]  # of 64 bits


def _back(request: HttpRequest, project: Project) -> str:
    """To the page of the preview that the person was on."""
    kept = {name: request.GET[name] for name in ("show", "page") if request.GET.get(name)}
    address = reverse("preview", args=[project.public_id])
    return f"{address}?{urlencode(kept)}" if kept else address


def _standing(user: User) -> Standing:
    """How the user stands; by our own rows alone while the wiki can't be read."""
    try:
        return limits.standing_of(user)
    except WikiError:
        return limits.first_steps_of(user)


def _limit(user: User) -> int:
    return _standing(user).limit


def _sendable(batch: EditBatch, show: str = "") -> QuerySet[ClaimAttempt]:
    """Rows that may be sent, in a steady order."""
    rows = batch.attempts.filter(outcome__in=(Outcome.PLANNED, Outcome.EXCLUDED))
    if show == TWICE:
        rows = rows.exclude(cautions="")
    elif show == LEFT_OUT:
        rows = rows.filter(outcome=Outcome.EXCLUDED)
    return rows.select_related("claim__photo__picture", "region", "label__user").order_by("pk")


def _rows(project: Project, page: Page[ClaimAttempt]) -> list[Shown]:
    rows = list(page)
    odd = warnings.said_of(rows, project.person)
    said = _who_said(project, rows)
    return [
        Shown(
            row,
            said.get(row.region_id or 0, []),
            odd.get(row.pk, []),
            json.dumps(row.statement, indent=2, ensure_ascii=False),
        )
        for row in rows
    ]


def _who_said(
    project: Project, rows: Iterable[ClaimAttempt]
) -> dict[int, list[tuple[str, Answer]]]:
    """For each region the first Yes and, where that was somebody else, the last review."""
    regions = [row.region_id for row in rows if row.region_id]
    answers = standing_answers(project).filter(region__in=regions, verdict=Verdict.YES)
    by_region: dict[int, list[Answer]] = {}
    for answer in answers.exclude(origin=Origin.BOOTSTRAP).select_related("user"):
        by_region.setdefault(answer.region_id, []).append(answer)
    return {region: _yes_and_review(given) for region, given in by_region.items()}


def _yes_and_review(answers: list[Answer]) -> list[tuple[str, Answer]]:
    """`answers`, oldest first."""
    said = [each for each in answers if each.origin != Origin.REVIEW][:1]
    reviews = [each for each in answers if each.origin == Origin.REVIEW]
    said += [each for each in reviews[-1:] if all(each.user_id != one.user_id for one in said)]
    words = {Origin.REVIEW: _("Reviewed"), Origin.DRAWN: _("Drawn")}
    return [(words.get(Origin(each.origin), _("Yes")), each) for each in said]


def _skipped(batch: EditBatch) -> list[dict[str, Any]]:
    """What the preview skipped, by reason, most frequent first."""
    rows = batch.attempts.filter(outcome=Outcome.SKIPPED).select_related(
        "claim__photo__picture", "claim__held_by", "region"
    )
    found = list(rows.order_by("pk"))
    spoken = warnings.spoken_against([row.claim for row in found])
    groups: dict[str, list[Skipped]] = {}
    for row in found:
        askable = row.reason in ASKABLE and may_ask(row.claim) and batch.state == State.DRAFT
        groups.setdefault(row.reason, []).append(Skipped(row, spoken.get(row.claim_id), askable))
    return [
        {"code": reason, "title": title(reason), "sentence": sentence(reason), "rows": rows}
        for reason, rows in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]


def _counts(
    project: Project, batch: EditBatch, user: User, standing: Standing, show: str
) -> dict[str, Any]:
    """What the card and the filters say."""
    edits = batch.attempts.filter(outcome=Outcome.PLANNED).count()
    left_out = batch.attempts.filter(outcome=Outcome.EXCLUDED).count()
    skipped = batch.attempts.filter(outcome=Outcome.SKIPPED).count()
    is_newcomer = standing.reason is Reason.NEWCOMER
    return {
        "project": project,
        "batch": batch,
        "show": show,
        "sure": estimates.of(project),
        "edits": edits,
        "left_out": left_out,
        "twice": _sendable(batch, TWICE).count(),
        "total": edits + left_out,
        "skipped_count": skipped,
        "confirmed_count": edits + left_out + skipped,
        "summaries": selectors.summaries(batch),
        "a_minute": standing.pace,
        "seconds": 60 * edits / standing.pace,
        "full": edits >= standing.limit,
        "standing": standing,
        "stopped": limits.stopped_by(user, project),
        "first_max": settings.FIRST_BATCH,
        "helpers": limits.helpers(project, user) if is_newcomer else None,
        "manages": may(user, Can.MANAGE, project),
        "sent_for": probation.sent_for(user, project) if is_newcomer else None,
    }
