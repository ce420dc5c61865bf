"""How many actions a tag would cost: the product's own asking, played through on faces whose
answers are known. Nothing of it is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classify import learning
from classify.learning.choose_screen import Kind
from classify.learning.distances import Floats, Ints, Mask

STARTS = 5  # known faces to begin from, one after the other
LEAST = 3  # faces of the person, without which there is nothing to ask


@dataclass(frozen=True)
class Cost:
    """Of all rehearsals together."""

    actions: int
    tags: int  # the person's faces that were confirmed
    there: int  # that might have been

    @property
    def per_tag(self) -> float:
        return self.actions / self.tags if self.tags else float("inf")

    @property
    def reached(self) -> float:
        return self.tags / self.there if self.there else 0.0


def rehearse(vectors: Floats, photos: Ints, person: Mask, prior: learning.Prior) -> Cost | None:
    """From one known face of the person until asking on is not worth it.

    Of vectors float32[n, d] with the photo of each and whether it is the person. A screen is one
    action and one more for each wrong mark; one of those seen most often is one tap. None with
    too few faces of the person.
    """
    starts = np.flatnonzero(person)
    if len(starts) < LEAST:
        return None
    some = starts[np.unique(np.linspace(0, len(starts) - 1, STARTS).astype(int))]
    costs = [_from(int(start), vectors, photos, person, prior) for start in some]
    actions, tags = (sum(column) for column in zip(*costs, strict=True))
    return Cost(actions, tags, len(some) * (len(starts) - 1))


def _from(
    start: int, vectors: Floats, photos: Ints, person: Mask, prior: learning.Prior
) -> tuple[int, int]:
    """Actions, and the person's faces that were confirmed."""
    model = learning.Model.of(prior, vectors, photos)
    open_ = np.ones(len(model), bool)
    open_[start] = False
    model.tell(np.array([start]), np.array([True]))
    actions = 0
    while ask := learning.choose(model, open_):
        rows, truth = ask.rows, person[ask.rows]
        match ask.kind:
            case Kind.ONE:
                actions += 1
            case Kind.COMMON:  # a tap on one of the person's faces, or "none of them"
                actions += 1
                rows = rows[truth][:1] if truth.any() else rows
            case _:
                actions += 1 + int((ask.marks != truth).sum())
        model.tell(rows, person[rows])
    return actions, int(model.scorer.yes.sum()) - 1
