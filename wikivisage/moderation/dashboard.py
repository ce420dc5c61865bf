"""The moderators' start page: what needs eyes, and the switch that stops all writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from projects.models import Admission, AuditEvent, Objection, Project, User
from projects.moderation.admin_base import list_of
from projects.permissions import MODERATORS, check_moderates, signed_in
from projects.privacy import objections
from sdc.admin.filters import in_trouble, watches
from sdc.batches import moderation
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch, WritingStop
from sdc.sending_rights import stops
from sdc.writing.reasons import Reason

CODES = 8  # unknown codes that are shown
DEEDS = 12  # of moderators


@dataclass(frozen=True)
class Eye:
    """Something that may need eyes: how many there are, and the list of them."""

    name: str
    count: int
    url: str
    calm: bool = False  # nothing is wrong with there being some


def what_needs_eyes() -> list[Eye]:
    batches, attempts = EditBatch.objects, ClaimAttempt.objects
    shared = stops.active().filter(source=WritingStop.Source.SHARE)
    placed = stops.active().filter(source=WritingStop.Source.MODERATOR)
    return [
        *_what_people_ask(),
        Eye(
            _("Batches that are running"),
            batches.filter(state=EditBatch.State.RUNNING).count(),
            list_of(EditBatch, state__exact=EditBatch.State.RUNNING),
            calm=True,
        ),
        Eye(
            _("Batches stopped or paused by trouble"),
            batches.filter(in_trouble()).count(),
            list_of(EditBatch, trouble="yes"),
        ),
        Eye(
            _("Drafts handed over to somebody who may send"),
            batches.filter(state=EditBatch.State.HANDED).count(),
            list_of(EditBatch, state__exact=EditBatch.State.HANDED),
            calm=True,
        ),
        Eye(
            _("Statements removed or changed on the wiki, found within a week"),
            watches("week").count(),
            list_of(Watch, reverted="week"),
        ),
        Eye(
            _("Removed or changed, without a second look"),
            watches("unlooked").count(),
            list_of(Watch, reverted="unlooked"),
        ),
        Eye(
            _("Users and projects held back, as too much of theirs was removed"),
            shared.count(),
            list_of(WritingStop, holds="yes", source__exact=WritingStop.Source.SHARE),
        ),
        Eye(
            _("Users and projects stopped by moderators"),
            placed.exclude(scope=WritingStop.Scope.EVERYTHING).count(),
            list_of(WritingStop, holds="yes", source__exact=WritingStop.Source.MODERATOR),
            calm=True,
        ),
        Eye(
            _("Claims held by moderators"),
            Claim.objects.filter(held=True).count(),
            list_of(Claim, held__exact=1),
            calm=True,
        ),
        Eye(
            _("Refusals with a code that we don't know"),
            attempts.filter(reason=Reason.UNKNOWN).count(),
            list_of(ClaimAttempt, why=Reason.UNKNOWN.value),
        ),
        Eye(
            _("Projects paused"),
            Project.objects.filter(state=Project.State.PAUSED).count(),
            list_of(Project, state__exact=Project.State.PAUSED),
            calm=True,
        ),
    ]


def _what_people_ask() -> list[Eye]:
    waiting = Admission.objects.filter(state=Admission.State.WAITING)
    return [
        Eye(
            _("Objections that are overdue: open for more than a week"),
            objections.overdue().count(),
            list_of(Objection, open="late"),
        ),
        Eye(
            _("Objections that are open"),
            objections.open_ones().count(),
            list_of(Objection, open="yes"),
        ),
        Eye(
            _("Persons about whom moderators have to decide first"),
            waiting.count(),
            list_of(Admission, state__exact=Admission.State.WAITING),
        ),
    ]


def unknown_codes() -> list[Eye]:
    """What the wiki said that the table of refusals does not know, the most frequent first."""
    unknown = ClaimAttempt.objects.filter(reason=Reason.UNKNOWN).values_list("error_detail")
    counted = unknown.annotate(n=Count("pk")).order_by("-n")[:CODES]
    return [
        Eye(
            detail or _("(no code)"),
            count,
            list_of(ClaimAttempt, why=Reason.UNKNOWN.value, q=detail.partition(":")[0]),
        )
        for detail, count in counted
    ]


def _moderators() -> list[int]:
    """A short list, so that the log is read from its end."""
    group = User.objects.filter(groups__name=MODERATORS) | User.objects.filter(is_superuser=True)
    return sorted(set(group.values_list("pk", flat=True)))


def start_page() -> dict[str, Any]:
    """What the template of the start page shows beside the lists."""
    page = settings.STOP_PAGE
    return {
        "eyes": what_needs_eyes(),
        "unknown_codes": unknown_codes(),
        "all_stops": stops.active()
        .filter(scope=WritingStop.Scope.EVERYTHING)
        .select_related("placed_by"),
        "deeds": AuditEvent.objects.filter(actor__in=_moderators())
        .select_related("actor")
        .order_by("-pk")[:DEEDS],
        "stop_page": page,
        "stop_page_url": settings.WIKI.page_url(page) if page else "",
    }


@require_http_methods(["POST"])
def switch(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Stop all writing, for a reason and after a confirmation; or let the tool write again."""
    check_moderates(request.user)
    by, reason = signed_in(request), request.POST.get("reason", "").strip()[:255]
    if request.POST.get("do") == "go":
        if moderation.release_everything(by, reason):
            messages.success(request, _("The tool may write again. Paused batches go on."))
        if stops.of_everything():
            messages.warning(request, _("A page of the wiki still stops all writing."))
    elif not reason:
        messages.error(request, _("Say why: everybody will read it at the top of every page."))
    elif "sure" not in request.POST:
        running = EditBatch.objects.filter(state=EditBatch.State.RUNNING).count()
        context |= {"title": _("Stop all writing?"), "reason": reason, "running": running}
        return render(request, "admin/switch.html", context)
    else:
        moderation.stop_everything(by, reason)
        messages.success(request, _("All writing is stopped."))
    return redirect("admin:index")
