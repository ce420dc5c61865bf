"""A project in which much happened: a hundred batches, twenty members, trouble of each kind."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from classify.models import Forecast
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto
from projects import ledger
from projects.models import Contribution, Membership, Project, User
from sdc.models import Claim, ClaimAttempt, EditBatch, Watch
from sdc.writing.reasons import Reason
from tests import factories

BATCHES, MEMBERS = 100, 20


def crowd(project: Project) -> None:
    """Fill a project that has photos and an owner. One member shows her name: Ingrid S."""
    members = [factories.make_user(f"Member {number}") for number in range(2, MEMBERS)]
    members.append(factories.make_user("Ingrid S.", show_on_leaderboard=True))
    for number, user in enumerate(members):
        role = Membership.Role.REVIEWER if number == 0 else Membership.Role.MEMBER
        Membership.objects.create(project=project, user=user, role=role)
        ledger.audit(user, "member.joined", project, f"user:{user.pk}")
        ledger.contribute(project, user, Contribution.Kind.ANSWER, 20 + number)
    ledger.contribute(project, members[0], Contribution.Kind.REVIEW, 12)
    _batches(project, members[-1])
    _course(project)
    _dates(project)
    _trouble(project)


def _batches(project: Project, user: User) -> None:
    now = timezone.now()
    EditBatch.objects.bulk_create(
        EditBatch(
            project=project,
            user=user,
            wiki=project.person.wiki,
            state=EditBatch.State.DONE,
            summary="s",
            confirmed_at=now - timedelta(days=BATCHES - number),
        )
        for number in range(BATCHES)
    )
    photos = [row.photo for row in ProjectPhoto.objects.filter(project=project)[:6]]
    last = EditBatch.objects.filter(project=project).order_by("-pk")[0]
    for number, photo in enumerate(photos):
        refused = number > 3
        claim = Claim.objects.create(
            wiki=photo.wiki,
            page_id=photo.page_id,
            qid=project.person.qid,
            photo=photo,
            project=project,
            state=Claim.State.FREE if refused else Claim.State.WRITTEN,
        )
        attempt = ClaimAttempt.objects.create(
            batch=last,
            claim=claim,
            guid=f"M{photo.page_id}$crowd-{number}",
            statement={"id": f"M{photo.page_id}$crowd-{number}"},
            sha1=photo.picture.sha1,
            state=WorkState.DONE,
            outcome=ClaimAttempt.Outcome.REFUSED if refused else ClaimAttempt.Outcome.WRITTEN,
            reason=Reason.FILTERED if refused else "",
            ended_at=now,
        )
        if not refused:
            taken_out = number == 3
            Watch.objects.create(
                claim_attempt=attempt,
                finding=Watch.Finding.REMOVED if taken_out else Watch.Finding.STANDS,
                found_at=now if taken_out else None,
            )
    ledger.audit(user, "batch.confirmed", project, f"batch:{last.code}")
    EditBatch.objects.create(
        project=project,
        user=user,
        wiki=project.person.wiki,
        state=EditBatch.State.PAUSED,
        reason=Reason.LOGIN,
        summary="s",
        confirmed_at=now,
    )


def _course(project: Project) -> None:
    Forecast.objects.filter(subject=project.subject).delete()
    Forecast.objects.bulk_create(
        Forecast(
            subject=project.subject,
            answers=answers,
            precision=1 - 0.3 * 0.985**answers,
            recall=0.97 - 0.6 * 0.98**answers,
        )
        for answers in range(1, 275, 3)
    )


def _dates(project: Project) -> None:
    for number, row in enumerate(ProjectPhoto.objects.filter(project=project).order_by("pk")):
        if number % 4 == 3:
            continue
        year = (1886, 1911, 1911, 1921, 1921, 1921, 1927, 1931)[number % 8]
        taken = {"taken_from": date(year, 5, 1), "taken_to": date(year, 5, 1)}
        Photo.objects.filter(pk=row.photo_id).update(**taken)


def _trouble(project: Project) -> None:
    """Photos set aside for three reasons, and a category that could not be read."""
    rows = list(ProjectPhoto.objects.filter(project=project, is_portrait=False).order_by("-pk")[:4])
    errors = (Picture.Error.BROKEN, Picture.Error.BROKEN, Picture.Error.TOO_LARGE, "gone")
    for row, error in zip(rows, errors, strict=False):
        Picture.objects.filter(pk=row.photo.picture_id).update(state=WorkState.ASIDE, error=error)
    source = project.sources.create(kind="category", value="A category that nobody can read")
    source.steps.create(title=source.value, state=WorkState.ASIDE, error="invalidcategory")
    project.sources.filter(pk=source.pk).update(found=3, found_at=timezone.now())
