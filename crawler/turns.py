"""Whose picture is looked at next: fair between projects, within the ceilings."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crawler.models import Picture, ProjectPhoto
from projects import denials
from projects.models import Project, WikiPace
from projects.work import WorkState

FRESH = 2.0  # seconds
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
        waiting = self.projects()
        with transaction.atomic():
            # All workers pass here one by one, so that the ceilings hold; it takes milliseconds.
            _turnstile()
            for project in _in_turn(waiting):
                if picture := self._take_of(project):
                    Project.objects.filter(pk=project).update(turn_at=timezone.now())
                    return picture
        self._waiting_until = 0.0
        return None

    def projects(self) -> list[int]:
        """Projects with pictures that are due; looked up anew every few seconds."""
        if time.monotonic() > self._waiting_until:
            self._waiting = list(_waiting_projects())
            self._waiting_until = time.monotonic() + FRESH
        return self._waiting

    def _take_of(self, project: int) -> Picture | None:
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
                elif picture.take(lease(), held_for=project):
                    return picture
        return None


def _waiting_projects() -> QuerySet[ProjectPhoto, int]:
    due = ProjectPhoto.objects.live().filter(photo__picture__in=Picture.objects.due())
    active = due.filter(project__state=Project.State.ACTIVE)
    active = active.exclude(project__person__qid__in=denials.denied_qids())
    return active.values_list("project", flat=True).distinct()


def _in_turn(waiting: list[int]) -> list[int]:
    """Projects with room under the ceilings, the one that waited longest first."""
    in_flight = Counter(Picture.objects.in_flight().values_list("held_for", flat=True))
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
