"""What went wrong in a project, for which reason, and what may be tried again."""

from __future__ import annotations

from dataclasses import dataclass

from core.work import WorkState
from crawler.models import CrawlStep, EmbedJob
from crawler.selectors import CrawlProgress, SetAside, set_aside, unread_steps
from projects.models import Project
from sdc.models import EditBatch
from sdc.preview.eligibility import refused_counts
from sdc.writing.reasons import Reason, sentence, title

LISTINGS, BATCHES = 5, 5
BY_PEOPLE = (Reason.PAUSED.value, Reason.PROJECT_PAUSED.value)


@dataclass(frozen=True)
class Refused:
    """Statements that the wiki did not take, for one reason; a new preview tries them again."""

    title: str
    sentence: str
    count: int


@dataclass(frozen=True)
class Failures:
    photos: list[SetAside]
    boxes: int  # faces drawn by people, of which no vector could be made
    listings: list[CrawlStep]
    refused: list[Refused]
    batches: list[EditBatch]  # that stand still, and nobody paused them

    def __bool__(self) -> bool:
        return bool(self.photos or self.boxes or self.listings or self.refused or self.batches)

    @property
    def count(self) -> int:
        """How many things: photos and statements one by one."""
        return (
            sum(group.count for group in self.photos)
            + self.boxes
            + len(self.listings)
            + sum(group.count for group in self.refused)
            + len(self.batches)
        )


def failures(project: Project, crawl: CrawlProgress) -> Failures:
    """Nothing is asked for that the crawl's progress says there is none of."""
    boxes = EmbedJob.objects.filter(project=project, state=WorkState.ASIDE)
    unread = unread_steps(project)
    halted = EditBatch.objects.filter(project=project, state=EditBatch.State.PAUSED)
    return Failures(
        photos=set_aside(project, samples=1) if crawl.set_aside else [],
        boxes=boxes.count(),
        listings=list(unread.select_related("source")[:LISTINGS]) if crawl.unread else [],
        refused=_refused(project),
        batches=list(halted.exclude(reason__in=BY_PEOPLE).order_by("-id")[:BATCHES]),
    )


def _refused(project: Project) -> list[Refused]:
    rows = sorted(refused_counts(project).items(), key=lambda row: -row[1])
    return [Refused(title(reason), sentence(reason), n) for reason, n in rows]
