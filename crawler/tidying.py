"""Keeping the folder of crops within its bound, and no vector longer than it is needed."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from crawler import crops
from crawler.models import Embedding, EmbedJob, Photo, Picture, ProjectPhoto, Region
from projects.models import Project
from projects.work import WorkState

log = logging.getLogger(__name__)

PICTURES = 200  # forgotten in one transaction


def tidy() -> None:
    dropped = crops.trim(settings.CROPS_MAX_MB * 1_000_000)
    forgotten = forget_unneeded()
    if dropped or forgotten:
        log.info("dropped %d crops, forgot the vectors of %d pictures", dropped, forgotten)


def forget_unneeded() -> int:
    """Delete vectors and crops of pictures that no live project needs; returns how many.

    Regions stay, since answers point to them. A project that comes to need the picture again
    has it looked at again (`Picture.retry` takes what is stopped).
    """
    needed = ProjectPhoto.objects.filter(
        photo__picture=OuterRef("pk"), photo__state=Photo.State.LIVE
    ).exclude(project__state=Project.State.ARCHIVED)
    held = Embedding.objects.filter(region__picture=OuterRef("pk"))
    unneeded = Picture.objects.filter(Exists(held), ~Exists(needed), state=WorkState.DONE)
    keys = list(unneeded.order_by("pk").values_list("pk", flat=True)[:PICTURES])
    regions = list(Region.objects.filter(picture__in=keys))
    with transaction.atomic():
        Embedding.objects.filter(region__in=regions).delete()
        EmbedJob.objects.filter(region__in=regions).update(state=WorkState.STOPPED)
        Picture.objects.filter(pk__in=keys, state=WorkState.DONE).update(
            state=WorkState.STOPPED, looked_at=None
        )
    for region in regions:
        crops.remove(region)
    return len(keys)
