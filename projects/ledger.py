"""Writing down who did what: contributions with their daily tally, and audit events."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import F
from django.utils import timezone

from projects.models import AuditEvent, Contribution, Project, Tally, User
from projects.pulse import beat


def contribute(
    project: Project, user: User, kind: str, amount: int = 1, day: date | None = None
) -> None:
    """Append a contribution and count it for today, or for the `day` of work that turned out to
    count more or less than it did. Call in the transaction of the deed."""
    now = timezone.now()
    at = datetime.combine(day, time(12), UTC) if day and day != now.date() else now
    Project.objects.filter(pk=project.pk).update(active_at=now, pulse=F("pulse") + 1)
    Contribution.objects.create(project=project, user=user, kind=kind, amount=amount, at=at)
    tally, _ = Tally.objects.get_or_create(project=project, user=user, kind=kind, day=at.date())
    Tally.objects.filter(pk=tally.pk).update(amount=F("amount") + amount)


def audit(
    actor: User | None, action: str, project: Project | None = None, target: str = "", **data: Any
) -> None:
    """Call in the transaction of the deed. A project's pages show what was done there; whatever a
    person does keeps it awake (projects.keeping)."""
    AuditEvent.objects.create(actor=actor, action=action, project=project, target=target, data=data)
    if project:
        if actor:
            rows = Project.objects.filter(pk=project.pk)
            rows.update(active_at=timezone.now(), pulse=F("pulse") + 1)
        else:
            beat(project.pk)
