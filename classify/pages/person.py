"""The person of a project and their faces, as answering and reviewing pages show them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import get_language

from classify import selectors
from classify.asking import evidence
from classify.asking.evidence import Beside
from classify.asking.screens import Screen
from classify.review.galleries import Tile
from projects.models import Project

COMPARED = 5  # confirmed faces beside the one in question


def person_context(project: Project) -> dict[str, Any]:
    """The project, the person's name and portrait: what every answering page shows.

    The portrait is the face in it, where it was found, else the file as it is.
    """
    file = project.person.portrait
    return {
        "project": project,
        "name": project.person.label(get_language() or "en"),
        "portrait": _portrait(project),
        "portrait_src": settings.WIKI.file_path(file, 250) if file else "",
    }


def _portrait(project: Project) -> Tile | None:
    """Remembered as long as the project has the same faces."""
    key = f"portrait:{project.public_id}:{project.faces_revision}"
    found: Tile | None = cache.get(key)
    if found is None and (found := selectors.portrait(project)):
        cache.set(key, found)
    return found


def faces_to_compare(person: dict[str, Any], tiles: list[Tile]) -> list[Tile]:
    """Return some of these confirmed faces, without the portrait, which is shown anyway."""
    shown = person["portrait"]
    return [tile for tile in tiles if not shown or tile.region != shown.region][:COMPARED]


def comparison(person: dict[str, Any], face: Any, tiles: list[Tile]) -> dict[str, Any]:
    """Return what one face is compared with: the portrait and some of these confirmed faces.

    Where the face is in the portrait itself, one of these takes the portrait's place; where there
    is none, `is_portrait` says so.
    """
    shown = faces_to_compare(person, tiles)
    if not _is_portrait(person, face):
        told = {"reference": person["portrait"], "reference_src": person["portrait_src"]}
        return told | {"nearest": shown}
    others = [tile for tile in shown if not _is_same_picture(tile, face)]
    first, rest = next(iter(others), None), others[1:]
    return {"reference": first, "nearest": rest, "is_portrait": first is None}


def _is_portrait(person: dict[str, Any], face: Any) -> bool:
    if person["portrait"]:
        return _is_same_picture(person["portrait"], face)
    return bool(face.photo.title == person["project"].person.portrait)


def _is_same_picture(one: Any, other: Any) -> bool:
    same = one.photo.picture_id == other.photo.picture_id
    return same or evidence.are_alike(one.region.phash, other.region.phash)


def help_context(face: Any, known: Beside | Screen) -> dict[str, Any]:
    """What stands beside one face that is asked about (a Question or a screens.Face), if it is
    no second look: the other faces of its photo, and its name in other projects."""
    named = known.named.get(face.region.pk, [])
    return {"helps": True, "boxes": known.boxes, "choice": known.choice, "named": named}
