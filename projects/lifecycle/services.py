"""States of a project: who may bring it from which to which, and what follows."""

from __future__ import annotations

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from projects.ledger import audit
from projects.models import Project, User
from projects.privacy import denylist

# From which states these come: what is archived is opened again, neither paused nor completed.
COMES_FROM: dict[str, tuple[str, ...]] = {
    Project.State.PAUSED: (Project.State.ACTIVE, Project.State.COMPLETED),
    Project.State.COMPLETED: (Project.State.ACTIVE, Project.State.PAUSED),
}


def set_state(project: Project, by: User | None, state: str) -> None:
    """Pause, resume, complete, archive or open again. An archived project keeps its answers;
    reopening it takes its place as the owner's one live project for this person, if that is free.
    """
    if state in (Project.State.ACTIVE, Project.State.COMPLETED):
        denylist.refuse_project(project)
    live = state != Project.State.ARCHIVED
    key = f"{project.owner_id}:{project.subject.person_id}" if live else None
    # not one that was handed over since `project` was read: its place is the new owner's
    rows = Project.objects.filter(pk=project.pk, owner=project.owner_id).exclude(state=state)
    if state in COMES_FROM:
        rows = rows.filter(state__in=COMES_FROM[state])
    try:
        _change_state(rows, project, by, state, key)
    except IntegrityError:
        raise Refused(
            "has-another", _("You have another live project for this person. Archive that first.")
        )


@atomic
def _change_state(
    rows: QuerySet[Project], project: Project, by: User | None, state: str, key: str | None
) -> None:
    if rows.update(state=state, active_key=key):
        audit(by, f"project.{state}", project, f"project:{project.pk}")
        if state == Project.State.ACTIVE:
            announce("project-resumed")
