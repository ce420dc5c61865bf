"""What was learned elsewhere about each engine: a few numbers, none of which could be a face.

Fitted by `python -m bench.prior` on simulated projects of a research data set (see
docs/how-it-decides.md): logistic regression of "is the person" on the four measures of
scorer.py, in states as the asking comes through them.
"""

from __future__ import annotations

from typing import NamedTuple

from classify.learning.spaces import COSINE, EUCLIDEAN, Space


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


SFACE = Prior(
    Space(COSINE),
    Weights(-9.3, 2.7, 20.3, -4.9, 6.3),
    same=0.38,
    crowd=0.05,
    nobody=0.3,
)
DLIB = Prior(
    Space(EUCLIDEAN),
    Weights(-11.4, 4.2, 22.0, -13.4, 14.4),
    same=0.5,
    crowd=0.2,
    nobody=0.45,
)


def prior_for(metric: str) -> Prior:
    """The prior for an engine whose vectors are compared so. Raises ValueError for others."""
    known = {COSINE: SFACE, EUCLIDEAN: DLIB}
    if metric not in known:
        raise ValueError(f"no prior for metric {metric!r}")
    return known[metric]
