"""In which order faces are asked, so that few answers are needed: the likely ones first."""

import numpy as np

from classify.learning.distances import Floats, Ints, Mask, pairwise, to_nearest

SAME = 0.5  # nearer than that, two faces are very likely one person (dlib's network)
SAMPLE = 1000  # faces that the commonness of a face is counted among


def cost(vectors: Floats, groups: Ints, examples: Floats, negatives: Floats) -> Floats:
    """float32[n]: how unlikely each of vectors[n, d] is the person; the lowest is asked first.

    The distance to the nearest example; a face that is nearer still to somebody whom people
    said No to gets the difference on top. Without any example the face that is most common
    among the groups (photos) comes first, and faces like those people said No to come last.
    """
    wrong = to_nearest(vectors, negatives)
    if len(examples) == 0:
        rare: Floats = (1 / (1 + commonness(vectors, groups)) + (wrong < SAME)).astype(np.float32)
        return rare
    near = to_nearest(vectors, examples)
    likely: Floats = near + np.maximum(near - wrong, 0)
    return likely


def commonness(vectors: Floats, groups: Ints) -> Ints:
    """int64[n]: how many faces of other groups (photos) look like each of vectors[n, d].

    In a person's category the face that recurs is likely theirs. Counted among an even sample.
    """
    step = max(1, -(-len(vectors) // SAMPLE))
    sample, sampled = vectors[::step], groups[::step]
    found, start = np.zeros(len(vectors), np.int64), 0
    for block in pairwise(vectors, sample):
        rows = slice(start, start + len(block))
        alike = (block < SAME) & (groups[rows, None] != sampled)
        found[rows] = alike.sum(axis=1)
        start += len(block)
    return found


def one_a_group(costs: Floats, groups: Ints, chosen: Mask) -> Mask:
    """bool[n]: the cheapest face of each group, among those `chosen`."""
    rows = np.flatnonzero(chosen)
    cheapest_first = rows[np.lexsort((costs[rows], groups[rows]))]
    _, first = np.unique(groups[cheapest_first], return_index=True)
    mask = np.zeros(len(costs), bool)
    mask[cheapest_first[first]] = True
    return mask


def asking_order(costs: Floats, open_: Mask, tiers: Ints) -> Ints:
    """int64[k]: the rows that are `open_` to be asked, by tier and then by cost, lowest first.

    Equal rows keep their order.
    """
    rows = np.flatnonzero(open_)
    return rows[np.lexsort((costs[rows], tiers[rows]))].astype(np.int64)
