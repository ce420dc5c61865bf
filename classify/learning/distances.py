"""Euclidean distances between faces, a block of rows at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BLOCK = 1024  # rows at once
AT_ONCE = 2_000_000  # distances, which are 8 MB


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
    if not count:
        return np.empty((len(vectors), 0), np.int64)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups[groups >= 0])]
    enough = min(count + len(members), len(references))
    chosen = []
    for block in pairwise(vectors, references):
        near = np.argpartition(block, enough - 1, axis=1)[:, :enough].tolist()
        nearest = [some[block[:, some].argmin(axis=1)] for some in members]
        heads = np.array(nearest, np.int64).reshape(len(members), len(block)).T.tolist()
        for row, some, firsts in zip(block, near, heads, strict=True):
            chosen.append(_spread(row, groups, some, firsts)[:count])
    return np.array(chosen, np.int64).reshape(len(vectors), count)


def _spread(row: Floats, groups: Ints, near: list[int], heads: list[int]) -> list[int]:
    """Of references at the distances `row` the nearest, the `heads` of other groups, the others."""
    first, *others = sorted({*near, *heads}, key=lambda at: (row[at], at))
    elsewhere = {head for head in heads if groups[head] != groups[first]}
    return [first, *sorted(others, key=lambda at: at not in elsewhere)]


def pairwise(vectors: Floats, references: Floats) -> Iterator[Floats]:
    """Blocks float32[b, m] of the distances of vectors[n, d] to references[m, d].

    |a − b|² = |a|² + |b|² − 2ab, so that a matrix product does the work. In float32 this is
    good to about 0.001 for vectors of length 1.
    """
    squares = np.einsum("ij,ij->i", references, references)
    step = max(1, AT_ONCE // max(len(references), 1))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step]
        squared = np.einsum("ij,ij->i", block, block)[:, None] + squares
        squared -= 2 * (block @ references.T)
        yield np.sqrt(np.maximum(squared, 0, out=squared), out=squared)
