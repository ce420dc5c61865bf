"""Whose picture is looked at next: fair between projects, within the ceilings."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from core.models import WikiPace
from core.transactions import atomic
from core.work import WorkState
from crawler.models import Picture, ProjectPhoto
from projects.models import Project
from projects.privacy import denylist

FRESH = 2.0  # seconds
# How long a picture whose bytes come in ahead is kept for the worker that wants it: a download
# takes half of PICTURE_SECONDS at most.
HELD_SECONDS = 10
CANDIDATES = 40  # pictures looked up for a project at once
# Files that already depict the person come first until so many were looked at: they are the
# examples that order the questions. More of them would only keep people waiting.
EXAMPLES_FIRST = 5


def lease() -> timedelta:
    """Longer than the hard limit of the task, so that a slow worker is dead when it ends."""
    return timedelta(seconds=settings.PICTURE_SECONDS + 30)


class Turns:
    """Hands out pictures, each taken for the worker that asks. Lives as long as one task."""

    def __init__(self) -> None:
        self._candidates: dict[int, deque[int]] = {}
        self._waiting: list[int] = []
        self._waiting_until = 0.0

    def take_next(self) -> Picture | None:
        """A picture of the project whose turn it is; None when none may be looked at now."""
        return self._next(_take)

    def hold_next(self, after: Picture) -> Picture | None:
        """One to be taken after the one that this worker looks at now, in its place: nobody
        else takes it for some seconds, but it stays queued, and no try is counted."""
        return self._next(_hold, after)

    @atomic
    def begin(self, picture: Picture) -> bool:
        """Take a picture that was held; False where somebody else has it, or may have it."""
        project = picture.held_for_id
        _turnstile()
        if project in _in_turn([project] if project else []):
            return picture.take(lease())
        self.release(picture)
        return False

    def release(self, picture: Picture) -> None:
        """Let others have a picture that was held."""
        _still(picture).update(due_at=timezone.now())

    def _next(
        self, take: Callable[[Picture, int], bool], after: Picture | None = None
    ) -> Picture | None:
        picture = self._pass(take, after)
        if picture is None:
            self._waiting_until = 0.0
        return picture

    @atomic
    def _pass(self, take: Callable[[Picture, int], bool], after: Picture | None) -> Picture | None:
        waiting = self.projects()
        # All workers pass here one by one, so that the ceilings hold; it takes milliseconds.
        _turnstile()
        for project in _in_turn(waiting, after):
            if picture := self._first_of(project, take):
                Project.objects.filter(pk=project).update(turn_at=timezone.now())
                return picture
        return None

    def projects(self) -> list[int]:
        """Projects with pictures that are due; looked up anew every few seconds."""
        if time.monotonic() > self._waiting_until:
            self._waiting = list(_waiting_projects())
            self._waiting_until = time.monotonic() + FRESH
        return self._waiting

    def _first_of(self, project: int, take: Callable[[Picture, int], bool]) -> Picture | None:
        for look in ("known", "afresh"):
            if look == "afresh":
                self._candidates[project] = deque(_candidates(project))
            queue = self._candidates.get(project, deque())
            while queue:
                picture = Picture.objects.due().filter(pk=queue.popleft()).first()
                if picture is None:
                    continue  # somebody else has it
                if picture.spent:
                    picture.fail(Picture.Error.CRASHED, final=True)
                elif take(picture, project):
                    return picture
        return None


def _take(picture: Picture, project: int) -> bool:
    return picture.take(lease(), held_for=project)


def _hold(picture: Picture, project: int) -> bool:
    """Only what is queued: what a dead worker left is taken, so that its tries are counted."""
    seconds = settings.PICTURE_SECONDS / 2 + HELD_SECONDS
    due_at = timezone.now() + timedelta(seconds=seconds)
    if picture.state != WorkState.QUEUED:
        return False
    if not _still(picture).update(due_at=due_at, held_for=project):
        return False
    picture.refresh_from_db()
    return True


def _still(picture: Picture) -> QuerySet[Picture]:
    """The picture, if nobody took or held it since it was read."""
    return Picture.objects.filter(
        pk=picture.pk, state=WorkState.QUEUED, attempt=picture.attempt, due_at=picture.due_at
    )


def _waiting_projects() -> QuerySet[ProjectPhoto, int]:
    due = ProjectPhoto.objects.live().filter(photo__picture__in=Picture.objects.due())
    active = due.filter(project__state=Project.State.ACTIVE)
    active = active.exclude(project__subject__person__qid__in=denylist.denied_qids())
    return active.values_list("project", flat=True).distinct()


def _in_turn(waiting: list[int], after: Picture | None = None) -> list[int]:
    """Projects with room under the ceilings, the one that waited longest first. What comes
    `after` a picture has the room that this one leaves."""
    running = Picture.objects.in_flight()
    if after:
        running = running.exclude(pk=after.pk)
    in_flight = Counter(running.values_list("held_for", flat=True))
    crowded = len(in_flight) >= settings.MAX_PROJECTS_AT_ONCE
    projects = Project.objects.filter(pk__in=waiting).order_by("turn_at", "pk")
    return [
        project
        for project in projects.values_list("pk", flat=True)
        if in_flight[project] < settings.MAX_PICTURES_A_PROJECT
        and (project in in_flight or not crowded)
    ]


def _turnstile() -> None:
    row, _ = WikiPace.objects.get_or_create(wiki=settings.WIKI.code, lane="detect")
    WikiPace.objects.select_for_update().get(pk=row.pk)


def _candidates(project: int) -> list[int]:
    """Due pictures of a project: the portrait, some examples, then as they came."""
    photos = ProjectPhoto.objects.live().filter(project=project)
    examples = photos.filter(already_depicts=True, photo__picture__state=WorkState.DONE).count()
    due = photos.filter(photo__picture__in=Picture.objects.due())
    if examples >= EXAMPLES_FIRST:
        few = due.order_by("-is_portrait", "pk")[:CANDIDATES]
    else:
        few = due.order_by("-is_portrait", "-already_depicts", "pk")[: EXAMPLES_FIRST - examples]
    return list(dict.fromkeys(few.values_list("photo__picture_id", flat=True)))
