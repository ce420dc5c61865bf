"""Who may not send for now: everybody, a user, a project. Placed and lifted here.

A stop of everything holds back all writing. One of a user or a project holds back what they add,
never that somebody takes an edit back.
"""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from projects.ledger import audit
from projects.models import Project, User
from sdc.models import WritingStop

Scope, Source = WritingStop.Scope, WritingStop.Source


def active() -> QuerySet[WritingStop]:
    return WritingStop.objects.filter(wiki=settings.WIKI.code, lifted_at=None)


def of_everything() -> WritingStop | None:
    return active().filter(scope=Scope.EVERYTHING).order_by("pk").first()


def holding_back(user: User, project: Project) -> WritingStop | None:
    """What keeps this user from adding anything in this project, the widest first."""
    theirs = Q(scope=Scope.EVERYTHING) | Q(user=user) | Q(project=project)
    return active().filter(theirs).order_by("scope", "pk").first()  # "all" sorts first


def place(
    source: str,
    reason: str,
    *,
    by: User | None = None,
    user: User | None = None,
    project: Project | None = None,
) -> WritingStop:
    """Stop `user`, or `project`, or everything. Placing what holds already changes nothing."""
    scope = Scope.USER if user else Scope.PROJECT if project else Scope.EVERYTHING
    target = user.pk if user else project.pk if project else 0
    key = f"{settings.WIKI.code}:{scope}:{target}:{source}"
    try:
        with transaction.atomic():
            stop = WritingStop.objects.create(
                wiki=settings.WIKI.code,
                scope=scope,
                source=source,
                user=user,
                project=project,
                reason=reason[:255],
                active_key=key,
                placed_by=by,
            )
            audit(by, "writing.stopped", project, _name(stop), reason=stop.reason, source=source)
    except IntegrityError:
        return WritingStop.objects.get(active_key=key)
    return stop


def lift(stop: WritingStop, by: User | None, reason: str = "") -> bool:
    """Let them send again; what was stopped goes on by itself."""
    with transaction.atomic():
        holds = WritingStop.objects.filter(pk=stop.pk, lifted_at=None)
        if not holds.update(lifted_at=timezone.now(), lifted_by=by, active_key=None):
            return False
        audit(by, "writing.released", stop.project, _name(stop), reason=reason)
    stop.refresh_from_db()
    return True


def _name(stop: WritingStop) -> str:
    target = stop.user_id or stop.project_id
    return f"{stop.scope}:{target}" if target else stop.scope
