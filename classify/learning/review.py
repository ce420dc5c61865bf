"""Looking again: the least likely Yes, a random sample, and answers that the rest contradicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classify.learning.calibration import BESIDE
from classify.learning.choose_screen import SCREEN_SIZE
from classify.learning.distances import Ints, Mask
from classify.learning.model import Model
from classify.learning.scorer import Doubles

A_SCREEN = 50  # approved faces that one screen of second looks is spent on
SAMPLED = 0.5  # share of a screen that is drawn at random
DOUBT = 1.0  # log-odds against an answer, from which on it is doubted


@dataclass(frozen=True)
class SecondLooks:
    """Rows to be looked at again, all marked Yes; nobody is told which is which."""

    unlikely: Ints  # the least likely Yes of all
    sampled: Ints  # drawn at random from the other Yes: what `guarantees.precision` needs
    traps: Ints  # answered No, and the model is sure of it: who lets one pass looks too fast
    order: Ints  # all of them, mixed

    def screens(self, size: int = SCREEN_SIZE) -> list[Ints]:
        return [self.order[start : start + size] for start in range(0, len(self.order), size)]


def second_looks(
    model: Model, approved: Mask, rng: np.random.Generator, size: int = SCREEN_SIZE
) -> SecondLooks:
    """For what is `approved` bool[n] (answered Yes): a screen for every fifty, one at least."""
    yes = np.flatnonzero(approved)
    screens = max(1, round(len(yes) / A_SCREEN))
    rest = model.rest()
    surely_not = np.flatnonzero(model.scorer.no)
    surely_not = surely_not[np.argsort(rest[surely_not], kind="stable")]
    traps = surely_not[: len(yes) // A_SCREEN]
    room = screens * size - len(traps)
    if len(yes) <= room:
        unlikely, sampled = yes, yes[:0]
    else:
        count = room - round(SAMPLED * room)
        unlikely = yes[np.argsort(_support(model, rest)[yes], kind="stable")][:count]
        others = np.setdiff1d(yes, unlikely)
        sampled = rng.choice(others, room - count, replace=False)
    order = rng.permutation(np.concatenate([unlikely, sampled, traps]))
    return SecondLooks(unlikely, sampled, traps, order)


def third_looks(first: Mask, second: Mask) -> Ints:
    """Positions of answers given twice and differently: these are asked a third time, alone."""
    return np.flatnonzero(first != second)


def doubted(model: Model, among: Mask | None = None) -> Ints:
    """Rows of people's answers that all the rest contradicts, the worst first."""
    scorer, answered = model.scorer, model.answered
    odds = against(model)
    if scorer.yes.sum() < 2:  # nobody to contradict the only Yes
        answered = answered & ~scorer.yes
    chosen = answered if among is None else answered & among
    rows = np.flatnonzero(chosen & (odds > DOUBT))
    return rows[np.argsort(-odds[rows], kind="stable")]


def against(model: Model) -> Doubles:
    """float64[n]: log-odds of all the rest against what was said of each face."""
    support = _support(model, model.rest())
    odds: Doubles = np.where(model.scorer.yes, -support, support)
    return odds


def _support(model: Model, rest: Doubles) -> Doubles:
    """Log-odds by all the rest; less where the person would be twice in one photo."""
    yes = model.scorer.yes & model.answered
    twice = np.bincount(model.photos[yes], minlength=int(model.photos.max(initial=-1)) + 1) > 1
    beside = twice[model.photos] & yes & ~model.around.collage
    support: Doubles = np.where(beside, rest + BESIDE, rest)
    return support
