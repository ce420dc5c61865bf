"""Telling people on the site what they should hear of: few things, and none twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from core.transactions import atomic
from projects.models import Membership, Notification, Project, User
from projects.permissions import moderates

Kind = Notification.Kind
OF_MODERATORS = (Kind.OBJECTED, Kind.WANTED, Kind.CONSUMER)
TOTALS = (Kind.OMITTED,)  # kinds whose numbers already are of all that is unread
KEPT = timedelta(days=90)  # how long what was read is kept
WAITS = timedelta(days=365)  # and what nobody read, since it was last added to
FRESH = 20  # seconds that a page may show an old number
SHOUT = 99  # more unread ones are "99+"
GONE = ("removed", "banned", "declined")  # what a private project tells last


def notify(users: Iterable[User], project: Project | None, kind: str, **data: Any) -> None:
    """Tell these people, but for those who muted this kind.

    While the last one that told the same of a project is unread it becomes this one: its numbers
    are added up (but for kinds in TOTALS), its other data is replaced. Call in the transaction of
    what happened.
    """
    for user in users:
        if user.is_active and kind not in user.muted:
            _tell(user, project, kind, data)
            _count_anew(user)


def offered(user: User) -> list[Kind]:
    """What somebody can hear of at all."""
    return [kind for kind in Kind if kind not in OF_MODERATORS or moderates(user)]


def unread(user: User, *, fresh: bool = False) -> int:
    """How many wait for somebody, 100 at most; read again after a few seconds only, since other
    processes may have a memory of their own, or at once if it shall be `fresh`."""
    found: int | None = None if fresh else cache.get(_key(user))
    if found is None:
        found = _unread(user)[: SHOUT + 1].count()
        cache.set(_key(user), found, FRESH)
    return found


def rename(before: str, now: str) -> None:
    """What was told of somebody bears the name that they have now."""
    for told in Notification.objects.filter(data__who=before):
        told.data |= {"who": now}
        told.save(update_fields=["data"])


def mark_read(user: User, which: int | None = None) -> None:
    """One of somebody's, or all."""
    rows = _unread(user)
    rows = rows if which is None else rows.filter(pk=which)
    rows.update(read_at=timezone.now(), unread_key=None)
    _count_anew(user)


def settle(project: Project, kind: str, user: User | None = None, **data: str) -> None:
    """Nobody, or not this user, has to look at it any more. Call in the transaction of that."""
    rows = Notification.objects.filter(project=project, kind=kind, read_at=None)
    rows = rows.filter(user=user) if user else rows
    for told in rows.filter(**{f"data__{name}": it for name, it in data.items()}):
        mark_read(told.user, told.pk)


def sweep() -> int:
    """Delete what was read long ago, or waits too long; returns how many."""
    return old().delete()[0]


def old() -> QuerySet[Notification]:
    now = timezone.now()
    waits = Q(read_at=None, at__lt=now - WAITS)
    return Notification.objects.filter(waits | Q(read_at__lt=now - KEPT))


def say_who_asks(told: Sequence[Notification]) -> None:
    """Of unread ones that people ask to join: how many wait now, and who came last."""
    asked = [each for each in told if each.data.get("code") == "asked"]
    rows = Membership.objects.filter(
        project__in=[each.project_id for each in asked], state=Membership.State.ASKED
    )
    waiting = defaultdict(list)
    for row in rows.select_related("user").order_by("joined_at"):
        waiting[row.project_id].append(str(row.user))
    for each in asked:
        people = [] if each.read_at else waiting[each.project_id or 0]
        each.data |= {"people": len(people), **({"who": people[-1]} if people else {})}


def address(told: Notification) -> str:
    """Where what it tells of is to be seen."""
    project, code = told.project, told.data.get("code", "")
    if told.kind == Kind.OBJECTED:
        return f"{reverse('admin:projects_objection_changelist')}?open=yes"
    if told.kind == Kind.WANTED:
        return f"{reverse('admin:projects_admission_changelist')}?state__exact=waiting"
    if told.kind == Kind.CONSUMER:
        return f"{reverse('admin:sdc_editbatch_changelist')}?trouble=yes"
    if project is None:
        return reverse("admission", args=[told.data.get("qid", "Q0")])
    match told.kind:
        case Kind.BATCH if code:
            return reverse("sent-batch", args=[code])
        case Kind.UPLOADS if project.state != Project.State.COMPLETED and "fresh" in told.data:
            return f"{reverse('review', args=[project.public_id])}?fresh={told.data['fresh']}"
        case Kind.OMITTED:
            return f"{reverse('set-aside', args=[project.public_id])}#left-out"
        case Kind.REVERTED if code == "undo":
            return reverse("sent-batch", args=[told.data["batch"]])
        case Kind.REVERTED:
            return reverse("second-looks", args=[project.public_id])
        case Kind.PEOPLE if code in GONE and project.visibility == Project.Visibility.PRIVATE:
            return reverse("notifications")
        case Kind.PEOPLE if code in ("asked", "doubted"):
            return reverse("members", args=[project.public_id])
    return project.get_absolute_url()


def _unread(user: User) -> QuerySet[Notification]:
    return Notification.objects.filter(user=user, read_at=None)


def _key(user: User) -> str:
    return f"unread:{user.pk}"


def _count_anew(user: User) -> None:
    transaction.on_commit(partial(cache.delete, _key(user)), robust=True)


def _tell(user: User, project: Project | None, kind: str, data: dict[str, Any]) -> None:
    key = _same(user, project, kind, data)
    fresh = {"user": user, "project": project, "kind": kind, "data": data}
    try:
        _create(**fresh, unread_key=key)
    except IntegrityError:
        _add(key, fresh)


@atomic
def _create(**fields: Any) -> None:
    Notification.objects.create(**fields)


@atomic
def _add(key: str, fresh: dict[str, Any]) -> None:
    """To the unread one that says the same."""
    held = Notification.objects.select_for_update().filter(unread_key=key).first()
    if held is None:  # read at this very moment
        Notification.objects.create(**fresh)
        return
    is_total = fresh["kind"] in TOTALS
    held.data = fresh["data"] if is_total else _together(held.data, fresh["data"])
    held.at = timezone.now()
    held.save(update_fields=["data", "at"])


def _same(user: User, project: Project | None, kind: str, data: dict[str, Any]) -> str:
    """Equal where the same happens again: of one code and state, and `of` the same. Of batches,
    each of which has a code of its own, state and direction say it."""
    about = project.pk if project else data.get("qid", "")
    names = ("state", "of") if kind == Kind.BATCH else ("code", "state", "of")
    what = [data[name] for name in names if name in data]
    return ":".join([str(user.pk), str(about), kind, *what])


def _together(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    added = {
        name: before[name] + value
        for name, value in now.items()
        if isinstance(value, int) and isinstance(before.get(name), int)
    }
    return before | now | added
