"""Euclidean distances between faces, a block of rows at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BLOCK = 1024  # rows; 1024 x 2000 distances are 8 MB


def centroid(vectors: Floats) -> Floats:
    """The mean of vectors[n, d], n ≥ 1, as float32[d]. Raises ValueError for none."""
    if len(vectors) == 0:
        raise ValueError("no vectors, no centroid")
    mean: Floats = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def distances(vectors: Floats, point: Floats) -> Floats:
    """float32[n]: from each of vectors[n, d] to point[d]."""
    found = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), BLOCK):
        block = slice(start, start + BLOCK)
        found[block] = np.linalg.norm(vectors[block] - point, axis=1)
    return found


def to_nearest(vectors: Floats, references: Floats) -> Floats:
    """float32[n]: from each of vectors[n, d] to the nearest of references[m, d]; inf for m = 0."""
    if len(references) == 0:
        return np.full(len(vectors), np.inf, np.float32)
    blocks = [block.min(axis=1) for block in pairwise(vectors, references)]
    return np.concatenate(blocks) if blocks else np.empty(0, np.float32)


def nearest_across(vectors: Floats, references: Floats, groups: Ints, count: int) -> Ints:
    """int64[n, min(count, m)]: the nearest of references[m, d] for each of vectors[n, d], then
    the nearest of every other of `groups` int64[m] (−1: of none), then whatever is near."""
    count = min(count, len(references))
    rows = [
        np.argsort(row, kind="stable") for block in pairwise(vectors, references) for row in block
    ]
    chosen = [order[_spread(groups[order])[:count]] for order in rows]
    return np.array(chosen, np.int64).reshape(len(rows), count)


def _spread(groups: Ints) -> Ints:
    """Places in `groups`: the first, the first of each other group, and then all the others."""
    named, firsts = np.unique(groups, return_index=True)
    heads = np.sort(firsts[(named >= 0) & (named != groups[:1])])
    order = np.concatenate([[0], heads, np.arange(len(groups))])
    _, at = np.unique(order, return_index=True)
    spread: Ints = order[np.sort(at)].astype(np.int64)
    return spread


def pairwise(vectors: Floats, references: Floats) -> Iterator[Floats]:
    """Blocks float32[≤ 1024, m] of the distances of vectors[n, d] to references[m, d].

    |a − b|² = |a|² + |b|² − 2ab, so that a matrix product does the work. In float32 this is
    good to about 0.001 for vectors of length 1.
    """
    squares = np.einsum("ij,ij->i", references, references)
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK]
        squared = np.einsum("ij,ij->i", block, block)[:, None] + squares
        squared -= 2 * (block @ references.T)
        yield np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
