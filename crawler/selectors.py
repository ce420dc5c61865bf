"""What pages ask of the crawler: how far it is, what it set aside, where it found no face."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from core.work import WorkState
from crawler.models import CrawlStep, EmbedJob, Photo, Picture, ProjectPhoto, Region
from crawler.pictures.fetch import LANE as PICTURE_LANE
from projects.live.census import part
from projects.models import Project
from wiki import pace
from wiki.pywikibot_client import READ_LANE

RATE_SECONDS = 120  # the rate is that of the last two minutes
SAMPLES = 6
UNFINISHED = (WorkState.QUEUED, WorkState.RUNNING)
COUNTED = ("photos", "looked_at", "pending", "set_aside", "faces", "rate_a_minute")  # by `photos`


@dataclass(frozen=True)
class CrawlProgress:
    photos: int  # live ones of the project, without those that people let go
    looked_at: int
    pending: int
    set_aside: int
    faces: int  # found by the detector or drawn by people
    others: int  # files of the sources that are no bitmap pictures
    crawling: bool
    detecting: bool
    rate_a_minute: float  # pictures looked at
    seconds_left: int | None  # None when nothing is pending, or there is no rate yet
    unread: int  # categories and searches that could not be read
    waiting_until: datetime | None  # the wiki told us to wait, or does not answer
    trouble: str  # why a listing waits until then, for people; "" where the wiki only paces us

    @property
    def settled(self) -> bool:
        return not (self.crawling or self.detecting)


@dataclass(frozen=True)
class SetAside:
    """Photos that could not be looked at for one reason."""

    reason: str  # a code of Picture.Error
    label: str
    count: int
    photos: list[Photo] = field(default_factory=list)  # samples, newest first


def _live(project: Project) -> QuerySet[ProjectPhoto]:
    return ProjectPhoto.objects.live().filter(project=project)


def has_at_least_photos(project: Project, number: int) -> bool:
    """Return whether a project has so many photos, by looking at no more of them."""
    rows = ProjectPhoto.objects.filter(project=project).order_by("pk")
    return rows[number - 1 : number].exists()


@part("photos", lambda: dict.fromkeys(COUNTED, 0))
def photo_counts(project: Project) -> dict[str, Any]:
    """What it takes a walk through all photos of a project to count, see CrawlProgress."""
    counts = _live(project).aggregate(
        photos=Count("id"),
        looked_at=Count("id", filter=Q(photo__picture__state=WorkState.DONE)),
        pending=Count("id", filter=Q(photo__picture__state__in=UNFINISHED)),
        set_aside=Count("id", filter=Q(photo__picture__state=WorkState.ASIDE)),
    )
    rate = _rate(project) if counts["pending"] else 0.0
    return counts | {"faces": faces(project).count(), "rate_a_minute": rate}


def crawl_progress(project: Project) -> CrawlProgress:
    # What is still to be read is asked before what was read: workers go on between two queries,
    # and nobody should see a listing that has ended with photos that had not come yet.
    # A source that was added a moment ago has no step yet.
    unbegun = project.sources.filter(steps=None).exists()
    steps = CrawlStep.objects.filter(source__project=project)
    crawl = steps.aggregate(
        others=Sum("others"),
        open=Count("id", filter=Q(state__in=UNFINISHED)),
        unread=Count("id", filter=Q(state=WorkState.ASIDE)),
    )
    counts = photo_counts(project)
    rate, pending = counts["rate_a_minute"], counts["pending"]
    stuck = steps.filter(state=WorkState.QUEUED, due_at__gt=timezone.now()).exclude(error="")
    first = stuck.order_by("due_at").first()
    return CrawlProgress(
        **counts,
        others=crawl["others"] or 0,
        crawling=bool(crawl["open"]) or unbegun,
        detecting=bool(pending),
        seconds_left=round(60 * pending / rate) if pending and rate else None,
        unread=crawl["unread"],
        waiting_until=first.due_at if first else _waiting_until(bool(crawl["open"]), bool(pending)),
        trouble=first.reason if first else "",
    )


def _waiting_until(crawling: bool, detecting: bool) -> datetime | None:
    lanes = [READ_LANE] * crawling + [PICTURE_LANE] * detecting
    return max(filter(None, map(pace.paused_until, lanes)), default=None)


def _rate(project: Project) -> float:
    """Pictures a minute, over the last two minutes or since the first of them."""
    now = timezone.now()
    recent = Picture.objects.filter(
        pk__in=_live(project).values("photo__picture"),
        looked_at__gte=now - timedelta(seconds=RATE_SECONDS),
    )
    first = recent.order_by("looked_at").values_list("looked_at", flat=True).first()
    if first is None:
        return 0.0
    return 60 * recent.count() / max((now - first).total_seconds(), 5.0)


def faces(project: Project) -> QuerySet[Region]:
    """Regions that hold a face and stand in a live photo of the project."""
    return Region.objects.filter(
        replaced_by=None, picture__in=_live(project).values("photo__picture")
    ).exclude(origin=Region.Origin.PHOTO)


@part("aside", dict)
def aside_counts(project: Project) -> dict[str, int]:
    """How many photos could not be looked at, by reason, the most frequent first."""
    aside = _live(project).filter(photo__picture__state=WorkState.ASIDE).order_by()
    reasons = aside.values("photo__picture__error").annotate(count=Count("id")).order_by("-count")
    return dict(reasons.values_list("photo__picture__error", "count"))


def set_aside(project: Project, samples: int = SAMPLES) -> list[SetAside]:
    """Photos that could not be looked at, by reason, the most frequent first."""
    aside = _live(project).filter(photo__picture__state=WorkState.ASIDE)
    labels = dict(Picture.Error.choices)
    groups = []
    for reason, count in aside_counts(project).items():
        of_it = aside.filter(photo__picture__error=reason).select_related("photo__picture")
        photos = [one.photo for one in of_it.order_by("-id")[:samples]]
        groups.append(SetAside(reason, str(labels.get(reason, reason)), count, photos))
    return groups


def photos_set_aside(project: Project, reason: str = "") -> QuerySet[Photo]:
    """All of them (of one reason), newest first, with their pictures."""
    mine = _live(project)
    photos = Photo.objects.filter(picture__state=WorkState.ASIDE, pk__in=mine.values("photo"))
    if reason:
        photos = photos.filter(picture__error=reason)
    return photos.select_related("picture").order_by("-pk")


@dataclass(frozen=True)
class BoxAside:
    """A face that somebody drew and of which no vector could be made."""

    job: EmbedJob
    photo: Photo | None  # on which it was drawn; it may show another picture by now
    face: Region | None  # of the picture that it shows now, if that has any

    @property
    def reason(self) -> str:
        return str(dict(Picture.Error.choices).get(self.job.error, self.job.error))

    @property
    def can_retry(self) -> bool:
        """What was drawn on is no more once the file was overwritten."""
        return self.job.error != Picture.Error.OVERWRITTEN


def boxes_set_aside(project: Project) -> QuerySet[EmbedJob]:
    """Drawn faces of which no vector could be made, the newest first."""
    jobs = EmbedJob.objects.filter(project=project, state=WorkState.ASIDE).order_by("-pk")
    return jobs.select_related("region").prefetch_related("region__answers__photo")


def boxes(project: Project, jobs: Iterable[EmbedJob]) -> list[BoxAside]:
    """The same with the photos they were drawn on."""
    drawn = {job: next(iter(job.region.answers.all()), None) for job in jobs}
    photos = {job: answer.photo if answer else None for job, answer in drawn.items()}
    shown = [photo.picture_id for photo in photos.values() if photo]
    now = faces(project).filter(picture__in=shown).order_by("-pk")
    face_of = {face.picture_id: face for face in now}
    return [
        BoxAside(job, photo, face_of.get(photo.picture_id) if photo else None)
        for job, photo in photos.items()
    ]


def unread_steps(project: Project) -> QuerySet[CrawlStep]:
    """Categories and searches that could not be read, with `error` and `error_detail`."""
    return CrawlStep.objects.filter(source__project=project, state=WorkState.ASIDE).order_by("id")


def photos_without_faces(project: Project) -> QuerySet[Photo]:
    """Live photos that were looked at, in which neither the detector nor a person found a face."""
    found = Region.objects.filter(picture=OuterRef("picture"), replaced_by=None).exclude(
        origin=Region.Origin.PHOTO
    )
    return (
        Photo.objects.filter(
            state=Photo.State.LIVE,
            picture__state=WorkState.DONE,
            project_photos__project=project,
            project_photos__left_out=False,
        )
        .filter(~Exists(found))
        .select_related("picture")
        .order_by("id")
    )
