"""What people may ask of the crawler: draw a face, add a photo, try again."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext as _

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkQuerySet, WorkState
from crawler import omissions
from crawler import retention as crawler_retention
from crawler.models import CrawlStep, EmbedJob, EngineLook, Photo, Picture, ProjectPhoto, Region
from projects.ledger import audit
from projects.live.pulse import beat
from projects.models import Project, User
from projects.privacy.denylist import refuse_project

WHOLE: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
SMALLEST = 0.005  # of a side; less is a slip of the mouse


class BadBox(ValueError):
    """The box is not one inside the picture; the message says so to a person."""


@atomic
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


@atomic
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


@atomic
def retry(
    project: Project, by: User, *, photo: Photo | None = None, box: str = "", reason: str = ""
) -> int:
    """Look again at one `photo` or drawn `box` that was set aside, or at all that was (for one
    `reason`), and write down who asked for it; return how many."""
    if photo:
        count = int(retry_photo(photo))
    elif box:
        count = retry_box(project, box)
    else:
        count = retry_all(project, reason)
    if count:
        target = f"photo:{photo.pk}" if photo else ""
        audit(by, "photos.retried", project, target, count=count, reason=reason)
    return count


def retry_photo(photo: Photo) -> bool:
    """Look again at a picture that was set aside."""
    if not photo.picture.retry():
        return False
    beat(*photo.project_photos.values_list("project", flat=True))
    announce("photos-crawled")
    return True


def retry_box(project: Project, public_id: str) -> int:
    """Look again at a drawn face that was set aside; returns how many that were, 0 or 1."""
    aside = EmbedJob.objects.filter(project=project, state=WorkState.ASIDE)
    if count := aside.filter(region__public_id=public_id).requeue():
        beat(project.pk)
        announce("region-drawn")
    return count


def retry_all(project: Project, reason: str = "") -> int:
    """Look again at all that was set aside in a project (for one reason): pictures, drawn faces,
    and listings that could not be read. Returns how many."""
    live = ProjectPhoto.objects.live().filter(project=project)
    aside = {"state": WorkState.ASIDE} | ({"error": reason} if reason else {})
    rows: list[WorkQuerySet[Any]] = [
        Picture.objects.filter(pk__in=live.values("photo__picture"), **aside),
        EmbedJob.objects.filter(project=project, **aside).exclude(error=Picture.Error.OVERWRITTEN),
        EngineLook.objects.filter(picture__in=live.values("photo__picture"), **aside),
        CrawlStep.objects.filter(source__project=project, **aside),
    ]
    if count := sum(some.requeue() for some in rows):
        beat(project.pk)
    for event in ("photos-crawled", "region-drawn", "source-added") if count else ():
        announce(event)
    return count


@atomic
def add_photo(project: Project, photo: Photo, by: User) -> ProjectPhoto:
    """Take a photo into a project, whatever its sources bring, since a person says so. Whoever
    calls asks before whether the user may see both. Raises Refused for what is denied, and like
    `omissions.put_back` for what was left out."""
    refuse_project(project)
    if photo.state == Photo.State.DENIED:
        sentence = _("This tool leaves “%(title)s” alone: it was asked to.")
        raise Refused("denied", sentence % {"title": photo})
    joined, is_new = ProjectPhoto.objects.get_or_create(project=project, photo=photo)
    if is_new:
        crawler_retention.remember(Picture.objects.filter(pk=photo.picture_id))
        audit(by, "photo.added", project, f"photo:{photo.pk}")
        Project.objects.filter(pk=project.pk).tell_learner()
        announce("photos-crawled")
        announce("pictures-detected")
    elif joined.left_out and omissions.put_back(project, photo, by):
        joined.refresh_from_db()
    return joined
