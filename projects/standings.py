"""Who did how much: leaderboards read the daily tallies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from projects.models import Contribution, Project, Tally, User

Kind = Contribution.Kind
SHOWN = 50

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
    others: int = 0  # people who took part, too, and don't show their name (or stand below)
    total: int = 0  # of everybody


def standings(period: str, viewer: Any = None, project: Project | None = None) -> Standings:
    """Those who want to be seen (and `viewer`, for their own eyes), the most active first.

    Without a project: the sum over all public projects.
    """
    tallies = _since(period, project)
    people = _by_user(tallies)
    seen = Q(user__show_on_leaderboard=True)
    if viewer is not None and viewer.is_authenticated:
        seen |= Q(user=viewer)
    top = list(people.filter(seen).order_by("-total", "user")[:SHOWN])
    users = User.objects.in_bulk([row["user"] for row in top])
    rows = [Standing(rank, users[row.pop("user")], **row) for rank, row in enumerate(top, start=1)]
    everybody = people.count()
    total = tallies.aggregate(total=Coalesce(Sum("amount"), 0))["total"]
    return Standings(rows, everybody - len(rows), total)


def contributions_of(user: User) -> dict[str, int]:
    """What somebody did in all projects: answers, reviews, edits, total."""
    row = _by_user(Tally.objects.filter(user=user)).order_by("user").first()
    return row or {"answers": 0, "reviews": 0, "edits": 0, "total": 0}


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
