"""The figures beside every question: what one has answered, what is left, what it has led to."""

from __future__ import annotations

from typing import Any

from classify import labels, selectors
from projects.models import Project


def of(project: Project, user: Any) -> dict[str, int]:
    known, learned = selectors.face_counts(project), selectors.learner(project)
    return {
        "answered": labels.standing(project).filter(user=user).count(),
        "left": _left(project, known.unanswered, learned),
        "matches": known.matches,
        "worth": learned.worth,
        "needed": selectors.still_needed(project),
    }


def _left(project: Project, unanswered: int, learned: selectors.LearnerState) -> int:
    """By exemplars nobody is asked about faces in photos that are known to show the person."""
    if project.rule == Project.Rule.CENTROID or not learned.faces:
        return unanswered
    return min(unanswered, learned.left)
