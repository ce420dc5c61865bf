"""Faces that are copies of one picture: crops, re-uploads, other sizes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classify.learning.distances import Ints, Mask
from classify.learning.neighbours import Lookalikes
from classify.learning.similarity import COSINE, Space

ALIKE = {COSINE: 0.85}  # similarity of two copies at least; far beyond `Prior.same`
ALIKE_OTHERWISE = 0.75  # 1 − distance
BITS = 20  # of 128 in which the perceptual hashes of two copies differ at most


def copies(space: Space, alike: Lookalikes, hashes: NDArray[np.uint8], hashed: Mask) -> Ints:
    """int64[n]: a number ≥ 0 that copies of one face share; −1 where a face has no copy.

    Looked for among the look-alikes, by vector and by perceptual hash: hashes uint8[n, 16],
    bool[n] says where there is one. Copies of a copy are copies.
    """
    number = len(alike.rows)
    rows, near = np.repeat(np.arange(number), alike.rows.shape[1]), alike.rows.ravel()
    close = alike.sims.ravel() >= ALIKE.get(space.metric, ALIKE_OTHERWISE)
    close &= hashed[rows] & hashed[near] & (rows != near)
    rows, near = rows[close], near[close]
    differ = np.bitwise_count(hashes[rows] ^ hashes[near]).sum(axis=1, dtype=np.int64)
    return _groups(number, rows[differ <= BITS], near[differ <= BITS])


def _groups(number: int, one: Ints, other: Ints) -> Ints:
    """Connected parts: each has the lowest row that is in it; −1 for rows without a pair."""
    found = np.arange(number)
    while len(one):
        before = found.copy()
        np.minimum.at(found, one, before[other])
        np.minimum.at(found, other, before[one])
        found = found[found]
        if (found == before).all():
            break
    paired = np.zeros(number, bool)
    paired[one] = paired[other] = True
    return np.where(paired, found, -1)
