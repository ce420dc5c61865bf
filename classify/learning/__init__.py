"""Learning from answers: pure numpy, no Django, no I/O.

Vectors are float32 rows of a matrix; all distances are euclidean in the engine's own space
(for dlib's 128-D network, two photos of one person are mostly nearer than 0.6).
"""

from classify.learning.distances import centroid, distances, nearest, to_nearest
from classify.learning.order import asking_order, commonness, cost, one_a_group

__all__ = [
    "asking_order",
    "centroid",
    "commonness",
    "cost",
    "distances",
    "nearest",
    "one_a_group",
    "to_nearest",
]
