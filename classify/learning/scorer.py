"""What the answers say of every face, kept up to date answer by answer.

For each face: how alike it is to its five nearest confirmed faces, to the centre of the confirmed
faces and of those that look like them, and to the nearest rejected one. These are best-of lists,
one mean and a maximum, so a new answer costs one similarity a face, and the order of answers does
not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classify.learning.distances import Floats, Ints, Mask
from classify.learning.lookalikes import FAR, Lookalikes
from classify.learning.priors import Prior

Doubles = NDArray[np.float64]

SOFT_SAME = 0.05  # around `same`: this much more alike is e times likelier one person
NEAREST = 5  # confirmed faces that a face is measured by
AT_ONCE = 256  # faces, each with its neighbours
LITTLE = 1e-6  # less trust than that is none
BLOCK = 8192  # faces x 20 answers: stays in the cache
LIMIT = 12.0  # log-odds of a face that nobody spoke about stay within ±LIMIT


class Scorer:
    """The faces of one project, as rows 0…n−1, and what was said of them.

    `vectors` float32[n, d] as the engine makes them, `photos` int64[n] any ids. Everything here
    can be built anew from vectors and answers at any time, and comes out the same.
    """

    def __init__(
        self, prior: Prior, vectors: Floats, photos: Ints, alike: Lookalikes | None = None
    ) -> None:
        self.prior = prior
        self.space = prior.space
        self.vectors = self.space.prepare(vectors)
        self.photos = np.asarray(photos, np.int64)
        self.alike = alike or Lookalikes.find(self.space, self.vectors, self.photos)
        self._weights = self.alike.weights()
        self.said = np.zeros(len(vectors), np.int8)  # 1 Yes, −1 No, 0 nothing
        self.trust = np.zeros(len(vectors), np.float32)  # how much a Yes weighs, 0–1
        self._start()

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def yes(self) -> Mask:
        return self.said > 0

    @property
    def no(self) -> Mask:
        return self.said < 0

    @property
    def confirmed(self) -> Ints:
        return np.flatnonzero(self.yes)

    @property
    def rejected(self) -> Floats:
        """float32[n]: how alike each face is to the nearest rejected one; FAR without any."""
        return self._worst

    def tell(self, rows: Ints, yes: Mask, trust: Floats | None = None) -> None:
        """What was said of `rows`: Yes, this is the person, or No.

        `trust` weighs each Yes: 1 for a person's answer, less for what only a statement on the
        wiki suggests. Telling the same again changes nothing; another word replaces the first.
        """
        rows, yes = np.asarray(rows, np.int64), np.asarray(yes, bool)
        weight = np.ones(len(rows), np.float32) if trust is None else trust.astype(np.float32)
        said = np.where(yes, 1, -1).astype(np.int8)
        changed = (self.said[rows] != said) | (yes & (self.trust[rows] != weight))
        rows, said, weight = rows[changed], said[changed], weight[changed]
        again = self.said[rows] != 0
        self.said[rows], self.trust[rows] = said, np.where(said > 0, weight, 0)
        if again.any():
            self.rebuild()
        else:
            self._take_in(rows)

    def forget(self, rows: Ints) -> None:
        """Answers that were taken back."""
        spoken = np.asarray(rows, np.int64)[self.said[rows] != 0]
        self.said[spoken], self.trust[spoken] = 0, 0
        if len(spoken):
            self.rebuild()

    def extend(self, vectors: Floats, photos: Ints) -> None:
        """Faces that came, as new rows at the end."""
        old = len(self)
        self.vectors = np.concatenate([self.vectors, self.space.prepare(vectors)])
        self.photos = np.concatenate([self.photos, np.asarray(photos, np.int64)])
        self.alike.extend(self.space, self.vectors, self.photos)
        self._weights = self.alike.weights()
        self.said = np.concatenate([self.said, np.zeros(len(self) - old, np.int8)])
        self.trust = np.concatenate([self.trust, np.zeros(len(self) - old, np.float32)])
        self.rebuild()

    def rebuild(self) -> None:
        """Everything anew from vectors and answers."""
        self._start()
        spoken = np.flatnonzero(self.said)
        for start in range(0, len(spoken), 256):
            self._take_in(spoken[start : start + 256])

    def log_odds(self) -> Doubles:
        """float64[n] by the prior's weights, within ±LIMIT: what the other faces say of each.

        A face's own answer is left out of its own number, and out of its neighbours' where it
        comes back to it by them: what is said of an answered face here is what the rest says,
        which is what doubt is about. Needs a confirmed face; without one all are 0.
        """
        if not self.yes.any():
            return np.zeros(len(self))
        w = self.prior.weights
        found: Doubles = w.constant + self.features().astype(np.float64) @ np.array(w[1:])
        if self.yes.sum() == 1:
            found[self.yes] = 0  # nobody else to say anything
        return np.clip(found, -LIMIT, LIMIT)

    def features(self) -> Floats:
        """float32[n, 5]: the measures that the prior's weights are for, in their order."""
        centre, passed_on = self._centre()
        rejected = np.maximum(self._worst, np.float32(self.prior.nobody))
        few = 1 / np.maximum(1, self.trust.sum() - self.trust)
        columns = [self.nearest, centre, rejected, passed_on, few]
        return np.column_stack(columns).astype(np.float32)

    # -- how it is kept ------------------------------------------------------------------------

    def _start(self) -> None:
        number = len(self)
        self._top = np.full((number, NEAREST), FAR, np.float32)  # most alike confirmed, unordered
        self._worst = np.full(number, FAR, np.float32)  # the most alike rejected face
        self.nearest = np.full(number, self.prior.crowd, np.float32)

    def _take_in(self, rows: Ints) -> None:
        yes = rows[self.said[rows] > 0]
        no = rows[self.said[rows] < 0]
        for start in range(0, len(self), BLOCK):
            block = slice(start, min(start + BLOCK, len(self)))
            if len(yes):
                self._take_in_confirmed(block, yes)
            if len(no):
                sims = self._similar(block, no)
                np.maximum(self._worst[block], sims.max(axis=1), out=self._worst[block])

    def _similar(self, block: slice, rows: Ints) -> Floats:
        """Of the faces in `block` to `rows`; nobody is like themselves."""
        sims = self.space.similarities(self.vectors[block], self.vectors[rows])
        own = np.flatnonzero((rows >= block.start) & (rows < block.stop))
        sims[rows[own] - block.start, own] = FAR
        return sims

    def _take_in_confirmed(self, block: slice, rows: Ints) -> None:
        sims, trust = self._similar(block, rows), self.trust[rows]
        # What is trusted less counts as less alike.
        sims -= np.float32(self.prior.distrust) * (1 - trust)
        top = self._top[block]
        better = np.flatnonzero(sims.max(axis=1) > top.min(axis=1))
        if not len(better):
            return
        both = np.concatenate([top[better], sims[better]], axis=1)
        both.partition(both.shape[1] - NEAREST, axis=1)
        top[better] = both[:, -NEAREST:]
        self.nearest[block][better] = self._mean_of_nearest(top[better])

    def _mean_of_nearest(self, top: Floats) -> Floats:
        """float32[k]: the mean of top[k, NEAREST], as far as there are so many."""
        there = top > FAR / 2
        count = there.sum(axis=1)
        total = np.where(there, top, 0).sum(axis=1)
        mean = np.where(count > 0, total / np.maximum(count, 1), self.prior.crowd)
        return mean.astype(np.float32)

    def _centre(self) -> tuple[Floats, Floats]:
        """float32[n] twice: how alike each face is to the centre of the confirmed faces and of
        those that look like them, and the same of its neighbours, the most alike counting most.

        No face counts in its own two numbers: neither itself nor what its answer brought in.
        """
        shares = self._shares()
        some = np.flatnonzero(shares)
        total, count = shares[some] @ self.vectors[some], float(shares.sum())
        if count < LITTLE:
            unknown = np.full(len(self), self.prior.crowd, np.float32)
            return unknown, unknown
        middle = self.space.prepare((total / count)[None].astype(np.float32))
        centre = self.space.similarities(self.vectors, middle)[:, 0]
        vectors, own = self.vectors[some], shares[some]
        centre[some] = self._to_centre(vectors, vectors @ total, total @ total, own, count)
        around: Floats = np.einsum("ij,ij->i", self._weights, centre[self.alike.rows])
        for start in range(0, len(some), AT_ONCE):
            rows = some[start : start + AT_ONCE]
            centre[rows], around[rows] = self._without_itself(rows, shares, total, count)
        return centre, around

    def _shares(self) -> Doubles:
        """float64[n]: how much each face counts in the centre.

        A confirmed face counts as much as it is trusted, and lends of that to its neighbours as
        far as they look like the same person and were not rejected.
        """
        rows = self.confirmed
        near = self.alike.rows[rows].ravel()
        lent = np.bincount(near, self._lent(rows).ravel(), minlength=len(self))
        return np.asarray(lent + self.trust, np.float64)

    def _lent(self, rows: Ints) -> Floats:
        """float32[k, COUNT]: what `rows` lend to each of their neighbours; nothing, unless Yes."""
        near, alike = self.alike.rows[rows], self.alike.sims[rows]
        same = (1 + np.tanh((alike - np.float32(self.prior.same)) / (2 * SOFT_SAME))) / 2
        lent: Floats = self.trust[rows][:, None] * same * ~self.no[near]
        return lent

    def _without_itself(
        self, rows: Ints, shares: Doubles, total: Doubles, count: float
    ) -> tuple[Doubles, Doubles]:
        """float64[k] twice: the centre without each of `rows`, to itself and to its neighbours."""
        near, lent = self.alike.rows[rows], self._lent(rows)
        vectors, others = self.vectors[rows], self.vectors[near]  # [k, d], [k, COUNT, d]
        brought = shares[rows, None] * vectors + np.matmul(lent[:, None], others)[:, 0]
        left, counts = total - brought, count - shares[rows] - lent.sum(axis=1)
        lengths = np.einsum("id,id->i", left, left)
        none, products = np.zeros(len(rows)), np.einsum("id,id->i", vectors, left)
        centre = self._to_centre(vectors, products, lengths, none, counts)
        own = np.where(near == rows[:, None], 0, shares[near] - lent)
        products = np.matmul(others, left.astype(np.float32)[..., None])[..., 0]
        around = self._to_centre(others, products, lengths[:, None], own, counts[:, None])
        return centre, (self._weights[rows] * around).sum(axis=1)

    def _to_centre(
        self,
        vectors: Floats,
        products: Doubles,
        lengths: Doubles,
        own: Doubles,
        counts: Doubles | float,
    ) -> Doubles:
        """float64[…]: of vectors[…, d] to the mean of `counts` faces, their sum being known by its
        product with each and with itself, after `own` times the vector is taken out of it."""
        squares = np.einsum("...d,...d->...", vectors, vectors).astype(np.float64)
        lengths = lengths - 2 * own * products + own**2 * squares
        products, counts = products - own * squares, counts - own
        some = np.maximum(counts, LITTLE)
        alike = self.space.to_centre(squares, products / some, lengths / some**2)
        return np.where(counts > LITTLE, alike, self.prior.crowd)
