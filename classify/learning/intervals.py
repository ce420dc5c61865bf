"""What can be said for certain: exact intervals from random samples that people looked at.

Nothing here knows what the model thinks. The hypergeometric distribution gives the limits of a
number in a finite population (W. G. Cochran, Sampling Techniques, 1977, section 3.6): those of
C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934),
where there are very many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, lgamma

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and where the truth is, `LEVEL` of the time or more."""

    estimate: float
    low: float
    high: float
    all_seen: bool = False  # nothing is estimated: everything was looked at

    @property
    def width(self) -> float:
        return self.high - self.low

    def holds(self, truth: float) -> bool:
        return self.low - 1e-9 <= truth <= self.high + 1e-9


def number(hits: int, looked: int, of: int, level: float = LEVEL) -> Interval:
    """How many hits there are among `of`, of which `looked`, drawn at random, had `hits`.

    The hits that were seen are among them.
    """
    _check(hits, looked)
    if looked > of:
        raise ValueError("more looked at than there are")
    if looked == of:
        return Interval(hits, hits, hits, all_seen=True)
    tail = (1 - level) / 2
    least, most = hits, of - (looked - hits)
    low = _first(least, most, lambda k: 1 - _hypergeometric(hits - 1, of, k, looked) > tail)
    # The first number that is too many, less one.
    high = _first(least, most + 1, lambda k: _hypergeometric(hits, of, k, looked) <= tail) - 1
    estimate = min(max(hits * of / looked, low), high) if looked else of / 2
    return Interval(estimate, low, max(high, low))


def left_over(hits: int, looked: int, left: int, level: float = LEVEL) -> Interval:
    """How many of the person's faces are among those that nobody looked at.

    `left` faces were left, of which `looked`, drawn at random, had `hits`; the answer is about
    the other left − looked: "about 7 more in the 412 left, at most 39".
    """
    whole = number(hits, looked, left, level)
    return Interval(
        whole.estimate - hits, whole.low - hits, whole.high - hits, all_seen=whole.all_seen
    )


def precision(
    approved: int, certain: int, wrong: int, looked: int, level: float = LEVEL
) -> Interval:
    """The share of `approved` faces that are right, once the wrong ones found are taken out.

    `certain` of them were all looked at again on purpose (the least likely ones). Of the others
    `looked`, drawn at random, had `wrong`, which are no longer approved; `approved` counts what
    is left after that. That who looks again slips, too, is not in it.
    """
    rest = approved - certain + wrong  # before the wrong ones were taken out
    if approved <= 0:
        return Interval(1.0, 1.0, 1.0, all_seen=True)
    bad = left_over(wrong, looked, rest, level)
    return Interval(
        1 - bad.estimate / approved,
        1 - bad.high / approved,
        1 - bad.low / approved,
        all_seen=bad.all_seen,
    )


def _check(hits: int, looked: int) -> None:
    if not 0 <= hits <= looked:
        raise ValueError(f"{hits} hits of {looked}")


def _hypergeometric(hits: int, of: int, good: int, looked: int) -> float:
    """P(X ≤ hits), X of `looked` drawn from `of` among which are `good`."""
    least = max(0, looked - (of - good))
    whole = _choose(of, looked)
    terms = (
        exp(_choose(good, k) + _choose(of - good, looked - k) - whole)
        for k in range(least, min(hits, good) + 1)
    )
    return min(1.0, sum(terms))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _first(least: int, most: int, true: Callable[[int], bool]) -> int:
    """The least number for which it is true, where all beyond are; `most` if there is none."""
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if true(middle) else (middle + 1, most)
    return least
