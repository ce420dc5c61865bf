"""Keeping crops within their bound, and vectors as long as they are needed, no longer."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from core.events import announce
from core.transactions import atomic
from core.work import WorkQuerySet, WorkState
from crawler.models import Embedding, EmbedJob, EngineLook, Photo, Picture, ProjectPhoto, Region
from crawler.pictures import crops
from projects.lifecycle import activity as lifecycle_activity

log = logging.getLogger(__name__)

PICTURES = 200  # forgotten in one transaction


def tidy() -> bool:
    """True while there is more to forget at once."""
    remembered = remember(Picture.objects.filter(Exists(_needed())))
    dropped = crops.trim(settings.CROPS_MAX_MB * 1_000_000)
    forgotten = forget_unneeded()
    if remembered or dropped or forgotten:
        log.info(
            "dropped %d crops, forgot the vectors of %d pictures, want those of %d again",
            *(dropped, forgotten, remembered),
        )
    return forgotten == PICTURES


@atomic
def remember(pictures: WorkQuerySet[Picture]) -> int:
    """Have those of the pictures looked at again whose vectors were forgotten; returns how many.

    The faces found again are the regions that are there: each keeps its place and its labels.
    """
    stopped = pictures.filter(state=WorkState.STOPPED)
    jobs = EmbedJob.objects.filter(
        region__picture__in=stopped, state=WorkState.STOPPED, released_at=None
    )
    if jobs.requeue():
        announce("region-drawn")
    if count := stopped.requeue():
        announce("photos-crawled")
    return count


def forget_unneeded() -> int:
    """Delete vectors and crops of pictures that no live project needs; returns how many.

    Regions stay, since answers point to them.
    """
    return _forget_some(unneeded())


def unneeded() -> QuerySet[Picture]:
    """Pictures with vectors that no live project needs."""
    held = Embedding.objects.filter(region__picture=OuterRef("pk"))
    return Picture.objects.filter(Exists(held), ~Exists(_needed()), state=WorkState.DONE)


def forget_these(pictures: QuerySet[Picture]) -> int:
    """The same for those of these pictures that are not needed."""
    return _forget_some(pictures.filter(~Exists(_needed()), state=WorkState.DONE))


def _forget_some(pictures: QuerySet[Picture]) -> int:
    keys = list(pictures.order_by("pk").values_list("pk", flat=True)[:PICTURES])
    _forget(keys)
    return len(keys)


def look_anew() -> int:
    """Have the vectors made again that are not there, as after a restored backup; returns of how
    many pictures."""
    held = Embedding.objects.filter(region=OuterRef("pk"))
    bare = Region.objects.filter(~Exists(held), picture=OuterRef("pk"), replaced_by=None)
    bare = bare.exclude(origin=Region.Origin.PHOTO)
    lacking = Picture.objects.filter(Exists(bare), state=WorkState.DONE).order_by("pk")
    while keys := list(lacking.values_list("pk", flat=True)[:PICTURES]):
        _forget(keys)
    return remember(Picture.objects.filter(Exists(_needed())))


def look_again(keys: list[int]) -> int:
    """Have all vectors of these pictures made again; returns of how many."""
    _forget(keys)
    return remember(Picture.objects.filter(pk__in=keys))


def _forget(keys: list[int]) -> None:
    regions = list(Region.objects.filter(picture__in=keys))
    _forget_vectors(keys, regions)
    for region in regions:
        crops.remove(region)


@atomic
def _forget_vectors(keys: list[int], regions: list[Region]) -> None:
    Embedding.objects.filter(region__in=regions).delete()
    Region.objects.filter(picture__in=keys).exclude(phash="", landmarks=None).update(
        phash="", landmarks=None
    )
    EngineLook.objects.filter(picture__in=keys).delete()
    EmbedJob.objects.filter(region__in=regions).update(state=WorkState.STOPPED)
    Picture.objects.filter(pk__in=keys, state=WorkState.DONE).update(
        state=WorkState.STOPPED, looked_at=None, engine=None
    )


def _needed() -> QuerySet[ProjectPhoto]:
    """What makes a picture (of the outer query) needed: a live page in a live project."""
    return ProjectPhoto.objects.filter(
        photo__picture=OuterRef("pk"),
        photo__state=Photo.State.LIVE,
        project__in=lifecycle_activity.live(),
    )
