"""What the answers say of every face, kept up to date answer by answer.

For each face: how alike it is to its five nearest confirmed faces, to the confirmed faces on
average, and to the nearest rejected one. All three are sums, best-of lists and a maximum, so a
new answer costs one similarity a face, and the order of answers does not matter. An answer that is
taken back costs that as well, and a comparison with all that was said for the faces it was among
the nearest of, which are the fewer the more was said.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from classify.learning.distances import Floats, Ints, Mask
from classify.learning.neighbours import FAR, Lookalikes
from classify.learning.priors import Prior

Doubles = NDArray[np.float64]
Which = slice | Ints  # faces: some that follow on each other, or any, in order

NEAREST = 5  # confirmed faces that a face is measured by
BLOCK = 8192  # faces x 20 answers: stays in the cache
ANSWERS = 256  # compared at once: with all of a large project 1.5 GB were in memory
CLOSE = 2e-3  # what two ways to add up one similarity may differ by, with room to spare
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
        self._top = np.empty((NEAREST, 0), np.float32)  # most alike confirmed faces, unordered
        self._sum = np.empty(0, np.float64)  # similarity to confirmed, weighed by trust
        self._worst = np.empty(0, np.float32)  # similarity to the most alike rejected face
        self.nearest = np.empty(0, np.float32)  # the mean of _top, or the prior's crowd
        self._taken_out = 0  # confirmed faces, since _sum was last added up anew
        self._measure_new(len(vectors))

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
        self._take_out(rows[self.said[rows] != 0])
        self.said[rows], self.trust[rows] = said, np.where(said > 0, weight, 0)
        self._take_in(rows)

    def forget(self, rows: Ints) -> None:
        """Answers that were taken back."""
        rows = np.asarray(rows, np.int64)
        self._take_out(rows[self.said[rows] != 0])

    def extend(self, vectors: Floats, photos: Ints) -> None:
        """Faces that came, as new rows at the end."""
        old, came = len(self), len(vectors)
        self.vectors = np.concatenate([self.vectors, self.space.prepare(vectors)])
        self.photos = np.concatenate([self.photos, np.asarray(photos, np.int64)])
        self.alike.extend(self.space, self.vectors, self.photos)
        self._weights = self.alike.weights()
        self.said = np.concatenate([self.said, np.zeros(came, np.int8)])
        self.trust = np.concatenate([self.trust, np.zeros(came, np.float32)])
        self._measure_new(came)
        self._take_in(np.flatnonzero(self.said), old)

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

    def _measure_new(self, number: int) -> None:
        """Begin to measure so many faces more, as long as nothing is said."""
        self._rows = np.arange(len(self))
        unknown = np.full((NEAREST, number), FAR, np.float32)
        crowd = np.full(number, self.prior.crowd, np.float32)
        self._top = np.concatenate([self._top, unknown], axis=1)
        self._sum = np.concatenate([self._sum, np.zeros(number)])
        self._worst = np.concatenate([self._worst, unknown[0]])
        self.nearest = np.concatenate([self.nearest, crowd])

    def _blocks(self, first: int = 0) -> Iterator[slice]:
        for start in range(first, len(self), BLOCK):
            yield slice(start, min(start + BLOCK, len(self)))

    def _some(self, rows: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Of `rows` the confirmed and the rejected ones, a few at a time."""
        for start in range(0, len(rows), ANSWERS):
            some = rows[start : start + ANSWERS]
            yield some[self.said[some] > 0], some[self.said[some] < 0]

    def _take_in(self, rows: Ints, first: int = 0) -> None:
        """Measure the faces from `first` on by what was said of `rows`, too."""
        for yes, no in self._some(rows):
            for block in self._blocks(first):
                if len(yes):
                    sims = self._similar(block, yes)
                    self._sum[block] += self._weighed(sims, yes)
                    self._keep_nearest(block, self._distrusted(sims, yes))
                if len(no):
                    self._keep_worst(block, self._similar(block, no))

    def _take_out(self, rows: Ints) -> None:
        """Forget what was said of `rows`, and measure anew the faces that it told most about."""
        if not len(rows):
            return
        near, worst = np.zeros((2, len(self)), bool)
        for yes, no in self._some(rows):
            for block in self._blocks():
                if len(yes):
                    sims = self._similar(block, yes)
                    self._sum[block] -= self._weighed(sims, yes)
                    alike = self._distrusted(sims, yes).max(axis=0)
                    near[block] |= alike >= self._top[:, block].min(axis=0) - CLOSE
                if len(no):
                    alike = self._similar(block, no).max(axis=0)
                    worst[block] |= alike >= self._worst[block] - CLOSE
        self._taken_out += int((self.said[rows] > 0).sum())
        self.said[rows], self.trust[rows] = 0, 0
        self._top[:, near], self.nearest[near] = FAR, self.prior.crowd
        self._worst[worst] = FAR
        without_nearest, without_worst = _split(near), _split(worst)
        for yes, no in self._some(np.flatnonzero(self.said)):
            for faces in without_nearest if len(yes) else ():
                self._keep_nearest(faces, self._distrusted(self._similar(faces, yes), yes))
            for faces in without_worst if len(no) else ():
                self._keep_worst(faces, self._similar(faces, no))

        self._add_up_again()

    def _add_up_again(self) -> None:
        """Add up _sum anew once more was taken out than is in it: the similarity of a copy comes
        out a little different in each company (see CLOSE), and what is left of it would grow."""
        if self._taken_out <= self.yes.sum():
            return
        self._sum[:], self._taken_out = 0, 0
        for yes, _no in self._some(self.confirmed):
            for block in self._blocks():
                self._sum[block] += self._weighed(self._similar(block, yes), yes)

    def _similar(self, faces: Which, rows: Ints) -> Floats:
        """float32[k, b]: of `rows` to these b faces; nobody is like themselves."""
        sims = self.space.similarities(self.vectors[rows], self.vectors[faces])
        names = self._rows[faces]
        at = np.minimum(np.searchsorted(names, rows), len(names) - 1)
        own = np.flatnonzero(names[at] == rows)
        sims[own, at[own]] = FAR
        return sims

    def _weighed(self, sims: Floats, rows: Ints) -> Doubles:
        """float64[b]: the sum of sims[k, b] to the confirmed `rows`, each weighed by its trust."""
        known = np.where(sims == FAR, np.float32(0), sims).astype(np.float64)
        total: Doubles = self.trust[rows].astype(np.float64) @ known
        return total

    def _distrusted(self, sims: Floats, rows: Ints) -> Floats:
        """`sims`, changed in its place: what is trusted less counts as less alike."""
        sims -= np.float32(self.prior.distrust) * (1 - self.trust[rows])[:, None]
        return sims

    def _keep_nearest(self, faces: Which, sims: Floats) -> None:
        top, names = self._top[:, faces], self._rows[faces]
        better = np.flatnonzero(sims.max(axis=0) > top.min(axis=0))
        if not len(better):
            return
        both = np.concatenate([top[:, better], sims[:, better]])
        both.partition(len(both) - NEAREST, axis=0)
        self._top[:, names[better]] = both[-NEAREST:]
        self.nearest[names[better]] = self._mean_of_nearest(both[-NEAREST:])

    def _keep_worst(self, faces: Which, sims: Floats) -> None:
        self._worst[faces] = np.maximum(self._worst[faces], sims.max(axis=0))

    @property
    def _trusted(self) -> float:
        return float(self.trust.sum(dtype=np.float64))

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


def _split(faces: Mask) -> list[Ints]:
    """The rows of `faces`, in blocks."""
    rows = np.flatnonzero(faces)
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
