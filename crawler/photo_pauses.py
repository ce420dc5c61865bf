"""What a pause by an objection means for photos: each knows until when it is paused.

A photo is named by its own title, or is directly in a category, which the wiki alone knows:
`look_through` asks it. Until it has, all photos that a source brought by that category are paused.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from crawler.denylist import AT_ONCE, members, named_by
from crawler.listing.file_info import File
from crawler.models import Photo, ProjectPhoto
from projects.models import Objection, Project, Source
from projects.privacy import denylist, pauses
from wiki import pywikibot_client
from wiki.http import WikiError

OBJECTED = "objected"  # code of what is refused while it is paused
log = logging.getLogger(__name__)
Kind = Objection.Kind


def begin(*, objection: Objection, **_more: Any) -> None:
    """Hears `projects.privacy.pauses.pause_begun`, within its transaction."""
    if objection.kind == Kind.PERSON:
        _tell_of_person(objection)
        return
    _pause(_named(objection), objection.pauses_until)
    if objection.kind == Kind.CATEGORY:
        announce("deny-list-changed")


def end(*, objection: Objection, **_more: Any) -> None:
    """Hears `projects.privacy.pauses.pause_ended`: what only this objection paused goes on.

    The moment until which it paused them tells which photos these are.
    """
    if objection.kind == Kind.PERSON:
        _tell_of_person(objection)
        return
    photos = Photo.objects.filter(wiki=objection.wiki, paused_until=objection.pauses_until)
    keys = list(photos.values_list("pk", flat=True))
    photos.update(paused_until=None)
    for other in pauses.active().exclude(kind__in=(Kind.PERSON, Kind.CATEGORY)):
        _pause(_named(other), other.pauses_until)
    _tell(keys)
    announce("deny-list-changed")  # should another category hold some of them


def count(*, objection: Objection, **_more: Any) -> int:
    """Hears `projects.privacy.pauses.photos_asked`."""
    return _named(objection).filter(state=Photo.State.LIVE).count()


def look_through() -> None:
    """Pause exactly the photos that are in a paused category, and let learners see what goes on
    since its time is over. Call outside transactions."""
    mine = Photo.objects.filter(wiki=settings.WIKI.code)
    over = mine.filter(paused_until__lte=timezone.now())
    keys = list(over.values_list("pk", flat=True))
    over.update(paused_until=None)
    _tell(keys)
    for objection in pauses.active().filter(kind=Kind.CATEGORY):
        try:
            with pywikibot_client.wiki_site() as site:
                found = members(site, f"Category:{objection.value}")
        except WikiError as error:  # the next look
            log.warning("a paused category could not be read: %s", error)
            continue
        _pause_exactly(objection, found)


@atomic
def _pause_exactly(objection: Objection, page_ids: set[int]) -> None:
    """Of what a category's pause holds, let go what is not in it."""
    if not pauses.active().filter(pk=objection.pk).exists():
        return
    mine, until = Photo.objects.filter(wiki=settings.WIKI.code), objection.pauses_until
    held = dict(mine.filter(paused_until=until).values_list("page_id", "pk"))
    others = [pk for page_id, pk in held.items() if page_id not in page_ids]
    mine.filter(pk__in=others).update(paused_until=None)
    _tell(others)
    for some in _some(sorted(page_ids - set(held))):
        _pause(mine.filter(page_id__in=some), until)


def until_of(files: Iterable[File], category: str) -> dict[int, datetime]:
    """Until when each of these files that somebody objects to is paused, by page id; `category`
    is what they are listed in."""
    listed = pauses.of_category(category) if category else None
    active = pauses.active().exclude(kind__in=(Kind.PERSON, Kind.CATEGORY))
    named = {(each.kind, each.value): each.pauses_until for each in active}
    pages = {each.page_id: each.pauses_until for each in active if each.page_id}
    found: dict[int, datetime] = {}
    for file in files:
        names = (
            (Kind.FILE.value, file.title),
            (Kind.UPLOADER.value, file.uploader),
            (Kind.AUTHOR.value, file.author),
        )
        untils = [named.get((kind, denylist.normal(kind, name))) for kind, name in names]
        known = (*untils, pages.get(file.page_id), listed)
        if until := max(filter(None, known), default=None):
            found[file.page_id] = until
    return found


def refuse_paused(project: Project, photos: Iterable[Photo] = ()) -> None:
    """Raise Refused where the project's person or one of the photos is paused: nobody reviews or
    draws what a moderator has yet to decide about."""
    paused = [photo.paused_until for photo in photos if photo.is_paused]
    if until := pauses.of_project(project) or max(filter(None, paused), default=None):
        sentence = _("Somebody objected: this is paused until %(day)s. Nothing was changed.")
        day = date_format(timezone.localtime(until), "DATE_FORMAT")
        raise Refused(OBJECTED, sentence % {"day": day})


def _named(objection: Objection) -> QuerySet[Photo]:
    if objection.kind != Kind.CATEGORY:
        return named_by(objection)
    listed = Q(source__value=objection.value) | Q(source__steps__title=objection.value)
    brought = ProjectPhoto.objects.filter(listed, source__kind=Source.Kind.CATEGORY)
    return Photo.objects.filter(wiki=objection.wiki, pk__in=brought.values("photo"))


def _pause(photos: QuerySet[Photo], until: datetime | None) -> None:
    """Those that are not paused for longer already."""
    shorter = photos.filter(Q(paused_until=None) | Q(paused_until__lt=until))
    keys = list(shorter.values_list("pk", flat=True))
    for some in _some(keys):
        Photo.objects.filter(pk__in=some).update(paused_until=until)
    _tell(keys)


def _tell_of_person(objection: Objection) -> None:
    """Have pages and previews of the person's projects read anew; their faces are the same."""
    theirs = Project.objects.filter(
        subjects__person__wiki=objection.wiki, subjects__person__qid=objection.value
    )
    ids = sorted(theirs.values_list("pk", flat=True))
    Project.objects.filter(pk__in=ids).tell_learner(only_words=True)
    announce("questions-taken")


def _tell(keys: list[int]) -> None:
    """Let learners see it."""
    for some in _some(keys):
        shown = Project.objects.filter(project_photos__photo__in=some)
        ids = sorted(set(shown.values_list("pk", flat=True)))
        Project.objects.filter(pk__in=ids).tell_learner()
    if keys:
        announce("pictures-detected")


def _some(keys: list[int]) -> Iterator[list[int]]:
    return (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
