"""Which engine is whose: the deployment's, a project's, and the one it is changing to."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from crawler.engines import KINDS, Kind, named
from crawler.models import Picture, ProjectEngine
from projects.models import Project


def default() -> Kind:
    """The engine of this deployment (setting ENGINE)."""
    return KINDS[settings.ENGINE]


def serving(project: Project) -> Kind:
    """The engine whose vectors of this project are compared. Raises UnknownEngine."""
    row = ProjectEngine.objects.filter(project=project).first()
    return named(row.serving) if row else default()


def row_of(project: Project) -> ProjectEngine:
    """Its row, made where it had none: from then on it keeps its engine until it is changed."""
    row, _new = ProjectEngine.objects.get_or_create(
        project=project, defaults={"serving": default().name}
    )
    return row


def wanted(row: ProjectEngine) -> str:
    """The name of the engine that a project is to have."""
    return row.chosen or default().name


def needed(projects: Iterable[int]) -> set[str]:
    """Names of the engines that these projects have or change to."""
    keys = set(projects)
    rows = ProjectEngine.objects.filter(project__in=keys)
    names: set[str] = set()
    for row in rows:
        keys.discard(row.project_id)
        names |= {row.serving, wanted(row)}
    return names | ({default().name} if keys else set())


def needed_for(picture: Picture) -> set[str]:
    """The same for the live projects that show a picture."""
    shown = Project.objects.filter(project_photos__photo__picture=picture)
    live = shown.exclude(state=Project.State.ARCHIVED)
    return needed(live.values_list("pk", flat=True).distinct())


def first_for(picture: Picture) -> str:
    """The engine that looks at a picture first: that of the project whose turn it is."""
    row = ProjectEngine.objects.filter(project=picture.held_for_id).first()
    return row.serving if row else default().name
