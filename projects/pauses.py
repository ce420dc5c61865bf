"""What is paused because somebody objected: nothing of it is asked or sent until a moderator has
decided, a week at most. A pause ends by the clock; nobody has to end it.

What an objection names only once in a while pauses (`objections.lodge`), so that it is no weapon.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import DateTimeField, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.dispatch import Signal
from django.utils import timezone

from projects import denials
from projects.models import Objection, Project

Kind = Objection.Kind
OPEN = (Objection.State.OPEN, Objection.State.IN_WORK)
LASTS = timedelta(days=7)
PAUSABLE = (Kind.PERSON, Kind.FILE, Kind.CATEGORY, Kind.UPLOADER, Kind.AUTHOR)
# `objection`, and `until`, which it had before where it ends; within the transaction
pause_begun, pause_ended = Signal(), Signal()
PAUSED_UNTIL = "paused_until"  # on a project found for a page


def active(now: Any = None) -> QuerySet[Objection]:
    """Objections that pause what they name now."""
    rows = Objection.objects.filter(wiki=settings.WIKI.code, state__in=OPEN)
    return rows.filter(pauses_until__gt=now or timezone.now())


def until_of(qid: str = "person__qid", now: Any = None) -> Subquery:
    """Until when the person whose Q-ID is at this path of a row is paused; null: not at all."""
    mine = active(now).filter(kind=Kind.PERSON, value=OuterRef(qid)).order_by("-pauses_until")
    return Subquery(mine.values("pauses_until")[:1], output_field=DateTimeField())


def is_paused(qid: str = "person__qid") -> Exists:
    """Whether the person whose Q-ID is at this path of a row is paused: to filter by."""
    return Exists(active().filter(kind=Kind.PERSON, value=OuterRef(qid)))


def of_project(project: Project) -> datetime | None:
    """Until when its person is paused; of a project found for a page, as it was then."""
    if PAUSED_UNTIL in project.__dict__:
        known: datetime | None = project.__dict__[PAUSED_UNTIL]
        return known
    return _until(Q(kind=Kind.PERSON, value=project.person.qid))


def of_claim(qid: str, title: str) -> datetime | None:
    """Until when a person, or a file of that title, is paused: asked before each edit."""
    person = Q(kind=Kind.PERSON, value=qid)
    return _until(person | Q(kind=Kind.FILE, value=denials.normal(Kind.FILE, title)))


def of_category(title: str) -> datetime | None:
    """Until when the files of a category (without prefix) are paused."""
    return _until(Q(kind=Kind.CATEGORY, value=denials.normal(Kind.CATEGORY, title)))


def categories() -> list[str]:
    """Titles with prefix, for asking the wiki which files are in one of them."""
    rows = active().filter(kind=Kind.CATEGORY).order_by("value").values_list("value", flat=True)
    return [f"Category:{value}" for value in dict.fromkeys(rows)]


def may_begin(kind: str, value: str) -> bool:
    """Whether an objection to this would pause it: once, and not after a moderator's no, as long
    as we know of the objections before."""
    if kind not in PAUSABLE or not value:
        return False
    same = Objection.objects.filter(wiki=settings.WIKI.code, kind=kind, value=value)
    before = ~Q(pauses_until=None) | Q(state=Objection.State.DECLINED)
    return not same.filter(before).exists()


def _until(named: Q) -> datetime | None:
    found: datetime | None = active().filter(named).aggregate(at=Max("pauses_until"))["at"]
    return found
