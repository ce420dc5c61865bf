"""What people may ask of the crawler: draw a face, read the sources again, try again, let go."""

from __future__ import annotations

import math
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import CrawlStep, EmbedJob, EngineLook, Photo, Picture, ProjectPhoto, Region
from projects.ledger import audit
from projects.models import Project, Source, User
from projects.pipeline import announce
from projects.work import WorkQuerySet, WorkState

WHOLE: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
SMALLEST = 0.005  # of a side; less is a slip of the mouse


class BadBox(ValueError):
    """The box is not one inside the picture; the message says so to a person."""


@transaction.atomic
def draw_region(
    project: Project,
    photo: Photo,
    box: tuple[float, float, float, float],
    by: User,
    replaces: Region | None = None,
) -> Region:
    """A face that a person drew, whose vector and crop are then made from the thumbnail.

    The box is left, top, width, height, 0–1 of the upright picture; what sticks out is cut off.
    With `replaces` it stands instead of another region of the same picture. Raises BadBox.
    """
    x, y, w, h = _inside(box)
    if replaces and replaces.picture_id != photo.picture_id:
        raise BadBox(_("That face is in another picture."))
    region = Region.objects.create(
        picture_id=photo.picture_id,
        origin=Region.Origin.PERSON,
        x=x,
        y=y,
        w=w,
        h=h,
        drawn_by=by,
    )
    if replaces:
        Region.objects.filter(pk=replaces.pk).update(replaced_by=region)
    EmbedJob.objects.create(region=region, project=project)
    Project.objects.filter(pk=project.pk).tell_learner()
    announce("region-drawn")
    return region


def _inside(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    if not all(math.isfinite(side) for side in box):
        raise BadBox(_("Draw a box inside the photo."))
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    w, h = min(box[0] + box[2], 1.0) - left, min(box[1] + box[3], 1.0) - top
    if w < SMALLEST or h < SMALLEST:
        raise BadBox(_("Draw a larger box, inside the photo."))
    return left, top, w, h


@transaction.atomic
def whole_photo_region(photo: Photo, by: User | None = None) -> Region:
    """The region that stands for “is here, but no usable face”: the whole picture, no vector."""
    Picture.objects.select_for_update().get(pk=photo.picture_id)  # one of them a picture
    region = Region.objects.filter(picture=photo.picture_id, origin=Region.Origin.PHOTO).first()
    if region:
        return region
    x, y, w, h = WHOLE
    return Region.objects.create(
        picture_id=photo.picture_id,
        origin=Region.Origin.PHOTO,
        x=x,
        y=y,
        w=w,
        h=h,
        drawn_by=by,
    )


@transaction.atomic
def recrawl(project: Project, by: User | None = None) -> None:
    """Read all sources again: what is new is added, what changed is updated, what is gone from
    the wiki is withdrawn. A crawl that still runs begins anew."""
    steps = CrawlStep.objects.filter(source__project=project)
    number = 1 + (steps.aggregate(last=Max("round"))["last"] or 0)
    roots = Q(title=F("source__value"))
    # What is below is queued again when it is found again.
    _restart(steps.exclude(roots), state=WorkState.STOPPED)
    _restart(steps.filter(roots), state=WorkState.QUEUED, round=number)
    for source in Source.objects.filter(project=project):
        CrawlStep.objects.get_or_create(source=source, title="")
    _restart(steps.filter(title=""), state=WorkState.QUEUED, round=number)
    audit(by, "project.recrawled", project, round=number)
    announce("source-added")


def _restart(steps: QuerySet[CrawlStep], **fields: Any) -> None:
    """The attempt grows, so that whoever works on a step now is overtaken."""
    steps.update(
        attempt=F("attempt") + 1,
        tries=0,
        cursor={},
        files=0,
        others=0,
        error="",
        error_detail="",
        lease_until=None,
        due_at=timezone.now(),
        **fields,
    )


def retry_photo(photo: Photo) -> bool:
    """Look again at a picture that was set aside."""
    if not photo.picture.retry():
        return False
    announce("photos-crawled")
    return True


def retry_all(project: Project, reason: str = "") -> int:
    """Look again at all that was set aside in a project (for one reason): pictures, drawn faces,
    and listings that could not be read. Returns how many."""
    live = ProjectPhoto.objects.live().filter(project=project)
    aside = {"state": WorkState.ASIDE} | ({"error": reason} if reason else {})
    rows: list[WorkQuerySet[Any]] = [
        Picture.objects.filter(pk__in=live.values("photo__picture"), **aside),
        EmbedJob.objects.filter(project=project, **aside),
        EngineLook.objects.filter(picture__in=live.values("photo__picture"), **aside),
        CrawlStep.objects.filter(source__project=project, **aside),
    ]
    count = sum(some.requeue() for some in rows)
    for event in ("photos-crawled", "region-drawn", "source-added") if count else ():
        announce(event)
    return count


def leave_out(project: Project, photo: Photo, left_out: bool = True) -> None:
    """People let a photo go that could not be looked at (or take it back)."""
    ProjectPhoto.objects.filter(project=project, photo=photo).update(left_out=left_out)
