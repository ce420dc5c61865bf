"""From answers to the next questions and to the scores of all faces of a project."""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np
from django.db import transaction
from django.utils import timezone

from classify import learning
from classify.asking import notify_members
from classify.audit import rounds
from classify.labels import upsert
from classify.learner import bootstrap, fill_queue, forecasts
from classify.learner import cache as learner_cache
from classify.learner.cache import Mind, Saved
from classify.learner.predict import Thoughts
from classify.learner.project_arrays import Words
from classify.learning.distances import Ints, Mask
from classify.learning.review import against
from classify.learning.scorer import Doubles
from classify.models import Label, Learner, Score
from core.crash_points import crash_point
from core.events import announce
from core.work import Overtaken, WorkState
from projects.live.pulse import beat
from projects.models import Project

STILL = 0.005  # a score that moved less than this is not saved again
STILL_IN_DOUBT = 0.1  # nor is a doubt that did
BATCH = 250  # scores saved in one transaction, for which answers wait
SECONDS = 5  # of saving, after which others get their turn


def infer(learner: Learner) -> None:
    """Bring a project's questions and scores up to its present revision.

    `learner` was taken by this worker. Raises Overtaken when another one took it since; what
    was saved until then is what the other one saves, too. While people go on answering, scores
    are saved a batch at a time and questions are prepared again in between.
    """
    try:
        _infer(learner)
    except BaseException:
        learner_cache.forget(learner.project_id)  # it may have heard half of what was said
        raise


def _infer(learner: Learner) -> None:
    crash_point("infer:before-work")
    project = Project.objects.with_subject().get(pk=learner.project_id)
    if not learner_cache.knows(project):  # nor do statements tell anything new while it does
        bootstrap.label_tagged(project)
    project.refresh_from_db()  # the revision comes first: what is read next is at least as new
    was_idle = notify_members.is_idle(learner, project)
    mind = learner_cache.recall(project)
    saved = learner_cache.saved_scores(mind, project, learner)
    words = Words.read(project, mind.faces)
    mind.tell(project, words)
    thoughts = Thoughts.of(mind, words, project)
    with transaction.atomic():
        _hold(learner)
        worth = fill_queue.prepare(project, mind, words, thoughts)
        if not worth:
            rounds.close(project)
        beat(project.pk)
    if not worth:
        _draw(learner, project, mind, thoughts)
    crash_point("infer:questions-prepared")
    doubt = _doubt(mind.model)
    done = _save_scores(learner, project, mind, saved, thoughts, doubt)
    with transaction.atomic():
        _hold(learner)
        mind.settled_at = timezone.now()
        learner.settle_or_raise(
            WorkState.DONE,
            tries=0,
            error="",
            error_detail="",
            revision=project.revision if done else project.revision - 1,
            faces=len(mind.faces),
            confirmed=words.counted(project),
            matches=int(thoughts.is_match.sum()),
            worth=worth,
            left=int(thoughts.left.sum()),
            computed_at=mind.settled_at,
        )
        forecasts.note(project, mind, words, thoughts)
        if was_idle and (worth or thoughts.is_match.any()):
            notify_members.call_back(project)
        announce("project-learned")
        beat(project.pk)
        crash_point("infer:before-commit")
    mind.attempt = learner.attempt
    crash_point("infer:after-commit")


def _draw(learner: Learner, project: Project, mind: Mind, thoughts: Thoughts) -> None:
    """Draw second looks while others go on answering; if they do, it is left to the next run."""
    rng = np.random.default_rng()
    drafts = rounds.draft(project, mind.faces, mind.model, thoughts.left, rng)
    if drafts:
        with transaction.atomic():
            if _hold(learner).words == project.words:
                rounds.begin(project, drafts)
                beat(project.pk)


def _hold(learner: Learner) -> Project:
    """Keep answers out until the transaction ends, and make sure that the project is still ours."""
    project = Project.objects.select_for_update().get(pk=learner.project_id)
    ours = Learner.objects.filter(pk=learner.pk, attempt=learner.attempt, state=WorkState.RUNNING)
    if not ours.exists():
        raise Overtaken(f"learner {learner.pk}")
    return project


def _doubt(model: learning.Model) -> Doubles:
    """float64[n]: log-odds of all the rest against what people said; NaN where that is right."""
    found = np.full(len(model), np.nan)
    rows = learning.doubted(model)
    found[rows] = against(model)[rows]
    return found


def _save_scores(
    learner: Learner,
    project: Project,
    mind: Mind,
    saved: Saved,
    thoughts: Thoughts,
    doubt: Doubles,
) -> bool:
    """Write the scores that changed, the likeliest first, and drop those of faces that are gone.

    Returns whether all are written. Once people have answered meanwhile, the rest waits: all of
    it will be different then. It also waits for the next turn when it takes long.
    """
    until = time.monotonic() + SECONDS
    for start in range(0, len(mind.gone), BATCH):
        gone = mind.gone[start : start + BATCH]
        Score.objects.filter(subject=project.subject, region__in=gone).delete()
    mind.gone = []
    rows = np.flatnonzero(_moved(mind, saved, thoughts, doubt))
    rows = rows[np.argsort(thoughts.unlikely[rows], kind="stable")]
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        with transaction.atomic():
            held = _hold(learner)
            matches = thoughts.is_match[some] & ~_answered(project, mind, some, thoughts)
            upsert(
                _scores(project, mind, some, thoughts.unlikely[some], matches, doubt[some]),
                ["subject", "region"],
                ["photo", "unlikely", "is_match", "doubt", "revision"],
            )
        saved.photo_ids[some] = mind.faces.photo_ids[some]
        saved.unlikely[some], saved.is_match[some] = thoughts.unlikely[some], matches
        saved.doubt[some] = doubt[some]
        crash_point("infer:between-batches")
        if held.revision != project.revision or time.monotonic() > until:
            return start + BATCH >= len(rows)
    return True


def _moved(mind: Mind, saved: Saved, thoughts: Thoughts, doubt: Doubles) -> Mask:
    apart = np.abs(saved.unlikely - thoughts.unlikely) >= STILL
    doubts = np.isnan(saved.doubt) != np.isnan(doubt)
    doubts |= np.abs(saved.doubt - doubt) >= STILL_IN_DOUBT
    moved: Mask = (
        np.isnan(saved.unlikely)
        | apart
        | doubts
        | (saved.is_match != thoughts.is_match)
        | (saved.photo_ids != mind.faces.photo_ids)
    )
    return moved


def _answered(project: Project, mind: Mind, rows: Ints, thoughts: Thoughts) -> Mask:
    """Were these matches answered since the labels were read? Call with the project held."""
    matches = mind.faces.region_ids[rows[thoughts.is_match[rows]]].tolist()
    said = Label.objects.filter(subject=project.subject, region__in=matches)
    return np.isin(mind.faces.region_ids[rows], list(said.values_list("region", flat=True)))


def _scores(
    project: Project,
    mind: Mind,
    rows: Ints,
    unlikely: Doubles,
    is_match: Mask,
    doubt: Doubles,
) -> Iterable[Score]:
    faces = mind.faces
    columns = (faces.region_ids[rows], faces.photo_ids[rows], unlikely, is_match, doubt)
    for region, photo, far, match, odds in zip(*(each.tolist() for each in columns), strict=True):
        yield Score(
            subject=project.subject,
            region_id=region,
            photo_id=photo,
            unlikely=far,
            is_match=match,
            doubt=None if np.isnan(odds) else odds,
            revision=project.revision,
        )
