"""What is made of faces goes while a project sleeps, but for those said to be the person.

Small steps, each of its own transaction: it can be stopped and killed at any time. Crops are swept
by the files that there are, since a page that is looked at makes missing ones again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from classify.models import Label, Question, Score, Verdict
from core.transactions import atomic
from crawler.models import Embedding, Photo, ProjectPhoto, Region
from projects.lifecycle import activity as lifecycle_activity
from projects.models import Project

STEP = 500  # rows or files
ABANDONED = 3600  # seconds after which a crop that was not written to its end is no one's


def kept() -> QuerySet[Region]:
    """Regions whose vectors and crops are needed: those in pictures of projects that are awake,
    and while one sleeps those of which people said that they are its person."""
    shown = ProjectPhoto.objects.filter(
        photo__picture=OuterRef("picture"), photo__state=Photo.State.LIVE
    )
    said = Label.objects.filter(region=OuterRef("pk"), verdict=Verdict.YES)
    said = said.filter(subject__project__in=lifecycle_activity.live())
    needed = Exists(shown.filter(project__in=lifecycle_activity.awake()))
    return Region.objects.filter(
        needed | (Exists(said) & Exists(shown.filter(project__in=lifecycle_activity.live())))
    )


def asleep_vectors() -> QuerySet[Embedding]:
    """Vectors in pictures of sleeping projects that are not kept."""
    sleeping = list(lifecycle_activity.asleep().values_list("pk", flat=True))
    shown = ProjectPhoto.objects.filter(project__in=sleeping).values("photo__picture")
    needed = Exists(kept().filter(pk=OuterRef("region")))
    return Embedding.objects.filter(~needed, region__picture__in=shown)


def forget_vectors(until: float) -> int:
    """Returns how many went; until the monotonic time `until`."""
    count = 0
    while rows := list(asleep_vectors().order_by("pk").values_list("pk", "region")[:STEP]):
        regions = [region for _, region in rows]
        shown = Project.objects.filter(project_photos__photo__picture__regions__in=regions)
        projects = sorted(set(shown.values_list("pk", flat=True)))
        _forget([key for key, _ in rows], regions, projects)
        count += len(rows)
        if time.monotonic() > until:
            break
    return count


@atomic
def _forget(vectors: list[int], regions: list[int], projects: list[int]) -> None:
    Embedding.objects.filter(pk__in=vectors).delete()
    Region.objects.filter(pk__in=regions).update(phash="", landmarks=None)
    Project.objects.filter(pk__in=projects).tell_learner()


def stale_scores() -> QuerySet[Any]:
    """What was thought of faces that have no vector any more."""
    return _of_forgotten(Score.objects.all())


def stale_questions() -> QuerySet[Any]:
    return _of_forgotten(Question.objects.all())


def _of_forgotten(rows: QuerySet[Any]) -> QuerySet[Any]:
    held = Embedding.objects.filter(region=OuterRef("region"))
    others = Project.objects.exclude(pk__in=lifecycle_activity.awake()).values_list("pk", flat=True)
    return rows.filter(~Exists(held), subject__project__in=list(others))


def forget_scores(until: float) -> int:
    count = 0
    for rows in (stale_scores, stale_questions):
        while keys := list(rows().order_by("pk").values_list("pk", flat=True)[:STEP]):
            rows().model.objects.filter(pk__in=keys).delete()
            count += len(keys)
            if time.monotonic() > until:
                return count
    return count


def stale_crops() -> Iterator[Path]:
    """Files in the folder of crops whose region is not kept, and such as nobody finished."""
    files = Path(settings.CROPS_DIR).glob("*/*")
    while some := list(islice(files, STEP)):
        by_name = {path.stem: path for path in some if path.suffix == ".jpg"}
        names = Region.objects.filter(public_id__in=by_name)
        needed = set(names.filter(pk__in=kept()).values_list("public_id", flat=True))
        yield from (path for name, path in by_name.items() if name not in needed)
        yield from (path for path in some if path.suffix != ".jpg" and _is_old(path))


def forget_crops(until: float) -> int:
    count = 0
    for path in stale_crops():
        path.unlink(missing_ok=True)
        count += 1
        if time.monotonic() > until:
            break
    return count


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > ABANDONED
    except FileNotFoundError:
        return False
