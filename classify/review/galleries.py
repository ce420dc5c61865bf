"""Faces as the review shows them: filters, orders, pages by key, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import (
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, ExtractYear, Mod
from django.utils.translation import gettext_lazy as _

from classify import labels
from classify.learning.copies import BITS
from classify.models import Label, Origin, Score, Verdict
from core.work import WorkState
from crawler.models import Photo, ProjectPhoto, Region, not_paused
from projects.live.census import part
from projects.models import Project, Source
from projects.privacy import denylist


class Which(models.TextChoices):
    """The filters of the gallery."""

    MATCHES = "matches", _("To review")
    CONFIRMED = "confirmed", _("Confirmed")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    DISPUTED = "disputed", _("Answers differ")
    DOUBTED = "doubted", _("Doubted")
    ON_COMMONS = "on-commons", _("On Commons")
    OTHERS = "others", _("Others")


class Order(models.TextChoices):
    BEST = "best", _("Most likely first")
    WORST = "worst", _("Least likely first")
    NEWEST = "newest", _("Newest first")


class Size(models.TextChoices):
    """How large a face is in the picture that was looked at: its height there, in pixels."""

    LARGE = "large", _("Large")
    MEDIUM = "medium", _("Medium")
    SMALL = "small", _("Small")


LARGE, MEDIUM = 128, 48  # Region.face_px from which a face is large, and medium
GROUPS = ("way", "size", "by", "year")  # of Narrow, besides what is fresh
SAMPLE = 1000  # rows of which the facets are counted
SAME_BITS = BITS // 2  # of a hash: stricter, for a word for a stack counts for each of its copies
SAME_SCORE = 0.1
CHUNK = 1000  # rows that are looked through at once for those that a gallery shows
CHUNKS = 5  # and how often before the page ends early and says where to go on
SORTED = 4000  # labels that are put into the order of their scores; more come newest first

Cursor = tuple[float, int]


@dataclass(frozen=True)
class Fresh:
    """The photos that a source brought when it was last read again: the latest of them."""

    source: Source
    photos: tuple[int, ...]  # their keys

    MOST = 1000

    @classmethod
    def of(cls, project: Project, source: str) -> Self | None:
        """By the key of the source, as it stands in addresses; None where it brought none."""
        key = int(source) if source.isdecimal() and len(source) < 19 else 0
        found = project.sources.filter(pk=key, found__gt=0).first()
        if found is None:
            return None
        brought = ProjectPhoto.objects.filter(project=project, source=found).order_by("-pk")
        latest = brought[: min(found.found, cls.MOST)]
        return cls(found, tuple(latest.values_list("photo", flat=True)))

    @property
    def unseen(self) -> int:
        """How many of them were not looked at yet."""
        waiting = (WorkState.QUEUED, WorkState.RUNNING)
        return Photo.objects.filter(pk__in=self.photos, picture__state__in=waiting).count()

    def counts(self, project: Project) -> dict[str, int]:
        """How many of their faces each filter of the gallery shows."""
        narrow = Narrow(fresh=self)
        return {which.value: narrow.of(rows_of(project, which)).count() for which in Which}


@dataclass(frozen=True)
class Narrow:
    """What a gallery is narrowed to besides its state; an empty word narrows nothing."""

    way: str = ""  # classify.models.Origin: how it was answered
    size: str = ""  # Size
    by: str = ""  # public id of the member who answered
    year: str = ""  # "1911", "1910s" or "none": as closely as it is known when it was taken
    fresh: Fresh | None = None

    def __bool__(self) -> bool:
        return self.fresh is not None or any((self.way, self.size, self.by, self.year))

    def of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of some labels or scores. Nobody answered in any way what has a score only."""
        if (self.way or self.by) and rows.model is Score:
            return rows.none()
        if self.way:
            rows = rows.filter(origin=self.way)
        if self.by:
            rows = rows.filter(user__public_id=self.by)
        if self.size:
            low, high = _pixels(self.size)
            rows = rows.filter(region__face_px__gte=low, region__face_px__lt=high)
        rows = self.fresh_of(rows)
        return _from_years(rows, self.year) if self.year else rows

    def fresh_of(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those in new photos, if it is narrowed to them: few, so that they are found at once."""
        return rows.filter(photo__in=self.fresh.photos) if self.fresh else rows


@dataclass(frozen=True)
class Tile:
    """One face in a gallery; `label` or `score` or both."""

    region: Region
    photo: Photo
    label: Label | None = None
    score: Score | None = None
    key: Cursor | None = None  # its place in the order
    copies: Sequence[Tile] = ()  # further copies of this very picture, see `stacked`

    @property
    def cursor(self) -> str:
        """Its place, as it stands in addresses."""
        return cursor_text(self.key) if self.key else ""


@dataclass(frozen=True)
class GalleryPage:
    tiles: list[Tile]
    after: Cursor | None  # pass it back for the next page; None at the end
    order: str = ""  # what it came to: more labels than can be sorted come newest first


class Facet(NamedTuple):
    """One choice of a group of filters, and how many faces it leaves."""

    value: str
    n: int
    more: bool  # at least so many: there are more faces than are counted
    label: str = ""


@dataclass(frozen=True)
class Facets:
    """What the faces of a state can be narrowed to, by group, with everything else as chosen."""

    total: int
    more: bool
    groups: dict[str, list[Facet]] = field(default_factory=dict)


def gallery(
    project: Project,
    which: str = Which.MATCHES,
    order: str = Order.BEST,
    after: Cursor | None = None,
    limit: int = 60,
    narrow: Narrow = Narrow(),
    before: Cursor | None = None,
) -> GalleryPage:
    """A page of faces, keyset-paged: `after` is the `after` of the page before, `before` the key
    of the first face of the page behind it.

    A page may be short, or empty, and still have an `after`: so many faces were looked through.
    Raises ValueError for an unknown filter or order.
    """
    which, order = Which(which), Order(order)
    backwards = before is not None
    walk, order = _walk(project, which, order, narrow)
    shown = narrow.of(rows_of(project, which)).order_by()
    found: list[Cursor] = []
    start, size, rest = before if backwards else after, 4 * limit, None
    for _turn in range(CHUNKS):
        chunk = walk(start, size, backwards)
        inside = shown.filter(pk__in=[pk for _key, pk in chunk])
        fitting = set(inside.values_list("pk", flat=True))
        found += [each for each in chunk if each[1] in fitting]
        rest = chunk[-1] if len(chunk) == size else None
        if len(found) > limit or rest is None:
            break
        start, size = rest, min(2 * size, CHUNK)
    page, rest = found[:limit], found[limit - 1] if len(found) > limit else rest
    if backwards:
        page.reverse()
    return GalleryPage(tiles_of(project, _rows_with(shown, page)), rest, order)


# Keys of faces in the order of the gallery, some of which it may not show: `size` of them from
# `start` on, forwards or back to the beginning. No query of it looks at more than it gives.
Walk = Callable[[Cursor | None, int, bool], list[Cursor]]


def _walk(project: Project, which: Which, order: Order, narrow: Narrow) -> tuple[Walk, Order]:
    """The walk through a filter's faces, and the order that it came to."""
    base = narrow.fresh_of(_candidates(project, which))
    if which == Which.DOUBTED and order is not Order.NEWEST:
        return _through(_doubts(project), order), order
    if base.model is Score and order is not Order.NEWEST:
        return partial(_along, base, order), order
    if order is not Order.NEWEST and (keys := _likelihoods(project, base)) is not None:
        return _through(keys, order), order
    return partial(_newest, base), Order.NEWEST


def _along(
    scores: QuerySet[Score], order: Order, start: Cursor | None, size: int, backwards: bool
) -> list[Cursor]:
    """As the index of the scores has them."""
    descending = (order != Order.BEST) != backwards
    if start is not None:
        key, pk = start
        beyond = "lt" if descending else "gt"
        scores = scores.filter(**{f"unlikely__{beyond}e": key})  # where the index begins
        scores = scores.filter(
            Q(**{f"unlikely__{beyond}": key}) | Q(unlikely=key, **{f"pk__{beyond}": pk})
        )
    sign = "-" if descending else ""
    rows = scores.order_by(f"{sign}unlikely", f"{sign}pk")
    return list(rows.values_list("unlikely", "pk")[:size])


def _newest(rows: QuerySet[Any], start: Cursor | None, size: int, backwards: bool) -> list[Cursor]:
    if start is not None:
        rows = rows.filter(**{"pk__gt" if backwards else "pk__lt": start[1]})
    keys = rows.order_by("pk" if backwards else "-pk").values_list("pk", flat=True)
    return [(0.0, pk) for pk in keys[:size]]


def _through(keys: list[Cursor], order: Order) -> Walk:
    """The few keys that could be sorted here."""
    ranked = sorted(keys, reverse=order != Order.BEST)

    def walk(start: Cursor | None, size: int, backwards: bool) -> list[Cursor]:
        rows = ranked[::-1] if backwards else ranked
        ascending = (order == Order.BEST) != backwards
        beyond = [
            key for key in rows if start is None or (key > start if ascending else key < start)
        ]
        return beyond[:size]

    return walk


def _likelihoods(project: Project, said: QuerySet[Label]) -> list[Cursor] | None:
    """The labels with what the model thinks of their faces; None of more than can be sorted."""
    regions = dict(said.order_by().values_list("region", "pk")[: SORTED + 1])
    if len(regions) > SORTED:
        return None
    scores = Score.objects.filter(subject=project.subject, region__in=list(regions))
    thought = dict(scores.values_list("region", "unlikely"))
    return [(thought.get(region, Score.FAR), pk) for region, pk in regions.items()]


def _doubts(project: Project) -> list[Cursor]:
    """What is said in doubt, the most doubted first."""
    scores = Score.objects.filter(subject=project.subject, doubt__isnull=False)
    doubts = dict(scores.values_list("region", "doubt")[:SORTED])
    said = Label.objects.filter(subject=project.subject, region__in=list(doubts))
    return [(-(doubts[region] or 0.0), pk) for region, pk in said.values_list("region", "pk")]


def _candidates(project: Project, which: Which) -> QuerySet[Any]:
    """What a filter's faces are among, by an index alone."""
    if which in (Which.MATCHES, Which.OTHERS):
        return Score.objects.filter(subject=project.subject, is_match=which == Which.MATCHES)
    said = Label.objects.filter(subject=project.subject)
    if which in (Which.CONFIRMED, Which.APPROVED, Which.ON_COMMONS):
        return said.filter(verdict=Verdict.YES)
    return said


def _rows_with(rows: QuerySet[Any], keys: list[Cursor]) -> list[Any]:
    """The rows of these keys, in their order."""
    told = ["user"] if rows.model is Label else []
    found = rows.model._default_manager.select_related("region", "photo__picture", *told)
    by_pk = found.in_bulk([pk for _key, pk in keys])
    for key, pk in keys:
        by_pk[pk].key = key
    return [by_pk[pk] for _key, pk in keys]


def _key(row: Any) -> Cursor:
    return (row.key, row.pk)


def cursor_text(key: Cursor) -> str:
    return f"{key[0]!r}:{key[1]}"


def facets(project: Project, which: str, narrow: Narrow) -> Facets:
    """Counts for each filter, each with the others as they are chosen.

    They are of the first `SAMPLE` faces that the state is among: beyond that they say “at least”.
    """
    rows = rows_of(project, Which(which)).order_by()
    base = narrow.fresh_of(_candidates(project, Which(which)))
    among = base.order_by().values_list("pk", flat=True)
    keys = list(among[: SAMPLE + 1])
    rows, more = rows.filter(pk__in=keys[:SAMPLE]), len(keys) > SAMPLE
    answered = rows.model is Label
    names = ["region__face_px", "photo__taken_from", "photo__taken_to"]
    names += ["origin", "user__public_id", "user__wiki_username", "user__username"]
    seen = [_Seen.of(*row) for row in rows.values_list(*names[: None if answered else 3])]
    groups = {
        name: _facets(name, _passing(seen, narrow, name), more, narrow)
        for name in (GROUPS if answered else ("size", "year"))
    }
    return Facets(len(_passing(seen, narrow)), more, groups)


def _passing(seen: list[_Seen], narrow: Narrow, but: str = "") -> list[_Seen]:
    """Those that fit all that it is narrowed to, but for one group."""
    if not any(getattr(narrow, name) for name in GROUPS if name != but):
        return seen
    return [each for each in seen if each.passes(narrow, but)]


class _Seen(NamedTuple):
    """A face as the facets count it."""

    size: str
    year: str
    way: str = ""
    by: str = ""
    name: str = ""

    @classmethod
    def of(
        cls,
        px: int,
        first: date | None,
        last: date | None,
        way: str = "",
        by: str | None = None,
        *names: str | None,
    ) -> _Seen:
        size = Size.LARGE if px >= LARGE else Size.MEDIUM if px >= MEDIUM else Size.SMALL
        name = next(filter(None, names), "")
        return cls(size, _year(first, last or first), way, by or "", name)

    def passes(self, narrow: Narrow, but: str = "") -> bool:
        """By all that it is narrowed to, but for one group."""
        return all(
            not (wanted := getattr(narrow, name)) or name == but or self._is(name, wanted)
            for name in GROUPS
        )

    def _is(self, name: str, wanted: str) -> bool:
        value: str = getattr(self, name)
        return value == wanted or (name == "year" and wanted == _decade(value))


def _facets(name: str, seen: list[_Seen], more: bool, narrow: Narrow) -> list[Facet]:
    values = [getattr(each, name) for each in seen]
    if name == "year":
        # within a decade that was chosen its years, else the decades
        values += [_decade(value) for value in values if value.isdigit()]
    counts = Counter(filter(None, values))
    chosen = getattr(narrow, name)
    if chosen and chosen not in counts:
        counts[chosen] = 0
    labels_ = _names(name, seen)
    order = {value: at for at, value in enumerate(labels_)}
    known = [value for value in counts if name != "by" or value in labels_]
    ranked = sorted(known, key=lambda value: (order.get(value, -1), value == "none", value))
    if name == "by":
        ranked.sort(key=lambda value: -counts[value])
    if name == "year":
        ranked = [value for value in ranked if _is_offered(value, chosen)]
    return [Facet(value, counts[value], more, str(labels_.get(value, value))) for value in ranked]


def _names(name: str, seen: list[_Seen]) -> dict[str, Any]:
    if name == "way":
        return dict(Origin.choices)
    if name == "size":
        return dict(Size.choices)
    return {each.by: each.name for each in seen if each.by} if name == "by" else {}


def _is_offered(year: str, chosen: str) -> bool:
    """Decades, and of the one that was chosen (or one year of it) the years."""
    if year == "none" or year.endswith("s"):
        return True
    return bool(chosen) and chosen != "none" and _decade(year) == _decade(chosen)


def _decade(year: str) -> str:
    return year if year == "none" or year.endswith("s") else f"{year[:-1]}0s"


def _year(first: date | None, last: date | None) -> str:
    """The year, else the decade, that these days lie in, else "none"."""
    if first is None or last is None or first.year // 10 != last.year // 10:
        return "none"
    return str(first.year) if first.year == last.year else f"{first.year // 10}0s"


def _from_years(rows: QuerySet[Any], year: str) -> QuerySet[Any]:
    first = ExtractYear("photo__taken_from")
    last = ExtractYear(Coalesce("photo__taken_to", "photo__taken_from"))
    rows = rows.annotate(first_year=first, last_year=last)
    if year == "none":
        decades = [F(name) - Mod(F(name), 10) for name in ("first_year", "last_year")]
        rows = rows.annotate(first_decade=decades[0], last_decade=decades[1])
        return rows.filter(Q(first_year=None) | ~Q(first_decade=F("last_decade")))
    low = int(year.removesuffix("s"))
    high = low + 9 if year.endswith("s") else low
    return rows.filter(first_year__gte=low, last_year__lte=high)


def _pixels(size: str) -> tuple[int, int]:
    return {"large": (LARGE, 2**31 - 1), "medium": (MEDIUM, LARGE), "small": (0, MEDIUM)}[size]


def stacked(tiles: Iterable[Tile]) -> list[Tile]:
    """Copies of one face under the first of them: their pictures are nearly the same, and the
    model thinks the same of them. They must have been answered alike, too, and what is paused is
    stacked with nothing else: it can't be answered."""
    tops: list[Tile] = []
    for tile in tiles:
        at = next((n for n, top in enumerate(tops) if _are_copies(top, tile)), None)
        if at is None:
            tops.append(tile)
        else:
            tops[at] = replace(tops[at], copies=[*tops[at].copies, tile])
    return tops


def _are_copies(one: Tile, other: Tile) -> bool:
    hashes = (one.region.phash, other.region.phash)
    if not all(hashes) or _word(one) != _word(other):
        return False
    if one.photo.is_paused != other.photo.is_paused:
        return False
    if (int(hashes[0], 16) ^ int(hashes[1], 16)).bit_count() > SAME_BITS:
        return False
    if one.score is None or other.score is None:
        return True
    return abs(one.score.unlikely - other.score.unlikely) <= SAME_SCORE


def _word(tile: Tile) -> str:
    return tile.label.verdict if tile.label else ""


@part("galleries", dict)
def gallery_counts(project: Project) -> dict[str, int]:
    """How many faces each filter of the gallery shows, by its value."""
    return {which.value: rows_of(project, which).count() for which in Which}


def unanswered(project: Project) -> QuerySet[Score]:
    """Faces that nobody said a word of."""
    said = Label.objects.filter(subject=project.subject, region=OuterRef("region"))
    return _left_in_peace(
        Score.objects.filter(~Exists(said), not_paused(), subject=project.subject)
    )


def _left_in_peace(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Without faces in files, and of persons, that are left alone."""
    listed = denylist.denied_qids()
    return rows.exclude(photo__state=Photo.State.DENIED).exclude(subject__person__qid__in=listed)


def rows_of(project: Project, which: Which) -> QuerySet[Any]:
    """What a filter shows: labels or, where nobody answered, scores."""
    said = _left_in_peace(Label.objects.filter(subject=project.subject))
    said = said.exclude(region__origin=Region.Origin.PHOTO)
    yes = said.filter(verdict=Verdict.YES)
    match which:
        case Which.MATCHES:
            return unanswered(project).filter(is_match=True)
        case Which.OTHERS:
            return unanswered(project).filter(is_match=False)
        case Which.CONFIRMED:
            return yes
        case Which.APPROVED:
            return yes.filter(origin=Origin.REVIEW)
        case Which.REJECTED:
            return said.exclude(verdict=Verdict.YES)
        case Which.DISPUTED:
            return said.filter(disputed=True)
        case Which.DOUBTED:
            return _doubted(project, said)
        case Which.ON_COMMONS:
            return yes.filter(on_commons(project))


def on_commons(project: Project) -> Q:
    """Whether the wiki says of a label's (outer) photo that it shows the person."""
    found = Q()
    for says in _on_commons:
        found |= Q(says(project))
    return found


def _found_there(project: Project) -> Exists:
    photos = ProjectPhoto.objects.filter(project=project, photo=OuterRef("photo"))
    return Exists(photos.filter(already_depicts=True))


# What tells of a label's photo that the wiki says so: first of all what a crawl found
_on_commons: list[Callable[[Project], Exists]] = [_found_there]


def register_on_commons(says: Callable[[Project], Exists]) -> None:
    """Add a way to tell, of statements that we wrote. Nothing of it reaches `already_depicts`, from
    which the model learns. Call it in `AppConfig.ready`."""
    _on_commons.append(says)


def _doubted(project: Project, said: QuerySet[Label]) -> QuerySet[Label]:
    """Answers that the other faces contradict; a word that was said twice stays and is not."""
    score = Score.objects.filter(subject=project.subject, region=OuterRef("region"))
    same = labels.counting(project).filter(region=OuterRef("region"), verdict=OuterRef("verdict"))
    same = same.exclude(origin=Origin.BOOTSTRAP).order_by()
    times = same.values("region").annotate(times=Count("pk")).values("times")
    doubted = said.filter(Exists(score.filter(doubt__isnull=False)))
    return doubted.annotate(times=Subquery(times)).filter(times=1)


def likeliest_first(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Some labels or scores, each with its `key`. For few of them: a gallery walks by `_walk`."""
    key: Any = F("unlikely")
    if rows.model is not Score:
        scored = Score.objects.filter(subject=OuterRef("subject"), region=OuterRef("region"))
        key = Coalesce(Subquery(scored.values("unlikely")[:1]), Value(Score.FAR))
    keyed: QuerySet[Any] = rows.annotate(key=key)
    return keyed.order_by("key", "pk")


def tiles_of(project: Project, rows: Sequence[Any]) -> list[Tile]:
    """The faces of some labels or scores, in that order."""
    if rows and isinstance(rows[0], Score):
        return [Tile(row.region, row.photo, score=row, key=_key(row)) for row in rows]
    scores = Score.objects.filter(
        subject=project.subject, region__in=[row.region_id for row in rows]
    )
    by_region = {score.region_id: score for score in scores}
    return [
        Tile(row.region, row.photo, row, by_region.get(row.region_id), _key(row)) for row in rows
    ]
