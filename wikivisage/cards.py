"""Projects as cards: what was found in each, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from classify.models import Label, Question, Score, Verdict
from projects.models import Membership, Project

SECONDS_AN_ANSWER = 3


@dataclass(frozen=True)
class Card:
    project: Project
    confirmed: int
    to_review: int
    questions: int

    @property
    def found(self) -> int:
        """Faces that are the person, or look like them."""
        return self.confirmed + self.to_review

    @property
    def waiting(self) -> int:
        return self.to_review + self.questions

    @property
    def minutes(self) -> int:
        return minutes(self.waiting)


def minutes(answers: int) -> int:
    """How long that many answers take somebody, about."""
    return ceil(answers * SECONDS_AN_ANSWER / 60)


def visible(user: Any) -> QuerySet[Project]:
    """Public projects and one's own, the most recently active first."""
    seen = Q(visibility=Project.Visibility.PUBLIC)
    if user.is_authenticated:
        own = Membership.objects.filter(
            project=OuterRef("pk"), user=user, state=Membership.State.ACTIVE
        )
        seen |= Q(Exists(own))
    return Project.objects.filter(seen).select_related("person").order_by("-active_at", "-id")


def cards(projects: Iterable[Project]) -> list[Card]:
    """Three queries, however many projects."""
    rows = list(projects)
    labels = Label.objects.filter(project__in=rows, verdict=Verdict.YES)
    answered = Label.objects.filter(project=OuterRef("project"), region=OuterRef("region"))
    matches = Score.objects.filter(~Exists(answered), project__in=rows, is_match=True)
    confirmed, to_review = _by_project(labels), _by_project(matches)
    questions = _by_project(Question.objects.filter(project__in=rows))
    return [
        Card(
            row,
            confirmed.get(row.pk, 0),
            to_review.get(row.pk, 0),
            # a face that looks like the person may be both asked and reviewed: count it once
            max(0, questions.get(row.pk, 0) - to_review.get(row.pk, 0)),
        )
        for row in rows
    ]


def _by_project(rows: QuerySet[Any]) -> dict[int, int]:
    counted = rows.order_by().values("project").annotate(n=Count("pk")).values_list("project", "n")
    return dict(counted)
