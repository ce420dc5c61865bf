"""What the answers say of every face, kept up to date answer by answer.

For each face: how alike it is to its five nearest confirmed faces, to the confirmed faces on
average, and to the nearest rejected one. All three are sums, best-of lists and a maximum, so a
new answer costs one similarity a face, and the order of answers does not matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classify.learning.distances import Floats, Ints, Mask
from classify.learning.lookalikes import FAR, Lookalikes
from classify.learning.priors import Prior

Doubles = NDArray[np.float64]

NEAREST = 5  # confirmed faces that a face is measured by
BLOCK = 8192  # faces x 20 answers: stays in the cache
ANSWERS = 256  # compared at once: with all of a large project 1.5 GB were in memory
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
        self._take_in(np.flatnonzero(self.said))

    def log_odds(self) -> Doubles:
        """float64[n] by the prior's weights, within ±LIMIT: what the other faces say of each.

        A face's own answer is left out of its own number, and out of its neighbours' where it
        comes back to it by them: what is said of an answered face here is what the rest says,
        which is what doubt is about. Needs a confirmed face; without one all are 0.
        """
        if not self.yes.any():
            return np.zeros(len(self))
        w = self.prior.weights
        mean, rejected = self._mean(), self._rejected()
        around = np.float64(w.passed_on) * self._around(mean)
        around[self.yes] = w.passed_on * self._around_without_itself(self.confirmed)
        own = w.nearest * self.nearest + w.mean * mean + w.rejected * rejected
        found = np.asarray(w.constant + own + around, np.float64)
        if self.yes.sum() == 1:
            found[self.yes] = 0  # nobody else to say anything
        return np.clip(found, -LIMIT, LIMIT)

    def features(self) -> Floats:
        """float32[n, 4]: what the prior's weights are for, in their order; for fitting them."""
        mean = self._mean()
        columns = [self.nearest, mean, self._rejected(), self._around(mean)]
        return np.column_stack(columns).astype(np.float32)

    # -- how it is kept ------------------------------------------------------------------------

    def _start(self) -> None:
        number = len(self)
        self._top = np.full((NEAREST, number), FAR, np.float32)  # most alike confirmed, unordered
        self._sum = np.zeros(number, np.float64)  # similarity to confirmed, weighed by trust
        self._trusted = 0.0
        self._worst = np.full(number, FAR, np.float32)  # the most alike rejected face
        self.nearest = np.full(number, self.prior.crowd, np.float32)

    def _take_in(self, rows: Ints) -> None:
        for start in range(0, len(rows), ANSWERS):
            self._take_in_some(rows[start : start + ANSWERS])

    def _take_in_some(self, rows: Ints) -> None:
        yes = rows[self.said[rows] > 0]
        no = rows[self.said[rows] < 0]
        for start in range(0, len(self), BLOCK):
            block = slice(start, min(start + BLOCK, len(self)))
            if len(yes):
                self._take_in_confirmed(block, yes)
            if len(no):
                sims = self._similar(block, no)
                np.maximum(self._worst[block], sims.max(axis=0), out=self._worst[block])
        self._trusted += float(self.trust[yes].sum(dtype=np.float64))

    def _similar(self, block: slice, rows: Ints) -> Floats:
        """float32[k, b]: of `rows` to the b faces in `block`; nobody is like themselves."""
        sims = self.space.similarities(self.vectors[rows], self.vectors[block])
        own = np.flatnonzero((rows >= block.start) & (rows < block.stop))
        sims[own, rows[own] - block.start] = FAR
        return sims

    def _take_in_confirmed(self, block: slice, rows: Ints) -> None:
        sims, trust = self._similar(block, rows), self.trust[rows]
        known = np.where(sims == FAR, np.float32(0), sims)
        self._sum[block] += trust.astype(np.float64) @ known.astype(np.float64)
        # What is trusted less counts as less alike.
        sims -= np.float32(self.prior.distrust) * (1 - trust)[:, None]
        top = self._top[:, block]
        better = np.flatnonzero(sims.max(axis=0) > top.min(axis=0))
        if not len(better):
            return
        both = np.concatenate([top[:, better], sims[:, better]])
        both.partition(len(both) - NEAREST, axis=0)
        top[:, better] = both[-NEAREST:]
        self.nearest[block][better] = self._mean_of_nearest(both[-NEAREST:])

    def _mean_of_nearest(self, top: Floats) -> Floats:
        """float32[k]: the mean of top[NEAREST, k], as far as there are so many."""
        there = top > FAR / 2
        count = there.sum(axis=0)
        total = np.where(there, top, 0).sum(axis=0)
        mean = np.where(count > 0, total / np.maximum(count, 1), self.prior.crowd)
        return mean.astype(np.float32)

    def _mean(self) -> Floats:
        """float32[n]: to the confirmed faces on average, each leaving itself out."""
        trusted = self._trusted - self.trust  # trust is 0 for all that are not confirmed
        some = trusted > 1e-6
        mean = np.where(some, self._sum / np.where(some, trusted, 1), self.prior.crowd)
        return mean.astype(np.float32)

    def _rejected(self) -> Floats:
        """float32[n]: to the nearest rejected face, or to what a crowd's nearest usually is."""
        return np.maximum(self._worst, np.float32(self.prior.nobody))

    def _around(self, mean: Floats) -> Floats:
        """float32[n]: `mean` of the neighbours, the most alike counting most."""
        around: Floats = np.einsum("ij,ij->i", self._weights, mean[self.alike.rows])
        return around

    def _around_without_itself(self, rows: Ints) -> Doubles:
        """float64[k]: the same for confirmed `rows`, had they not been said."""
        near, alike = self.alike.rows[rows], self.alike.sims[rows]  # [k, COUNT]
        trust = np.where(near == rows[:, None], 0, self.trust[rows][:, None])
        trusted = self._trusted - self.trust[near] - trust
        some = trusted > 1e-6
        total = self._sum[near] - trust * np.where(alike > FAR / 2, alike, 0)
        mean = np.where(some, total / np.where(some, trusted, 1), self.prior.crowd)
        found: Doubles = (self._weights[rows] * mean).sum(axis=1)
        return found
