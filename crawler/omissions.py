"""What people take out of a project: photos left out and drawn faces released. Each row says who
did it and when, the audit log has it, and all of one person's can be put back at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.events import announce
from core.transactions import atomic
from core.user_errors import Refused
from core.work import WorkState
from crawler import retention as crawler_retention
from crawler.models import EmbedJob, Photo, Picture, ProjectPhoto
from projects.ledger import audit
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import notify
from projects.permissions import ROLES, Can, may, membership

NOBODY: dict[str, Any] = {"left_out_by": None, "left_out_at": None}


@dataclass(frozen=True)
class Omitted:
    """How much one person left out or released in a project."""

    user: User | None  # None where nobody wrote down who it was
    photos: int
    boxes: int
    last: datetime | None


@atomic
def leave_out(project: Project, photo: Photo, by: User) -> bool:
    """Take a photo out of a project; return False if it was out before.

    Plain members may do so only where it was set aside, and while their answers count. Raises
    Refused.
    """
    check_counts(project, by)
    if photo.picture.state != WorkState.ASIDE and not may(by, Can.OVERSEE, project):
        words = _("Only photos that were set aside can be left out.")
        raise Refused("not-set-aside", words)
    rows = ProjectPhoto.objects.filter(project=project, photo=photo, left_out=False)
    if not rows.update(left_out=True, left_out_by=by, left_out_at=timezone.now()):
        return False
    audit(by, "photo.left-out", project, f"photo:{photo.pk}")
    _tell_learner(project)
    _notify_owner(project, by, "photos")
    return True


@atomic
def put_back(project: Project, photo: Photo, by: User) -> bool:
    """Take a photo back into a project; return False if it was in it.

    Plain members may do so only where a plain member left it out, and while their answers count.
    Raises Refused.
    """
    check_counts(project, by)
    row = left_out(project).filter(photo=photo).first()
    if row is None:
        return False
    above = overseers(project)
    if by.pk not in above and row.left_out_by_id in {None, *above}:
        words = _("Only reviewers and the owner can put this photo back.")
        raise Refused("not-yours", words)
    # nothing where somebody else has left it out since
    if not _put_back(project, left_out(project).filter(photo=photo, left_out_by=row.left_out_by)):
        return False
    audit(by, "photo.put-back", project, f"photo:{photo.pk}")
    _notify_owner(project, by, "back")
    return True


@atomic
def release_box(project: Project, job: EmbedJob, by: User) -> bool:
    """Try no more to make a vector of a drawn face; its answers stay. Return False if it was not
    set aside. Raises Refused."""
    check_counts(project, by)
    rows = EmbedJob.objects.filter(pk=job.pk, state=WorkState.ASIDE)
    released = {"released_by": by, "released_at": timezone.now()}
    if not rows.update(state=WorkState.STOPPED, **released):
        return False
    audit(by, "box.released", project, f"region:{job.region_id}")
    _notify_owner(project, by, "boxes")
    return True


@atomic
def put_back_all(project: Project, of: User | None, by: User) -> int:
    """Put back all that one person left out and released; return how much."""
    photos = _put_back(project, left_out(project).filter(left_out_by=of))
    boxes = (
        released(project)
        .filter(released_by=of)
        .update(state=WorkState.ASIDE, released_by=None, released_at=None)
    )
    if photos or boxes:
        target = f"user:{of.pk}" if of else ""
        audit(by, "omissions.put-back", project, target, photos=photos, boxes=boxes)
    return photos + boxes


def check_counts(project: Project, by: User) -> None:
    """Raise Refused for a plain member whose answers do not count, as when the guard doubts them:
    they take nothing away from others either.
    """
    mine = membership(project, by)
    if mine and not mine.counts and not may(by, Can.OVERSEE, project):
        words = _("Your answers in this project don’t count now, so others have to do this.")
        raise Refused("not-counted", words)


def overseers(project: Project) -> set[int]:
    """Return the keys of the reviewers and the owner of a project."""
    rows = project.memberships.filter(state=Membership.State.ACTIVE, role__in=ROLES[Can.OVERSEE])
    return set(rows.values_list("user", flat=True))


def left_out(project: Project) -> QuerySet[ProjectPhoto]:
    """Photos left out of a project, the latest first."""
    return ProjectPhoto.objects.filter(project=project, left_out=True).order_by(
        "-left_out_at", "-pk"
    )


def released(project: Project) -> QuerySet[EmbedJob]:
    """Drawn faces that people released."""
    return EmbedJob.objects.filter(project=project, state=WorkState.STOPPED).exclude(
        released_at=None
    )


def by_person(project: Project) -> list[Omitted]:
    """Who left out and released how much, the latest first."""
    photos = left_out(project).order_by().values_list("left_out_by")
    boxes = released(project).order_by().values_list("released_by")
    rows = [(who, n, 0, last) for who, n, last in _counted(photos, "left_out_at")]
    rows += [(who, 0, n, last) for who, n, last in _counted(boxes, "released_at")]
    users = User.objects.in_bulk([who for who, *_counts in rows if who])
    found: dict[int | None, Omitted] = {}
    for who, n_photos, n_boxes, last in rows:
        before = found.get(who, Omitted(users.get(who or 0), 0, 0, None))
        latest = max(filter(None, (before.last, last)), default=None)
        found[who] = Omitted(before.user, before.photos + n_photos, before.boxes + n_boxes, latest)
    return sorted(
        found.values(), key=lambda each: each.last.timestamp() if each.last else 0, reverse=True
    )


def _counted(
    rows: QuerySet[Any, Any], at: str
) -> Iterator[tuple[int | None, int, datetime | None]]:
    """Key of the person, number of rows, time of the latest."""
    yield from rows.annotate(Count("pk"), Max(at))


def _put_back(project: Project, rows: QuerySet[ProjectPhoto]) -> int:
    """Call in a transaction."""
    pictures = list(rows.values_list("photo__picture", flat=True))
    if count := rows.update(left_out=False, **NOBODY):
        crawler_retention.remember(Picture.objects.filter(pk__in=pictures))
        _tell_learner(project)
    return count


def _tell_learner(project: Project) -> None:
    Project.objects.filter(pk=project.pk).tell_learner()
    announce("photos-crawled")
    announce("pictures-detected")


def _notify_owner(project: Project, by: User, code: str) -> None:
    """Tell the owner what somebody else did: how many different photos or faces are out by that
    person since the owner last read about it, however often each was put back meanwhile."""
    owner, kind = project.owner, Notification.Kind.OMITTED
    if by.pk == owner.pk:
        return
    data: dict[str, Any] = {"code": code, "of": by.public_id}
    read_ones = Notification.objects.filter(user=owner, project=project, kind=kind).filter(
        **{f"data__{name}": value for name, value in data.items()}
    )
    since = read_ones.aggregate(at=Max("read_at"))["at"] or project.created_at
    if code == "photos":
        data["photos"] = left_out(project).filter(left_out_by=by, left_out_at__gt=since).count()
    elif code == "boxes":
        data["boxes"] = released(project).filter(released_by=by, released_at__gt=since).count()
    notify([owner], project, kind, who=str(by), **data)
