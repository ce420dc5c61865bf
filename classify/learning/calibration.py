"""From log-odds to the probability that a face is the person."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from classify.learning.distances import Ints, Mask
from classify.learning.scorer import LIMIT, Doubles

BESIDE = float(np.log(0.02))  # log-odds of a second face of the person in one photo

SHIFT_SD, SLOPE_SD = 0.7, 0.05  # how far a project's calibration may stray from the prior's


class Calibration(NamedTuple):
    """log-odds become shift + slope · log-odds."""

    shift: float = 0.0
    slope: float = 1.0

    def applied(self, log_odds: Doubles) -> Doubles:
        found: Doubles = np.clip(self.shift + self.slope * log_odds, -LIMIT, LIMIT)
        return found


def calibrate(log_odds: Doubles, yes: Mask) -> Calibration:
    """Platt's scaling (1999) on a project's own answers: log_odds[k] as the other faces have it.

    Shift and slope are drawn to 0 and 1 by a normal prior, so that a few answers change little,
    and answers that fit change nothing.
    """
    if not len(log_odds):
        return Calibration()
    found, ideal = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    precision = np.array([SHIFT_SD**-2, SLOPE_SD**-2])
    design = np.column_stack([np.ones(len(log_odds)), log_odds])
    sign = np.where(yes, -1, 1)

    def loss(of: Doubles) -> float:
        unlikely = np.logaddexp(0, sign * (design @ of)).sum()
        return float(unlikely + (precision * (of - ideal) ** 2).sum() / 2)

    for _ in range(20):
        chance = probability(np.clip(design @ found, -LIMIT, LIMIT))
        slope = design.T @ (chance - yes) + precision * (found - ideal)
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-6:
            step /= 2  # where answers contradict all that was thought, Newton steps too far
        found = found - step
        if np.abs(step).max() < 1e-6:
            break
    return Calibration(float(found[0]), float(np.clip(found[1], 0.5, 1.5)))


def probability(log_odds: Doubles) -> Doubles:
    chance: Doubles = 1 / (1 + np.exp(-log_odds))
    return chance


def once_a_photo(
    log_odds: Doubles, photos: Ints, yes: Mask, left: Mask, exactly: Mask, many: Mask
) -> Doubles:
    """float64[n]: probabilities, given that a person is in a photo at most once.

    Of the faces of a photo that are `left` to answer, with odds o, each has o / (1 + Σo); where
    exactly one of them is the person (a file that depicts the person), o / Σo. In a photo with a
    confirmed face (`yes`) the others are very unlikely. Faces in photos that may show somebody
    more than once (`many`: collages) stay as they are. `photos` are int64[n], 0…m−1.
    """
    taken = np.bincount(photos[yes], minlength=int(photos.max(initial=-1)) + 1) > 0
    beside = taken[photos] & ~yes & ~many
    odds = np.exp(np.where(beside, log_odds + BESIDE, log_odds))
    total = np.bincount(photos[left], weights=odds[left], minlength=len(taken))[photos]
    one = exactly & left & ~beside & ~many
    alone = odds / (1 + odds)
    shared = np.where(one, odds / np.maximum(total, 1e-300), odds / (1 + total))
    chance: Doubles = np.where(left & ~many, shared, alone)
    return chance


def date_log_odds(
    years: tuple[float, float] | None, born: float | None, died: float | None
) -> float:
    """What the date of a photo says, as a term to add to the log-odds.

    `years`: the earliest and the latest that the photo may be of, in years. A photo from before
    the birth can hardly show the person, one from long after the death seldom does: dates on a
    wiki are often those of a print, a scan or an upload, so later weighs less than earlier. The
    terms are assumptions, not measured; they are weak enough that a likeness overrules them.
    """
    if years is None:
        return 0.0
    earliest, latest = years
    if born is not None and latest < born:
        return -6.0
    if died is not None and earliest > died:
        return max(-3.0, -(earliest - died) / 5)
    return 0.0
