"""Projects as cards: what was found in each, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from classify.asking.queue import worth_of
from classify.audit.rounds import wanted_by
from classify.models import Label, Score, Verdict
from projects.live.census import LARGE
from projects.models import Membership, Project
from projects.privacy import denylist

# For each face: of a screen of twenty, most of which one key confirms, or alone on the page.
SECONDS_AN_ANSWER, SECONDS_ALONE = 1, 3


@dataclass(frozen=True)
class Card:
    project: Project
    confirmed: int
    to_review: int
    worth: int  # faces that are still worth an answer
    again: int  # faces that are to be looked at a second time

    @property
    def found(self) -> int:
        """Faces that are the person, or look like them."""
        return self.confirmed + self.to_review

    @property
    def asks_first(self) -> bool:
        """Whether it names the answers, or else the faces to review; as the project's page does:
        by exemplars likely faces are asked about, by the centroid rule they are reviewed."""
        by_centroid = self.project.rule == Project.Rule.CENTROID
        return bool(self.worth) and not (by_centroid and self.to_review)

    @property
    def waiting(self) -> int:
        """What the card names."""
        return self.worth if self.asks_first else self.to_review or self.again

    @property
    def minutes(self) -> int:
        return minutes(self.waiting)


def minutes(answers: int, *, alone: bool = False) -> int:
    """How long that many answers take somebody, about: on screens of faces, or one at a time."""
    return ceil(answers * (SECONDS_ALONE if alone else SECONDS_AN_ANSWER) / 60)


def visible(user: Any) -> QuerySet[Project]:
    """Public projects and one's own, the most recently active first. Those for somebody who is
    left alone are marked, and among one's own only."""
    seen = Q(visibility=Project.Visibility.PUBLIC, left_alone=False)
    if user.is_authenticated:
        own = Membership.objects.filter(
            project=OuterRef("pk"), user=user, state=Membership.State.ACTIVE
        )
        seen |= Q(Exists(own))
    marked = Project.objects.annotate(left_alone=denylist.left_alone())
    return marked.filter(seen).with_subject().order_by("-active_at", "-id")


def cards(projects: Iterable[Project]) -> list[Card]:
    """Six queries, however many projects; of large ones it is what their census says, or the
    learner before anybody has counted them."""
    every = list(projects)
    worth, again = worth_of(every), wanted_by(every)
    known = Project.objects.filter(pk__in=[row.pk for row in every])
    figures = ("census__counts", "learner__faces", "learner__confirmed", "learner__matches")
    kept = {key: _figures(*told) for key, *told in known.values_list("pk", *figures)}
    rows = [row for row in every if kept.get(row.pk) is None]
    subjects = [row.subject for row in rows]
    labels = Label.objects.filter(subject__in=subjects, verdict=Verdict.YES)
    answered = Label.objects.filter(subject=OuterRef("subject"), region=OuterRef("region"))
    matches = Score.objects.filter(~Exists(answered), subject__in=subjects, is_match=True)
    confirmed, to_review = _by_project(labels), _by_project(matches)
    for project, told in kept.items():
        if told:
            confirmed[project], to_review[project] = told
    return [
        Card(
            row,
            confirmed=confirmed.get(row.pk, 0),
            to_review=to_review.get(row.pk, 0),
            worth=worth.get(row.pk, 0),
            again=again.get(row.pk, 0),
        )
        for row in every
    ]


def _figures(
    counts: dict[str, Any] | None, faces: int | None, confirmed: int, matches: int
) -> tuple[int, int] | None:
    """Confirmed faces and those to review, of a large project."""
    if counts:
        known = counts["faces"]
        return known["confirmed"] + known["without_face"], known["matches"]
    return (confirmed, matches) if (faces or 0) >= LARGE else None


def _by_project(rows: QuerySet[Any]) -> dict[int, int]:
    counted = rows.order_by().values("subject__project").annotate(n=Count("pk"))
    return dict(counted.values_list("subject__project", "n"))
