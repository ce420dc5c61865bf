"""What follows from the answers: which faces are matches, and which are asked next.

Two rules. *Exemplars* compares each face with the answered ones most like it, and asks in the
screens that save most work. *Centroid* is the simple rule: after so many confirmed faces, what
is nearer to their mean than a threshold is a match.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from classify import learning
from classify.learner.cache import Mind
from classify.learner.project_arrays import Words
from classify.learning.calibration import probability
from classify.learning.choose_screen import SCREEN_SIZE, WORTH, Ask, Kind, likely
from classify.learning.distances import Ints, Mask
from classify.learning.scorer import Doubles
from classify.models import Score
from crawler.detection.embeddings import usual_scale
from projects.models import Project

AHEAD = 3  # screens that are prepared, beyond those that somebody is looking at
EACH = 0.5  # screens more for each who does: a screen lasts longer than a turn of the learner
SINGLY = 40  # faces that are prepared at least
TAUGHT = 5  # faces that people confirmed, from which on statements are not asked about
LIKELY = 0.5  # chance from which on a face is taken for the person


@dataclass(frozen=True)
class Thoughts:
    """For the n rows of Faces."""

    unlikely: Doubles  # see Score
    is_match: Mask
    chances: Doubles | None  # none by the centroid rule
    askable: Mask  # may be asked at all, in a grid or singly
    left: Mask  # nobody looked at it, and it may bring a tag
    order: Ints | None = None  # by the centroid rule: rows to ask, the first one first
    first: int = 0  # of these, how many may well be the person

    @classmethod
    def of(cls, mind: Mind, words: Words, project: Project) -> Thoughts:
        exemplars = project.rule == Project.Rule.EXEMPLARS
        return by_exemplars(mind, words) if exemplars else by_centroid(mind, words, project)

    def worth(self, mind: Mind, open_: Mask) -> int:
        """About how many faces, of those that are `open_`, are still worth an answer, by the
        present opinion."""
        if self.order is not None:
            return self.first
        open_ = open_ & self.askable
        alone = open_ & ~mind.faces.trusted & (self.unlikely <= 1 - WORTH)
        return learning.outlook(mind.model, open_ & mind.faces.trusted, SCREEN_SIZE) + int(
            alone.sum()
        )


def by_exemplars(mind: Mind, words: Words) -> Thoughts:
    faces, model = mind.faces, mind.model
    chances = model.chances()
    unlikely = np.full(len(faces), Score.FAR)
    if model.scorer.yes.any():
        # Of a face that people answered, what all the others say of it.
        unlikely = 1 - np.where(words.said, probability(model.rest()), chances)
    candidates = ~words.labelled & ~words.shown & faces.trusted & ~faces.depicted
    candidates &= unlikely < 1 - LIKELY
    likeliest = learning.one_a_group(unlikely, faces.picture_ids, candidates)
    known = words.people >= TAUGHT
    return Thoughts(
        unlikely=unlikely,
        is_match=likeliest,
        chances=chances,
        askable=~words.said & ~(faces.depicted & known),
        left=~words.said & ~faces.depicted & ~words.shown,
    )


def by_centroid(mind: Mind, words: Words, project: Project) -> Thoughts:
    """A match is nearer to the confirmed faces' mean than the project's threshold."""
    faces, vectors = mind.faces, mind.model.scorer.vectors
    left = ~words.said & ~faces.depicted & ~words.shown
    positive = (words.confirmed if project.bootstrap_counts else words.yes) & faces.trusted
    if words.counted(project) < project.min_confirmed or not positive.any():
        order = _order(mind, words, np.zeros(len(faces), np.int64))
        unlikely = np.full(len(faces), Score.FAR)
        none = np.zeros(len(faces), bool)
        return Thoughts(unlikely, none, None, ~words.labelled, left, order, len(order))
    middle = learning.centroid(vectors[positive])
    engine = mind.engine
    if engine.metric == "cosine":  # a mean is shorter than what it is the mean of, so nearer
        middle = middle / np.float32(max(float(np.linalg.norm(middle)), 1e-9))
    distances = usual_scale(engine.metric, engine.match) * learning.distances(vectors, middle)
    is_match = (distances < project.threshold) & ~words.labelled & faces.trusted
    # Matches are settled twenty at a look in the review. Asked singly are, before them,
    # those just beyond the threshold, since nobody else finds these.
    unsure = ~is_match & (distances < project.threshold + Score.UNCERTAIN)
    tiers = np.select([unsure, is_match], [0, 1], 2).astype(np.int64)
    order = _order(mind, words, tiers)
    first = int(((tiers < 2) & ~words.labelled).sum())
    return Thoughts(
        distances.astype(np.float64), is_match, None, ~words.labelled, left, order, first
    )


def screens(mind: Mind, thoughts: Thoughts, open_: Mask, people: int) -> Iterator[Ask]:
    """Choose what to ask, the next screen first: AHEAD of them, EACH more for each of the `people`
    who answer now, and more for who answers one face at a time, until there are SINGLY faces.
    Fewer where no more are worth asking.

    Only faces in `open_` are asked.
    """
    trusted = open_ & mind.faces.trusted
    asked = 0
    in_order = thoughts.order is not None
    for ask in (_in_order if in_order else _chosen)(mind, thoughts, trusted, people):
        yield ask
        asked += len(ask.rows)
    if in_order or mind.model.scorer.yes.any():  # else nothing says which of them may be likely
        yield from one_by_one(mind, thoughts, open_ & ~mind.faces.trusted, SINGLY - asked)


def one_by_one(mind: Mind, thoughts: Thoughts, open_: Mask, count: int) -> Iterator[Ask]:
    """Faces that are asked alone, without a guess, the likeliest first."""
    if thoughts.order is not None:
        rows = thoughts.order[open_[thoughts.order]]
    else:
        unknown = thoughts.unlikely == Score.FAR
        rows = np.flatnonzero(open_ & (unknown | (thoughts.unlikely <= 1 - WORTH)))
        rows = rows[np.argsort(thoughts.unlikely[rows], kind="stable")]
    for row in rows[: max(count, 0)].tolist():
        yield Ask(Kind.ONE, np.array([row]), np.zeros(1, bool), np.full(1, np.nan))


def _chosen(mind: Mind, thoughts: Thoughts, open_: Mask, people: int) -> Iterator[Ask]:
    open_, asked = open_.copy(), 0
    for _ in range(AHEAD + int(EACH * people)):
        if (ask := learning.choose(mind.model, open_, SCREEN_SIZE)) is None:
            return
        yield ask
        open_[ask.rows] = False
        asked += len(ask.rows)
    if asked < SINGLY and open_.any() and thoughts.chances is not None:
        chances = np.where(open_, thoughts.chances, 0)
        ask = likely(mind.model, chances, open_, min(SCREEN_SIZE, SINGLY - asked))
        if (worth := ask.chances >= WORTH).any():
            yield Ask(ask.kind, ask.rows[worth], ask.marks[worth], ask.chances[worth])


def _in_order(mind: Mind, thoughts: Thoughts, open_: Mask, people: int) -> Iterator[Ask]:
    assert thoughts.order is not None
    rows = thoughts.order[open_[thoughts.order]][: SINGLY + int(SCREEN_SIZE * EACH * people)]
    for start in range(0, len(rows), SCREEN_SIZE):
        some = rows[start : start + SCREEN_SIZE]
        marks = thoughts.is_match[some]
        kind = Kind.LIKELY if marks.any() else Kind.OTHERS
        yield Ask(kind, some, marks, np.full(len(some), np.nan))


def _order(mind: Mind, words: Words, tiers: Ints) -> Ints:
    """Rows to ask: what is nearest to the examples comes first within each of `tiers`."""
    faces, vectors = mind.faces, mind.model.scorer.vectors
    if (scale := usual_scale(mind.engine.metric, mind.engine.match)) != 1:
        vectors = vectors * np.float32(scale)
    examples = words.confirmed | (faces.portrait & ~words.spoken)
    costs = learning.cost(vectors, faces.picture_ids, vectors[examples], vectors[words.no])
    open_ = ~words.labelled
    # In a photo that shows the person already another face adds nothing: those come last.
    # One of the faces of a tagged photo is the person: the likeliest is asked before all else.
    pressed = open_ & faces.depicted & ~words.spoken
    first = learning.one_a_group(costs, faces.picture_ids, pressed)
    tiers = np.where(first, -1, np.where(words.shown, 9, tiers))
    return learning.asking_order(costs, open_, tiers)
