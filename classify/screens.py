"""Screens of faces: several questions that are asked together, handed to one person at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from classify import questions
from classify.learning.copies import BITS
from classify.models import Question
from classify.selectors import Tile, nearest_confirmed
from crawler.models import Photo, Region
from projects.models import Project, User

NEAREST = 5  # confirmed faces shown for comparison


@dataclass(frozen=True)
class Face:
    """One face of a screen; `marked` says that Yes is set already."""

    region: Region
    photo: Photo
    marked: bool = False
    is_copy: bool = False  # of the picture of the face before it


@dataclass(frozen=True)
class Screen:
    """Faces that are answered together: those marked are the person, the others are not.

    `kind` is one of Question.Kind, or what another page calls its own screens.
    """

    kind: str
    faces: list[Face]
    nearest: list[Tile] = field(default_factory=list)

    @property
    def is_one(self) -> bool:
        """Whether it asks about one face (and copies of its picture)."""
        return self.kind == Question.Kind.ONE or len(self.faces) == 1

    @property
    def is_search(self) -> bool:
        """Whether one Yes is all that is wanted: nothing is said of the other faces then."""
        return self.kind == Question.Kind.COMMON

    @property
    def marked(self) -> int:
        return sum(face.marked for face in self.faces)


def next_screen(
    project: Project, user: User, exclude: Collection[UUID | str] = ()
) -> Screen | None:
    """The screen to ask `user` next, all its faces leased to them for two minutes.

    None while there is none, as in an archived project or in one for a person that is left
    alone. The same user gets the same screen again until they answer or skip it. `exclude`
    holds public ids of questions that the page shows or has fetched already.
    """
    if project.state == Project.State.ARCHIVED:
        return None
    if not _choose(project, user, exclude):
        return None  # the usual answer to a page that waits: it holds nobody up
    with transaction.atomic():
        # one after the other, so that two people do not get half of a screen each
        Project.objects.select_for_update().get(pk=project.pk)
        chosen = _choose(project, user, exclude)
        taken = questions.lease(chosen, user)
    return screen_of(taken) if taken else None


def screen_of(asked: list[Question]) -> Screen:
    """The screen that these questions make, in their order."""
    faces: list[Face] = []
    for question in asked:
        alike = bool(faces) and _are_alike(faces[-1].region.phash, question.region.phash)
        faces.append(Face(question.region, question.photo, question.marked, is_copy=alike))
    return Screen(asked[0].kind, faces, nearest_confirmed(asked[0])[:NEAREST])


def _are_alike(one: str, other: str) -> bool:
    """Whether these perceptual hashes, if there are two, are of copies of one picture."""
    return bool(one and other) and (int(one, 16) ^ int(other, 16)).bit_count() <= BITS


def _choose(project: Project, user: User, exclude: Collection[UUID | str]) -> list[Any]:
    """The questions of the screen to ask next, by rank.

    First what is leased to the user already (of several such screens what was put back last,
    else what they were given first), then what is free, then what they have skipped before.
    """
    open_ = list(questions.open_to(project, user, exclude).order_by("rank", "id"))
    if not open_:
        return []
    now = timezone.now()

    def turn(question: Any) -> tuple[object, ...]:
        own = question.leased_until is not None and question.leased_until >= now
        if own:
            return (0, min(question.rank, 0), question.leased_until, question.rank)
        skipped = question.skipped_at
        return (1, question.rank) if skipped is None else (2, skipped)

    first = min(open_, key=turn)
    together = [each for each in open_ if (each.screen, each.kind) == (first.screen, first.kind)]
    if turn(first)[0] == 2:
        return together
    return [each for each in together if turn(each)[0] != 2]
