"""What the deny-list means for photos, crops, vectors and listings that are here already.

Which files a category on the list has directly in it the wiki knows alone: `look_through` asks it,
when the list has changed and every hour, whatever source brought the photos. New ones are asked
for as they are crawled (`crawler.listing.read_page`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from core.events import announce
from core.transactions import atomic
from core.work import WorkState
from crawler import retention as crawler_retention
from crawler.models import CrawlStep, Photo, Picture
from projects.models import DenyEntry, Objection, Project, Source
from projects.privacy import denylist
from wiki import http, pywikibot_client
from wiki.http import WikiError

if TYPE_CHECKING:
    from wiki.transport import Site

log = logging.getLogger(__name__)

DENIED = "denied"  # error of a step
AT_ONCE = 500  # photos
Kind = DenyEntry.Kind
OF_PHOTOS = (Kind.FILE, Kind.UPLOADER, Kind.AUTHOR)  # entries by which we know a photo ourselves
# Entries that stand for a listing, and the kind of the source that it is of.
LISTED_AS = {Kind.CATEGORY: Source.Kind.CATEGORY, Kind.UPLOADER: Source.Kind.UPLOADER}
MOST_PAGES = 4000  # of the list of a category's files


def list_changed(*, entry: DenyEntry, listed: bool, **_: Any) -> None:
    """Hears `projects.privacy.denylist_changes.list_changed`, within its transaction."""
    if entry.wiki != settings.WIKI.code:
        return
    if entry.kind in LISTED_AS:
        (_stop_steps if listed else _go_on_with_steps)(entry)
    if entry.kind in OF_PHOTOS and listed:
        _let_go(entry)
    elif entry.kind in OF_PHOTOS and not denylist.categories():
        _take_back(named_by(entry))
    if entry.kind != DenyEntry.Kind.PERSON:
        announce("deny-list-changed")


def look_through() -> None:
    """Let go of the photos that are in a category on the list now, and take back those that no
    entry stands for any more. Call outside transactions."""
    titles = denylist.categories()
    mine = Photo.objects.filter(wiki=settings.WIKI.code)
    if not titles and not mine.filter(state=Photo.State.DENIED).exists():
        return
    inside: set[int] = set()
    try:
        with pywikibot_client.wiki_site() as site:
            for title in titles:
                inside |= members(site, title)
    except WikiError as error:  # the next look; nothing comes back by what was not read
        log.warning("categories on the deny-list could not be read: %s", error)
        titles = []
    live = mine.filter(state=Photo.State.LIVE)
    for some in _some(sorted(inside)):
        leave(list(live.filter(page_id__in=some)))
    denied = mine.filter(state=Photo.State.DENIED)
    alone = [pk for pk, page_id in denied.values_list("pk", "page_id") if page_id not in inside]
    for keys in _some(alone):
        _take_back_as_read(Photo.objects.filter(pk__in=keys), titles)


def _some(keys: list[int]) -> Iterator[list[int]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))


def members(site: Site, title: str) -> set[int]:
    """Page ids of the files that are directly in a category."""
    asked = {"list": "categorymembers", "cmtitle": title, "cmtype": "file", "cmlimit": 500}
    found: set[int] = set()
    for body in http.follow(
        partial(pywikibot_client.read, site), MOST_PAGES, action="query", **asked
    ):
        members = body["query"]["categorymembers"].items(required=True)
        found |= {member["pageid"].integer(least=1) for member in members}  # none may be missed
    return found


def named_by(which: DenyEntry | Objection) -> QuerySet[Photo]:
    """The photos of an uploader or author, or of a file, whatever it is called now."""
    if which.kind == Kind.FILE:
        page = Q(page_id=which.page_id) if which.page_id else Q()
        return Photo.objects.filter(Q(title=which.value) | page, wiki=which.wiki)
    field = "uploader" if which.kind == Kind.UPLOADER else "author"
    return Photo.objects.filter(wiki=which.wiki, **{field: which.value})


def _let_go(entry: DenyEntry) -> None:
    """The photos are of no project any more, and what was made of them goes, unless the same
    picture stands on another page."""
    photos = list(named_by(entry))
    if entry.kind == Kind.FILE and photos and entry.page_id is None:
        # a new name does not escape the list
        DenyEntry.objects.filter(pk=entry.pk).update(page_id=photos[0].page_id)
    for start in range(0, len(photos), AT_ONCE):
        leave(photos[start : start + AT_ONCE])


@atomic
def leave(photos: list[Photo]) -> None:
    if not photos:
        return
    Photo.objects.filter(pk__in=[photo.pk for photo in photos]).update(
        state=Photo.State.DENIED, seen_at=timezone.now()
    )
    _tell(photos)
    pictures = Picture.objects.filter(pk__in=[photo.picture_id for photo in photos])
    transaction.on_commit(lambda: _forget(pictures))


def _forget(pictures: Any) -> None:
    while crawler_retention.forget_these(pictures) == crawler_retention.PICTURES:
        pass


@atomic
def _take_back_as_read(rows: QuerySet[Photo], titles: list[str]) -> None:
    if titles == denylist.categories():
        _take_back(rows)


def _take_back(rows: QuerySet[Photo]) -> None:
    """Unless an entry stands for them, too. The next crawl sees whether they are still on the
    wiki."""
    photos = list(rows.filter(state=Photo.State.DENIED))
    denied = denylist.denied_files((photo.page_id, photo.title) for photo in photos)
    denied |= denylist.denied_makers((each.page_id, each.uploader, each.author) for each in photos)
    back = [photo for photo in photos if photo.page_id not in denied]
    Photo.objects.filter(pk__in=[photo.pk for photo in back]).update(state=Photo.State.LIVE)
    crawler_retention.remember(Picture.objects.filter(photos__in=back))
    _tell(back)
    announce("photos-crawled")


def _tell(photos: Iterable[Photo]) -> None:
    """Let learners see it."""
    shown = Project.objects.filter(project_photos__photo__in=photos)
    Project.objects.filter(pk__in=sorted(set(shown.values_list("pk", flat=True)))).tell_learner()
    announce("pictures-detected")


def _steps(entry: DenyEntry) -> QuerySet[CrawlStep]:
    kind = LISTED_AS[Kind(entry.kind)]
    return CrawlStep.objects.filter(title=entry.value, source__kind=kind)


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
