"""Who did how much that stood: leaderboards read the daily tallies.

What counts is decided where it is written down (classify.labels.Said.credit, sdc.watch): answers
and reviews that nobody took back or overruled, statements that are not out. A day's tally goes
down when something of that day is overruled later, and up again when it is restored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Contribution, Project, Tally, User

Kind = Contribution.Kind
SHOWN = 50  # a page

# period -> (its name, how many days back it begins; None: at the beginning)
PERIODS = {
    "day": (_("Today"), 0),
    "week": (_("7 days"), 6),
    "month": (_("30 days"), 29),
    "all": (_("All time"), None),
}


@dataclass(frozen=True)
class Standing:
    rank: int
    user: User
    answers: int
    reviews: int
    edits: int
    total: int


@dataclass(frozen=True)
class Standings:
    rows: list[Standing] = field(default_factory=list)
    others: int = 0  # people who took part, too, and don't show their name
    total: int = 0  # of everybody
    page: int = 1
    pages: int = 1


def standings(
    period: str,
    viewer: Any = None,
    project: Project | None = None,
    page: int = 1,
    size: int = SHOWN,
) -> Standings:
    """A page of those who want to be seen (and `viewer`, for their own eyes), the most active
    first.

    Without a project: the sum over all public projects.
    """
    tallies = _since(period, project)
    people = _by_user(tallies)
    seen = Q(user__show_on_leaderboard=True)
    if viewer is not None and viewer.is_authenticated:
        seen |= Q(user=viewer)
    shown = people.filter(seen)
    everybody, named = people.count(), shown.count()
    pages = max(1, -(-named // size))
    page = min(max(page, 1), pages)
    first = (page - 1) * size
    top = list(shown.order_by("-total", "user")[first : first + size])
    users = User.objects.in_bulk([row["user"] for row in top])
    rows = [
        Standing(rank, users[row.pop("user")], **row)
        for rank, row in enumerate(top, start=first + 1)
    ]
    total = tallies.aggregate(total=Coalesce(Sum("amount"), 0))["total"]
    return Standings(rows, everybody - named, total, page, pages)


def contributions_of(user: User, *, public: bool = False) -> dict[str, int]:
    """What somebody did in all projects, or the public ones: answers, reviews, edits, total."""
    row = _by_user(_of(user, public=public)).order_by("user").first()
    return row or {"answers": 0, "reviews": 0, "edits": 0, "total": 0}


def contributions_in(project: Project, users: Collection[int]) -> dict[int, int]:
    """How much each of these users (by key) did in a project."""
    rows = Tally.objects.filter(project=project, user__in=users).order_by().values("user")
    return dict(rows.annotate(n=Sum("amount")).values_list("user", "n"))


def contributions_in_each(user: User, projects: Collection[int]) -> dict[int, int]:
    """How much somebody did in each of these projects (by key)."""
    rows = Tally.objects.filter(user=user, project__in=projects).order_by().values("project")
    return dict(rows.annotate(n=Sum("amount")).values_list("project", "n"))


def answers_by_day(user: User, since: date, *, public: bool = False) -> dict[date, int]:
    """Somebody's answers and reviews that stood, by the day they were given."""
    rows = _of(user, public=public).filter(day__gte=since, kind__in=(Kind.ANSWER, Kind.REVIEW))
    return dict(rows.order_by().values("day").annotate(n=Sum("amount")).values_list("day", "n"))


def _of(user: User, *, public: bool) -> QuerySet[Tally]:
    tallies = Tally.objects.filter(user=user)
    return tallies.filter(project__visibility=Project.Visibility.PUBLIC) if public else tallies


def _since(period: str, project: Project | None) -> QuerySet[Tally]:
    tallies = Tally.objects.all()
    if project is not None:
        tallies = tallies.filter(project=project)
    else:
        tallies = tallies.filter(project__visibility=Project.Visibility.PUBLIC)
    days = PERIODS[period][1]
    if days is None:
        return tallies
    first: date = timezone.now().date() - timedelta(days=days)
    return tallies.filter(day__gte=first)


def _by_user(tallies: QuerySet[Tally]) -> QuerySet[Any, Any]:
    def kind(name: str) -> Coalesce:
        return Coalesce(Sum("amount", filter=Q(kind=name)), 0)

    return (
        tallies.values("user")
        .annotate(
            answers=kind(Kind.ANSWER),
            reviews=kind(Kind.REVIEW),
            edits=kind(Kind.EDIT),
            total=Sum("amount"),
        )
        .filter(total__gt=0)
    )
