"""How an engine's vectors are compared: one similarity, the higher the more alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classify.learning.distances import Floats

COSINE, EUCLIDEAN = "cosine", "euclidean"


@dataclass(frozen=True)
class Space:
    """Vectors of one engine. Similarity is the cosine, or 1 − distance; 1 for equal faces."""

    metric: str

    def __post_init__(self) -> None:
        if self.metric not in (COSINE, EUCLIDEAN):
            raise ValueError(f"unknown metric {self.metric!r}")

    def prepare(self, vectors: Floats) -> Floats:
        """float32[n, d] as `similarities` takes them: of length 1 where the cosine counts."""
        ready: Floats = np.ascontiguousarray(vectors, dtype=np.float32)
        if self.metric == EUCLIDEAN or not len(ready):
            return ready
        lengths = np.sqrt(np.einsum("ij,ij->i", ready, ready))
        if np.abs(lengths - 1).max() < 1e-5:
            return ready  # a million of them need no second copy
        unit: Floats = ready / np.maximum(lengths, 1e-9)[:, None]
        return unit

    def similarities(self, vectors: Floats, references: Floats) -> Floats:
        """float32[n, m] of prepared vectors[n, d] and references[m, d]."""
        product: Floats = vectors @ references.T
        if self.metric == COSINE:
            return product
        squares = np.einsum("ij,ij->i", vectors, vectors)[:, None]
        product *= -2
        product += squares
        product += np.einsum("ij,ij->i", references, references)
        np.sqrt(np.maximum(product, 0, out=product), out=product)
        return np.subtract(1, product, out=product)
