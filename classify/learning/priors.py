"""What was learned elsewhere about the vectors of an engine version: a few numbers, none of which
could be a face.

They are stored with the version. Those of the shipped engines were fitted by
`python -m bench.prior` on simulated projects of a research data set (see docs/how-it-decides.md):
logistic regression of "is the person" on the four measures of scorer.py, in states as the asking
comes through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

from classify.learning.similarity import Space


class Weights(NamedTuple):
    """Of a logistic regression; each but the first is the log-odds a similarity of 1 adds."""

    constant: float
    nearest: float  # the mean similarity to the five nearest confirmed faces
    mean: float  # the mean similarity to all confirmed faces
    rejected: float  # the similarity to the nearest rejected face
    passed_on: float  # `mean` of the most alike faces of other photos


class Prior(NamedTuple):
    space: Space
    weights: Weights
    same: float  # as alike as this, two faces are very likely one person's
    crowd: float  # how alike two strangers are on average
    nobody: float  # the least that "nearest rejected" counts as, before many were rejected
    distrust: float = 0.1  # how much less alike an example counts that is not trusted at all

    @classmethod
    def of(cls, metric: str, numbers: Mapping[str, float]) -> Self:
        """Return the prior for vectors compared by `metric`, from the numbers of their version.

        `numbers` holds every field of Weights and of Prior but the space; only `distrust` may be
        left out. Raises ValueError for others and for an unknown metric.
        """
        others = set(cls._fields) - {"space", "weights"}
        allowed = {*Weights._fields, *others}
        required = allowed - set(cls._field_defaults)
        if not required <= set(numbers) <= allowed:
            raise ValueError(f"a prior has {sorted(required)}, not {sorted(numbers)}")
        weights = Weights(**{name: numbers[name] for name in Weights._fields})
        rest = {name: numbers[name] for name in others & set(numbers)}
        return cls(space=Space(metric), weights=weights, **rest)
