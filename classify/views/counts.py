"""The figures beside every question: what one has answered, what is left, what it has led to."""

from __future__ import annotations

from typing import Any

from classify import labels, selectors
from projects.models import Project


def of(project: Project, user: Any) -> dict[str, int]:
    known = selectors.face_counts(project)
    return {
        "answered": labels.standing(project).filter(user=user).count(),
        "left": known.unanswered,
        "matches": known.matches,
        "worth": selectors.learner(project).worth,
        "needed": selectors.still_needed(project),
    }
