"""Somebody's own page: their work, day by day, and what stood of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from classify.models import Answer, Origin
from projects.members.leaderboard import answers_by_day, contributions_in_each, contributions_of
from projects.models import Membership, Project, User
from projects.permissions import Can, may, moderates
from projects.privacy import denylist
from sdc.batches.undo import offered
from sdc.watch.findings import batches_of_user, standings_of_user

DAYS, WEEKS = 30, 26
BATCHES, PROJECTS = 5, 50
Bar = tuple[str, int, str, int]  # label, given, no address, stood


@require_safe
@never_cache
def contributor(request: HttpRequest, user_id: str) -> HttpResponse:
    """Everybody sees it of who wants to be seen, with public projects only; of oneself one sees
    all. Otherwise there is no such page."""
    person = get_object_or_404(User, public_id=user_id)
    own = person == request.user
    if not (own or (person.show_on_leaderboard and person.is_active) or moderates(request.user)):
        raise Http404
    weekly = request.GET.get("per") == "week"
    bars = _bars(person, weekly=weekly, public=not own)
    batches = _batches(person, request.user, public=not own)
    context = {
        "person": person,
        "own": own,
        "contributions": contributions_of(person, public=not own),
        "weekly": weekly,
        "bars": bars,
        "given": sum(bar[1] for bar in bars),
        "stood": sum(bar[3] for bar in bars),
        "projects": _projects(person, public=not own),
        "batches": batches,
        # a patroller undoes batches of private projects, which this page doesn't name
        "visible": _visible({batch.project for batch, _may_undo in batches}, request.user),
        "standings": standings_of_user(person) if own else None,
    }
    return render(request, "wikivisage/contributor.html", context)


def _bars(person: User, *, weekly: bool, public: bool) -> list[Bar]:
    """Answers and reviews given and not taken back, and how many of them stood; by day or week,
    up to today."""
    today = timezone.now().date()
    begin = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1) if weekly else DAYS - 1)
    given, stood = _given(person, begin, public), answers_by_day(person, begin, public=public)
    step = 7 if weekly else 1
    bars = []
    for start in range(0, (today - begin).days + 1, step):
        days = [begin + timedelta(days=start + day) for day in range(step)]
        of, right = (sum(rows.get(day, 0) for day in days) for rows in (given, stood))
        bars.append((date_format(days[0], "MONTH_DAY_FORMAT"), of, "", min(max(right, 0), of)))
    return bars


def _given(person: User, since: date, public: bool) -> dict[date, int]:
    begin = datetime.combine(since, time(), UTC)
    answers = Answer.objects.filter(user=person, undone_by=None, created_at__gte=begin)
    answers = answers.exclude(origin=Origin.UNDO)
    if public:
        answers = answers.filter(subject__project__visibility=Project.Visibility.PUBLIC)
    days = answers.order_by().annotate(day=TruncDate("created_at", tzinfo=UTC)).values("day")
    return dict(days.annotate(n=Count("pk")).values_list("day", "n"))


def _projects(person: User, *, public: bool) -> list[tuple[Membership, int]]:
    rows = _seen(person.memberships.filter(state=Membership.State.ACTIVE), public)
    found = list(
        rows.select_related("project__subject__person").order_by("-project__active_at")[:PROJECTS]
    )
    did = contributions_in_each(person, [row.project_id for row in found])
    return [(row, did.get(row.project_id, 0)) for row in found]


def _batches(person: User, viewer: Any, *, public: bool) -> list[tuple[Any, bool]]:
    batches = _seen(batches_of_user(person).filter(wiki=settings.WIKI.code), public)
    return offered(batches[:BATCHES], viewer)


def _visible(projects: set[Project], viewer: Any) -> list[Project]:
    return [project for project in projects if may(viewer, Can.VIEW, project)]


def _seen(rows: QuerySet[Any], public: bool) -> QuerySet[Any]:
    marked: QuerySet[Any] = rows.annotate(
        left_alone=denylist.left_alone("project__subject__person__qid")
    )
    seen = {"project__visibility": Project.Visibility.PUBLIC, "left_alone": False}
    return marked.filter(**seen) if public else marked
