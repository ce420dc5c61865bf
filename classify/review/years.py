"""A project's photos by the year they were taken, and in how many of them the person was found."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef
from django.db.models.functions import ExtractYear

from classify.models import Label, Verdict
from crawler.models import ProjectPhoto
from projects.live.census import is_large, part
from projects.models import Project

BARS = 40  # at most; with more years they stand for five, ten … each
SPANS = (1, 2, 5, 10, 20, 50, 100, 500)
A_MINUTE = 60

Counted = dict[str, list[int]]  # "1911" -> [photos, of these with the person]; "" without a year


@dataclass(frozen=True)
class Span:
    """Some years, usually one."""

    first: int
    last: int
    photos: int
    found: int

    @property
    def name(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"

    @property
    def narrow(self) -> str:
        """The gallery's word for it; empty where it has none."""
        if self.first == self.last:
            return str(self.first)
        is_decade = self.first % 10 == 0 and self.last == self.first + 9
        return f"{self.first}s" if is_decade else ""


@dataclass(frozen=True)
class Years:
    spans: list[Span]  # without a gap, the earliest first
    dated: int  # photos that carry a year
    photos: int  # all

    @property
    def busiest(self) -> Span | None:
        """The span in which the person was found most often."""
        best = max(self.spans, key=lambda span: span.found, default=None)
        return best if best and best.found else None


@part("years", dict)
def count(project: Project) -> Counted:
    """By counting all photos of a project."""
    yes = Label.objects.filter(
        subject=project.subject, photo=OuterRef("photo"), verdict=Verdict.YES
    )
    rows = ProjectPhoto.objects.live().filter(project=project).order_by()
    by_date = rows.annotate(
        first=ExtractYear("photo__taken_from"), last=ExtractYear("photo__taken_to")
    ).values("first", "last")
    counts = by_date.annotate(n=Count("pk"), shown=Count("pk", filter=Exists(yes)))
    counted: Counted = {}
    for first, last, n, shown in counts.values_list("first", "last", "n", "shown"):
        known = first is not None and last in (None, first)
        numbers = counted.setdefault(str(first) if known else "", [0, 0])
        numbers[0] += n
        numbers[1] += shown
    return counted


def of(project: Project, photos: int) -> Years:
    """As the census has it; else counted, and kept while nothing was learned or answered and the
    project has so many photos."""
    if is_large(project):
        return spread(count(project))
    key = f"years:{project.pk}:{project.revision}:{photos}"
    return spread(cache.get_or_set(key, lambda: count(project), A_MINUTE) or {})


def spread(counted: Counted) -> Years:
    by_year = {int(year): numbers for year, numbers in counted.items() if year}
    photos = sum(numbers[0] for numbers in counted.values())
    dated = sum(numbers[0] for numbers in by_year.values())
    if not by_year:
        return Years([], 0, photos)
    first, last = min(by_year), max(by_year)
    width = next(span for span in SPANS if last // span - first // span < BARS)
    starts = range(first // width * width, last + 1, width)
    return Years([_span(by_year, start, width) for start in starts], dated, photos)


def _span(by_year: dict[int, list[int]], start: int, width: int) -> Span:
    within = [by_year[year] for year in range(start, start + width) if year in by_year]
    photos, found = (sum(numbers[place] for numbers in within) for place in (0, 1))
    return Span(start, start + width - 1, photos, found)
