"""The faces of other photos that look most like each face: a face's word is its neighbours', too.

Found once for a project and extended when faces come. Up to EXACT faces all pairs are compared,
block by block. Beyond that a face is compared with the faces of the cells nearest to its own
(an inverted file: J. Sivic and A. Zisserman, Video Google, ICCV 2003), so that time grows with
n·√n, and memory holds COUNT neighbours a face whatever n is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classify.learning.distances import Floats, Ints
from classify.learning.similarity import Space

COUNT = 8  # neighbours kept of each face
EXACT = 20_000  # faces up to which all pairs are compared
PROBES = 4  # cells that a face is looked for in, its own among them
BLOCK = 1024
AT_ONCE = 4_000_000  # similarities in memory
SOFT = 0.05  # a neighbour this much less alike than the nearest counts 1/e of it
FAR = np.float32(-9)  # less alike than any two faces

Rows = NDArray[np.int32]


@dataclass
class Lookalikes:
    """Neighbours of n faces. `rows[n, COUNT]` and how alike they are; where there are fewer,
    the rest point to the face itself with a similarity of FAR."""

    rows: Rows
    sims: Floats

    @classmethod
    def find(cls, space: Space, vectors: Floats, photos: Ints) -> Lookalikes:
        """Of prepared vectors[n, d]. A face's neighbours are never of its own photo."""
        found = cls.none(len(vectors))
        if len(vectors) <= EXACT:
            every = np.arange(len(vectors))
            found._look(space, vectors, photos, every, every)
            return found
        for members, candidates in _cells(space, vectors):
            found._look(space, vectors, photos, members, candidates)
        return found

    @classmethod
    def none(cls, number: int) -> Lookalikes:
        own = np.repeat(np.arange(number, dtype=np.int32)[:, None], COUNT, axis=1)
        return cls(own, np.full((number, COUNT), FAR, np.float32))

    def extend(self, space: Space, vectors: Floats, photos: Ints) -> None:
        """Take in the last rows of vectors[n, d] and photos[n], those beyond len(self.rows).

        New faces are compared with all, and old ones take them as neighbours: as exact as `find`
        up to EXACT faces.
        """
        old = len(self.rows)
        new = Lookalikes.none(len(vectors))
        new.rows[:old], new.sims[:old] = self.rows, self.sims
        self.rows, self.sims = new.rows, new.sims
        fresh = np.arange(old, len(vectors))
        self._look(space, vectors, photos, np.arange(old), fresh)
        self._look(space, vectors, photos, fresh, np.arange(len(vectors)))

    def weights(self) -> Floats:
        """float32[n, COUNT] that sum to 1: how much each neighbour counts.

        A face without a neighbour counts itself.
        """
        counted: Floats = np.exp((self.sims - self.sims.max(axis=1, keepdims=True)) / SOFT)
        counted /= counted.sum(axis=1, keepdims=True)
        return counted

    def _look(
        self, space: Space, vectors: Floats, photos: Ints, rows: Ints, candidates: Ints
    ) -> None:
        """Let `rows` have the most alike of `candidates` among their neighbours."""
        if not len(candidates):
            return
        step = max(1, AT_ONCE // len(candidates))
        for start in range(0, len(rows), step):
            self._compare(space, vectors, photos, rows[start : start + step], candidates)

    def _compare(
        self, space: Space, vectors: Floats, photos: Ints, rows: Ints, candidates: Ints
    ) -> None:
        sims = space.similarities(vectors[rows], vectors[candidates])
        sims[photos[rows][:, None] == photos[candidates]] = FAR
        ids = np.broadcast_to(candidates.astype(np.int32), sims.shape)
        if sims.shape[1] > COUNT:
            best = np.argpartition(-sims, COUNT - 1, axis=1)[:, :COUNT]
            sims, ids = np.take_along_axis(sims, best, 1), candidates.astype(np.int32)[best]
        sims = np.concatenate([self.sims[rows], sims], axis=1)
        ids = np.concatenate([self.rows[rows], ids], axis=1)
        order = np.argsort(-sims, axis=1, kind="stable")[:, :COUNT]
        kept = np.take_along_axis(sims, order, 1)
        self.sims[rows] = kept
        names = np.take_along_axis(ids, order, 1)
        self.rows[rows] = np.where(kept == FAR, rows[:, None].astype(np.int32), names)


def _cells(space: Space, vectors: Floats) -> list[tuple[Ints, Ints]]:
    """Rows by cell, and for each cell the rows of the PROBES cells nearest to it."""
    count = int(np.sqrt(len(vectors)))
    centres = vectors[:: len(vectors) // count][:count]
    for _ in range(2):  # Lloyd's k-means, on a sample
        sample = vectors[:: max(1, len(vectors) // (64 * count))]
        home = _nearest_cell(space, sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, home, sample)
        filled = np.bincount(home, minlength=count)
        means = sums / np.maximum(filled, 1)[:, None]
        centres = space.prepare(np.where(filled[:, None] > 0, means, centres))
    home = _nearest_cell(space, vectors, centres)
    order = np.argsort(home, kind="stable")
    ends = np.cumsum(np.bincount(home, minlength=count))
    members = np.split(order, ends[:-1])
    near = np.argsort(-space.similarities(centres, centres), axis=1)[:, :PROBES]
    return [
        (members[cell], np.concatenate([members[other] for other in near[cell]]))
        for cell in range(count)
    ]


def _nearest_cell(space: Space, vectors: Floats, centres: Floats) -> Ints:
    found = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), BLOCK):
        block = space.similarities(vectors[start : start + BLOCK], centres)
        found[start : start + BLOCK] = block.argmax(axis=1)
    return found
