"""What was reached by everybody, in all projects of this server; counted now and then.

The pages of a small server count it themselves. On one of many photos a worker does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, timedelta

from django.core.cache import cache
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from classify.learner.census import many_rows
from core.work import WorkState
from crawler.models import Picture
from projects.live import census
from projects.models import Contribution, Person, Tally
from sdc.models import Edit, Watch
from sdc.watch.findings import watched
from wikivisage.models import Reached

WEEKS = 12
SENT = Contribution.Kind.EDIT
ANSWERS = (Contribution.Kind.ANSWER, Contribution.Kind.REVIEW)
KEPT = 300  # seconds

Weeks = list[tuple[date, int]]  # the last ones, each from its Monday
Chart = tuple[str, str, list[tuple[str, int]]]  # title, what is counted, rows for {% bars %}


@dataclass(frozen=True)
class Together:
    statements: int  # on the wiki by us, without those that we took back
    answers: int  # in questions and reviews, those that stand
    photos: int
    people: int
    volunteers: int
    weeks: Weeks  # statements
    answer_weeks: Weeks
    photo_weeks: Weeks  # looked at
    people_weeks: Weeks  # for whom the first project began
    looked_again: int  # statements that the watch looked at
    stand: int  # of these
    ever: int = 0  # statements that we wrote, also those that we took back

    @property
    def stand_percent(self) -> float | None:
        """Rounded down, so that 100 % is said of all only; None before any was looked at."""
        if not self.looked_again:
            return None
        return 1000 * self.stand // self.looked_again / 10

    @property
    def sent(self) -> bool:
        return _any(self.weeks)

    @property
    def begun(self) -> bool:
        return self.sent or _any(self.answer_weeks)

    @property
    def charts(self) -> list[Chart]:
        """Those with something to see. The answers stand where no statement was sent."""
        answers = (_("Answers a week"), _("answers"), self.answer_weeks)
        statements = (_("Statements a week"), _("statements"), self.weeks)
        every = [
            statements if self.sent else answers,
            (_("Photos looked at a week"), _("photos"), self.photo_weeks),
            (_("New people a week"), _("people"), self.people_weeks),
        ]
        return [(title, unit, _bars(weeks)) for title, unit, weeks in every if _any(weeks)]


def _any(weeks: Weeks) -> bool:
    return any(count for _monday, count in weeks)


def _bars(weeks: Weeks) -> list[tuple[str, int]]:
    return [(date_format(monday, "MONTH_DAY_FORMAT"), count) for monday, count in weeks]


def together() -> Together | None:
    """Return figures a few minutes old; None on a server of many photos that no worker has counted
    yet. On a small one it shows at once that something was sent for the first time."""
    held: Together | None = cache.get("together")
    if held is None or (not held.ever and Edit.objects.exists()):
        held = _read() if has_many_rows() else _count()
        if held:
            cache.set("together", held, KEPT)
    return held


def has_many_rows() -> bool:
    """Return whether there are as many photos as in a large project, by looking at no more."""
    found = Picture.objects.order_by("pk").values_list("pk", flat=True)
    return bool(found[census.LARGE - 1 : census.LARGE])


def count_now_and_then() -> None:
    """Count for the pages, where they leave it to a worker and the last count is not fresh."""
    if not has_many_rows():
        return
    now = timezone.now()
    Reached.objects.get_or_create(pk=Reached.ONLY)
    old = Q(counted_at=None) | Q(counted_at__lte=now - timedelta(seconds=KEPT))
    if Reached.objects.filter(old, pk=Reached.ONLY).update(counted_at=now):  # one worker does
        with many_rows():
            figures = asdict(_count())
        Reached.objects.filter(pk=Reached.ONLY).update(figures=figures)


def _read() -> Together | None:
    row = Reached.objects.filter(pk=Reached.ONLY).first()
    if row is None or not row.figures:
        return None
    weeks = {
        name: [(date.fromisoformat(monday), count) for monday, count in row.figures[name]]
        for name in ("weeks", "answer_weeks", "photo_weeks", "people_weeks")
    }
    return Together(**row.figures | weeks)


def _count() -> Together:
    added, removed = Q(kind=Edit.Kind.ADD), Q(kind=Edit.Kind.REMOVE)
    edits = Edit.objects.aggregate(
        added=Count("pk", filter=added), removed=Count("pk", filter=removed)
    )
    gave = Q(kind=Contribution.Kind.ANSWER, amount__gt=0)
    tallies = Tally.objects.aggregate(
        answers=Sum("amount", filter=Q(kind__in=ANSWERS)),
        volunteers=Count("user", filter=gave, distinct=True),
    )
    today = timezone.now()
    begin = (today - timedelta(days=today.weekday(), weeks=WEEKS - 1)).date()
    worked = Tally.objects.filter(day__gte=begin).order_by().values("day", "kind")
    deeds = list(worked.annotate(n=Sum("amount")).values_list("kind", "day", "n"))
    photos = Picture.objects.filter(state=WorkState.DONE).order_by()
    by_day = photos.annotate(day=TruncDate("looked_at", tzinfo=UTC)).values("day")
    looked_at = list(by_day.annotate(n=Count("pk")).values_list("day", "n"))
    people = Person.objects.annotate(begun=Min("subjects__project__created_at")).exclude(begun=None)
    begun = list(people.values_list("begun", flat=True))
    # of a file that is gone nobody knows whether the statement would stand
    seen = watched().exclude(checked_at=None).exclude(finding=Watch.Finding.GONE)
    looked = seen.aggregate(
        all=Count("pk"), stand=Count("pk", filter=Q(finding=Watch.Finding.STANDS))
    )
    return Together(
        statements=edits["added"] - edits["removed"],
        answers=tallies["answers"] or 0,
        photos=sum(n for _day, n in looked_at),
        people=len(begun),
        volunteers=tallies["volunteers"],
        weeks=_weeks(begin, ((day, n) for kind, day, n in deeds if kind == SENT)),
        answer_weeks=_weeks(begin, ((day, n) for kind, day, n in deeds if kind in ANSWERS)),
        photo_weeks=_weeks(begin, ((day, n) for day, n in looked_at if day)),
        people_weeks=_weeks(begin, ((at.date(), 1) for at in begun)),
        looked_again=looked["all"],
        stand=looked["stand"],
        ever=edits["added"],
    )


def _weeks(begin: date, days: Iterable[tuple[date, int]]) -> Weeks:
    counts = {begin + timedelta(weeks=number): 0 for number in range(WEEKS)}
    for day, count in days:
        monday = day - timedelta(days=day.weekday())
        if monday in counts:
            counts[monday] += count
    return [(monday, max(0, count)) for monday, count in counts.items()]
