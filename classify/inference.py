"""Scoring all faces of a project after answers, and preparing what is asked next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from django.db import transaction
from django.utils import timezone

from classify import bootstrap, preparing
from classify.knowledge import Faces, Thoughts
from classify.labels import upsert
from classify.models import Label, Learner, Score
from projects.faults import crash_point
from projects.models import Project
from projects.work import Overtaken, WorkState

STILL = 0.005  # a score that moved less than this is not saved again
BATCH = 1000  # scores saved in one transaction

T = TypeVar("T")


def infer(learner: Learner) -> None:
    """Bring a project's scores and questions up to its present revision.

    `learner` was taken by this worker. Raises Overtaken when another one took it since; what
    was saved until then is what the other one saves, too.
    """
    crash_point("infer:before-work")
    project = Project.objects.get(pk=learner.project_id)
    bootstrap.label_tagged(project)
    project.refresh_from_db()  # the revision comes first: what is read next is at least as new
    faces = Faces.load(project)
    thoughts = Thoughts.of(faces, project)
    _save_scores(learner, project, faces, thoughts)
    with transaction.atomic():
        _hold(learner)
        preparing.prepare(project, faces, thoughts.order)
        learner.settle_or_raise(
            WorkState.DONE,
            tries=0,
            error="",
            error_detail="",
            revision=project.revision,
            faces=len(faces.region_ids),
            confirmed=faces.count,
            matches=int(thoughts.is_match.sum()),
            computed_at=timezone.now(),
        )
        crash_point("infer:before-commit")
    crash_point("infer:after-commit")


def _hold(learner: Learner) -> None:
    """Keep answers out until the transaction ends, and make sure that the project is still ours."""
    Project.objects.select_for_update().get(pk=learner.project_id)
    ours = Learner.objects.filter(pk=learner.pk, attempt=learner.attempt, state=WorkState.RUNNING)
    if not ours.exists():
        raise Overtaken(f"learner {learner.pk}")


def _save_scores(learner: Learner, project: Project, faces: Faces, thoughts: Thoughts) -> None:
    """Write the scores that changed, and drop those of faces that are gone."""
    rows = Score.objects.filter(project=project)
    saved = {
        region: Thought(photo, unlikely, is_match)
        for region, photo, unlikely, is_match in rows.values_list(
            "region", "photo", "unlikely", "is_match"
        )
    }
    photos, matches = faces.photo_ids.tolist(), thoughts.is_match.tolist()
    now = map(Thought, photos, thoughts.unlikely, matches)
    changed = [
        Score(project=project, region_id=region, revision=project.revision, **thought._asdict())
        for region, thought in zip(faces.region_ids.tolist(), now, strict=True)
        if thought.differs(saved.pop(region, None))
    ]
    for scores in _batches(changed):
        with transaction.atomic():
            _hold(learner)
            answered = _answered_meanwhile(project, scores)
            for score in scores:
                score.is_match = score.is_match and score.region_id not in answered
            upsert(scores, ["project", "region"], ["photo", "unlikely", "is_match", "revision"])
        crash_point("infer:between-batches")
    for gone in _batches(list(saved)):  # what was not popped
        rows.filter(region__in=gone).delete()


class Thought(NamedTuple):
    """The columns of a Score that may change."""

    photo_id: int
    unlikely: float
    is_match: bool

    def differs(self, saved: Thought | None) -> bool:
        if saved is None or (saved.photo_id, saved.is_match) != (self.photo_id, self.is_match):
            return True
        return abs(saved.unlikely - self.unlikely) >= STILL


def _answered_meanwhile(project: Project, scores: Iterable[Score]) -> set[int]:
    """Regions that people answered since the labels were read; call with the project held."""
    matches = [score.region_id for score in scores if score.is_match]
    said = Label.objects.filter(project=project, region__in=matches)
    return set(said.values_list("region", flat=True))


def _batches(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
