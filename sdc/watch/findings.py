"""What pages read of watched statements: which stand, and what somebody removed or changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.work import WorkState
from projects.live.census import part
from projects.models import Project, User
from sdc.models import ClaimAttempt, Edit, EditBatch, Watch

Finding = Watch.Finding
DAY, WEEK, MONTH = 24, 168, 720  # hours
TAKEN_OUT = (Finding.REMOVED, Finding.CHANGED)


@dataclass(frozen=True)
class Look:
    """One of the looks at a batch's statements; `stand` of `of` stood then, if it is done."""

    hours: float
    at: datetime  # when it is or was due
    done: bool
    stand: int
    of: int

    @property
    def name(self) -> str:
        named = {DAY: _("After a day"), WEEK: _("After a week"), MONTH: _("After a month")}
        if self.hours in named:
            return named[int(self.hours)]
        hours = round(self.hours)
        return ngettext("After %(n)d hour", "After %(n)d hours", hours) % {"n": hours}


@dataclass(frozen=True)
class WatchSummary:
    """How the statements of a batch stand. What we took back ourselves is not among them."""

    looks: list[Look]
    watched: int
    stand: int
    removed: int
    changed: int
    gone: int
    to_look: int  # removed or changed, and nobody looked at the face again
    checked_at: datetime | None  # the last look at any of them
    looking: bool  # one is under way


def watched() -> QuerySet[Watch]:
    """All watches of statements that are still ours to watch: neither taken back by us nor
    written anew by a later attempt, which has its own watch."""
    taken_back = Edit.objects.filter(kind=Edit.Kind.REMOVE, guid=OuterRef("claim_attempt__guid"))
    return Watch.objects.filter(~Exists(taken_back), ~Exists(written_anew()))


def written_anew() -> QuerySet[ClaimAttempt]:
    """Of a Watch (OuterRef): a later attempt that wrote the same claim."""
    return ClaimAttempt.objects.filter(
        claim=OuterRef("claim_attempt__claim"),
        pk__gt=OuterRef("claim_attempt"),
        outcome=ClaimAttempt.Outcome.WRITTEN,
        undoes=None,
    )


def all_findings() -> QuerySet[Watch]:
    """What somebody removed or changed, in all projects; latest first."""
    return _told(watched().filter(finding__in=TAKEN_OUT))


def findings(project: Project) -> QuerySet[Watch]:
    """What somebody removed or changed of what this project wrote; latest first."""
    return all_findings().filter(claim_attempt__batch__project=project)


@part("look-again", int)
def look_again_count(project: Project) -> int:
    """How many of them nobody looked at a second time."""
    return to_look(findings(project)).count()


def findings_of_user(user: User) -> QuerySet[Watch]:
    """What somebody removed or changed of what this user sent; latest first."""
    return all_findings().filter(claim_attempt__batch__user=user)


def to_look(found: QuerySet[Watch]) -> QuerySet[Watch]:
    """Those of some findings that nobody looked at a second time."""
    return found.filter(looked_at=None)


def standings_of_user(user: User) -> dict[str, int]:
    """How many of the statements that this user sent are watched, stand, and so on."""
    return _counts(watched().filter(claim_attempt__batch__user=user))


def batches_of_user(user: User) -> QuerySet[EditBatch]:
    """The batches that this user sent, newest first, each with `n_written` and, of these,
    `n_taken_back` (by us) and `n_out` (by others)."""
    written = Q(attempts__outcome=ClaimAttempt.Outcome.WRITTEN)
    out = Q(attempts__watch__finding__in=TAKEN_OUT)
    mine = EditBatch.objects.filter(user=user).exclude(confirmed_at=None)
    return (
        mine.select_related("project__subject__person")
        .annotate(n_written=Count("attempts", filter=written), n_out=Count("attempts", filter=out))
        .annotate(n_taken_back=taken_back())
        .order_by("-pk")
    )


def taken_back() -> Coalesce:
    """Of a batch (outer): how many of its statements we took back."""
    removals = ClaimAttempt.objects.filter(
        batch__undoes=OuterRef("pk"), outcome=ClaimAttempt.Outcome.WRITTEN
    )
    counted = removals.order_by().values("batch__undoes").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)


def watch_summary(batch: EditBatch) -> WatchSummary:
    """The three looks of a batch's statements, and how they stand now."""
    rows = watched().filter(claim_attempt__batch=batch)
    counts = _counts(rows)
    latest = rows.aggregate(at=Max("claim_attempt__ended_at"), checked=Max("checked_at"))
    queued = rows.filter(state=WorkState.QUEUED, due_at__lte=timezone.now())
    looks = _looks(rows, latest["at"], counts["watched"]) if latest["at"] else []
    return WatchSummary(
        looks=looks,
        checked_at=latest["checked"],
        to_look=rows.filter(finding__in=TAKEN_OUT, looked_at=None).count(),
        looking=queued.exists() or rows.filter(state=WorkState.RUNNING).exists(),
        **counts,
    )


def _looks(rows: QuerySet[Watch], last: datetime, watched: int) -> list[Look]:
    """What was found until the next look was due counts for the look before it."""
    times = [last + timedelta(hours=hours) for hours in settings.WATCH_AFTER_HOURS]
    looks = []
    for number, (hours, at) in enumerate(zip(settings.WATCH_AFTER_HOURS, times, strict=True)):
        done = not rows.filter(checks__lte=number).exists()
        out = rows.exclude(finding=Finding.STANDS)
        if number + 1 < len(times):
            out = out.filter(found_at__lt=times[number + 1])
        looks.append(Look(hours, at, done, watched - out.count() if done else 0, watched))
    return looks


def _counts(rows: QuerySet[Watch]) -> dict[str, int]:
    by_finding = dict(rows.values_list("finding").annotate(n=Count("pk")).order_by())
    names = {
        "stand": Finding.STANDS,
        "removed": Finding.REMOVED,
        "changed": Finding.CHANGED,
        "gone": Finding.GONE,
    }
    counts = {name: by_finding.get(finding.value, 0) for name, finding in names.items()}
    return counts | {"watched": sum(counts.values())}


def _told(rows: QuerySet[Watch]) -> QuerySet[Watch]:
    """With what a page says of them."""
    return rows.select_related(
        "claim_attempt__batch__project__subject__person",
        "claim_attempt__batch__user",
        "claim_attempt__claim__photo__picture",
        "claim_attempt__region",
        "claim_attempt__label",
        "looked_by",
    ).order_by(F("found_at").desc(nulls_last=True), "-pk")
