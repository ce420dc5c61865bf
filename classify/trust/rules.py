"""Whether somebody's answers should be looked at before they count: too fast, all Yes, or against
what others and the faces known already say.

Each rule is a sequential test (A. Wald 1945; cumulative sums, E. S. Page 1954): it adds up, deed by
deed, the log of how much likelier a deed is from somebody who clicks than from somebody who looks,
never below 0, and is raised at HEIGHT. Whatever the order, a person who answers as the rule takes
careful people to answer raises it once in e^HEIGHT deeds at most, in the mean (G. Lorden 1971):
with 14 that is 1.2 million. `docs/how-it-decides.md` says what each rule takes people for.

Plain rules: no database, no clock. See `guarding` for what becomes of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

HEIGHT = 14.0
# One deed says so much at most. Faces of a screen go together: the person as a child, whom the
# model does not know yet, is on all twenty. So it takes four screens at least.
MOST_A_DEED = log(50)

# Somebody looks at one face for so many seconds, and at each more on the screen for so many: a
# third of what the quickest people take who look.
ONE_FACE, FACE_MORE = 0.3, 0.03
QUICK_IF_CAREFUL, QUICK_IF_NOT = 0.3, 0.9  # share of deeds that are quicker than that

YES_IF_NOT = 0.98  # share of Yes of somebody who clicks, whatever is shown
SLACK = 2.0  # log-odds by which the model may think too little of the faces it shows
LOWEST, HIGHEST = 0.05, YES_IF_NOT  # share of Yes that a careful person may say to any face

AGAINST_IF_CAREFUL, AGAINST_IF_NOT = 0.15, 0.5  # share of answers against the word that is known


@dataclass(frozen=True)
class Said:
    """An answer to one face.

    `yes` is None for words that are neither Yes nor No; `chance` is what the model thought when it
    was asked (None: nothing); `right` is whether it agrees with what others said of the face, or
    what was known of it (None: nothing is known).
    """

    yes: bool | None
    chance: float | None = None
    right: bool | None = None


@dataclass(frozen=True)
class Deed:
    """What one button or key answered: a face, or a screen of them; `at` is in seconds."""

    at: float
    said: Sequence[Said]


def doubt(deeds: Sequence[Deed]) -> str:
    """Which rule is raised by these deeds, the oldest first: "contradicts", "all-yes", "fast" (see
    Membership.Doubt), or "" for none."""
    rules = (
        ("contradicts", map(_against, deeds)),
        ("all-yes", map(_all_yes, deeds)),
        ("fast", _quick(deeds)),
    )
    return next((name for name, told in rules if _is_raised(told)), "")


def contradicts(deeds: Sequence[Deed]) -> bool:
    """Whether these deeds raise that rule alone: of a review, where people choose the faces and
    answer a page of them at once, neither pace nor a share of Yes says anything."""
    return _is_raised(map(_against, deeds))


def height(told: Iterable[float]) -> float:
    """The highest that the sum gets."""
    sum_ = highest = 0.0
    for each in told:
        sum_ = max(0.0, sum_ + min(each, MOST_A_DEED))
        highest = max(highest, sum_)
    return highest


def _is_raised(told: Iterable[float]) -> bool:
    return height(told) >= HEIGHT


def _quick(deeds: Sequence[Deed]) -> Iterable[float]:
    """Of each deed but the first, by the time since the one before."""
    for before, deed in pairwise(deeds):
        needed = ONE_FACE + FACE_MORE * (len(deed.said) - 1)
        quick = deed.at - before.at < needed
        yield _ratio(quick, QUICK_IF_CAREFUL, QUICK_IF_NOT)


def _all_yes(deed: Deed) -> float:
    """Where the tool shows likely faces, all Yes is what careful people say, too."""
    judged = (each for each in deed.said if each.yes is not None and each.chance is not None)
    return sum(_ratio(bool(each.yes), expected(each.chance or 0), YES_IF_NOT) for each in judged)


def _against(deed: Deed) -> float:
    known = (each.right for each in deed.said if each.right is not None)
    return sum(_ratio(not right, AGAINST_IF_CAREFUL, AGAINST_IF_NOT) for right in known)


def expected(chance: float) -> float:
    """The share of Yes that a careful person says to faces of this chance, and not more."""
    chance = min(max(chance, 1e-6), 1 - 1e-6)
    generous = 1 / (1 + exp(-(log(chance / (1 - chance)) + SLACK)))
    return min(max(generous, LOWEST), HIGHEST)


def _ratio(happened: bool, if_careful: float, if_not: float) -> float:
    """The log-likelihood ratio of what happened or not."""
    return log(if_not / if_careful) if happened else log((1 - if_not) / (1 - if_careful))
