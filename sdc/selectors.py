"""What pages read of batches and claims."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Case,
    CharField,
    Count,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from core.work import WorkState
from projects.models import Project
from sdc.batches import undo
from sdc.models import ClaimAttempt, EditBatch, Watch, Writer
from sdc.sending_rights.limits import pace_of
from sdc.watch import findings
from sdc.watch.findings import TAKEN_OUT, taken_back
from sdc.writing.rate_buckets import standstill
from sdc.writing.reasons import Reason

Finding = Watch.Finding
Outcome = ClaimAttempt.Outcome
State = EditBatch.State
RATE_OVER = timedelta(minutes=1)
STANDS, TAKEN_BACK = "stands", "taken-back"  # what became of a statement, besides Finding
LEFT_ALONE = (Reason.GONE_ALREADY.value, Reason.NOT_AS_WRITTEN.value)


@dataclass(frozen=True)
class BatchProgress:
    written: int
    present: int
    skipped: int
    refused: int
    to_come: int
    rate: float  # edits a minute, lately
    seconds_left: float | None  # None while it stands still
    # Of what was written: how many stand, as far as we know, and what became of the others.
    stand: int = 0
    removed: int = 0
    changed: int = 0
    gone: int = 0
    taken_back: int = 0
    waiting_until: datetime | None = None  # what holds this user's writing back, until when
    waiting_for: str = ""  # its code
    objected: int = 0  # edits to come that wait for a moderator, since somebody objected
    objected_until: datetime | None = None

    @property
    def total(self) -> int:
        return self.settled + self.to_come

    @property
    def settled(self) -> int:
        return self.written + self.present + self.skipped + self.refused

    @property
    def a_minute(self) -> int:
        return round(self.rate)

    @property
    def not_as_planned(self) -> int:
        return self.settled - self.stand - self.taken_back


def batches(project: Project) -> QuerySet[EditBatch]:
    """Batches that were confirmed, newest first, with their counts, and the number of the one
    that each takes back."""
    shown = (Outcome.WRITTEN, Outcome.PRESENT, Outcome.REFUSED, Outcome.PLANNED, Outcome.SKIPPED)
    confirmed = EditBatch.objects.filter(project=project).exclude(confirmed_at=None)
    before = EditBatch.objects.filter(
        project=OuterRef("project"), confirmed_at__lte=OuterRef("undoes__confirmed_at")
    )
    number = before.order_by().values("project").annotate(n=Count("pk")).values("n")
    tries = ClaimAttempt.objects.filter(batch=OuterRef("pk")).order_by().values("batch")
    counts = {
        f"n_{each.value}": Coalesce(
            Subquery(tries.filter(outcome=each.value).annotate(n=Count("pk")).values("n")), 0
        )
        for each in shown
    }
    return (
        confirmed.select_related("user", "project")
        .annotate(**counts)
        .annotate(undoes_number=Subquery(number), n_taken_back=taken_back())
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
    counts, became = _count_rows(batch)
    to_come = counts[Outcome.PLANNED]
    rate = _rate(batch)
    waits = Q(outcome=Outcome.PLANNED, error=Reason.OBJECTED, due_at__gt=timezone.now())
    objected = sent_rows(batch).filter(waits).aggregate(n=Count("pk"), until=Max("due_at"))
    running = batch.state == State.RUNNING and to_come > objected["n"]
    pace = max(rate, 1.0) if rate else pace_of(batch.user)
    waiting = _waiting(batch) if running else None
    return BatchProgress(
        written=counts[Outcome.WRITTEN],
        present=counts[Outcome.PRESENT],
        skipped=counts[Outcome.SKIPPED],
        refused=counts[Outcome.REFUSED],
        to_come=to_come,
        rate=rate,
        seconds_left=60 * (to_come - objected["n"]) / pace if running else None,
        stand=became[STANDS],
        removed=became[Finding.REMOVED],
        changed=became[Finding.CHANGED],
        gone=became[Finding.GONE],
        taken_back=became[TAKEN_BACK],
        waiting_until=waiting[0] if waiting else None,
        waiting_for=waiting[1] if waiting else "",
        objected=objected["n"] if batch.state != State.STOPPED else 0,
        objected_until=objected["until"],
    )


def is_moving(batch: EditBatch) -> bool:
    """Return whether a batch's page can still change by itself, and so polls."""
    if batch.state == State.RUNNING or batch.resume_at is not None:
        return True
    stopping = batch.state == State.STOPPED
    return stopping and sent_rows(batch).filter(outcome=Outcome.PLANNED).exists()


def sent_rows(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """The rows that were confirmed: neither left out nor skipped by the preview."""
    confirmed = Q(ended_at__isnull=False) | Q(outcome=Outcome.PLANNED)
    return ClaimAttempt.objects.filter(confirmed, batch=batch).exclude(outcome=Outcome.EXCLUDED)


def in_order(batch: EditBatch, show: str = "") -> QuerySet[ClaimAttempt]:
    """Rows for the batch page, each with what `became` of it: what is in flight, then the
    latest; what needs eyes first once it is over; or by filter."""
    about = ("claim__photo__picture", "region", "watch", "undoes")
    removals = ClaimAttempt.objects.filter(outcome=Outcome.WRITTEN).select_related("batch__user")
    rows = (
        sent_rows(batch)
        .annotate(became=_became(batch))
        .select_related(*about)
        .prefetch_related(Prefetch("undone_by", removals, to_attr="removals"))
    )
    written = Q(outcome=Outcome.WRITTEN)
    match show:
        case "to-come":
            return rows.filter(outcome=Outcome.PLANNED).order_by("-state", "due_at", "pk")
        case "stand":
            return rows.filter(written, became=STANDS).order_by("-ended_at", "-pk")
        case "taken-back":
            return rows.filter(written, became=TAKEN_BACK).order_by("-ended_at", "-pk")
        case "not-as-planned":
            planned = written & Q(became__in=(STANDS, TAKEN_BACK))
            odd = rows.exclude(outcome=Outcome.PLANNED).exclude(planned)
            return odd.order_by(_needs_eyes(), "-ended_at", "-pk")
    begun = rows.filter(~Q(outcome=Outcome.PLANNED) | Q(state=WorkState.RUNNING) | ~Q(error=""))
    if batch.state in (State.DONE, State.STOPPED):
        return begun.order_by(_needs_eyes(), "-ended_at", "-pk")
    return begun.order_by("-state", "-ended_at", "-pk")


def _became(batch: EditBatch) -> Case:
    """What became of a written statement of a batch."""
    # by the batches that took back of this one: hardly a row has `undoes`, so the database
    # thinks little of that column's index
    undone = ClaimAttempt.objects.filter(batch__undoes=batch, outcome=Outcome.WRITTEN)
    found = (Finding.REMOVED, Finding.CHANGED, Finding.GONE)
    return Case(
        When(pk__in=undone.values("undoes"), then=Value(TAKEN_BACK)),
        *(When(watch__finding=each, then=Value(each.value)) for each in found),
        default=Value(STANDS),
        output_field=CharField(),
    )


def _count_rows(batch: EditBatch) -> tuple[Counter[str], Counter[str]]:
    """Rows by outcome, and the written ones by what became of them. By one query: while a batch is
    sent, the numbers of two would not add up."""
    counts: Counter[str] = Counter()
    written: Counter[str] = Counter()
    rows = sent_rows(batch).annotate(became=_became(batch)).values_list("outcome", "became")
    for outcome, became, number in rows.annotate(n=Count("pk")).order_by():
        counts[outcome] += number
        if outcome == Outcome.WRITTEN:
            written[became] += number
    return counts, written


def _needs_eyes() -> Case:
    """What somebody removed or changed comes first, then what was refused, then the rest."""
    return Case(
        When(outcome=Outcome.WRITTEN, became__in=TAKEN_OUT, then=Value(0)),
        When(outcome=Outcome.REFUSED, then=Value(1)),
        When(outcome=Outcome.SKIPPED, then=Value(2)),
        When(outcome=Outcome.PRESENT, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )


def legend(batch: EditBatch, progress: BatchProgress) -> list[tuple[str, int, str]]:
    """What a batch's bar is made of: word, count and colour; only what there is."""
    if batch.kind == EditBatch.Kind.UNDO:
        reasons = dict(
            sent_rows(batch).values_list("reason").annotate(n=Count("pk")).order_by("reason")
        )
        gone, changed = (reasons.get(each, 0) for each in LEFT_ALONE)
        parts = [
            (_("Removed"), progress.written, "yes"),
            (_("Gone before"), gone, "other"),
            (_("Changed by somebody"), changed, "warn"),
            (_("Skipped"), progress.skipped - gone - changed, "not"),
        ]
    else:
        over = batch.state in (State.DONE, State.STOPPED)
        parts = [
            (_("Stand") if over else _("Written"), progress.stand, "yes"),
            (_("Removed by somebody"), progress.removed, "warn"),
            (_("Changed by somebody"), progress.changed, "face"),
            (_("File gone"), progress.gone, "not"),
            (_("Taken back"), progress.taken_back, "act"),
            (_("Already there"), progress.present, "other"),
            (_("Skipped"), progress.skipped, "not"),
        ]
    parts += [(_("Refused"), progress.refused, "bad"), (_("To come"), progress.to_come, "none")]
    return parts[:1] + [part for part in parts[1:] if part[1]]


def summaries(batch: EditBatch, *, written: bool = False) -> list[tuple[str, int]]:
    """The summaries of a batch's edits, those to come included unless only what was `written` is
    asked for, and of how many each is."""
    rows = batch.attempts.exclude(outcome__in=(Outcome.EXCLUDED, Outcome.SKIPPED)).order_by()
    rows = rows.filter(outcome=Outcome.WRITTEN) if written else rows
    counts = dict(rows.values_list("own_summary").annotate(n=Count("pk")).order_by("own_summary"))
    found = [(own or batch.summary, n) for own, n in counts.items()]
    return found or [(batch.summary, 0)]


def to_look(batch: EditBatch) -> Watch | None:
    """The latest that somebody removed or changed, and nobody looked at again."""
    rows = findings.to_look(findings.all_findings())
    return rows.filter(claim_attempt__batch=batch).first()


def changed(batch: EditBatch) -> QuerySet[ClaimAttempt]:
    """What stands of a batch, but no longer as we wrote it."""
    return undo.takeable(batch).filter(watch__finding=Finding.CHANGED)


def undone_by(batch: EditBatch) -> list[tuple[int, EditBatch, str]]:
    """The batches that took back of this one, with their numbers and why; newest first."""
    removed = Count("attempts", filter=Q(attempts__outcome=Outcome.WRITTEN))
    later = EditBatch.objects.filter(undoes=batch, kind=EditBatch.Kind.UNDO)
    later = later.annotate(n_removed=removed)
    found = later.select_related("user", "project").order_by("-pk")[:5]
    reasons = batch.get_undo_reasons()
    return [(number_of(each), each, reasons.get(each.code, "")) for each in found]


def _waiting(batch: EditBatch) -> tuple[datetime, str] | None:
    """Until when and for what writing waits now: everybody's, or this user's."""
    lane = standstill()
    if lane and lane.paused_until:
        return lane.paused_until, lane.reason
    late = Writer.objects.filter(user=batch.user_id, wiki=batch.wiki, due_at__gt=timezone.now())
    writer = late.exclude(error="").first()
    return (writer.due_at, writer.error) if writer else None


def _rate(batch: EditBatch) -> float:
    """Edits a minute: over the last minute of its running, or over all of it once it is over.

    The gaps between edits count: five at one a second take four seconds, and are no 75 a minute.
    So does the wait for the next one only where it is longer than the pace asks for.
    """
    written = ClaimAttempt.objects.filter(batch=batch, outcome=Outcome.WRITTEN)
    if not batch.finished_at:
        written = written.filter(ended_at__gt=timezone.now() - RATE_OVER)
    seen = written.aggregate(n=Count("pk"), first=Min("ended_at"), last=Max("ended_at"))
    if seen["n"] < 2:
        return 0.0
    until = seen["last"]
    if not batch.finished_at:
        slot = timedelta(minutes=1) / pace_of(batch.user)
        until = max(until, timezone.now() - slot)
    seconds = (until - seen["first"]).total_seconds()
    return float(60 * (seen["n"] - 1) / seconds) if seconds > 0 else 0.0
