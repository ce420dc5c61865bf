"""Telling a project's pages that something they show has changed.

It beats by itself with everything that the learner is told, and with every audited deed in a
project. The crawler, the learner and the writer call it for what moves on its own; see
docs/decisions/0016.
"""

from django.db.models import F

from projects.models import Project


def beat(*project_ids: int) -> None:
    """Call in the transaction of the change, as its last statement (it holds the projects' rows),
    or right after it: never before, or a page would miss the change."""
    Project.objects.filter(pk__in=project_ids).update(pulse=F("pulse") + 1)
