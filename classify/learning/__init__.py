"""Learning from answers: pure numpy, no Django, no I/O.

Vectors are float32 rows of a matrix; every face of a project is a row. `Model` holds what is
thought of them, `choose` says what to ask next, `review` what to look at again, `guarantees`
what can be said for certain. The centroid rule stands apart: distances from one mean.
"""

from classify.learning.calibration import date_log_odds
from classify.learning.choose_screen import Ask, Kind, choose, outlook
from classify.learning.copies import copies
from classify.learning.distances import centroid, distances, nearest_across, to_nearest
from classify.learning.intervals import Interval
from classify.learning.model import Circumstances, Model
from classify.learning.neighbours import Lookalikes
from classify.learning.order import asking_order, commonness, cost, one_a_group
from classify.learning.priors import Prior
from classify.learning.review import SecondLooks, doubted, second_looks, third_looks
from classify.learning.scorer import Scorer

__all__ = [
    "Ask",
    "Circumstances",
    "Interval",
    "Kind",
    "Lookalikes",
    "Model",
    "Prior",
    "Scorer",
    "SecondLooks",
    "asking_order",
    "centroid",
    "choose",
    "commonness",
    "copies",
    "cost",
    "date_log_odds",
    "distances",
    "doubted",
    "nearest_across",
    "one_a_group",
    "outlook",
    "second_looks",
    "third_looks",
    "to_nearest",
]
