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

from projects.models import Objection, Project
from projects.privacy import denylist

Kind = Objection.Kind
OPEN = (Objection.State.OPEN, Objection.State.IN_WORK)
LASTS = timedelta(days=7)
OF_PHOTOS = (Kind.FILE, Kind.CATEGORY, Kind.UPLOADER, Kind.AUTHOR)
PAUSABLE = (Kind.PERSON, *OF_PHOTOS)
# `objection`, and `until`, which it had before where it ends; within the transaction
pause_begun, pause_ended = Signal(), Signal()
# `objection`: receivers return how many photos are held of what it names
photos_asked = Signal()
PAUSED_UNTIL = "paused_until"  # on a project found for a page


def active(now: Any = None) -> QuerySet[Objection]:
    """Objections that pause what they name now."""
    rows = Objection.objects.filter(wiki=settings.WIKI.code, state__in=OPEN)
    return rows.filter(pauses_until__gt=now or timezone.now())


def until_of(qid: str = "subject__person__qid", now: Any = None) -> Subquery:
    """Until when the person whose Q-ID is at this path of a row is paused; null: not at all."""
    mine = active(now).filter(kind=Kind.PERSON, value=OuterRef(qid)).order_by("-pauses_until")
    return Subquery(mine.values("pauses_until")[:1], output_field=DateTimeField())


def is_paused(qid: str = "subject__person__qid") -> Exists:
    """Whether the person whose Q-ID is at this path of a row is paused: to filter by."""
    return Exists(active().filter(kind=Kind.PERSON, value=OuterRef(qid)))


def of_project(project: Project) -> datetime | None:
    """Until when its person is paused; of a project found for a page, as it was then."""
    if PAUSED_UNTIL in project.__dict__:
        known: datetime | None = project.__dict__[PAUSED_UNTIL]
        return known
    return _until(Q(kind=Kind.PERSON, value=project.person.qid))


def of_claim(qid: str, page_id: int, title: str) -> datetime | None:
    """Until when a person or a file is paused: asked before each edit."""
    file = Q(page_id=page_id) | Q(value=denylist.normal(Kind.FILE, title))
    return _until(Q(kind=Kind.PERSON, value=qid) | (Q(kind=Kind.FILE) & file))


def of_objection(objection: Objection) -> datetime | None:
    """Until when what it names is paused, by whichever objection."""
    return _until(same(objection)) if objection.value else None


def count_photos(objection: Objection) -> int | None:
    """How many photos are held of the file or files that it names."""
    if objection.kind not in OF_PHOTOS or not objection.value:
        return None
    answers = photos_asked.send(Objection, objection=objection)
    return sum(int(number or 0) for _receiver, number in answers)


def of_category(title: str) -> datetime | None:
    """Until when the files of a category (without prefix) are paused."""
    return _until(Q(kind=Kind.CATEGORY, value=denylist.normal(Kind.CATEGORY, title)))


def categories() -> list[str]:
    """Titles with prefix, for asking the wiki which files are in one of them."""
    rows = active().filter(kind=Kind.CATEGORY).order_by("value").values_list("value", flat=True)
    return [f"Category:{value}" for value in dict.fromkeys(rows)]


def may_begin(objection: Objection) -> bool:
    """Whether an objection would pause what it names: once, and not after a moderator's no, as
    long as we know of the objections before."""
    if objection.kind not in PAUSABLE or not objection.value:
        return False
    before = ~Q(pauses_until=None) | Q(state=Objection.State.DECLINED)
    rows = Objection.objects.filter(same(objection), before, wiki=settings.WIKI.code)
    return not rows.exists()


def same(objection: Objection) -> Q:
    """Objections or entries of the deny-list that name the same, a file by whichever name."""
    named = Q(value=objection.value)
    if objection.page_id:
        named |= Q(page_id=objection.page_id)
    return Q(kind=objection.kind) & named


def _until(named: Q) -> datetime | None:
    found: datetime | None = active().filter(named).aggregate(at=Max("pauses_until"))["at"]
    return found
