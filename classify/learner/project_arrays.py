"""What is known of a project's faces, and what was said of them, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from classify import learning
from classify.labels import counting
from classify.learning.calibration import BESIDE
from classify.learning.distances import Ints, Mask
from classify.learning.scorer import Doubles
from classify.models import Label, Origin, Verdict
from crawler.detection.embeddings import Listed
from crawler.engines.base import TRUSTED
from crawler.models import ProjectPhoto, Region
from projects.models import Person, Project

HASH = 16  # bytes of a perceptual hash
MANY = 500  # ids in one query


@dataclass(frozen=True)
class Faces:
    """The n faces of a project that have vectors; rows are those of its model."""

    keys: Ints  # of their vectors, see crawler.detection.embeddings.Listed
    region_ids: Ints
    photo_ids: Ints
    picture_ids: Ints
    trusted: Mask  # large, sharp and frontal enough that its vector says who it is
    portrait: Mask  # the largest face of the person's portrait
    depicted: Mask  # in a file that depicts the person already
    years: Doubles  # float64[n, 2]: the photo is of these; NaN where nobody knows
    hashes: NDArray[np.uint8]  # [n, 16], see Region.phash
    hashed: Mask  # is there one?

    def __len__(self) -> int:
        return len(self.region_ids)

    @classmethod
    def read(cls, project: Project, listed: Listed) -> Self:
        """Of the faces listed; boxes drawn for other projects only are not among them."""
        regions, pictures = _regions(project), _pictures(project)
        columns = (listed.keys, listed.region_ids, listed.photo_ids, listed.picture_ids)
        rows = [
            (key, region, photo, picture)
            for key, region, photo, picture in zip(*(ids.tolist() for ids in columns), strict=True)
            if region in regions and picture in pictures
        ]
        keys, region_ids, photo_ids, picture_ids = np.array(rows, np.int64).reshape(-1, 4).T
        places = [regions[region] for _, region, _, _ in rows]
        held = [pictures[picture] for _, _, _, picture in rows]
        hashes = [bytes.fromhex(place.phash) for place in places]
        return cls(
            keys=keys,
            region_ids=region_ids,
            photo_ids=photo_ids,
            picture_ids=picture_ids,
            trusted=np.array([place.trusted for place in places], bool),
            portrait=np.isin(region_ids, _largest(regions, pictures)),
            depicted=np.array([one.depicts for one in held], bool),
            years=np.array([one.years for one in held], float).reshape(-1, 2),
            hashes=np.frombuffer(b"".join(each.ljust(HASH, b"\0") for each in hashes), np.uint8)
            .reshape(-1, HASH)
            .copy(),
            hashed=np.array([len(each) == HASH for each in hashes], bool),
        )

    def rows_of(self, region_ids: Iterable[int]) -> Ints:
        """int64[k]: the row of each region, −1 where it has none."""
        wanted = np.fromiter(region_ids, np.int64)
        ids, rows = self._sorted
        if not len(ids):
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        return np.where(ids[at] == wanted, rows[at], -1)

    def of(self, region_ids: Iterable[int]) -> Mask:
        """bool[n]: is it one of these regions?"""
        rows = self.rows_of(region_ids)
        mask = np.zeros(len(self), bool)
        mask[rows[rows >= 0]] = True
        return mask

    def taken(self, rows: Ints | Mask) -> Self:
        """Some of the faces, or all in another order."""
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))

    def dates(self, person: Person) -> Doubles:
        """float64[n]: what the dates of photos and person say, as log-odds."""
        born, died = _year(person.born_from), _year(person.died_to or person.died_from, 1)
        found = np.zeros(len(self))
        known = np.flatnonzero(~np.isnan(self.years[:, 0]))
        if (born is None and died is None) or not len(known):
            return found
        spans, which = np.unique(self.years[known], axis=0, return_inverse=True)
        terms = [learning.date_log_odds((first, last), born, died) for first, last in spans]
        found[known] = np.array(terms)[which.ravel()]
        return found

    def same_picture(self, rows: Ints | Mask, others: Sequence[int] = ()) -> Mask:
        """bool[n]: is it in a picture that one of these faces is in, or one of the others?"""
        numbers, ids = self._pictures
        shown = np.isin(ids, np.array(others)) if others else np.zeros(len(ids), bool)
        shown[numbers[rows]] = True
        return shown[numbers]

    def several_in_picture(self, chosen: Mask) -> Mask:
        """bool[n]: of those `chosen`, the ones that are not alone in their picture."""
        numbers, ids = self._pictures
        counts = np.bincount(numbers[chosen], minlength=len(ids))
        return chosen & (counts[numbers] > 1)

    @cached_property
    def _pictures(self) -> tuple[Ints, Ints]:
        """The number of each face's picture, 0…m−1, and the ids of these."""
        ids, numbers = np.unique(self.picture_ids, return_inverse=True)
        return numbers, ids

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.region_ids, kind="stable")
        return self.region_ids[order], order


@dataclass(frozen=True)
class Words:
    """What was said in a project, for the n rows of its Faces."""

    yes: Mask  # people said that this is the person
    no: Mask  # that it is somebody else
    said: Mask  # any word of people's, such as "can't tell"
    stated: Mask  # the only face of a file that depicts the person, and nobody said a word yet
    shown: Mask  # people said that the person is in this picture
    spoken: Mask  # people said a word about a face of this picture
    collage: Mask  # in a picture that shows the person more than once, see `_collages`
    people: int  # faces that people confirmed; boxes that still lack a vector are among them
    statements: int  # faces that only statements confirm

    @classmethod
    def read(cls, project: Project, faces: Faces) -> Self:
        labels = Label.objects.filter(subject=project.subject)
        given = [Word(*row) for row in labels.values_list("region", "verdict", "origin")]
        rows = faces.rows_of(word.region for word in given)
        missing = [word.region for word, row in zip(given, rows, strict=True) if row < 0]
        elsewhere = _without_vector(missing)
        by_people = [word for word in given if word.by_people]
        yes = [word for word in by_people if word.verdict == Verdict.YES]
        stated = [word.region for word in given if not word.by_people]

        def regions(words: Iterable[Word]) -> Mask:
            return faces.of(word.region for word in words)

        def pictures(words: list[Word]) -> Mask:
            others = [elsewhere[word.region].picture for word in words if word.region in elsewhere]
            return faces.same_picture(regions(words), others)

        def is_face(region: int) -> bool:
            return region not in elsewhere or elsewhere[region].origin != Region.Origin.PHOTO

        return cls(
            yes=regions(yes),
            no=regions(word for word in by_people if word.verdict == Verdict.NO),
            said=regions(by_people),
            stated=faces.of(stated),
            shown=pictures(yes),
            spoken=pictures(by_people),
            collage=_collages(project, faces, regions(yes)),
            people=sum(is_face(word.region) for word in yes),
            statements=sum(is_face(region) for region in stated),
        )

    @property
    def labelled(self) -> Mask:
        return self.said | self.stated

    @property
    def confirmed(self) -> Mask:
        """Faces shown as the person's beside questions."""
        return self.yes | self.stated

    def counted(self, project: Project) -> int:
        """Confirmed faces that count towards what the project's rule needs."""
        exemplars = project.rule == Project.Rule.EXEMPLARS
        return self.people + (self.statements if exemplars or project.bootstrap_counts else 0)

    def around(self, faces: Faces, dates: Doubles, copies: Ints) -> learning.Circumstances:
        """What is known besides the looks; `dates` and `copies` as Faces and learning have them.

        A portrait shows the person as surely as a file that depicts them, until people said a
        word about it: the detector may have missed the face. The model isn't told of faces that
        can't be trusted; where one of them is the person, the others of the picture hardly are.
        """
        pressed = (faces.depicted | faces.same_picture(faces.portrait)) & ~self.spoken
        unheard = self.shown & ~self.collage & ~faces.same_picture(self.yes & faces.trusted)
        log_odds = dates + np.where(unheard & ~self.said, BESIDE, 0.0)
        return learning.Circumstances(log_odds, pressed, self.collage, copies)


class Word(NamedTuple):
    """A label, as far as learning goes."""

    region: int
    verdict: str
    origin: str

    @property
    def by_people(self) -> bool:
        return self.origin != Origin.BOOTSTRAP


class Place(NamedTuple):
    """A region, as far as learning goes."""

    picture: int
    size: float
    quality: float | None
    phash: str
    origin: str

    @property
    def trusted(self) -> bool:
        return self.quality is None or self.quality >= TRUSTED


class Held(NamedTuple):
    """A picture of a project: is it the portrait, does its file depict the person, its years."""

    portrait: bool = False
    depicts: bool = False
    years: tuple[float, float] = (np.nan, np.nan)


def _regions(project: Project) -> dict[int, Place]:
    """The regions that stand in a project's pictures, by id.

    A box drawn by people where none was found is a face only for a project that labels it: it
    may come from another project, or have been taken back. (A box that was drawn better than
    another one stands for everybody.)
    """
    live = ProjectPhoto.objects.live().filter(project=project)
    rows = Region.objects.filter(replaced_by=None, picture__in=live.values("photo__picture"))
    drawn = rows.filter(origin=Region.Origin.PERSON, replaces=None).values_list("pk", flat=True)
    mine = set(
        Label.objects.filter(subject=project.subject, region__in=drawn).values_list(
            "region", flat=True
        )
    )
    foreign = set(drawn) - mine
    columns = rows.exclude(origin=Region.Origin.PHOTO).values_list(
        "pk", "picture", "w", "h", "quality", "phash", "origin"
    )
    return {
        key: Place(picture, w * h, quality, phash, origin)
        for key, picture, w, h, quality, phash, origin in columns
        if key not in foreign
    }


def _pictures(project: Project) -> dict[int, Held]:
    """The pictures of a project's live photos, by id; what any photo says of one counts."""
    found: dict[int, Held] = {}
    rows = ProjectPhoto.objects.live().filter(project=project).order_by("-photo")
    columns = ("photo__picture", "is_portrait", "already_depicts")
    for picture, portrait, depicts, first, last in rows.values_list(
        *columns, "photo__taken_from", "photo__taken_to"
    ):
        before = found.get(picture, Held())
        years = (_year(first), _year(last or first, 1))
        found[picture] = Held(
            before.portrait or portrait,
            before.depicts or depicts,
            before.years if years[0] is None or years[1] is None else (years[0], years[1]),
        )
    return found


def _largest(regions: dict[int, Place], pictures: dict[int, Held]) -> list[int]:
    """Of each portrait, the region of its largest face."""
    best: dict[int, tuple[float, int]] = {}
    for key, place in regions.items():
        if place.picture in pictures and pictures[place.picture].portrait:
            rival = best.get(place.picture, (0.0, 0))
            best[place.picture] = max(rival, (place.size, key))
    return [key for _, key in best.values()]


def _without_vector(regions: Sequence[int]) -> dict[int, Place]:
    """Regions that were labelled, yet are no rows: whole photos, boxes not embedded so far."""
    found: dict[int, Place] = {}
    for start in range(0, len(regions), MANY):
        some = Region.objects.filter(pk__in=regions[start : start + MANY])
        rows = some.values_list("pk", "picture", "origin")
        found |= {key: Place(picture, 0, None, "", origin) for key, picture, origin in rows}
    return found


def _collages(project: Project, faces: Faces, yes: Mask) -> Mask:
    """bool[n]: is it in a picture of which people said Yes to two faces, and to each of them twice?

    One Yes each may be a slip: both are doubted, until people say them again.
    """
    rivals = faces.region_ids[faces.several_in_picture(yes)].tolist()
    said: list[int] = []
    for start in range(0, len(rivals), MANY):
        given = counting(project).filter(region__in=rivals[start : start + MANY])
        given = given.filter(verdict=Verdict.YES).exclude(origin=Origin.BOOTSTRAP)
        said += given.values_list("region", flat=True)
    sure = faces.of(region for region, times in Counter(said).items() if times > 1)
    return faces.same_picture(faces.several_in_picture(sure))


def _year(day: date | None, days: int = 0) -> float | None:
    """1998-07-02 is 1998.5; with `days` 1 it is the end of that day."""
    return day.year + (day.timetuple().tm_yday - 1 + days) / 366 if day else None
