"""Writing down who did what: contributions with their daily tally, and audit events."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import F
from django.utils import timezone

from projects.live.pulse import beat
from projects.models import AuditEvent, Contribution, Project, Tally, User


def contribute(
    project: Project, user: User, kind: str, amount: int = 1, day: date | None = None
) -> None:
    """Append a contribution and count it for today, or for the `day` of work that turned out to
    count more or less than it did. Call in the transaction of the deed."""
    now = timezone.now()
    Project.objects.filter(pk=project.pk).update(active_at=now, pulse=F("pulse") + 1)
    contribute_all(project, [(user.pk, kind, day or now.date(), amount)])


def contribute_all(project: Project, credit: Sequence[tuple[int, str, date, int]]) -> None:
    """The same for several: keys of users, kinds, days, amounts. Call with the project's row held
    by an update, so that no two transactions begin the same tally."""
    now = timezone.now()
    Contribution.objects.bulk_create(
        Contribution(project=project, user_id=user, kind=kind, amount=amount, at=_moment(day, now))
        for user, kind, day, amount in credit
    )
    for user, kind, day, amount in credit:
        tallies = Tally.objects.filter(project=project, user=user, kind=kind, day=day)
        if not tallies.update(amount=F("amount") + amount):
            Tally.objects.create(project=project, user_id=user, kind=kind, day=day, amount=amount)


def _moment(day: date, now: datetime) -> datetime:
    return now if day == now.date() else datetime.combine(day, time(12), UTC)


def audit(
    actor: User | None, action: str, project: Project | None = None, target: str = "", **data: Any
) -> None:
    """Call in the transaction of the deed. A project's pages show what was done there; whatever a
    person does keeps it awake (projects.lifecycle.activity)."""
    AuditEvent.objects.create(actor=actor, action=action, project=project, target=target, data=data)
    if project:
        if actor:
            rows = Project.objects.filter(pk=project.pk)
            rows.update(active_at=timezone.now(), pulse=F("pulse") + 1)
        else:
            beat(project.pk)
