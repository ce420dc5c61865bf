"""Writing down who did what: contributions with their daily tally, and audit events."""

from typing import Any

from django.db.models import F
from django.utils import timezone

from projects.models import AuditEvent, Contribution, Project, Tally, User


def contribute(project: Project, user: User, kind: str, amount: int = 1) -> None:
    """Append a contribution and count it for today. Call in the transaction of the deed."""
    now = timezone.now()
    Project.objects.filter(pk=project.pk).update(active_at=now)
    Contribution.objects.create(project=project, user=user, kind=kind, amount=amount, at=now)
    tally, _ = Tally.objects.get_or_create(project=project, user=user, kind=kind, day=now.date())
    Tally.objects.filter(pk=tally.pk).update(amount=F("amount") + amount)


def audit(
    actor: User | None, action: str, project: Project | None = None, target: str = "", **data: Any
) -> None:
    AuditEvent.objects.create(actor=actor, action=action, project=project, target=target, data=data)
