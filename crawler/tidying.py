"""Keeping crops within their bound, and vectors as long as they are needed, no longer."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from crawler import crops
from crawler.models import Embedding, EmbedJob, EngineLook, Photo, Picture, ProjectPhoto, Region
from projects.models import Project
from projects.pipeline import announce
from projects.work import WorkQuerySet, WorkState

log = logging.getLogger(__name__)

PICTURES = 200  # forgotten in one transaction


def tidy() -> None:
    remembered = remember(Picture.objects.filter(Exists(_needed())))
    dropped = crops.trim(settings.CROPS_MAX_MB * 1_000_000)
    forgotten = forget_unneeded()
    if remembered or dropped or forgotten:
        log.info(
            "dropped %d crops, forgot the vectors of %d pictures, want those of %d again",
            *(dropped, forgotten, remembered),
        )


def remember(pictures: WorkQuerySet[Picture]) -> int:
    """Have those of the pictures looked at again whose vectors were forgotten; returns how many.

    The faces found again are the regions that are there: each keeps its place and its labels.
    """
    stopped = pictures.filter(state=WorkState.STOPPED)
    jobs = EmbedJob.objects.filter(region__picture__in=stopped, state=WorkState.STOPPED)
    with transaction.atomic():
        if jobs.requeue():
            announce("region-drawn")
        if count := stopped.requeue():
            announce("photos-crawled")
    return count


def forget_unneeded() -> int:
    """Delete vectors and crops of pictures that no live project needs; returns how many.

    Regions stay, since answers point to them.
    """
    held = Embedding.objects.filter(region__picture=OuterRef("pk"))
    return forget_these(Picture.objects.filter(Exists(held)))


def forget_these(pictures: QuerySet[Picture]) -> int:
    """The same for those of these pictures that are not needed."""
    unneeded = pictures.filter(~Exists(_needed()), state=WorkState.DONE)
    keys = list(unneeded.order_by("pk").values_list("pk", flat=True)[:PICTURES])
    regions = list(Region.objects.filter(picture__in=keys))
    with transaction.atomic():
        Embedding.objects.filter(region__in=regions).delete()
        EngineLook.objects.filter(picture__in=keys).delete()
        EmbedJob.objects.filter(region__in=regions).update(state=WorkState.STOPPED)
        Picture.objects.filter(pk__in=keys, state=WorkState.DONE).update(
            state=WorkState.STOPPED, looked_at=None, engine=""
        )
    for region in regions:
        crops.remove(region)
    return len(keys)


def _needed() -> QuerySet[ProjectPhoto]:
    """What makes a picture (of the outer query) needed: a live page in a project not archived."""
    shown = ProjectPhoto.objects.filter(
        photo__picture=OuterRef("pk"), photo__state=Photo.State.LIVE
    )
    return shown.exclude(project__state=Project.State.ARCHIVED)
