"""Which engine is whose: the deployment's, a project's, and the one it is changing to."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet

from crawler.engines import KINDS
from crawler.models import EngineVersion, Picture, ProjectEngine
from crawler.registry.versions import version
from projects.models import Project


def default_name() -> str:
    """Return the name of the engine of this deployment (setting ENGINE)."""
    return KINDS[settings.ENGINE].name


def default() -> EngineVersion:
    """Return the engine of this deployment."""
    return version(default_name())


def rows() -> QuerySet[ProjectEngine]:
    """Return the rows of projects, with the versions that they point to."""
    return ProjectEngine.objects.select_related("serving", "chosen")


def serving(project: Project) -> EngineVersion:
    """Return the engine whose vectors of this project are compared."""
    row = rows().filter(project=project).first()
    return row.serving if row else default()


def row_of(project: Project) -> ProjectEngine:
    """Return the row of a project, made where it had none.

    With a row a project keeps its engine until it is changed.
    """
    row = rows().filter(project=project).first()
    if row is None:
        row, _new = rows().get_or_create(project=project, defaults={"serving": default()})
    return row


def wanted(row: ProjectEngine) -> EngineVersion:
    """Return the engine that a project is to have."""
    return row.chosen or default()


def needed(projects: Iterable[int]) -> set[str]:
    """Names of the engines that these projects have or change to."""
    keys = set(projects)
    names: set[str] = set()
    for row in rows().filter(project__in=list(keys)):
        keys.discard(row.project_id)
        names |= {row.serving.name, row.chosen.name if row.chosen else default_name()}
    return names | ({default_name()} if keys else set())


def needed_for(picture: Picture) -> set[str]:
    """The same for the live projects that show a picture."""
    shown = Project.objects.filter(project_photos__photo__picture=picture)
    live = shown.exclude(state=Project.State.ARCHIVED)
    return needed(live.values_list("pk", flat=True).distinct())


def first_for(picture: Picture) -> str:
    """Return the engine that looks at a picture first: that of the project whose turn it is."""
    row = rows().filter(project=picture.held_for_id).first()
    return row.serving.name if row else default_name()
