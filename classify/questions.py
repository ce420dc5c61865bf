"""Handing out prepared questions: nobody gets a face that somebody else is looking at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Least
from django.utils import timezone

from classify.models import Answer, Question, Skip, Verdict
from crawler.models import Photo, Region
from projects import denials
from projects.models import Project, User
from projects.pipeline import announce

LEASE = timedelta(minutes=2)
FEW = 30  # free faces: with fewer, whoever comes next may find no screen, so more are prepared


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
            if lease([question], user):
                return question
        if not candidates:
            break
    return None


def put_back(project: Project, undone: Sequence[Answer]) -> None:
    """Ask faces again, before all others, of the user who took these answers back at once.

    They make one screen, on which is marked what was a Yes.
    """
    if not undone:
        return
    last = Question.objects.filter(project=project).aggregate(last=Max("screen"))["last"]
    verdicts = [each.undoes.verdict for each in undone if each.undoes]
    for undo, verdict in zip(undone, verdicts, strict=True):
        Question.objects.update_or_create(
            project=project,
            region_id=undo.region_id,
            defaults={
                "photo_id": undo.photo_id,
                "rank": -float(undo.pk),  # of several that were put back, the last comes first
                "screen": 0 if last is None else last + 1,
                "kind": _kind(verdicts),
                "marked": verdict == Verdict.YES,
                "leased_to_id": undo.user_id,
                "leased_until": timezone.now() + LEASE,
            },
        )


def _kind(verdicts: list[str]) -> str:
    """What a screen with these answers was, as far as they tell."""
    if len(verdicts) == 1:
        return Question.Kind.ONE
    return Question.Kind.LIKELY if Verdict.YES in verdicts else Question.Kind.OTHERS


def release(project: Project, region_ids: Collection[int], user: User) -> None:
    mine = Question.objects.filter(project=project, region__in=region_ids, leased_to=user)
    mine.update(leased_to=None, leased_until=None)


def let_go(project: Project, regions: Collection[Region], user: User) -> None:
    """Ask no more what was to be found out: who the person is, among those seen most often."""
    mine = Question.objects.filter(project=project, region__in=regions, leased_to=user)
    common = Question.objects.filter(project=project, kind=Question.Kind.COMMON)
    (mine | common.filter(free() | Q(leased_to=user))).delete()


def drop_denied() -> None:
    """Those on photos that are left alone; the learner makes none again."""
    Question.objects.filter(photo__state=Photo.State.DENIED).delete()


def free() -> Q:
    """Questions that nobody is looking at now."""
    return Q(leased_until=None) | Q(leased_until__lt=timezone.now())


def open_to(project: Project, user: User, exclude: Collection[UUID | str] = ()) -> QuerySet[Any]:
    """What may be asked of the user now: free, or leased to them; `skipped_at` is when they
    skipped the face. Photos and persons that are left alone are not asked about."""
    skipped = Skip.objects.filter(project=project, user=user, region=OuterRef("region"))
    return (
        Question.objects.filter(free() | Q(leased_to=user), project=project)
        .filter(photo__state=Photo.State.LIVE)
        .exclude(project__person__qid__in=denials.denied_qids())
        .exclude(public_id__in=list(exclude))
        .select_related("region", "photo__picture")
        .annotate(skipped_at=Subquery(skipped.values("created_at")[:1]))
    )


def lease(asked: Sequence[Question], user: User) -> list[Question]:
    """Lease these to the user for two minutes; returns those that nobody else took first."""
    now = timezone.now()
    until = now + LEASE
    keys = [each.pk for each in asked]
    is_new = any(_is_free(each, now) for each in asked)
    takeable = Question.objects.filter(free() | Q(leased_to=user), pk__in=keys)
    taken = takeable.update(leased_to=user, leased_until=until)
    for each in asked:
        each.leased_to, each.leased_until = user, until
    if taken and is_new:
        _prepare_more(asked[0].project_id)
    if taken == len(keys) or not taken:
        return list(asked) if taken else []
    mine = Question.objects.filter(pk__in=keys, leased_to=user).values_list("pk", flat=True)
    return [each for each in asked if each.pk in set(mine)]


def _is_free(question: Question, now: datetime) -> bool:
    return question.leased_until is None or question.leased_until < now


def _prepare_more(project_id: int) -> None:
    """Have the learner bring more for those who come next, should little be free by now.

    Where no more is worth asking there is none; each lease then wakes it once, in vain.
    """
    if Question.objects.filter(free(), project=project_id).count() >= FEW:
        return
    with transaction.atomic():
        Project.objects.filter(pk=project_id).tell_learner(only_words=True)
        announce("questions-taken")


def _candidates(
    project: Project, user: User, exclude: Collection[UUID | str]
) -> Iterator[Question]:
    """Own leased ones first, then free ones by rank, then what the user has skipped before.

    Of several own ones the page shows what was put back last, else what it was given first.
    """
    questions = open_to(project, user, exclude)
    own = questions.filter(leased_to=user, leased_until__gte=timezone.now())
    yield from own.order_by(Least("rank", Value(0.0)), "leased_until", "rank", "id")[:1]
    available = questions.filter(free())
    yield from available.filter(skipped_at=None).order_by("rank", "id")[:20]
    yield from available.exclude(skipped_at=None).order_by("skipped_at", "id")[:20]
