"""`python -m bench.prior`: fit the numbers of classify/learning/priors.py anew.

For every identity with 8 photos or more, simulated projects are answered grid by grid; at each
step the faces that nobody answered yet are examples of a logistic regression, those that compete
for the next grid weighing most. Fitted on half of the identities and tried on the other, then on
all. Prints the weights; a person writes them into the file.
"""

from __future__ import annotations

import numpy as np

from bench import pools
from bench.pools import Encodings
from classify.learning.distances import Floats, Ints, Mask
from classify.learning.scorer import Doubles, Scorer

PROJECTS = 3  # of each identity
GRIDS = 20  # at most
RIDGE = 1e-3


def main() -> None:
    for faces in pools.files():
        if not faces.name.endswith("_hard"):
            continue
        of, measures, person, weight = examples(faces)
        half = np.isin(of, np.unique(of)[::2])
        for there, name in ((half, "one half"), (~half, "other half")):
            weights = fit(measures[there], person[there], weight[there])
            lost = loss(weights, measures[~there], person[~there], weight[~there])
            print(f"{faces.name} {name}: {np.round(weights, 2)}, elsewhere {lost:.4f}")
        weights = fit(measures, person, weight)
        lost = loss(weights, measures, person, weight)
        print(f"{faces.name} all: {np.round(weights, 2)}, there {lost:.4f}")


def examples(faces: Encodings) -> tuple[Ints, Floats, Mask, Doubles]:
    """Identity, measures, truth and weight of every face in every state."""
    found: list[tuple[Ints, Floats, Mask, Doubles]] = []
    for person in faces.people(8):
        for project in range(PROJECTS):
            rng = np.random.default_rng([9, int(person), project])
            pool = pools.pool(faces, int(person), int(rng.choice([5, 10, 20])), rng)
            scorer = Scorer(faces.prior, pool.vectors, pool.photos)
            scorer.tell(np.array([pool.portrait]), np.array([True]))
            for grid in range(GRIDS):
                left = scorer.said == 0
                if not (pool.person & left).any() and grid > 2:
                    break
                likely = np.argsort(-np.where(left, scorer.log_odds(), -np.inf))
                weight = np.full(len(left), 6 / len(left))
                weight[likely[:40]] = 1
                rows = np.flatnonzero(left)
                of = np.full(len(rows), person)
                found.append((of, scorer.features()[rows], pool.person[rows], weight[rows]))
                scorer.tell(likely[:20], pool.person[likely[:20]])
    identities, measures, truth, weights = zip(*found, strict=True)
    return (
        np.concatenate(identities),
        np.concatenate(measures),
        np.concatenate(truth),
        np.concatenate(weights),
    )


def fit(measures: Floats, person: Mask, weight: Doubles) -> Doubles:
    """Weights, the constant first, by Newton's method on the penalised likelihood."""
    middle, spread = measures.mean(axis=0), measures.std(axis=0) + 1e-9
    scaled = np.column_stack([np.ones(len(measures)), (measures - middle) / spread])
    share = weight / weight.sum()
    found = np.zeros(scaled.shape[1])
    penalty = RIDGE * np.r_[0, np.ones(measures.shape[1])]
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ found, -30, 30)))
        slope = scaled.T @ (share * (chance - person)) + penalty * found
        bend = (scaled * (share * chance * (1 - chance))[:, None]).T @ scaled
        found -= np.linalg.solve(bend + np.diag(penalty + 1e-12), slope)
    each = found[1:] / spread
    weights: Doubles = np.r_[found[0] - (each * middle).sum(), each]
    return weights


def loss(weights: Doubles, measures: Floats, person: Mask, weight: Doubles) -> float:
    """The mean negative log likelihood."""
    odds = np.clip(weights[0] + measures @ weights[1:], -30, 30)
    each = np.log1p(np.exp(np.where(person, -odds, odds)))
    return float((each * weight).sum() / weight.sum())


if __name__ == "__main__":
    main()
