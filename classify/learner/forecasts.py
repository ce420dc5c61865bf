"""How sure the learner is, answer by answer: the course of a project.

It is the learner's own opinion. What can be promised stands in `certainty`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.utils import timezone

from classify.learner.cache import Mind
from classify.learner.predict import Thoughts
from classify.learner.project_arrays import Words
from classify.models import Forecast
from projects.models import Project

KEPT = 200  # rows a project


@dataclass(frozen=True)
class Expected:
    """Both 0–1; None where there is nothing to take a share of."""

    precision: float | None
    recall: float | None


def expected(mind: Mind, words: Words, thoughts: Thoughts) -> Expected | None:
    """What the probabilities of all faces come to; None by the centroid rule, which has none.

    *Taken* for the person are the faces that people said Yes to and the matches. Expected
    precision is the mean probability of these, a person's Yes being certain. A photo shows the
    person with the sum of its faces' probabilities, at most 1 (`learning.chances` has seen to it
    that a person is in a photo once), so expected recall is that sum over the photos with a face
    that is taken, divided by that over all photos. Left out are photos that depict the person on
    the wiki already: they are neither found nor missed. So are faces that the detector missed.
    """
    if thoughts.chances is None or not mind.model.scorer.yes.any():
        return None
    counted = ~mind.faces.depicted
    chances = np.where(words.said, words.yes, thoughts.chances) * counted
    taken = (words.yes | thoughts.is_match) & counted
    photos = mind.model.photos
    shows = np.minimum(np.bincount(photos, weights=chances), 1)
    found = np.zeros(len(shows), bool)
    seen = words.shown & counted  # by a Yes to the photo as a whole, too
    shows[photos[seen]] = 1
    found[photos[taken | seen]] = True
    return Expected(
        float(chances[taken].mean()) if taken.any() else None,
        float(shows[found].sum() / shows.sum()) if shows.sum() > 1e-9 else None,
    )


def note(project: Project, mind: Mind, words: Words, thoughts: Thoughts) -> None:
    """Write down what is expected after as many answered faces as there are now.

    There is one row for a number of answers. What was thought after more of them goes with the
    answers that were taken back. Call in the learner's last transaction.
    """
    course = Forecast.objects.filter(subject=project.subject)
    answers = int(words.said.sum())
    course.filter(answers__gt=answers).delete()
    if (now := expected(mind, words, thoughts)) is None:
        course.all().delete()  # a curve that stopped when the rule was changed says nothing
        return
    Forecast.objects.update_or_create(
        subject=project.subject,
        answers=answers,
        defaults={
            "precision": now.precision,
            "recall": now.recall,
            "worth": thoughts.worth(mind, ~words.said),
            "at": timezone.now(),
        },
    )
    _thin(project)


def _thin(project: Project) -> None:
    """Of more than KEPT rows every second of the older half goes."""
    course = Forecast.objects.filter(subject=project.subject).order_by("answers", "id")
    keys = list(course.values_list("pk", flat=True))
    if len(keys) > KEPT:
        Forecast.objects.filter(pk__in=keys[1 : len(keys) // 2 : 2]).delete()


def course(project: Project) -> list[Forecast]:
    """From the first answer to now, in one query."""
    return list(Forecast.objects.filter(subject=project.subject).order_by("answers", "id"))
