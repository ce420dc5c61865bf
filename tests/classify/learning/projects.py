"""Small made-up projects: clusters of unit vectors, one of which is the person."""

from __future__ import annotations

import numpy as np

from classify.learning.distances import Floats, Ints, Mask
from classify.learning.model import Circumstances, Model
from classify.learning.priors import Prior
from crawler.engines import KINDS

PRIORS = {key: Prior.of(kind.metric, kind.prior) for key, kind in KINDS.items()}
SFACE, DLIB = PRIORS["sface"], PRIORS["dlib"]


def faces(seed: int, people: int = 6, each: int = 12, noise: float = 0.6) -> tuple[Floats, Mask]:
    """Vectors float32[people · each, 32] in no order, and which are the person's."""
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(people), each))
    centres = rng.standard_normal((people, 32))
    vectors = centres[who] + noise * rng.standard_normal((len(who), 32))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), who == 0


def model(
    vectors: Floats,
    photos: Ints | None = None,
    prior: Prior = SFACE,
    around: Circumstances | None = None,
) -> Model:
    """A face a photo, if no photos are given."""
    return Model.of(prior, vectors, np.arange(len(vectors)) if photos is None else photos, around)
