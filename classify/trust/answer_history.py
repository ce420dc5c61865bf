"""What one person said in a project: answer by answer, what stands of it, and what others say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet

from classify.labels import counting, standing
from classify.models import Answer, Label, Origin
from projects.models import Project, User

LAST = 2000  # answers that the agreement is counted over
OVERRULED = "overruled"  # a filter beside the verdicts


@dataclass(frozen=True)
class Spoken:
    """One answer, and the word of now on that face, if there is one."""

    answer: Answer
    label: Label | None

    @property
    def stands(self) -> bool:
        return self.label is not None and self.label.verdict == self.answer.verdict


@dataclass(frozen=True)
class Page:
    rows: list[Spoken]
    before: int | None  # pass it back for the next page; None at the end


@dataclass(frozen=True)
class Agreement:
    """Of `both` faces somebody else said a word that counts, too: `same` of them the same."""

    both: int = 0
    same: int = 0

    @property
    def percent(self) -> int:
        return 100 * self.same // self.both if self.both else 0


def answers_of(
    project: Project, user: User, which: str = "", before: int | None = None, limit: int = 60
) -> Page:
    """Somebody's answers that they have not taken back, the latest first, keyset-paged.

    `which` is a verdict, OVERRULED, or nothing for all.
    """
    rows = _given(project, user)
    if which == OVERRULED:
        rows = rows.filter(_overruled(project))
    elif which:
        rows = rows.filter(verdict=which)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-id").select_related("region", "photo__picture")[: limit + 1])
    page = found[:limit]
    labels = Label.objects.filter(
        subject=project.subject, region__in=[each.region_id for each in page]
    )
    by_region = {label.region_id: label for label in labels.select_related("user")}
    spoken = [Spoken(each, by_region.get(each.region_id)) for each in page]
    return Page(spoken, page[-1].pk if len(found) > limit else None)


def counts_of(project: Project, user: User) -> dict[str, int]:
    """How many of them there are, by verdict, and how many are overruled; "" is all."""
    given = _given(project, user).order_by()
    counts = dict(given.values("verdict").annotate(n=Count("pk")).values_list("verdict", "n"))
    overruled = given.filter(_overruled(project)).count()
    return {"": sum(counts.values())} | counts | {OVERRULED: overruled}


def agreement(project: Project, user: User) -> Agreement:
    """Between the last answers of somebody and what others said of the same faces, each by
    their last word."""
    mine = _given(project, user).order_by("-id").values_list("region", "verdict")
    said: dict[int, str] = {}
    for region, verdict in mine[:LAST]:
        said.setdefault(region, verdict)
    others = _others(project, user, list(said))
    same = sum(said[region] == verdict for region, verdict in others.items())
    return Agreement(len(others), same)


def _others(project: Project, user: User, regions: Sequence[int]) -> dict[int, str]:
    """The last word of others on those of these regions that they spoke of."""
    heard = counting(project).filter(region__in=regions).exclude(user=user)
    words: dict[int, str] = defaultdict(str)
    for region, verdict in heard.exclude(origin=Origin.BOOTSTRAP).values_list("region", "verdict"):
        words[region] = verdict  # the oldest first
    return words


def _given(project: Project, user: User) -> QuerySet[Answer]:
    return standing(project).filter(user=user)


def _overruled(project: Project) -> Exists:
    """For answers: the face has another word by now."""
    words = Label.objects.filter(subject=project.subject, region=OuterRef("region"))
    return Exists(words.exclude(origin=Origin.BOOTSTRAP).exclude(verdict=OuterRef("verdict")))
