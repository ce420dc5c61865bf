"""Calling people back: work waits again in a project where there was nothing left to do."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from classify.audit import rounds
from classify.models import Answer, Learner, Origin
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import notify

READY = Notification.Kind.READY
ONCE = timedelta(days=1)  # a project calls no more often
HERE = timedelta(minutes=10)  # who answered since then sees for themselves


def is_idle(learner: Learner, project: Project) -> bool:
    """Whether nothing waited in the project when the learner last settled, nor does now."""
    if learner.computed_at is None or learner.matches or learner.worth >= 0.5:
        return False
    return not rounds.wanted(project).faces


def call_back(project: Project) -> None:
    """Tell the members who answered here before that work waits. Call in the transaction that
    makes it known; at most once a day for a project, and never for a completed one."""
    if project.state == Project.State.COMPLETED:
        return
    now = timezone.now()
    given = Answer.objects.filter(subject=project.subject)
    last = given.order_by("id").last()
    if last and last.origin == Origin.UNDO and last.created_at > now - HERE:
        return  # somebody took back what was the last of it, and goes on with that
    if Notification.objects.filter(project=project, kind=READY, at__gt=now - ONCE).exists():
        return
    members = project.memberships.filter(state=Membership.State.ACTIVE, counts=True)
    theirs = given.filter(user=OuterRef("user"))
    told = members.filter(Exists(theirs), ~Exists(theirs.filter(created_at__gt=now - HERE)))
    notify(User.objects.filter(pk__in=told.values("user")), project, READY)
