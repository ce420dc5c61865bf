"""Handing out prepared questions: nobody gets a face that somebody else is looking at."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery, Value
from django.db.models.functions import Least
from django.utils import timezone

from classify.models import Answer, Question, Skip
from crawler.models import Photo
from projects import denials
from projects.models import Project, User

LEASE = timedelta(minutes=2)


def next_question(
    project: Project, user: User, exclude: Collection[UUID | str] = ()
) -> Question | None:
    """The face to ask `user` next, leased to them for two minutes; None while there is none,
    as in an archived project, or in one for a person that is left alone.

    The same user gets the same question again until they answer or skip it. `exclude` holds
    public ids of questions that the page shows or has fetched already.
    """
    if project.state == Project.State.ARCHIVED:
        return None
    for _ in range(3):  # others may take every candidate while we look at them
        candidates = list(_candidates(project, user, exclude))
        for question in candidates:
            if _lease(question, user):
                return question
        if not candidates:
            break
    return None


def put_back(taken_back: Answer, undo: Answer) -> None:
    """Ask a face again, before all others, of the user who took the answer back."""
    Question.objects.update_or_create(
        project_id=taken_back.project_id,
        region_id=taken_back.region_id,
        defaults={
            "photo_id": taken_back.photo_id,
            "rank": -float(undo.pk),  # of several that were put back, the last comes first
            "leased_to_id": undo.user_id,
            "leased_until": timezone.now() + LEASE,
        },
    )


def release(project: Project, region_id: int, user: User) -> None:
    mine = Question.objects.filter(project=project, region=region_id, leased_to=user)
    mine.update(leased_to=None, leased_until=None)


def drop_denied() -> None:
    """Those on photos that are left alone; the learner makes none again."""
    Question.objects.filter(photo__state=Photo.State.DENIED).delete()


def free() -> Q:
    """Questions that nobody is looking at now."""
    return Q(leased_until=None) | Q(leased_until__lt=timezone.now())


def _candidates(
    project: Project, user: User, exclude: Collection[UUID | str]
) -> Iterator[Question]:
    """Own leased ones first, then free ones by rank, then what the user has skipped before.

    Of several own ones the page shows what was put back last, else what it was given first.
    """
    skipped = Skip.objects.filter(project=project, user=user, region=OuterRef("region"))
    questions = (
        Question.objects.filter(project=project, photo__state=Photo.State.LIVE)
        .exclude(project__person__qid__in=denials.denied_qids())
        .exclude(public_id__in=list(exclude))
        .select_related("region", "photo__picture")
        .annotate(skipped_at=Subquery(skipped.values("created_at")[:1]))
    )
    own = questions.filter(leased_to=user, leased_until__gte=timezone.now())
    yield from own.order_by(Least("rank", Value(0.0)), "leased_until", "rank", "id")[:1]
    available = questions.filter(free())
    yield from available.filter(skipped_at=None).order_by("rank", "id")[:20]
    yield from available.exclude(skipped_at=None).order_by("skipped_at", "id")[:20]


def _lease(question: Question, user: User) -> bool:
    question.leased_until = timezone.now() + LEASE
    question.leased_to = user
    takeable = Question.objects.filter(pk=question.pk).filter(free() | Q(leased_to=user))
    return bool(takeable.update(leased_to=user, leased_until=question.leased_until))
