"""Numbers of a project that its pages show, so that no request goes through all its faces.

A *part* is a function that counts something by going through a project. Of a small project it is
counted when it is asked for, and always fresh. Of a large one (see `classify.counting`) a worker
counts all parts now and then into the project's census, and what is asked for stands there: a few
seconds old while people answer. See docs/decisions/0016.

    @part("ready")
    def ready_count(project: Project) -> int: ...
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from projects.models import Project

T = TypeVar("T")
Count = Callable[[Project], T]

PARTS: dict[str, Count[Any]] = {}  # how each is counted, by its name in the census


def part(name: str) -> Callable[[Count[T]], Count[T]]:
    """A number, or several, that JSON can hold: whatever the function returns."""

    def decorate(count: Count[T]) -> Count[T]:
        PARTS[name] = count

        @wraps(count)
        def read(project: Project) -> T:
            kept = kept_of(project)
            return kept[name] if name in kept else count(project)

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
    return bool(kept_of(project))
