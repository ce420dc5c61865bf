"""What to ask next, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from classify.learning.distances import Ints, Mask
from classify.learning.model import Model
from classify.learning.scorer import Doubles

SCREEN_SIZE = 20  # faces on a screen
WORTH = 0.25  # when the likeliest face is less likely than this, looking on is not worth it
EXPECTED = 0.9  # nor is it when fewer of the person's faces are expected on the next screen
STUCK = 3  # with fewer confirmed faces after a screen of No, look at who is seen often instead
PATIENCE = 3  # screens without anybody, after which nothing more is worth asking
SAVING = 2.0  # corrections that a single question must be expected to save
APART = 0.08  # medoids are this much less alike than two faces of one person


class Kind(StrEnum):
    LIKELY = "likely"  # a grid of likely ones
    ONE = "one"  # a single uncertain face
    OTHERS = "others"  # a grid of look-alikes that are hardly the person
    COMMON = "common"  # a grid of those seen most often, each standing for a group


@dataclass(frozen=True)
class Ask:
    """A screen. One action confirms its marks, and one more corrects each that is wrong.

    Of those seen most often, one tap on a face of the person is the whole answer: Yes for that
    face, no word on the others. Only "none of them" is a No, to all.
    """

    kind: Kind
    rows: Ints  # int64[k], in the order to show them
    marks: Mask  # bool[k]: Yes is set already
    chances: Doubles  # float64[k]

    @property
    def actions(self) -> float:
        """How many are expected."""
        wrong = np.where(self.marks, 1 - self.chances, self.chances)
        return 1 + (0 if self.kind in (Kind.ONE, Kind.COMMON) else float(wrong.sum()))


def choose(model: Model, open_: Mask, size: int = SCREEN_SIZE) -> Ask | None:
    """The screen that saves most work now; None when asking on is not worth it.

    Only faces in `open_` bool[n] that nobody answered are asked. What is left out there is for
    the caller to say: faces that somebody else is looking at, that were skipped or denied.
    """
    open_ = open_ & ~model.answered
    if not open_.any():
        return None
    found, rejected = _said(model)
    if not found:
        return common(model, open_, size)
    chances = np.where(open_, model.chances(), 0)
    next_best = likely(model, chances, open_, size)
    expected = next_best.chances.sum()
    if _is_stuck(found, rejected, expected, size):
        return common(model, open_, size) or next_best
    little = chances.max() < WORTH or expected < EXPECTED
    if little and (found > 1 or rejected >= PATIENCE * size):
        return None
    return first_one(model, next_best, open_) or next_best


def outlook(model: Model, open_: Mask, size: int = SCREEN_SIZE) -> int:
    """About how many faces are still worth an answer, by the model's present opinion: those that
    may well be the person. Where hardly anybody may, and too little is known to end, as many as
    patience lasts for.
    """
    open_ = open_ & ~model.answered
    chances = np.sort(model.chances()[open_])[::-1]
    found, rejected = _said(model)
    expected = float(chances[:size].sum())
    may_well = int((chances >= WORTH).sum())
    if found and may_well and expected >= EXPECTED:
        return may_well
    if found > 1 and not _is_stuck(found, rejected, expected, size):
        return may_well
    least = 0 if found else size  # before anybody is found it goes on
    return min(len(chances), max(PATIENCE * size - rejected, least))


def _said(model: Model) -> tuple[int, int]:
    """Faces confirmed, and faces rejected."""
    return int(model.scorer.yes.sum()), int(model.scorer.no.sum())


def _is_stuck(found: int, rejected: int, expected: float, size: int) -> bool:
    """Whether what was found leads nowhere; then those are asked about who are seen often."""
    return found < STUCK and expected < 1 and size // 2 <= rejected < PATIENCE * size


def first_one(model: Model, ask: Ask, open_: Mask) -> Ask | None:
    """A single face of `ask` to be answered first, if that is expected to save actions.

    Its answer is that of the faces alike, so it saves the corrections expected among these.
    """
    scorer, rows = model.scorer, ask.rows
    alike = scorer.space.similarities(scorer.vectors[rows], scorer.vectors[rows])
    wrong = np.where(ask.marks, 1 - ask.chances, ask.chances)
    saved = (alike > scorer.prior.same) @ wrong
    best = int(saved.argmax())
    if saved[best] <= SAVING:
        return None
    together = _with_copies(model, rows[[best]], open_, len(open_))
    marks = np.repeat(ask.marks[best], len(together))
    return Ask(Kind.ONE, together, marks, np.repeat(ask.chances[best], len(together)))


def likely(model: Model, chances: Doubles, open_: Mask, size: int = SCREEN_SIZE) -> Ask:
    """The likeliest faces, marked where Yes is likelier than No, once a photo.

    Copies of one picture stand side by side. Where nothing is marked, the screen is one of
    others: it asks whether really nobody here is the person.
    """
    count = min(size, int(open_.sum()))
    best = np.argpartition(-chances, count - 1)[:count]
    rows = best[np.lexsort((best, -chances[best]))]
    rows = _with_copies(model, rows, open_, size)
    marks = _marks(model, rows, chances[rows])
    return Ask(Kind.LIKELY if marks.any() else Kind.OTHERS, rows, marks, chances[rows])


def _with_copies(model: Model, rows: Ints, open_: Mask, size: int) -> Ints:
    """`rows`, each followed by the open copies of its picture: `size` at most, and no picture's
    copies on two screens unless there are more of them than that."""
    copies = model.around.duplicates
    if not (copies[rows] >= 0).any():
        return rows
    found: dict[int, None] = {}
    for row in rows.tolist():
        group = {row: None}
        if copies[row] >= 0:
            group |= dict.fromkeys(np.flatnonzero((copies == copies[row]) & open_).tolist())
        if found and len(found | group) > size:
            break
        found |= group
    return np.fromiter(found, np.int64)[:size]


def common(model: Model, open_: Mask, size: int) -> Ask | None:
    """Those who are seen most often: of each group of look-alikes one, none marked."""
    candidates, counts = model.commonness()
    scorer = model.scorer
    unlike = open_[candidates] & (scorer.rejected[candidates] < scorer.prior.same)
    # Once everybody left looks like somebody rejected, that says nothing more.
    left = np.where(unlike if unlike.any() else open_[candidates], counts, -1)
    chosen: list[int] = []
    while len(chosen) < size and left.max(initial=-1) >= 0:
        medoid = int(left.argmax())
        chosen.append(medoid)
        left[medoid] = -1
        if unlike.any():
            like = scorer.space.similarities(
                scorer.vectors[candidates], scorer.vectors[candidates[[medoid]]]
            )[:, 0]
            left[like > scorer.prior.same - APART] = -1
    if not chosen:
        return None
    rows = candidates[chosen]
    share = counts[chosen].astype(np.float64) ** 2
    chance = share / max(share.sum(), 1)
    # Somebody else may well be seen more often than the person: nothing is marked.
    return Ask(Kind.COMMON, rows, np.zeros(len(rows), bool), chance)


def _marks(model: Model, rows: Ints, chances: Doubles) -> Mask:
    marks = chances > 0.5
    photos, free = model.photos[rows], ~model.around.collage[rows]
    seen: set[int] = set()
    for at in np.flatnonzero(marks & free):  # the likeliest come first
        if int(photos[at]) in seen:
            marks[at] = False
        seen.add(int(photos[at]))
    return marks
