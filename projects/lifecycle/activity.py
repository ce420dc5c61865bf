"""How long what is made of faces is kept: which projects need it. See docs/privacy.md.

A project is *live* as long as somebody may go on with it, and *awake* until RETENTION_DAYS after a
person last did something in it. While it sleeps, only faces said to be the person keep their
vectors and crops; whoever comes back wakes it, and they are made again from the pictures.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from core.events import announce
from core.transactions import atomic
from projects.ledger import audit
from projects.models import Project, User
from projects.privacy import denylist

State = Project.State


def since() -> datetime:
    """A project in which nobody did anything from then on sleeps."""
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS)


def live() -> QuerySet[Project]:
    """Neither ended nor left alone. A completed one counts until its time has gone."""
    going = Project.objects.exclude(state=State.ARCHIVED).filter(deleted_at=None)
    going = going.exclude(state=State.COMPLETED, active_at__lt=since())
    return going.exclude(subject__person__qid__in=denylist.denied_qids())


def awake() -> QuerySet[Project]:
    return live().filter(active_at__gte=since())


def asleep() -> QuerySet[Project]:
    """Live, but nobody came for long."""
    return live().filter(active_at__lt=since())


def sleeps(project: Project) -> bool:
    return project.state in (State.ACTIVE, State.PAUSED) and project.active_at < since()


@atomic
def wake(project: Project, by: User) -> None:
    """Have the vectors made again that went while nobody came."""
    audit(by, "project.woken", project, f"project:{project.pk}")
    announce("project-resumed")
