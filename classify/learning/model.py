"""All that is thought about the faces of one project, and all that is known from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from classify.learning import calibration as learning_calibration
from classify.learning.distances import Floats, Ints, Mask
from classify.learning.neighbours import Lookalikes
from classify.learning.priors import Prior
from classify.learning.scorer import Doubles, Scorer

SAMPLE = 2048  # faces among which it is counted how often somebody is seen
CANDIDATES = 20_000  # faces that may stand for those like them
BLOCK = 1024
PEOPLE = 0.999  # the trust from which on a word is a person's


@dataclass
class Circumstances:
    """What is known of n faces besides their looks; all of it may be left out."""

    log_odds: Doubles  # float64[n]: from dates and the like, added to what the looks say
    tagged: Mask  # in a file that depicts the person: one of its faces is
    collage: Mask  # in a photo that may show somebody more than once
    duplicates: Ints  # int64[n]: faces with the same number ≥ 0 are copies; −1: none

    @classmethod
    def none(cls, number: int) -> Circumstances:
        return cls(
            np.zeros(number),
            np.zeros(number, bool),
            np.zeros(number, bool),
            np.full(number, -1, np.int64),
        )


class Thought(NamedTuple):
    """What follows from one state of answers and circumstances."""

    prior: Prior
    state: tuple[NDArray[Any], ...]
    rest: Doubles
    chances: Doubles

    def holds(self, prior: Prior, state: tuple[NDArray[Any], ...]) -> bool:
        return prior is self.prior and all(map(np.array_equal, state, self.state))


@dataclass
class Model:
    """The faces of a project as rows 0…n−1; see Scorer for what may be told of them."""

    scorer: Scorer
    around: Circumstances
    photos: Ints = field(init=False)  # 0…m−1
    _common: tuple[Ints, Ints] | None = field(init=False, default=None)
    _thought: Thought | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._number_photos()

    @classmethod
    def of(
        cls,
        prior: Prior,
        vectors: Floats,
        photos: Ints,
        around: Circumstances | None = None,
        alike: Lookalikes | None = None,
    ) -> Model:
        """Of vectors float32[n, d] as the engine makes them, and the photo of each."""
        scorer = Scorer(prior, vectors, photos, alike)
        return cls(scorer, around or Circumstances.none(len(vectors)))

    def __len__(self) -> int:
        return len(self.scorer)

    @property
    def answered(self) -> Mask:
        """bool[n]: a person said a word, Yes or No."""
        scorer = self.scorer
        return scorer.no | (scorer.yes & (scorer.trust >= PEOPLE))

    def tell(self, rows: Ints, yes: Mask, trust: Floats | None = None) -> None:
        self.scorer.tell(rows, yes, trust)

    def extend(self, vectors: Floats, photos: Ints, around: Circumstances | None = None) -> None:
        """Faces that came; `around` is of the new ones."""
        more = around or Circumstances.none(len(vectors))
        old = self.around
        self.around = Circumstances(
            np.concatenate([old.log_odds, more.log_odds]),
            np.concatenate([old.tagged, more.tagged]),
            np.concatenate([old.collage, more.collage]),
            np.concatenate([old.duplicates, more.duplicates]),
        )
        self.scorer.extend(vectors, photos)
        self._number_photos()

    def rest(self) -> Doubles:
        """float64[n]: log-odds of each face by all but its own answer, calibrated."""
        return self._think().rest

    def chances(self) -> Doubles:
        """float64[n]: the probability that each face is the person; what people said is certain.

        So an answer never lowers the score of its own face: Yes makes it 1, No 0.
        """
        return self._think().chances

    def _think(self) -> Thought:
        """Once for one state of answers and circumstances: screens are chosen from it again and
        again."""
        scorer, around = self.scorer, self.around
        state = (scorer.said, scorer.trust, around.log_odds, around.tagged, around.collage)
        if self._thought is None or not self._thought.holds(scorer.prior, state):
            rest = self._rest()
            kept = tuple(column.copy() for column in state)
            self._thought = Thought(scorer.prior, kept, rest, self._chances(rest))
        return self._thought

    def _rest(self) -> Doubles:
        raw = self.scorer.log_odds()
        answered = np.flatnonzero(self.answered)
        # A single confirmed face has nobody to be compared with.
        judged = answered if self.scorer.yes.sum() > 1 else np.flatnonzero(self.scorer.no)
        calibration = learning_calibration.calibrate(raw[judged], self.scorer.yes[judged])
        rest: Doubles = calibration.applied(raw) + self.around.log_odds
        rest.flags.writeable = False
        return rest

    def _chances(self, rest: Doubles) -> Doubles:
        scorer, answered = self.scorer, self.answered
        yes = scorer.yes & answered
        found = learning_calibration.once_a_photo(
            rest,
            self.photos,
            yes,
            ~answered,
            self.around.tagged,
            self.around.collage,
        )
        whole: Doubles = np.where(answered, yes, found)
        whole.flags.writeable = False
        return whole

    def commonness(self) -> tuple[Ints, Ints]:
        """Rows that may stand for others, and how many faces of other photos look like each.

        Counted once, among an even sample where there are many.
        """
        if self._common is None:
            scorer, number = self.scorer, len(self)
            rows = np.arange(0, number, max(1, -(-number // CANDIDATES)))
            sample = np.arange(0, number, max(1, -(-number // SAMPLE)))
            counts = np.zeros(len(rows), np.int64)
            for start in range(0, len(rows), BLOCK):
                block = rows[start : start + BLOCK]
                sims = scorer.space.similarities(scorer.vectors[block], scorer.vectors[sample])
                alike = sims > scorer.prior.same
                alike &= self.photos[block][:, None] != self.photos[sample]
                counts[start : start + BLOCK] = alike.sum(axis=1)
            self._common = rows, counts
        return self._common

    def _number_photos(self) -> None:
        _, numbers = np.unique(self.scorer.photos, return_inverse=True)
        self.photos = numbers.astype(np.int64)
        self._common = None
