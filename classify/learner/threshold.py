"""What a threshold does to the faces of a project: how many fall on each side of it, and which
are nearest to it.

By the centroid rule the measure is the distance to the mean of the confirmed faces, and the
owner sets the threshold. By exemplars it is the chance that a face is not the person, cut at a
half. Both are `Score.unlikely`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, F, FloatField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Floor

from classify.learner.predict import LIKELY
from classify.models import Label, Learner, Origin, Score, Verdict
from crawler.models import Photo
from projects.live.census import is_large, part
from projects.models import Project

STEPS = 100  # bins a unit of the measure: as fine as the threshold can be set
WIDTH = 2  # bins of the measure that one bar shows
BESIDE = 6  # faces shown on either side
KEPT = 120  # seconds, while scores are still being saved; what is learned anew is counted anew
Bins = dict[int, int]


@dataclass(frozen=True)
class Counts:
    """How many faces have a measure within each bin: all, and those that people said it of."""

    every: Bins
    yes: Bins
    no: Bins

    @property
    def last(self) -> int:
        return max(self.every, default=0)


@dataclass(frozen=True)
class Bar:
    """Of the picture: where it begins, in bins, and how high its parts are, one on the other."""

    at: int
    yes: int
    no: int
    rest: int


@dataclass(frozen=True)
class Side:
    faces: int
    yes: int
    no: int
    nearest: list[Score]  # in the order in which they are shown: by the measure


@dataclass(frozen=True)
class Cut:
    at: float
    within: Side
    beyond: Side
    bars: list[Bar]


def cut(project: Project, threshold: float | None = None) -> Cut | None:
    """The faces of a project on the two sides of `threshold`; None while nothing is measured."""
    counts = _counts(project)
    if not counts.every:
        return None
    by_distance = project.rule == Project.Rule.CENTROID
    at = (threshold or project.threshold) if by_distance else 1 - LIKELY
    edge = round(at * STEPS)
    within, beyond = _nearest(project, at)
    return Cut(
        at=at,
        within=_side(counts, within[::-1], upto=edge),
        beyond=_side(counts, beyond, since=edge),
        bars=_bars(counts),
    )


def _side(counts: Counts, nearest: list[Score], since: int = 0, upto: int | None = None) -> Side:
    def inside(bins: Bins) -> int:
        return sum(n for at, n in bins.items() if since <= at and (upto is None or at < upto))

    return Side(inside(counts.every), inside(counts.yes), inside(counts.no), nearest)


def _counts(project: Project) -> Counts:
    """As the census has it, or counted once for what was last learned, however often the
    threshold moves."""
    learned = Learner.objects.filter(project=project).values_list("revision", flat=True).first()
    key = f"cut:{project.pk}:{project.rule}:{learned}"
    found: Counts | None = cache.get(key)
    if found is None:
        found = _read(measured(project))
        if not is_large(project):
            cache.set(key, found, KEPT)
    return found


def _read(measured: dict[str, dict[str, int]]) -> Counts:
    bins = {name: {int(at): n for at, n in some.items()} for name, some in measured.items()}
    return Counts(**{name: Counter(some) for name, some in bins.items()})


@part("measured", lambda: {"every": {}, "yes": {}, "no": {}})
def measured(project: Project) -> dict[str, dict[str, int]]:
    """How many faces are in each bin, as JSON can hold it: see Counts."""
    measured = Score.objects.filter(subject=project.subject, unlikely__lt=Score.FAR)
    of_region = Score.objects.filter(subject=project.subject, region=OuterRef("region"))
    by_people = Label.objects.filter(subject=project.subject).exclude(origin=Origin.BOOTSTRAP)
    said = by_people.annotate(
        unlikely=Subquery(of_region.values("unlikely")[:1], output_field=FloatField())
    ).filter(unlikely__lt=Score.FAR)
    return {
        "every": _bins(measured),
        "yes": _bins(said.filter(verdict=Verdict.YES)),
        "no": _bins(said.filter(verdict=Verdict.NO)),
    }


def _bins(rows: QuerySet[Score] | QuerySet[Label]) -> dict[str, int]:
    binned = rows.order_by().annotate(bin=Floor(F("unlikely") * STEPS)).values_list("bin")
    return {str(int(at)): n for at, n in binned.annotate(n=Count("pk"))}


def _nearest(project: Project, at: float) -> tuple[list[Score], list[Score]]:
    """Within, nearest to the cut first, and beyond it. By the index of what is likely: twice,
    since that begins with whether a face is a match."""
    within: list[Score] = []
    beyond: list[Score] = []
    for match in (True, False):
        rows = Score.objects.filter(
            subject=project.subject, is_match=match, photo__state=Photo.State.LIVE
        ).select_related("region", "photo")
        within += rows.filter(unlikely__lt=at).order_by("-unlikely", "-pk")[:BESIDE]
        beyond += rows.filter(unlikely__gte=at, unlikely__lt=Score.FAR).order_by("unlikely", "pk")[
            :BESIDE
        ]
    return _first(within, reverse=True), _first(beyond)


def _first(scores: Iterable[Score], *, reverse: bool = False) -> list[Score]:
    return sorted(scores, key=lambda score: score.unlikely, reverse=reverse)[:BESIDE]


def _bars(counts: Counts) -> list[Bar]:
    bars = []
    for at in range(0, counts.last + 1, WIDTH):
        every, yes, no = (
            sum(bins.get(bin, 0) for bin in range(at, at + WIDTH))
            for bins in (counts.every, counts.yes, counts.no)
        )
        if every:
            bars.append(Bar(at, yes, no, max(0, every - yes - no)))
    return bars
