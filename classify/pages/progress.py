"""The figures beside every question: what one has answered, what is left, what it has led to.

Faces are left as long as an answer is worth giving: of those that nobody will be asked about
the page says how many there are where it says that it is enough.
"""

from __future__ import annotations

from typing import Any

from classify import labels, selectors
from classify.asking import queue as asking_queue
from projects.live.census import is_being_counted, is_large
from projects.models import Project

SPARE = 20  # confirmed faces more than are needed: a few that are taken back change nothing then


def of(
    project: Project, user: Any, given: int | None = None, worth: int | None = None
) -> dict[str, int]:
    """`given` is how many answers of the user stand, and `worth` how many are still worth giving,
    where these were counted before."""
    learned = selectors.learner(project)
    if given is None:
        given = labels.standing(project).filter(user=user).count()
    if worth is None:
        worth = asking_queue.worth(project)
    left, matches = _open(project, learned)
    return {
        "answered": given,
        "left": left if worth or not learned.faces else 0,
        "matches": matches,
        "worth": worth,
        "needed": _needed(project, learned),
    }


def _open(project: Project, learned: selectors.LearnerState) -> tuple[int, int]:
    """Faces left to answer, and those to review. By exemplars nobody is asked about faces in
    photos that are known to show the person.

    Of a large project it is as the learner saw it last, a second ago while people answer.
    """
    by_centroid = project.rule == Project.Rule.CENTROID
    thinks = bool(learned.faces) and not by_centroid
    if is_being_counted(project) or (thinks and is_large(project)):
        return learned.left, learned.matches
    known = selectors.face_counts(project)
    if by_centroid or not learned.faces:
        return known.unanswered, known.matches
    return min(known.unanswered, learned.left), known.matches


def _needed(project: Project, learned: selectors.LearnerState) -> int:
    enough = project.min_confirmed if project.rule == Project.Rule.CENTROID else 1
    if learned.confirmed >= enough + SPARE:
        return 0
    return selectors.still_needed(project)
