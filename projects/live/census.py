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
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Generic, TypeVar

from projects.models import Census, Project

T = TypeVar("T")
Count = Callable[[Project], T]

LARGE = 5000  # faces or photos from which a project is large
MANY_ROWS = "_has_many_rows"  # on a project: what `has_many_rows` found


@dataclass
class Part(Generic[T]):
    """What counts something of a project, read through the census. It must be registered."""

    name: str  # in the census
    count: Count[T]
    empty: Callable[[], T]  # makes what it returns for an empty project

    def __call__(self, project: Project) -> T:
        """Return what the census of a large project has, else count it."""
        if self.name not in _parts:
            raise LookupError(f"{self.name} is not registered as a part of the census")
        kept = kept_of(project)
        if self.name in kept:
            return kept[self.name]  # type: ignore[no-any-return]
        return self.empty() if is_large(project) else self.count(project)


_parts: dict[str, Part[Any]] = {}
_sizes: list[Callable[[Project, int], bool]] = []


def part(name: str, empty: Callable[[], Any]) -> Callable[[Count[T]], Part[T]]:
    """Make a part of a function that returns a number, or several, that JSON can hold. `empty`
    makes what it returns for an empty project."""

    def decorate(count: Count[T]) -> Part[T]:
        made = Part(name, count, empty)
        update_wrapper(made, count)
        return made

    return decorate


def register(*parts: Part[Any]) -> None:
    """Have parts counted with the census. Call it in `AppConfig.ready`."""
    _parts.update({each.name: each for each in parts})


def register_size(has_at_least: Callable[[Project, int], bool]) -> None:
    """Add a way to tell whether a project has at least so many rows of something. Call it in
    `AppConfig.ready`. What upper apps know costs less, so it is asked first."""
    _sizes.insert(0, has_at_least)


def kept_of(project: Project) -> dict[str, Any]:
    """The census of a large project, by the names of the parts; nothing of a small one.

    A project that was found for a page has brought it with it.
    """
    if "census" in project._state.fields_cache:
        census: Any = project._state.fields_cache["census"]
        return census.counts if census else {}
    return Census.objects.filter(project=project).values_list("counts", flat=True).first() or {}


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
        known = any(has_at_least(project, LARGE) for has_at_least in _sizes)
        project.__dict__[MANY_ROWS] = known
    return known


def count_parts(project: Project) -> dict[str, Any]:
    """All parts, counted now."""
    project._state.fields_cache["census"] = None  # nothing is taken from the last count
    project.__dict__[MANY_ROWS] = False  # nor is a part that another one asks for left out
    return {name: each.count(project) for name, each in _parts.items()}
