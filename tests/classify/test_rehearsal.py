"""What a tag would cost: the product's own asking on faces whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from classify.learner.simulation import rehearse
from tests.classify.learning.projects import PRIORS


def faces(spread: float, count: int = 30, others: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of one person and of strangers; the person's lie nearer for a small spread."""
    random = np.random.default_rng(3)
    mine = np.eye(128)[0] + spread * random.standard_normal((count, 128)) / np.sqrt(128)
    vectors = np.concatenate([mine, random.standard_normal((others, 128))])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.arange(count + others) < count


def test_an_engine_that_tells_people_apart_needs_fewer_answers() -> None:
    costs = []
    for spread in (0.6, 2.5):
        vectors, person = faces(spread)
        cost = rehearse(vectors, np.arange(len(vectors)), person, PRIORS["sface"])
        assert cost
        costs.append(cost)
    good, bad = costs
    assert good.reached == 1
    assert good.per_tag < 0.2
    assert good.per_tag < bad.per_tag or good.reached > bad.reached


def test_each_wrong_mark_costs_an_action() -> None:
    """Of twins each is marked with the other: no order of asking spares the person that."""
    vectors, person = faces(0.5, count=40, others=0)
    twins = person & (np.arange(40) % 2 == 0)
    cost = rehearse(vectors, np.arange(40), twins, PRIORS["sface"])
    assert cost
    assert cost.actions > cost.tags / 2


@pytest.mark.parametrize("count", [0, 2])
def test_with_too_few_faces_nothing_is_said(count: int) -> None:
    vectors, person = faces(0.5)
    few = person & (person.cumsum() <= count)
    assert rehearse(vectors, np.arange(len(vectors)), few, PRIORS["sface"]) is None
