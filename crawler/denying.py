"""What the deny-list means for photos, crops, vectors and listings that are here already."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from crawler import tidying
from crawler.models import CrawlStep, Photo, Picture
from projects import denials
from projects.models import DenyEntry, Project, Source
from projects.pipeline import announce
from projects.work import WorkState

DENIED = "denied"  # error of a step


def list_changed(*, entry: DenyEntry, listed: bool, **_: Any) -> None:
    """Hears `projects.denying.list_changed`, within its transaction."""
    if entry.wiki != settings.WIKI.code:
        return
    if entry.kind == DenyEntry.Kind.FILE:
        (_let_go if listed else _take_back)(entry)
    elif entry.kind == DenyEntry.Kind.CATEGORY:
        (_stop_steps if listed else _go_on_with_steps)(entry)


def _photos(entry: DenyEntry) -> QuerySet[Photo]:
    same = Q(title=entry.value)
    if entry.page_id:
        same |= Q(page_id=entry.page_id)
    return Photo.objects.filter(same, wiki=entry.wiki)


def _let_go(entry: DenyEntry) -> None:
    """The photos are of no project any more, and what was made of them goes, unless the same
    picture stands on another page."""
    photos = list(_photos(entry))
    if photos and entry.page_id is None:  # a new name does not escape the list
        DenyEntry.objects.filter(pk=entry.pk).update(page_id=photos[0].page_id)
    Photo.objects.filter(pk__in=[photo.pk for photo in photos]).update(
        state=Photo.State.DENIED, seen_at=timezone.now()
    )
    _tell(photos)
    keys = [photo.picture_id for photo in photos]
    transaction.on_commit(lambda: tidying.forget_these(Picture.objects.filter(pk__in=keys)))


def _take_back(entry: DenyEntry) -> None:
    """Unless another entry stands for them, too. The next crawl sees whether they are still on
    the wiki."""
    photos = list(_photos(entry).filter(state=Photo.State.DENIED))
    denied = denials.denied_files((photo.page_id, photo.title) for photo in photos)
    back = [photo for photo in photos if photo.page_id not in denied]
    Photo.objects.filter(pk__in=[photo.pk for photo in back]).update(state=Photo.State.LIVE)
    tidying.remember(Picture.objects.filter(photos__in=back))
    _tell(back)
    announce("photos-crawled")


def _tell(photos: list[Photo]) -> None:
    """Let learners see it."""
    shown = Project.objects.filter(project_photos__photo__in=photos)
    Project.objects.filter(pk__in=sorted(set(shown.values_list("pk", flat=True)))).tell_learner()
    announce("pictures-detected")


def _steps(entry: DenyEntry) -> QuerySet[CrawlStep]:
    return CrawlStep.objects.filter(title=entry.value, source__kind=Source.Kind.CATEGORY)


def _stop_steps(entry: DenyEntry) -> None:
    """The attempt grows, so that whoever reads it at the moment is overtaken."""
    _steps(entry).update(
        state=WorkState.ASIDE,
        error=DENIED,
        error_detail="",
        attempt=F("attempt") + 1,
        lease_until=None,
    )


def _go_on_with_steps(entry: DenyEntry) -> None:
    if _steps(entry).filter(error=DENIED).requeue():  # type: ignore[attr-defined]
        announce("source-added")
