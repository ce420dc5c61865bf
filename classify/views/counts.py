"""The figures beside every question: what one has answered, what is left, what it has led to."""

from __future__ import annotations

from typing import Any

from classify import labels, selectors
from classify.models import Learner
from projects.models import Project


def of(project: Project, user: Any) -> dict[str, int]:
    known = selectors.face_counts(project)
    return {
        "answered": labels.standing(project).filter(user=user).count(),
        "left": known.unanswered,
        "matches": known.matches,
        "worth": worth(project),
        "needed": selectors.still_needed(project),
    }


def worth(project: Project) -> int:
    """About how many more answers are worth giving, as of the last time that it learned."""
    learner = Learner.objects.filter(project=project).first()
    return round(learner.worth) if learner else 0
