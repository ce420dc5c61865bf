"""Keeping questions prepared ahead of the people who answer them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import count

import numpy as np
from django.utils import timezone

from classify import learning
from classify.asking.queue import free, is_free
from classify.labels import upsert
from classify.learner import predict
from classify.learner.cache import Mind
from classify.learner.predict import Thoughts
from classify.learner.project_arrays import Words
from classify.learning.choose_screen import Ask
from classify.learning.distances import Ints, Mask
from classify.learning.scorer import Doubles
from classify.models import Label, Origin, Question, Skip
from crawler.models import Photo, not_paused
from projects.models import Project

NEAREST = 6  # confirmed faces shown beside the one in question
AGES = 5  # times into which these are divided, so that the person is seen at different ages
FIELDS = ["photo", "rank", "nearest", "kind", "screen", "marked", "chance"]


def prepare(project: Project, mind: Mind, words: Words, thoughts: Thoughts) -> int:
    """Bring the questions of a project in line with what is thought. Returns about how many faces
    are worth asking about still, what somebody looks at included, and what they skipped not.

    Questions that somebody is looking at stay as they are; those put back by an undo stay
    first, and those asked a third time are not ours. What somebody skipped comes alone, after
    all screens. Call inside a transaction that holds the project, so that no answer comes
    between.
    """
    faces = mind.faces
    existing = _existing(project, guesses=thoughts.chances is not None)
    fixed = [question for question in existing if _stays(question)]
    skipped = faces.of(
        set(Skip.objects.filter(subject=project.subject).values_list("region", flat=True))
    )
    open_ = thoughts.askable & ~faces.of(question.region_id for question in fixed)
    open_ &= ~np.isin(faces.photo_ids, _paused(project))
    now = timezone.now()
    people = len({question.leased_to_id for question in fixed if not is_free(question, now)})
    asks = list(predict.screens(mind, thoughts, open_ & ~skipped, people))
    worth = bool(asks) or any(each.kind != Question.Kind.THIRD for each in fixed)
    asks += predict.one_by_one(mind, thoughts, open_ & skipped, predict.SINGLY)
    made = _questions(project, mind, words.confirmed, asks, {each.screen for each in fixed})
    answered = _answered(project, thoughts, [each.region_id for each in made + existing])
    upsert((each for each in made if each.region_id not in answered), ["subject", "region"], FIELDS)
    wanted = {question.region_id for question in made + fixed}
    lost = faces.rows_of(each.region_id for each in existing) < 0
    pointless = [
        each.pk
        for each, is_lost in zip(existing, lost.tolist(), strict=True)
        if each.kind != Question.Kind.THIRD and (is_lost or each.region_id in answered)
    ]
    Question.objects.filter(pk__in=pointless).delete()
    surplus = [each.pk for each in existing if each.region_id not in wanted]
    Question.objects.filter(free(), pk__in=surplus).delete()
    if thoughts.order is not None:
        return thoughts.first
    return max(1, thoughts.worth(mind, ~skipped)) if worth else 0


def _paused(project: Project) -> list[int]:
    """Keys of the photos to which somebody objects now."""
    photos = Photo.objects.filter(~not_paused(""), project_photos__project=project)
    return list(photos.values_list("pk", flat=True))


def _existing(project: Project, *, guesses: bool) -> list[Question]:
    """The questions of a project. Screens made by the other rule, which `guesses` chances or
    does not, end with that rule, even for who is looking at them."""
    existing = list(Question.objects.filter(subject=project.subject))
    screens = (Question.Kind.LIKELY, Question.Kind.OTHERS)
    ended = [
        each.pk
        for each in existing
        if each.kind in screens and each.rank >= 0 and (each.chance is not None) != guesses
    ]
    Question.objects.filter(pk__in=ended).delete()
    return [each for each in existing if each.pk not in set(ended)]


def _stays(question: Question) -> bool:
    third = question.kind == Question.Kind.THIRD
    return not is_free(question, timezone.now()) or question.rank < 0 or third


def _questions(
    project: Project, mind: Mind, confirmed: Mask, asks: Iterable[Ask], taken: set[int]
) -> list[Question]:
    """Unsaved, with numbers of screens that are not `taken`."""
    numbers = (number for number in count() if number not in taken)
    asked = [
        Question(
            subject=project.subject,
            region_id=int(mind.faces.region_ids[row]),
            photo_id=int(mind.faces.photo_ids[row]),
            kind=ask.kind.value,
            screen=screen,
            marked=marked,
            chance=None if math.isnan(chance) else chance,
        )
        for ask, screen in zip(asks, numbers, strict=False)
        for row, marked, chance in zip(
            ask.rows.tolist(), ask.marks.tolist(), ask.chances.tolist(), strict=True
        )
    ]
    rows = mind.faces.rows_of(question.region_id for question in asked)
    for rank, (question, near) in enumerate(
        zip(asked, _nearest(mind, rows, confirmed), strict=True)
    ):
        question.rank, question.nearest = float(rank), near
    return asked


def _nearest(mind: Mind, rows: Ints, confirmed: Mask) -> list[list[int]]:
    """Region ids of the confirmed faces most like each of `rows`: the nearest of all, then the
    nearest of each other time."""
    vectors, known = mind.model.scorer.vectors, mind.faces.region_ids[confirmed]
    times = _times(mind.faces.years[confirmed].mean(axis=1))
    near: list[list[int]] = known[
        learning.nearest_across(vectors[rows], vectors[confirmed], times, NEAREST)
    ].tolist()
    return near


def _times(years: Doubles) -> Ints:
    """int64[n]: which part of the time that these span each is of, a year at least; −1 where
    nobody knows."""
    known = ~np.isnan(years)
    times = np.full(len(years), -1, np.int64)
    if known.any():
        first, last = years[known].min(), years[known].max()
        length = max((last - first) / AGES, 1)
        times[known] = np.minimum((years[known] - first) // length, AGES - 1).astype(np.int64)
    return times


def _answered(project: Project, thoughts: Thoughts, regions: list[int]) -> set[int]:
    """Of these regions the ones that need no question: people answered them, perhaps just now.
    By the centroid rule nor do those that a statement confirms."""
    labels = Label.objects.filter(subject=project.subject, region__in=regions)
    if thoughts.order is None:
        labels = labels.exclude(origin=Origin.BOOTSTRAP)
    return set(labels.values_list("region", flat=True))
