"""Handing out prepared questions: nobody gets a face that somebody else is looking at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from classify import selectors
from classify.labels import given_by, is_counted, said_by, upsert
from classify.models import Answer, Leased, Question, Verdict
from core.events import announce
from core.prepared_queries import prepared
from core.transactions import atomic
from crawler.models import Photo, Region, not_paused
from projects.models import Project, User
from projects.permissions import is_left_alone
from projects.privacy import pauses

SILENT = (Project.State.COMPLETED, Project.State.ARCHIVED)  # projects in which nothing is asked
PUT_BACK = ["photo", "rank", "screen", "kind", "marked", "leased_to", "leased_until"]
LEASE = timedelta(minutes=2)
MOMENT = timedelta(milliseconds=1)
TRIES, CANDIDATES = 5, 5
THIRD = Q(kind=Question.Kind.THIRD)
FEW = 30  # free faces: with fewer, whoever comes next may find no screen, so more are prepared


def next_question(
    project: Project,
    user: User,
    exclude: Collection[UUID | str] = (),
    held: Collection[str] = (),
    skipped_since: datetime | None = None,
) -> Question | None:
    """The face to ask `user` next, leased to them for two minutes; None while there is none,
    as in an archived or completed project, or in one for a person that is left alone.

    The same user gets the same question again until they answer or skip it. `exclude` holds
    public ids of questions that the page shows or has fetched already, `held` those of their faces.
    What they skipped comes back after all others, but for what they skipped since `skipped_since`.
    """
    if is_silent(project):
        return None
    for _ in range(TRIES):  # others may take every candidate while we look at them
        candidates = open_to(project, user, CANDIDATES, exclude, held, skipped_since)
        if not candidates:
            break
        for question in candidates:
            if lease(project, [question], user):
                found: Question = question
                return found
    return None


def is_silent(project: Project) -> bool:
    """Whether nothing is asked: it is completed or archived, or its person is left alone, or
    paused since somebody objected."""
    return (
        project.state in SILENT or is_left_alone(project) or pauses.of_project(project) is not None
    )


def put_back(project: Project, undone: Sequence[Answer]) -> None:
    """Ask faces again, before all others, of the user who took these answers back at once.

    They make one screen, on which is marked what was a Yes.
    """
    if not undone:
        return
    last = Question.objects.filter(subject=project.subject).aggregate(last=Max("screen"))["last"]
    verdicts = [each.undoes.verdict for each in undone if each.undoes]
    screen, until = 0 if last is None else last + 1, timezone.now() + LEASE
    rows = {
        undo.region_id: Question(
            subject=project.subject,
            region_id=undo.region_id,
            photo_id=undo.photo_id,
            rank=-float(undo.pk),  # of several that were put back, the last comes first
            screen=screen,
            kind=_kind(verdicts),
            marked=verdict == Verdict.YES,
            leased_to_id=undo.user_id,
            leased_until=until,
        )
        for undo, verdict in zip(undone, verdicts, strict=True)
    }
    upsert(rows.values(), ["subject", "region"], PUT_BACK)


def _kind(verdicts: list[str]) -> str:
    """What a screen with these answers was, as far as they tell."""
    if len(verdicts) == 1:
        return Question.Kind.ONE
    return Question.Kind.LIKELY if Verdict.YES in verdicts else Question.Kind.OTHERS


def worth(project: Project) -> int:
    """About how many faces are still worth an answer, see `worth_of`."""
    return worth_of([project]).get(project.pk, 0)


def worth_of(projects: Iterable[Project]) -> dict[int, int]:
    """About how many faces are still worth an answer, by the key of the project; one query.

    It is the learner's opinion, as long as there is something to ask: after the last answer nothing
    is left, though the learner has yet to think about it. A face that is asked about a third time
    is one answer more. Completed and archived projects ask nothing.
    """
    asking = [project for project in projects if project.state not in SILENT]
    asked = Question.objects.filter(subject__in=[project.subject for project in asking])
    asked = asked.exclude(pauses.is_paused("subject__person__qid"))
    thought = Max("subject__project__learner__worth", filter=~THIRD)
    told = (
        asked.order_by()
        .values("subject__project")
        .annotate(third=Count("pk", filter=THIRD), thought=thought)
    )
    return {row["subject__project"]: row["third"] + round(row["thought"] or 0) for row in told}


def release(project: Project, region_ids: Collection[int], user: User) -> None:
    mine = Question.objects.filter(subject=project.subject, region__in=region_ids, leased_to=user)
    mine.update(leased_to=None, leased_until=None)


def let_go(project: Project, regions: Collection[Region], user: User) -> None:
    """Ask no more what was to be found out: who the person is, among those seen most often."""
    mine = Question.objects.filter(subject=project.subject, region__in=regions, leased_to=user)
    common = Question.objects.filter(subject=project.subject, kind=Question.Kind.COMMON)
    (mine | common.filter(free() | Q(leased_to=user))).delete()


def drop_denied() -> None:
    """Those on photos that are left alone; the learner makes none again."""
    Question.objects.filter(photo__state=Photo.State.DENIED).delete()


@atomic
def keep(project: Project, leased: QuerySet[Any], user: User, faces: Collection[str]) -> set[str]:
    """Lease what is asked about these faces (public ids of regions) to the user for two minutes
    more, in the same order, since a reload brings back what they were given first. Returns the
    faces that are still theirs, or nobody's; others took, or answered, the rest, or it is paused.

    `leased` holds the project's rows of Question, or of another Leased with a region and photo.
    """
    if pauses.of_project(project):
        return set()
    until = timezone.now() + LEASE
    mine = leased.filter(not_paused()).filter(free() | Q(leased_to=user))
    mine = mine.filter(region__public_id__in=faces)
    rows = list(mine.values_list("leased_until", "pk", "region__public_id"))
    given: dict[datetime, list[int]] = defaultdict(list)  # by when the lease was to end
    for end, pk, _face in rows:
        given[end or until].append(pk)
    for place, end in enumerate(sorted(given)):
        still = leased.model._default_manager.filter(free() | Q(leased_to=user), pk__in=given[end])
        still.update(leased_to=user, leased_until=until + place * MOMENT)
    return {face for _end, _pk, face in rows}


def free(now: Any = None) -> Q:
    """Questions that nobody is looking at now."""
    return Q(leased_until=None) | Q(leased_until__lt=now or timezone.now())


def open_to(
    project: Project,
    user: User,
    most: int,
    exclude: Collection[UUID | str] = (),
    held: Collection[str] = (),
    skipped_since: datetime | None = None,
) -> list[Any]:
    """The first of what may be asked of the user now, in turn: free, or leased to them;
    `skipped_at` is when they skipped the face. Photos that are left alone are not asked about,
    nor free faces that they skipped since `skipped_since`, nor once more those that they answered,
    should their answers not count.

    Each brings `free_left`, how many are free, `given`, how many answers of the user stand, and
    `worth`, how many more are worth giving, so that a page needs no other query for these.
    """
    return _asked(most)(
        project.subject.pk,
        user.pk,
        timezone.now(),
        selectors.learner(project).worth,
        [UUID(str(each)) for each in exclude],
        held,
        skipped_since,
        is_counted(project, user),
    )


@cache
def _asked(most: int) -> Callable[..., list[Any]]:
    return prepared(lambda *values: _in_turn(_open(*values), values[1], values[2])[:most])


def _open(
    subject: Any,
    user: Any,
    now: Any,
    worth: Any,
    exclude: Any = (),
    held: Any = (),
    skipped_since: Any = None,
    is_counted: bool = True,
) -> QuerySet[Any]:
    mine = Q(region__skips__user=user, region__skips__subject=subject)
    every = Question.objects.filter(subject=subject).order_by().values("subject")
    thought = Max(worth, filter=~THIRD)
    asked: QuerySet[Any] = (
        Question.objects.annotate(skip=FilteredRelation("region__skips", condition=mine))
        .filter(free(now) | Q(leased_to=user), subject=subject, photo__state=Photo.State.LIVE)
        .filter(not_paused(now=now))
        .exclude(public_id__in=exclude)
        .exclude(region__public_id__in=held)
        .select_related("region", "photo__picture")
        .annotate(
            skipped_at=F("skip__created_at"),
            free_left=_number(every.filter(free(now)), Count("pk")),
            worth=_number(every, Count("pk", filter=THIRD) + Coalesce(thought, 0)),
            given=Coalesce(Subquery(given_by(subject, user)), 0),
        )
    )
    if not is_counted:
        asked = asked.exclude(Exists(said_by(subject, user)))
    if skipped_since is None:
        return asked
    again = Q(skipped_at=None) | Q(skipped_at__lt=skipped_since)
    return asked.filter(again | _own(user, now))


def _number(rows: QuerySet[Any, Any], of: Any) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(n=of).values("n")), 0)


def has_skipped(project: Project, user: User) -> bool:
    """Whether something could be asked of the user now that they skipped."""
    asked = _open(
        project.subject, user, timezone.now(), Value(0), is_counted=is_counted(project, user)
    )
    return asked.filter(free(), skipped_at__isnull=False).exists()


def _own(user: Any, now: Any) -> Q:
    """Questions that the user is looking at now."""
    return Q(leased_to=user, leased_until__gte=now)


def _in_turn(questions: QuerySet[Any], user: Any, now: Any) -> QuerySet[Any]:
    """Own leased ones first (of several such what was put back last, else what they were given
    first), then free ones by rank, then what the user has skipped before."""
    own = _own(user, now)
    turn = Case(When(own, then=0), When(skipped_at=None, then=1), default=2)
    turned: QuerySet[Any] = questions.annotate(turn=turn)
    return turned.order_by(
        "turn",
        Case(When(own, then=Least("rank", Value(0.0))), default=Value(0.0)),
        Case(When(own, then="leased_until")),
        Case(When(turn=2, then="skipped_at")),
        "rank",
        "id",
    )


def lease(project: Project, asked: Sequence[Any], user: User) -> list[Any]:
    """Lease these (see `open_to`) to the user for two minutes; returns those that nobody else
    took first."""
    now = timezone.now()
    until = now + LEASE
    keys = [each.pk for each in asked]
    new = sum(is_free(each, now) for each in asked)
    takeable = Question.objects.filter(free() | Q(leased_to=user), pk__in=keys)
    taken = takeable.update(leased_to=user, leased_until=until)
    for each in asked:
        each.leased_to, each.leased_until = user, until
    if taken and new:
        _prepare_more(project, asked[0], new)
    if taken == len(keys) or not taken:
        return list(asked) if taken else []
    mine = Question.objects.filter(pk__in=keys, leased_to=user).values_list("pk", flat=True)
    return [each for each in asked if each.pk in set(mine)]


def is_free(question: Leased, now: datetime) -> bool:
    """Return whether nobody looks at it at this moment; see `free` for the same in a query."""
    return question.leased_until is None or question.leased_until < now


def let_loose(taken: Sequence[Any]) -> None:
    """Of a screen that somebody else has begun to look at: theirs is theirs."""
    Question.objects.filter(pk__in=[each.pk for each in taken]).update(
        leased_to=None, leased_until=None
    )


@atomic
def _prepare_more(project: Project, taken: Any, number: int) -> None:
    """Have the learner bring more for those who come next, should little be free by now.

    Where no more is worth asking there is none; each lease then wakes it once, in vain.
    """
    if taken.free_left - number >= FEW:
        return
    Project.objects.filter(pk=project.pk).tell_learner(only_words=True)
    announce("questions-taken")
