"""What somebody should hear of: a list, the way to each thing, and which kinds one wants."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from projects.models import Notification
from projects.notifications.services import address, mark_read, offered, say_who_asks, unread
from projects.permissions import Can, may, signed_in

PAGE = 30
Kind = Notification.Kind
Cursor = tuple[datetime, int]


@require_safe
@never_cache
@login_required
def notifications(request: HttpRequest) -> HttpResponse:
    """The latest first, paged by time: `before` is the last one of the page before."""
    user = signed_in(request)
    rows = user.notifications.select_related("project__subject__person").order_by("-at", "-id")
    before = _cursor(request.GET.get("before", ""))
    if before:
        at, pk = before
        rows = rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk))
    found = list(rows[: PAGE + 1])
    say_who_asks(found)
    last = found[PAGE - 1] if len(found) > PAGE else None
    context = {
        "notifications": found[:PAGE],
        "before": f"{last.at.isoformat()}~{last.pk}" if last else "",
        "first_page": before is None,
        "unread": unread(user, fresh=True),
    }
    return render(request, "projects/notifications.html", context)


@require_safe
@never_cache
@login_required
def notification(request: HttpRequest, told_id: int) -> HttpResponse:
    """Go where it leads, and take it as read."""
    user = signed_in(request)
    told = get_object_or_404(user.notifications.select_related("project"), pk=told_id)
    mark_read(user, told.pk)
    # one's own batch is open to its sender, whatever became of their membership
    if told.project is None or told.kind == Kind.BATCH or may(user, Can.VIEW, told.project):
        return redirect(address(told))
    messages.info(request, _("You can’t see that project any more."))
    return redirect("notifications")


@require_POST
@login_required
def notifications_read(request: HttpRequest) -> HttpResponse:
    """Take one as read (`told`), or all."""
    told = request.POST.get("told", "")
    if not told or (told.isdecimal() and len(told) < 19):
        mark_read(signed_in(request), int(told) if told else None)
    return redirect("notifications")


@require_POST
@login_required
def notifications_wanted(request: HttpRequest) -> HttpResponse:
    """Keep which kinds (`kind`, any number) somebody wants to hear of."""
    user, wanted = signed_in(request), request.POST.getlist("kind")
    user.muted = [kind.value for kind in offered(user) if kind not in wanted]
    user.save(update_fields=["muted"])
    messages.success(request, _("Saved."))
    return redirect("account")


def _cursor(text: str) -> Cursor | None:
    """Nonsense begins at the first page."""
    at, _tilde, pk = text.partition("~")
    try:
        moment = parse_datetime(at.replace(" ", "+"))
    except ValueError:
        return None
    if moment is None or not is_aware(moment) or not pk.isdecimal() or len(pk) > 18:
        return None
    try:
        return moment.astimezone(UTC), int(pk)
    except OverflowError:  # before the first year, or after the last
        return None
