"""A second look at a face whose statement somebody removed or changed on the wiki."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _

from classify import answers as classify
from classify.models import Origin
from core.transactions import atomic
from core.user_errors import Refused
from crawler import photo_pauses
from crawler.models import Photo, ProjectPhoto, Region
from projects.models import User
from projects.permissions import Can, may
from sdc.models import Watch
from sdc.watch.findings import TAKEN_OUT

REDRAWN = 10  # boxes followed from the one that was sent to the one that stands now


def face_of(watch: Watch) -> Region | None:
    """The face that the statement was about, as it is drawn now; None where nobody can say
    anything of it any more: another picture, withdrawn, or not in the project by now."""
    attempt = watch.claim_attempt
    face, photo = attempt.region, attempt.claim.photo
    for _redrawn in range(REDRAWN):
        if face is None or face.replaced_by_id is None:
            break
        face = face.replaced_by
    if face is None or face.replaced_by_id or face.picture_id != photo.picture_id:
        return None
    held = ProjectPhoto.objects.filter(project=attempt.batch.project_id, photo=photo)
    return face if photo.state == Photo.State.LIVE and held.exists() else None


@atomic
def look_again(watch: Watch, user: User, verdict: str, client_uuid: UUID) -> None:
    """Keep what `user` says of the face after a second look; sent twice it is one answer.

    An empty verdict says nothing of the face: it stays as it is, and out of the list. What the
    wiki says is left alone, whatever the answer. Raises PermissionDenied, Refused.
    """
    project = watch.claim_attempt.batch.project
    if not may(user, Can.REVIEW, project):
        raise PermissionDenied
    photo_pauses.refuse_paused(project, [watch.claim_attempt.claim.photo])
    waiting = Watch.objects.filter(pk=watch.pk, finding__in=TAKEN_OUT, looked_at=None)
    if not waiting.update(looked_by=user, looked_at=timezone.now()):
        watch.refresh_from_db(fields=["looked_by"])
        if watch.looked_by_id != user.pk:
            raise Refused("looked", _("Somebody was quicker: this face was looked at."))
        return
    if not verdict:
        return
    face = face_of(watch)
    if face is None:
        raise Refused("changed", _("This face can't be answered any more."))
    photo = watch.claim_attempt.claim.photo
    classify.answer(project, face, photo, user, verdict, Origin.REVIEW, client_uuid)


@atomic
def take_back(watch: Watch, user: User, client_uuid: UUID) -> bool:
    """Take back one's own second look, with its answer; False when there is none.

    Raises PermissionDenied, Refused.
    """
    project = watch.claim_attempt.batch.project
    if not may(user, Can.REVIEW, project):
        raise PermissionDenied
    own = Watch.objects.filter(pk=watch.pk, looked_by=user)
    if not own.update(looked_by=None, looked_at=None):
        return False
    classify.undo_many(project, user, [client_uuid])
    return True
