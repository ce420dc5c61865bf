"""Two engines on faces that people have answered: who finds more, and who tells better apart.

Nothing of it is kept. Pictures are downloaded once for both, at the pace of all downloads.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from crawler.detection.match_regions import SAME_FACE
from crawler.engines import TRUSTED, Engine
from crawler.engines.base import Vector
from crawler.engines.boxes import overlap
from crawler.models import Picture, Region
from crawler.pictures import fetch as pictures_fetch
from crawler.pictures.fetch import Unusable
from wiki import pace

Doubles = NDArray[np.float64]
ENOUGH = 10  # pairs of a kind below which nothing is said about telling people apart
KEPT = 0.95  # of the person's own pairs, at which strangers are counted


@dataclass(frozen=True)
class Word:
    """What people said of a face."""

    region: Region
    is_person: bool  # or somebody else


@dataclass(frozen=True)
class Answered:
    """A labelled face that an engine found."""

    vector: Vector
    photo: int  # a number of its picture
    is_person: bool


@dataclass(frozen=True)
class Line:
    """One thing at which engines are compared, with a figure for each."""

    what: str
    figures: tuple[str, str]
    better: str  # the engine's name, "equal", or why nothing can be said


@dataclass
class Seen:
    """What one engine made of the labelled faces of a project."""

    engine: str
    photos: int = 0
    seconds: float = 0.0  # of processor time, finding and embedding
    labelled: int = 0
    found: int = 0
    faces: int = 0  # found at all, labelled or not
    doubtful: int = 0  # too small, blurred or turned for a vector that is trusted
    metric: str = "cosine"
    persons: list[Vector] = field(default_factory=list)
    others: list[Vector] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.found / self.labelled if self.labelled else 0.0

    @property
    def ms_a_photo(self) -> float:
        return 1000 * self.seconds / self.photos if self.photos else 0.0

    def similarities(self) -> tuple[Doubles, Doubles]:
        """Of the person's faces with one another, and with those of other people."""
        same = _alike(self.persons, self.persons, self.metric)
        upper = np.triu_indices(len(self.persons), 1)
        return same[upper], _alike(self.persons, self.others, self.metric).ravel()

    @property
    def auc(self) -> float | None:
        """How often a pair of the person is more alike than one with somebody else."""
        same, different = self.similarities()
        if min(len(same), len(different)) < ENOUGH:
            return None
        return auc(same, different)

    @property
    def strangers(self) -> float | None:
        """Pairs with others that are as alike as all but the worst 5 % of the person's own."""
        same, different = self.similarities()
        if min(len(same), len(different)) < ENOUGH:
            return None
        return float((different >= np.quantile(same, 1 - KEPT)).mean())


def compare(
    words: Mapping[Picture, list[Word]],
    engines: Iterable[Engine],
    told: Callable[[int], None] = lambda done: None,
) -> list[Seen]:
    """Each engine on the labelled pictures; those that can't be had now are left out."""
    pairs = [(engine, Seen(engine.name, metric=engine.metric)) for engine in engines]
    for done, (picture, faces) in enumerate(words.items(), 1):
        until = pace.paused_until(pictures_fetch.LANE)
        if until:
            time.sleep(max(0.0, until.timestamp() - time.time()))
        try:
            pixels = pictures_fetch.load(pictures_fetch.address_of(picture))
        except Unusable:
            continue
        for engine, seen in pairs:
            _look(engine, pixels, faces, seen)
        told(done)
    return [seen for _, seen in pairs]


def _look(engine: Engine, pixels: NDArray[np.uint8], words: list[Word], seen: Seen) -> None:
    began = time.process_time()
    found = engine.look(pixels, upsample=settings.DETECT_UPSAMPLE)
    seen.seconds += time.process_time() - began
    seen.photos += 1
    seen.faces += len(found)
    seen.doubtful += sum(face.quality is not None and face.quality < TRUSTED for face in found)
    for word in words:
        box = word.region.box
        best = max(found, key=lambda face: overlap(face.box, box), default=None)
        is_found = best is not None and overlap(best.box, box) >= SAME_FACE
        seen.labelled += 1
        seen.found += is_found
        # A face that was missed would be embedded as if a person had drawn it.
        face = best if best is not None and is_found else engine.embed(pixels, box)
        if is_found:
            seen.answered.append(Answered(face.embedding, seen.photos, word.is_person))
        (seen.persons if word.is_person else seen.others).append(face.embedding)


def _alike(some: list[Vector], others: list[Vector], metric: str) -> Doubles:
    if not some or not others:
        return np.empty((len(some), len(others)))
    a, b = np.array(some, dtype=np.float64), np.array(others, dtype=np.float64)
    if metric == "cosine":
        a /= np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-9)
        b /= np.maximum(np.linalg.norm(b, axis=1, keepdims=True), 1e-9)
        alike: Doubles = a @ b.T
        return alike
    far: Doubles = np.linalg.norm(a[:, None] - b[None], axis=2)
    return -far


def auc(same: Doubles, different: Doubles) -> float:
    """The chance that one of `same` is higher than one of `different`; ties count half."""
    ordered = np.sort(different)
    below = np.searchsorted(ordered, same, "left")
    not_above = np.searchsorted(ordered, same, "right")
    return float(((below + not_above) / 2 / len(different)).mean())


def lines(one: Seen, other: Seen) -> list[Line]:
    """Which engine finds more, tells people better apart, and is faster."""
    both = (one, other)
    found = (f"{seen.found} of {seen.labelled}" for seen in both)
    return [
        Line("labelled faces found", _pair(found), _better(both, [seen.recall for seen in both])),
        line("person told from others (AUC)", both, [seen.auc for seen in both], "{:.3f}"),
        line(
            f"strangers let in at {KEPT:.0%} of the person",
            both,
            [seen.strangers for seen in both],
            "{:.1%}",
            less=True,
        ),
        line("ms a photo", both, [seen.ms_a_photo for seen in both], "{:.0f}", less=True),
    ]


def line(
    what: str,
    both: tuple[Seen, Seen],
    figures: Sequence[float | None],
    form: str,
    *,
    less: bool = False,
) -> Line:
    """`less`: the lower figure is the better one. None: there is too little to say."""
    known = [figure for figure in figures if figure is not None]
    told = _pair("–" if figure is None else form.format(figure) for figure in figures)
    if len(known) < len(both):
        return Line(what, told, "too few answers to say")
    return Line(what, told, _better(both, [-figure if less else figure for figure in known]))


def _better(both: tuple[Seen, Seen], worth: list[float]) -> str:
    if math.isclose(*worth, rel_tol=1e-3, abs_tol=1e-3):
        return "equal"
    return both[int(np.argmax(worth))].engine


def _pair(texts: Iterable[str]) -> tuple[str, str]:
    one, other = texts
    return one, other
