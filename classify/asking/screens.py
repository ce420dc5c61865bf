"""Screens of faces: several questions that are asked together, handed to one person at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from classify.asking import queue as asking_queue
from classify.asking.evidence import Named, are_alike, beside
from classify.learning.choose_screen import SCREEN_SIZE
from classify.models import Question
from classify.review.galleries import Tile
from crawler.models import Photo, Region
from projects.models import Project, User

FIRST = 40  # questions among which the next screen is: it, with the copies of its pictures
MOST = 150  # the same where those that are asked alone are passed over
MIXED = "mixed"  # the kind of a screen of those


@dataclass(frozen=True)
class Face:
    """One face of a screen; `marked` says that Yes is set already."""

    region: Region
    photo: Photo
    marked: bool = False
    is_copy: bool = False  # of the picture of the face before it
    chance: float | None = None  # what the model thinks; shown on request only


@dataclass(frozen=True)
class Screen:
    """Faces that are answered together: those marked are the person, the others are not.

    `kind` is one of Question.Kind, or what another page calls its own screens.
    """

    kind: str
    faces: list[Face]
    nearest: list[Tile] = field(default_factory=list)
    named: dict[int, list[Named]] = field(default_factory=dict)  # by the ids of their regions
    boxes: list[Region] = field(default_factory=list)  # of the photo, where it asks about one
    choice: list[Region] = field(default_factory=list)  # of these, see beside.Beside
    given: int | None = None  # answers of who is asked that stand, where it was counted
    worth: int | None = None  # answers that are worth giving, where it was counted

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

    @property
    def copies(self) -> list[Face]:
        """Of a screen that asks about one face: what else is answered with it."""
        return self.faces[1:] if self.is_one else []


def next_screen(
    project: Project,
    user: User,
    exclude: Collection[UUID | str] = (),
    held: Collection[str] = (),
    *,
    together: bool = False,
    skipped_since: datetime | None = None,
) -> Screen | None:
    """The screen to ask `user` next, all its faces leased to them for two minutes: whatever saves
    most work, which may be a single face; with `together` many faces wherever there are many.

    None while there is none, as in an archived or completed project or in one for a person that
    is left alone. The same user gets the same screen again until they answer or skip it. `exclude`
    holds public ids of questions that the page shows or has fetched already, `held` those of
    their faces. What they skipped comes back after all others, but for what they skipped since
    `skipped_since`.
    """
    if asking_queue.is_silent(project):
        return None
    choose = _many if together else _first_screen
    for left in reversed(range(asking_queue.TRIES)):  # others may take some of it meanwhile
        most = MOST if together else FIRST
        chosen = choose(asking_queue.open_to(project, user, most, exclude, held, skipped_since))
        if not chosen:
            return None
        mine = {each.pk for each in chosen if each.leased_to_id == user.pk}
        taken = asking_queue.lease(project, chosen, user)
        if len(taken) == len(chosen) or (taken and not left):
            return screen_of(project, taken)
        # so that two people do not get half of a screen each
        asking_queue.let_loose([each for each in taken if each.pk not in mine])
    return None


def screen_of(project: Project, asked: list[Any]) -> Screen:
    """The screen that these questions make, in their order."""
    faces: list[Face] = []
    for question in asked:
        alike = bool(faces) and are_alike(faces[-1].region.phash, question.region.phash)
        region, photo = question.region, question.photo
        faces.append(Face(region, photo, question.marked, alike, question.chance))
    first = asked[0]
    mixed = any((each.screen, each.kind) != (first.screen, first.kind) for each in asked)
    screen = Screen(MIXED if mixed else first.kind, faces, given=first.given, worth=first.worth)
    picture = first.photo.picture_id if screen.is_one else None
    known = beside(project, first.nearest, [each.region_id for each in asked], picture)
    return replace(
        screen,
        nearest=known.confirmed,
        named=known.named,
        boxes=known.boxes,
        choice=known.choice,
    )


def _many(open_: list[Any]) -> list[Any]:
    """The first screen that is not of a single face; where there is none, some of these faces
    together. What was put back by an undo comes first in any case."""
    faces = Counter((each.screen, each.kind) for each in open_)
    several = {screen for screen, n in faces.items() if n > 1 and screen[1] != Question.Kind.ONE}
    many = [each for each in open_ if (each.screen, each.kind) in several or each.rank < 0]
    return _first_screen(many) if many else sorted(open_, key=_turn)[:SCREEN_SIZE]


def _first_screen(open_: list[Any]) -> list[Any]:
    """Of what may be asked the questions of the screen to ask next, by rank.

    First what is leased to the user already (of several such screens what was put back last,
    else what they were given first), then what is free, then what they have skipped before.
    """
    if not open_:
        return []
    first = min(open_, key=_turn)
    together = [each for each in open_ if (each.screen, each.kind) == (first.screen, first.kind)]
    together.sort(key=lambda each: (each.rank, each.pk))
    if _turn(first)[0] == 2:
        return together
    return [each for each in together if _turn(each)[0] != 2]


def _turn(question: Any) -> tuple[Any, ...]:
    if not asking_queue.is_free(question, timezone.now()):
        return (0, min(question.rank, 0), question.leased_until, question.rank)
    skipped = question.skipped_at
    return (1, question.rank) if skipped is None else (2, skipped)
