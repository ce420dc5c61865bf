"""Numbers of a project that its pages show, so that no request goes through all its faces.

A *part* is a function that counts something by going through a project. Of a small project it is
counted when it is asked for, and always fresh. Of a large one a worker counts all parts now and
then into the project's census (`classify.learner.census`), and what is asked for stands there: a
few seconds old while people answer. Before the first count of a large project a part is what it is
of an empty one, and `is_being_counted`: pages say so instead. See docs/decisions/0016.

    @part("ready", int)
    def ready_count(project: Project) -> int: ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from projects.models import Project

T = TypeVar("T")
Count = Callable[[Project], T]

LARGE = 5000  # faces or photos from which a project is large
PARTS: dict[str, Count[Any]] = {}  # how each is counted, by its name in the census
MANY_ROWS = "_has_many_rows"  # on a project: what `has_many_rows` found


def part(name: str, empty: Callable[[], Any]) -> Callable[[Count[T]], Count[T]]:
    """A number, or several, that JSON can hold: whatever the function returns. `empty` makes what
    it returns for an empty project."""

    def decorate(count: Count[T]) -> Count[T]:
        PARTS[name] = count

        @wraps(count)
        def read(project: Project) -> T:
            kept = kept_of(project)
            if name in kept:
                return kept[name]  # type: ignore[no-any-return]
            found: T = empty() if is_large(project) else count(project)
            return found

        return read

    return decorate


def kept_of(project: Project) -> dict[str, Any]:
    """The census of a large project, by the names of the parts; nothing of a small one.

    A project that was found for a page has brought it with it.
    """
    if "census" in project._state.fields_cache:
        census: Any = project._state.fields_cache["census"]
        return census.counts if census else {}
    rows = Project.objects.filter(pk=project.pk).values_list("census__counts", flat=True)
    return rows.first() or {}


def is_large(project: Project) -> bool:
    """Whether pages leave counting to a worker."""
    return bool(kept_of(project)) or has_many_rows(project)


def is_being_counted(project: Project) -> bool:
    """Whether it is large and nobody has counted it yet."""
    return not kept_of(project) and has_many_rows(project)


def has_many_rows(project: Project) -> bool:
    """Whether it has LARGE faces or photos, by looking at no more of them. Remembered on the
    object."""
    known: bool | None = project.__dict__.get(MANY_ROWS)
    if known is None:
        known = project.__dict__[MANY_ROWS] = _has_many_rows(project)
    return known


def count_parts(project: Project) -> dict[str, Any]:
    """All parts, counted now."""
    project._state.fields_cache["census"] = None  # nothing is taken from the last count
    project.__dict__[MANY_ROWS] = False  # nor is a part that another one asks for left out
    return {name: count(project) for name, count in PARTS.items()}


def _has_many_rows(project: Project) -> bool:
    if "learner" in project._state.fields_cache:
        learner: Any = project._state.fields_cache["learner"]
        faces = learner.faces if learner else 0
    else:
        rows = Project.objects.filter(pk=project.pk).values_list("learner__faces", flat=True)
        faces = rows.first() or 0
    photos: Any = project.project_photos
    return faces >= LARGE or photos.order_by("pk")[LARGE - 1 : LARGE].exists()
