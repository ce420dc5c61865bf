"""What pages read of batches and claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from classify.selectors import eligible
from crawler.models import ProjectPhoto
from projects.models import Project
from projects.work import WorkState
from sdc.lanes import standstill
from sdc.models import Claim, ClaimAttempt, EditBatch, Writer

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
RATE_OVER = timedelta(minutes=1)


@dataclass(frozen=True)
class BatchProgress:
    written: int
    present: int
    skipped: int
    refused: int
    to_come: int
    rate: float  # edits a minute, lately
    seconds_left: float | None  # None while it stands still
    waiting_until: datetime | None = None  # what holds this user's writing back, until when
    waiting_for: str = ""  # its code

    @property
    def total(self) -> int:
        return self.settled + self.to_come

    @property
    def settled(self) -> int:
        return self.written + self.present + self.skipped + self.refused

    @property
    def not_as_planned(self) -> int:
        return self.settled - self.written


def ready_count(project: Project) -> int:
    """How many files a preview could plan, by what our own rows know.

    Pages poll it, so the database counts: 10,000 labels take it some 25 ms with SQLite.
    """
    depicting = ProjectPhoto.objects.filter(
        project=project, photo=OuterRef("photo"), already_depicts=True
    )
    taken = Claim.objects.filter(
        ~Q(state=Claim.State.FREE) | Q(held=True),
        wiki=settings.WIKI.code,
        page_id=OuterRef("photo__page_id"),
        qid=project.person.qid,
    )
    ready = eligible(project).filter(
        ~Exists(depicting), ~Exists(taken), photo__wiki=settings.WIKI.code
    )
    return ready.values("photo").distinct().count()


def batches(project: Project) -> QuerySet[EditBatch]:
    """Batches that were confirmed, newest first, with their counts."""
    counts = {
        outcome.value: Count("attempts", filter=Q(attempts__outcome=outcome.value))
        for outcome in (Outcome.WRITTEN, Outcome.PRESENT, Outcome.REFUSED, Outcome.PLANNED)
    }
    confirmed = EditBatch.objects.filter(project=project).exclude(confirmed_at=None)
    return (
        confirmed.select_related("user", "project")
        .annotate(**{f"n_{name}": count for name, count in counts.items()})
        .order_by("-pk")
    )


def number_of(batch: EditBatch) -> int:
    """“Batch 5”: which of the project's confirmed batches it is, by the time of confirmation."""
    before = EditBatch.objects.filter(
        project=batch.project_id, confirmed_at__lt=batch.confirmed_at or timezone.now()
    )
    return before.count() + 1


def batch_progress(batch: EditBatch) -> BatchProgress:
    """Live counts of a confirmed batch. What the preview skipped is not among them."""
    rows = sent_rows(batch)
    counts = dict(rows.values_list("outcome").annotate(n=Count("pk")).order_by())
    to_come = counts.get(Outcome.PLANNED, 0)
    rate = _rate(batch)
    running = batch.state == State.RUNNING and to_come
    pace = max(rate, 1.0) if rate else float(settings.EDITS_A_MINUTE)
    waiting = _waiting(batch) if running else None
    return BatchProgress(
        written=counts.get(Outcome.WRITTEN, 0),
        present=counts.get(Outcome.PRESENT, 0),
        skipped=counts.get(Outcome.SKIPPED, 0),
        refused=counts.get(Outcome.REFUSED, 0),
        to_come=to_come,
        rate=rate,
        seconds_left=60 * to_come / pace if running else None,
        waiting_until=waiting[0] if waiting else None,
        waiting_for=waiting[1] if waiting else "",
    )


def sent_rows(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """The rows that were confirmed: neither left out nor skipped by the preview."""
    confirmed = Q(ended_at__isnull=False) | Q(outcome=Outcome.PLANNED)
    return ClaimAttempt.objects.filter(confirmed, batch=batch).exclude(outcome=Outcome.EXCLUDED)


def in_order(batch: EditBatch, show: str = "") -> QuerySet[ClaimAttempt]:
    """Rows for the batch page: what is in flight, then the latest; or by filter."""
    rows = sent_rows(batch).select_related("claim__photo__picture", "region")
    if show == "to-come":
        return rows.filter(outcome=Outcome.PLANNED).order_by("-state", "due_at", "pk")
    if show == "not-as-planned":
        odd = ~Q(outcome__in=(Outcome.PLANNED, Outcome.WRITTEN)) | ~Q(reason="")
        return rows.filter(odd).order_by("-ended_at", "-pk")
    begun = ~Q(outcome=Outcome.PLANNED) | Q(state=WorkState.RUNNING) | ~Q(error="")
    return rows.filter(begun).order_by("-state", "-ended_at", "-pk")


def _waiting(batch: EditBatch) -> tuple[datetime, str] | None:
    """Until when and for what writing waits now: everybody's, or this user's."""
    lane = standstill()
    if lane and lane.paused_until:
        return lane.paused_until, lane.reason
    late = Writer.objects.filter(user=batch.user_id, wiki=batch.wiki, due_at__gt=timezone.now())
    writer = late.exclude(error="").first()
    return (writer.due_at, writer.error) if writer else None


def _rate(batch: EditBatch) -> float:
    """Edits a minute over the last minute of its running."""
    if batch.confirmed_at is None:
        return 0.0
    until = batch.finished_at or timezone.now()
    since = batch.confirmed_at if batch.finished_at else max(batch.confirmed_at, until - RATE_OVER)
    written = ClaimAttempt.objects.filter(
        batch=batch, outcome=Outcome.WRITTEN, ended_at__gt=since, ended_at__lte=until
    ).count()
    seconds = (until - since).total_seconds()
    return 60 * written / seconds if seconds > 0 else 0.0
