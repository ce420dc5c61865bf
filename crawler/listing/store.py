"""Committing one page of a listing: photos, pictures, and the place to go on from, together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from core.crash_points import crash_point
from core.events import announce
from core.transactions import atomic
from core.work import WorkState
from crawler import denylist, photo_pauses
from crawler import retention as crawler_retention
from crawler.listing import sources
from crawler.listing.file_info import File
from crawler.listing.read_page import NEWEST, Page
from crawler.models import CrawlStep, Photo, Picture, ProjectPhoto
from projects.live.pulse import beat
from projects.models import Membership, Notification, Project, Source
from projects.notifications.services import notify
from projects.privacy import denylist as privacy_denylist
from projects.privacy.denylist_changes import note_page_ids

TOGETHER = timedelta(hours=1)
# Fields of Photo that follow the wiki at each visit.
FOLLOWED = (
    "title",
    "thumb_path",
    "uploader",
    "uploaded_at",
    "author",
    "licence",
    "taken_from",
    "taken_to",
)
# Reasons that a new address of the thumbnail may do away with.
OF_THE_ADDRESS = (Picture.Error.GONE, Picture.Error.NO_THUMBNAIL, Picture.Error.NETWORK)


def save_page(step: CrawlStep, page: Page) -> None:
    """One transaction: either the page and its cursor are kept, or neither is.

    Raises Overtaken when another worker (or a re-crawl) took the step over in the meantime.
    """
    _save(step, page)
    crash_point("crawl:after-commit")


@atomic
def _save(step: CrawlStep, page: Page) -> None:
    note_page_ids((file.page_id, file.title) for file in page.files)
    files, denied = _wanted(step, page)
    # What is only looked at for new files was counted before.
    again = step.cursor.get("part") == NEWEST
    done = page.cursor is None
    step.settle_or_raise(
        WorkState.DONE if done else WorkState.QUEUED,
        cursor=page.cursor or {},
        files=F("files") + (0 if again else len(files)),
        others=F("others") + (0 if again else page.others),
        tries=0,
        error="",
        error_detail="",
        due_at=timezone.now(),
    )
    _add_steps(step, page)
    _leave_alone(denied)
    category = step.title if step.source.kind == Source.Kind.CATEGORY else ""
    photos = _save_photos(files, category)
    _withdraw(page.gone)
    _mark_asked(step, page.asked)
    known, added = _add_to_project(step, page, photos)
    if page.fresh and added:
        _tell_found(step.source, added, page.fresh == sources.WATCH)
    if done and not step.title and sources.let_go(step.source.project):
        known = True
    crash_point("crawl:before-commit")
    beat(step.source.project_id)
    announce("photos-crawled")
    if known or page.gone:
        # Faces of pictures that another project had looked at are there at once.
        _bump(Project.objects.filter(pk=step.source.project_id))
        announce("pictures-detected")
    else:
        beat(step.source.project_id)


def _wanted(step: CrawlStep, page: Page) -> tuple[list[File], set[int]]:
    """The files of a page without those on the deny list, whose page ids come with them; of a
    search for examples only those that the project has already, and as many more as it may add."""
    denied = _denied(page.files) | page.denied
    files = [file for file in page.files if file.page_id not in denied]
    if step.source.kind != Source.Kind.DEPICTS or not step.title:
        return files, denied
    mine = ProjectPhoto.objects.filter(project=step.source.project, photo__wiki=settings.WIKI.code)
    known = set(
        mine.filter(photo__page_id__in=[file.page_id for file in files]).values_list(
            "photo__page_id", flat=True
        )
    )
    new = [one for one in files if one.page_id not in known and one.page_id in page.depicting]
    room = max(0, settings.DEPICTS_MAX - mine.filter(source=step.source).count())
    return [file for file in files if file.page_id in known] + new[:room], denied


def _denied(files: list[File]) -> set[int]:
    makers = ((file.page_id, file.uploader, file.author) for file in files)
    denied = privacy_denylist.denied_files((file.page_id, file.title) for file in files)
    return denied | privacy_denylist.denied_makers(makers)


def _leave_alone(page_ids: set[int]) -> None:
    """Photos that are here already, and of which the wiki says by now that they are to be left
    alone: by another author line, or a version that somebody else uploaded."""
    mine = Photo.objects.filter(wiki=settings.WIKI.code, page_id__in=page_ids)
    denylist.leave(list(mine.filter(state=Photo.State.LIVE)))


# Categories -------------------------------------------------------------------------------


def _add_steps(step: CrawlStep, page: Page) -> None:
    """Subcategories one level deeper; a category that stands instead at the same level."""
    found = [(title, step.depth - 1) for title in page.subcategories]
    if page.redirect:
        found.append((page.redirect, step.depth))
    denied = privacy_denylist.denied_categories(title for title, _ in found)
    for title, depth in found:
        if title not in denied and len(title) <= 255:
            _add_step(step, title, depth)


def _add_step(parent: CrawlStep, title: str, depth: int) -> None:
    # What is found new below a source that was read before is new itself.
    fresh = parent.cursor.get("fresh")
    cursor = {"fresh": fresh} if fresh else {}
    step, made = CrawlStep.objects.get_or_create(
        source=parent.source,
        title=title,
        defaults={"depth": depth, "round": parent.round, "cursor": cursor},
    )
    if made:
        return
    fields = {
        "state": WorkState.QUEUED,
        "attempt": F("attempt") + 1,
        "tries": 0,
        "lease_until": None,
        "due_at": timezone.now(),
    }
    mine = CrawlStep.objects.filter(pk=step.pk)
    if step.round < parent.round:  # found again in a re-crawl
        mine.update(
            depth=depth, round=parent.round, cursor=cursor, files=0, others=0, error="", **fields
        )
    elif step.depth < depth:  # a shorter way to it was found: more levels below are wanted
        done = step.state == WorkState.DONE
        cursor = {"part": "subcategories"} if done else step.cursor
        mine.update(depth=depth, cursor=cursor, **fields)


# Photos -----------------------------------------------------------------------------------


@atomic
def follow(files: Iterable[File]) -> None:
    """Take over what pages that we know show by now, outside of a crawl."""
    files = list(files)
    note_page_ids((file.page_id, file.title) for file in files)
    denied = _denied(files)
    _leave_alone(denied)
    _save_photos(file for file in files if file.page_id not in denied)
    announce("photos-crawled")


def _save_photos(files: Iterable[File], category: str = "") -> dict[int, Photo]:
    """The photos of these files, by page id, with the pictures they show now. What somebody
    objects to, as a file or by the `category` in which it is listed, is paused."""
    by_id = {file.page_id: file for file in files}
    pictures = _save_pictures(by_id.values())
    wanted = Photo.objects.filter(wiki=settings.WIKI.code, page_id__in=by_id)
    for photo in wanted.select_related("picture"):
        _update(photo, by_id[photo.page_id], pictures[by_id[photo.page_id].sha1])
    there = set(wanted.values_list("page_id", flat=True))
    Photo.objects.bulk_create(
        [
            Photo(
                wiki=settings.WIKI.code,
                page_id=file.page_id,
                picture=pictures[file.sha1],
                **{name: getattr(file, name) for name in FOLLOWED},
            )
            for file in by_id.values()
            if file.page_id not in there
        ],
        ignore_conflicts=True,  # two projects may meet the same file at the same moment
    )
    for page_id, until in photo_pauses.until_of(by_id.values(), category).items():
        shorter = wanted.filter(Q(paused_until=None) | Q(paused_until__lt=until))
        shorter.filter(page_id=page_id).update(paused_until=until)
    return {photo.page_id: photo for photo in wanted.select_related("picture")}


def _save_pictures(files: Iterable[File]) -> dict[str, Picture]:
    """One picture a sha1, however many pages show it."""
    by_sha1 = {file.sha1: file for file in files}
    there = set(Picture.objects.filter(sha1__in=by_sha1).values_list("sha1", flat=True))
    Picture.objects.bulk_create(
        [
            Picture(sha1=sha1, width=file.width, height=file.height, mime=file.mime)
            for sha1, file in by_sha1.items()
            if sha1 not in there
        ],
        ignore_conflicts=True,
    )
    return {picture.sha1: picture for picture in Picture.objects.filter(sha1__in=by_sha1)}


def _update(photo: Photo, file: File, picture: Picture) -> None:
    """Follow the wiki: another title after a move, other pixels after an upload, or back again."""
    fresh = {name: getattr(file, name) for name in FOLLOWED}
    changed = any(getattr(photo, name) != value for name, value in fresh.items())
    other_pixels = photo.picture_id != picture.pk
    back = photo.state == Photo.State.WITHDRAWN
    if changed or other_pixels or back:
        if photo.thumb_path != file.thumb_path and picture.error in OF_THE_ADDRESS:
            picture.retry()
        denied = photo.state == Photo.State.DENIED
        state = Photo.State.DENIED if denied else Photo.State.LIVE
        fresh |= {"picture": picture, "state": state, "seen_at": timezone.now()}
        Photo.objects.filter(pk=photo.pk).update(**fresh)
    if other_pixels or back:
        _bump(Project.objects.filter(project_photos__photo=photo))


def _withdraw(page_ids: set[int]) -> None:
    gone = Photo.objects.filter(wiki=settings.WIKI.code, page_id__in=page_ids)
    photos = list(gone.values_list("pk", flat=True))
    gone.update(state=Photo.State.WITHDRAWN, seen_at=timezone.now())
    _bump(Project.objects.filter(project_photos__photo__in=photos))


# The project ------------------------------------------------------------------------------


def _mark_asked(step: CrawlStep, page_ids: list[int]) -> None:
    """They are still on the wiki, or withdrawn, but none of the project's sources any more."""
    mine = ProjectPhoto.objects.filter(
        project=step.source.project_id, photo__wiki=settings.WIKI.code, photo__page_id__in=page_ids
    )
    keys = list(mine.values_list("pk", flat=True))
    ProjectPhoto.objects.filter(pk__in=keys).update(source=None, round=step.round)


def _add_to_project(step: CrawlStep, page: Page, photos: dict[int, Photo]) -> tuple[bool, int]:
    """Join photos to the project; True when the learner must see it (faces of one that is new here
    are known already, or statements came or went), and how many are new."""
    project = step.source.project
    there = {
        one.photo_id: one
        for one in ProjectPhoto.objects.filter(project=project, photo__in=photos.values())
    }
    new = [photo for photo in photos.values() if photo.pk not in there]
    portrait = _is_portrait(step)
    ProjectPhoto.objects.bulk_create(
        [
            ProjectPhoto(
                project=project,
                photo=photo,
                source=step.source if step.title else None,
                is_portrait=portrait,
                already_depicts=photo.page_id in page.depicting,
                round=step.round,
            )
            for photo in new
        ],
        ignore_conflicts=True,
    )
    crawler_retention.remember(Picture.objects.filter(photos__in=photos.values()))
    changed = any(photo.picture.state == WorkState.DONE for photo in new)
    for photo in photos.values():
        if one := there.get(photo.pk):
            depicts = photo.page_id in page.depicting
            changed |= one.already_depicts != depicts
            _see_again(one, step, depicts, portrait)
    return changed, len(new)


def _tell_found(source: Source, added: int, watched: bool) -> None:
    """A source that was read before has brought new photos. What comes within the hour is of one
    look at it."""
    now = timezone.now()
    mine = Source.objects.filter(pk=source.pk)
    if not mine.filter(found_at__gt=now - TOGETHER).update(found=F("found") + added):
        mine.update(found=added, found_at=now)
    if watched:
        roles = (Membership.Role.OWNER, Membership.Role.REVIEWER)
        active = source.project.memberships.filter(state=Membership.State.ACTIVE, role__in=roles)
        users = [each.user for each in active.select_related("user")]
        kind = Notification.Kind.UPLOADS
        told = {"source": source.value, "fresh": str(source.pk)}
        notify(users, source.project, kind, count=added, **told)


def _see_again(one: ProjectPhoto, step: CrawlStep, depicts: bool, portrait: bool) -> None:
    ProjectPhoto.objects.filter(pk=one.pk).update(
        round=step.round,
        already_depicts=depicts,
        is_portrait=one.is_portrait or portrait,
        # The first source that has it keeps it.
        source=one.source_id or (step.source_id if step.title else None),
    )


def _is_portrait(step: CrawlStep) -> bool:
    titles = (step.title, step.source.project.person.portrait)
    one, other = (title.replace("_", " ").removeprefix("File:") for title in titles)
    return step.source.kind == Source.Kind.FILE and one == other


def _bump(projects: Iterable[Project]) -> None:
    keys = [project.pk for project in projects]
    Project.objects.filter(pk__in=keys).tell_learner()
