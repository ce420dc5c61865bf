"""The daily tallies are the sums of the contributions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce, TruncDate

from core.transactions import atomic
from projects.models import Contribution, Project, Tally
from sdc.reconcile.report import Code, Finding


def tallies_off(projects: QuerySet[Project], repair: bool) -> Iterator[Finding]:
    """Each tally that is not the sum of its contributions, repaired if so asked."""
    day = TruncDate("at", tzinfo=UTC)
    rows = Contribution.objects.filter(project__in=projects).order_by().annotate(day=day)
    keys = ("project", "user", "kind", "day")
    sums = {tuple(row[:4]): row[4] for row in rows.values_list(*keys).annotate(n=Sum("amount"))}
    tallies = Tally.objects.filter(project__in=projects).values_list(*keys, "amount")
    counted = {tuple(row[:4]): row[4] for row in tallies}
    for key in sorted(sums.keys() | counted.keys(), key=str):
        if sums.get(key, 0) == counted.get(key, 0):
            continue
        was, right = _recount(*key, repair=repair)
        if was != right:
            detail = f"{key[2]} of {key[3]}: {was} should be {right}"
            yield Finding(Code.COUNTER, detail=detail, repaired=repair)


@atomic
def _recount(project: int, user: int, kind: str, day: date, *, repair: bool) -> tuple[int, int]:
    """What is counted, and what should be. The tally's row is locked before the contributions
    are added up, since whoever contributes adds to it last."""
    begin = datetime.combine(day, datetime.min.time(), UTC)
    key: dict[str, Any] = {"project_id": project, "user_id": user, "kind": kind}
    if repair:
        Tally.objects.get_or_create(**key, day=day)
    tally = Tally.objects.select_for_update().filter(**key, day=day).first()
    rows = Contribution.objects.filter(**key, at__gte=begin, at__lt=begin + timedelta(days=1))
    right: int = rows.aggregate(n=Coalesce(Sum("amount"), 0))["n"]
    was = tally.amount if tally else 0
    if repair and tally and was != right:
        Tally.objects.filter(pk=tally.pk).update(amount=right)
    return was, right
