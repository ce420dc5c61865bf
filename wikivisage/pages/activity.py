"""Who did what lately in a project, as its page tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from projects.models import AuditEvent, Contribution, Project, Source, User
from sdc.models import Watch
from sdc.watch.findings import findings

SHOWN = 20
DEEDS, EVENTS, FOUND = 200, 40, 40  # rows that are looked through for them

# What is told, and the icon it has. Who was removed or banned is told to nobody.
TOLD = {
    "project.created": "plus",
    "project.renamed": "draw",
    "project.recrawled": "refresh",
    "project.paused": "pause",
    "project.active": "check",
    "project.completed": "check",
    "project.archived": "info",
    "project.handed-over": "people",
    "member.joined": "people",
    "member.accepted": "people",
    "batch.confirmed": "send",
    "batch.handed-over": "send",
    "batch.stopped": "stop",
    "batch.undone": "undo",
    "photo.added": "photo",
}
ICONS = {
    Contribution.Kind.ANSWER.value: "check",
    Contribution.Kind.REVIEW.value: "eye",
    "uploads": "plus",
    "removed": "undo",
    "changed": "undo",
}


@dataclass(frozen=True)
class Happening:
    """What happened within an hour: `kind` chooses its words in the template."""

    kind: str
    at: datetime
    count: int = 1
    who: str = ""  # empty: somebody who does not show their name, or nobody in particular
    href: str = ""
    about: str = ""

    @property
    def icon(self) -> str:
        return TOLD.get(self.kind) or ICONS[self.kind]


def latest(
    project: Project, sources: Iterable[Source], reader: Any, is_member: bool
) -> list[Happening]:
    """Newest first, in three queries. Members see all names, others those that are shown."""

    def name(user: User | None) -> str:
        if user is None:
            return ""
        is_shown = is_member or user.show_on_leaderboard or user == reader
        return str(user) if is_shown else ""

    happened = [
        *_deeds(project, name),
        *_events(project, name),
        *_uploads(project, sources),
        *_findings(project),
    ]
    return sorted(happened, key=lambda one: one.at, reverse=True)[:SHOWN]


def _deeds(project: Project, name: Any) -> Iterator[Happening]:
    """Answers and reviews by person and hour; what was taken back is taken off."""
    told = (Contribution.Kind.ANSWER, Contribution.Kind.REVIEW)
    rows = Contribution.objects.filter(project=project).prefetch_related("user").order_by("-id")
    sums: dict[tuple[str, str, datetime], list[Any]] = {}
    for row in rows[:DEEDS]:
        if row.kind in told:
            group = sums.setdefault((row.kind, name(row.user), _hour(row.at)), [row.at, 0])
            group[1] += row.amount
    for (kind, who, _at), (at, amount) in sums.items():
        if amount > 0:
            yield Happening(kind, at, amount, who)


def _events(project: Project, name: Any) -> Iterator[Happening]:
    events = AuditEvent.objects.filter(project=project, action__in=TOLD)
    seen: set[tuple[str, str, datetime]] = set()
    for event in events.select_related("actor").order_by("-id")[:EVENTS]:
        who, batch = name(event.actor), event.target.startswith("batch:")
        href = event.target.removeprefix("batch:") if batch else ""
        if not batch:  # ten photos added one by one are one line
            key = (event.action, who, _hour(event.at))
            if key in seen:
                continue
            seen.add(key)
        address = reverse("batch", args=[project.public_id, href]) if href else ""
        yield Happening(event.action, event.at, who=who, href=address)


def _uploads(project: Project, sources: Iterable[Source]) -> Iterator[Happening]:
    review = reverse("review", args=[project.public_id])
    for source in sources:
        if source.found_at and source.found:
            href = f"{review}?fresh={source.pk}"
            yield Happening("uploads", source.found_at, source.found, href=href, about=str(source))


def _findings(project: Project) -> Iterator[Happening]:
    """What people on the wiki took out or changed of what was sent."""
    rows = findings(project).values_list("finding", "found_at")
    address = reverse("second-looks", args=[project.public_id])
    sums: dict[tuple[str, datetime], list[Any]] = {}
    for finding, at in rows[:FOUND]:
        if at is None:
            continue
        group = sums.setdefault((finding, _hour(at)), [at, 0])
        group[1] += 1
    for (finding, _at), (at, count) in sums.items():
        kind = "removed" if finding == Watch.Finding.REMOVED else "changed"
        yield Happening(kind, at, count, href=address)


def _hour(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
