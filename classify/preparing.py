"""Keeping questions prepared ahead of the people who answer them."""

from __future__ import annotations

from django.utils import timezone

from classify import learning
from classify.knowledge import Faces
from classify.labels import upsert
from classify.learning.distances import Ints
from classify.models import Label, Question, Skip
from classify.questions import free
from projects.models import Project

AHEAD = 40  # questions beyond those that are leased, put back or skipped by somebody
NEAREST = 6  # confirmed faces shown beside the one in question


def prepare(project: Project, faces: Faces, order: Ints) -> None:
    """Bring the questions of a project in line with `order` (int64[k], rows of `faces`).

    Questions that somebody is looking at stay as they are; those put back by an undo stay
    first. Call inside a transaction that holds the project, so that no answer comes between.
    """
    answered = set(Label.objects.filter(project=project).values_list("region", flat=True))
    skipped = set(Skip.objects.filter(project=project).values_list("region", flat=True))
    rows = [row for row in order.tolist() if int(faces.region_ids[row]) not in answered]
    askable = {int(faces.region_ids[row]) for row in rows}
    existing = list(Question.objects.filter(project=project))
    now = timezone.now()
    fixed = {
        question.region_id
        for question in existing
        if question.rank < 0 or (question.leased_until and question.leased_until >= now)
    }
    chosen = _choose(rows, faces.region_ids, fixed, skipped)
    upsert(_questions(project, faces, chosen), ["project", "region"], ["photo", "rank", "nearest"])
    wanted = {int(faces.region_ids[row]) for row in chosen} | fixed | skipped
    pointless = [each.pk for each in existing if each.region_id not in askable]
    surplus = [each.pk for each in existing if each.region_id not in wanted]
    Question.objects.filter(pk__in=pointless).delete()
    Question.objects.filter(free(), pk__in=surplus).delete()


def _choose(rows: list[int], region_ids: Ints, fixed: set[int], skipped: set[int]) -> list[int]:
    """The first rows that make AHEAD fresh questions; skipped faces come along, uncounted."""
    chosen, fresh = [], 0
    for row in rows:
        region_id = int(region_ids[row])
        if region_id in fixed:
            continue
        chosen.append(row)
        fresh += region_id not in skipped
        if fresh == AHEAD:
            break
    return chosen


def _questions(project: Project, faces: Faces, rows: list[int]) -> list[Question]:
    confirmed = faces.region_ids[faces.confirmed]
    near = learning.nearest(faces.matrix[rows], faces.matrix[faces.confirmed], NEAREST)
    return [
        Question(
            project=project,
            region_id=int(faces.region_ids[row]),
            photo_id=int(faces.photo_ids[row]),
            rank=float(rank),
            nearest=confirmed[near[rank]].tolist(),
        )
        for rank, row in enumerate(rows)
    ]
