"""The current word on a region, made from its answers: reviewer over member, then the latest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from django.db import connection, models, transaction
from django.db.models import QuerySet

from classify.models import Answer, Label, Origin
from crawler.models import Region
from projects.models import Membership, Project, User
from projects.pipeline import announce

M = TypeVar("M", bound=models.Model)

Role = Membership.Role
RANK = {Role.OWNER: 2, Role.REVIEWER: 2, Role.MEMBER: 1}
LABEL_FIELDS = ["photo", "verdict", "origin", "answer", "user", "disputed", "decided_at"]


def lock(project: Project) -> None:
    """Hold the project's row until the end of the transaction, and tell the learner of a change.

    Whatever writes answers, labels or scores of a project does this first, so that no two of
    them interleave.
    """
    Project.objects.filter(pk=project.pk).tell_learner(only_words=True)


def standing(project: Project) -> QuerySet[Answer]:
    """Answers that nobody has taken back, oldest first."""
    answers = Answer.objects.filter(project=project, undone_by=None)
    return answers.exclude(origin=Origin.UNDO).order_by("id")


def relabel(project: Project, region_ids: Collection[int]) -> dict[int, Label]:
    """Make the labels of these regions anew; call inside the transaction of the answer.

    Returns the labels by region id; a region without a word has none.
    """
    labels = _words(project, standing(project).filter(region__in=region_ids))
    gone = set(region_ids) - labels.keys()
    Label.objects.filter(project=project, region__in=gone).delete()
    upsert(labels.values(), ["project", "region"], LABEL_FIELDS)
    return labels


def rebuild_labels(project: Project) -> int:
    """Make all labels of a project anew from its answers; returns how many there are.

    Labels hold nothing of their own, so this changes none that is right.
    """
    with transaction.atomic():
        lock(project)
        region_ids = set(standing(project).values_list("region", flat=True))
        region_ids |= set(Label.objects.filter(project=project).values_list("region", flat=True))
        return len(relabel(project, region_ids))


def reweigh(project: Project, user: User) -> None:
    """Make the labels anew where `user` said a word: they have another role here by now."""
    with transaction.atomic():
        lock(project)
        relabel(project, set(standing(project).filter(user=user).values_list("region", flat=True)))
        announce("answers-given")


def upsert(rows: Iterable[M], unique: list[str], fields: list[str]) -> None:
    """Insert rows, or update `fields` where a row with the same `unique` fields exists."""
    rows = list(rows)
    if not rows:
        return
    conflict: dict[str, Any] = {"update_conflicts": True, "update_fields": fields}
    if connection.features.supports_update_conflicts_with_target:
        conflict["unique_fields"] = unique  # MariaDB finds the unique key by itself
    type(rows[0])._default_manager.bulk_create(rows, batch_size=200, **conflict)


def _words(project: Project, answers: QuerySet[Answer]) -> dict[int, Label]:
    by_region: dict[int, list[Answer]] = defaultdict(list)
    redrawn = _redrawn_here(project, answers)
    for answer in answers:
        if answer.region_id not in redrawn:
            by_region[answer.region_id].append(answer)
    roles = dict(
        project.memberships.filter(state=Membership.State.ACTIVE).values_list("user", "role")
    )
    return {region: _word(given, roles) for region, given in by_region.items()}


def _redrawn_here(project: Project, answers: QuerySet[Answer]) -> set[int]:
    """Regions for which this project has a better box: the word moved to that box."""
    drawn = standing(project).filter(region__origin=Region.Origin.PERSON).values("region")
    replaced = answers.filter(region__replaced_by__in=drawn)
    return set(replaced.values_list("region", flat=True))


def _word(answers: list[Answer], roles: dict[int, str]) -> Label:
    """The label that these answers (oldest first) on one region make."""
    latest = {answer.user_id or -answer.pk: answer for answer in answers}.values()

    def weight(answer: Answer) -> tuple[int, int]:
        if answer.origin == Origin.BOOTSTRAP:
            return (-1, answer.pk)
        return (RANK.get(roles.get(answer.user_id or 0, ""), 0), answer.pk)  # type: ignore[call-overload]

    word = max(latest, key=weight)
    return Label(
        project_id=word.project_id,
        region_id=word.region_id,
        photo_id=word.photo_id,
        verdict=word.verdict,
        origin=word.origin,
        answer=word,
        user_id=word.user_id,
        disputed=len({answer.verdict for answer in latest}) > 1,
        decided_at=word.created_at,
    )
