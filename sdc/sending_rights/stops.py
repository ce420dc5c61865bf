"""Who may not send for now: everybody, a user, a project. Placed and lifted here.

A stop of everything holds back all writing. One of a user or a project holds back what they add,
never that somebody takes an edit back.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.transactions import atomic
from projects.ledger import audit
from projects.models import Project, User
from sdc.models import ClaimAttempt, Edit, Watch, WritingStop

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
        return _place(
            scope=scope,
            source=source,
            user=user,
            project=project,
            reason=reason[:255],
            active_key=key,
            placed_by=by,
        )
    except IntegrityError:
        return WritingStop.objects.get(active_key=key)


@atomic
def _place(**fields: Any) -> WritingStop:
    stop = WritingStop.objects.create(wiki=settings.WIKI.code, **fields)
    about = {"reason": stop.reason, "source": stop.source}
    audit(stop.placed_by, "writing.stopped", stop.project, _name(stop), **about)
    return stop


@atomic
def lift(stop: WritingStop, by: User | None, reason: str = "") -> bool:
    """Let them send again; what was stopped goes on by itself."""
    holds = WritingStop.objects.filter(pk=stop.pk, lifted_at=None)
    if not holds.update(lifted_at=timezone.now(), lifted_by=by, active_key=None):
        return False
    audit(by, "writing.released", stop.project, _name(stop), reason=reason)
    stop.refresh_from_db()
    return True


def weigh(*, user: User | None = None, project: Project | None = None) -> WritingStop | None:
    """Stop `user` or `project` when too much of what they wrote was removed.

    Counted are the statements written since a moderator last lifted such a stop; as removed
    those that somebody else than the sender took out on the wiki, and those that a moderator
    took back.
    """
    rows = ClaimAttempt.objects.filter(
        batch__wiki=settings.WIKI.code, outcome=ClaimAttempt.Outcome.WRITTEN, undoes=None
    )
    rows = rows.filter(batch__user=user) if user else rows.filter(batch__project=project)
    before = WritingStop.objects.filter(
        wiki=settings.WIKI.code, source=Source.SHARE, user=user, project=None if user else project
    ).exclude(lifted_at=None)
    if lifted := before.aggregate(at=Max("lifted_at"))["at"]:
        rows = rows.filter(ended_at__gt=lifted)
    others = Edit.objects.filter(kind=Edit.Kind.REMOVE, guid=OuterRef("guid"))
    taken_back = Exists(others.exclude(user=OuterRef("batch__user")))
    removed_on_wiki = Q(watch__finding=Watch.Finding.REMOVED) & ~Q(
        watch__by=F("batch__user__wiki_username")
    )
    removed, written = rows.filter(removed_on_wiki | taken_back).count(), rows.count()
    if removed < settings.REMOVED_LEAST:
        return None
    if 100 * removed < settings.REMOVED_SHARE_PERCENT * written:
        return None
    words = _("%(removed)d of %(written)d statements were removed by others or by a moderator.")
    reason = words % {"removed": removed, "written": written}
    return place(Source.SHARE, reason, user=user, project=None if user else project)


def _name(stop: WritingStop) -> str:
    target = stop.user_id or stop.project_id
    return f"{stop.scope}:{target}" if target else stop.scope
