"""Work rows: taking by compare-and-set, leases, fencing, and setting aside.

A worker takes a row before the dangerous work and commits that; it commits its result only
while the row still bears its attempt number. One that slept past its lease changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class WorkState(models.TextChoices):
    QUEUED = "q", "queued"
    RUNNING = "r", "running"
    DONE = "d", "done"
    ASIDE = "x", "set aside"
    STOPPED = "s", "stopped"


T = TypeVar("T", bound="WorkRow")


class WorkQuerySet(models.QuerySet[T]):
    def due(self) -> Self:
        """Rows that a worker may take now: queued and due, or left by one that died."""
        now = timezone.now()
        return self.filter(
            Q(state=WorkState.QUEUED, due_at__lte=now)
            | Q(state=WorkState.RUNNING, lease_until__lt=now)
        )

    def in_flight(self) -> Self:
        return self.filter(state=WorkState.RUNNING, lease_until__gte=timezone.now())

    def requeue(self) -> int:
        """Begin anew with rows that nobody works on; returns how many."""
        fields = {"state": WorkState.QUEUED, "tries": 0, "error": "", "error_detail": ""}
        return self.update(due_at=timezone.now(), **fields)


class WorkRow(models.Model):
    """State, lease and attempts of one piece of work. `attempt` only grows (the fence);
    `tries` counts since the last progress and decides when a row is set aside."""

    state = models.CharField(max_length=1, choices=WorkState, default=WorkState.QUEUED)
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=40, blank=True)  # a code from the app's closed list
    error_detail = models.CharField(max_length=255, blank=True)

    max_tries = 3

    class Meta:
        abstract = True

    @classmethod
    def _rows(cls) -> WorkQuerySet[Any]:
        return WorkQuerySet(cls)

    def take(self, lease: timedelta, **fields: Any) -> bool:
        """Take this row for `lease`; False when another worker was quicker.

        Call outside a transaction: the attempt must be counted before the work begins.
        """
        now = timezone.now()
        fields |= {
            "state": WorkState.RUNNING,
            "attempt": F("attempt") + 1,
            "tries": F("tries") + 1,
            "lease_until": now + lease,
        }
        unchanged = self._rows().filter(pk=self.pk, attempt=self.attempt, state=self.state)
        if not unchanged.update(**fields):
            return False
        self.refresh_from_db()
        return True

    def settle(self, state: str, **fields: Any) -> bool:
        """Commit the outcome of the attempt this object took; False when it was overtaken.

        Call inside the transaction that writes the results, and raise `Overtaken` on False.
        """
        fields |= {"state": state, "lease_until": None}
        mine = self._rows().filter(pk=self.pk, attempt=self.attempt, state=WorkState.RUNNING)
        return bool(mine.update(**fields))

    def settle_or_raise(self, state: str, **fields: Any) -> None:
        if not self.settle(state, **fields):
            raise Overtaken(f"{self._meta.label} {self.pk} attempt {self.attempt}")

    def fail(self, error: str, detail: str = "", *, final: bool = False, **fields: Any) -> bool:
        """Put back for later with growing delay, or set aside when tries are spent or `final`."""
        fields |= {"error": error[:40], "error_detail": detail[:255]}
        if final or self.tries >= self.max_tries:
            return self.settle(WorkState.ASIDE, **fields)
        due_at = timezone.now() + delay_after(self.tries)
        return self.settle(WorkState.QUEUED, due_at=due_at, **fields)

    @property
    def spent(self) -> bool:
        """Its tries are used up although none of them ended: its work kills the worker."""
        return self.state == WorkState.RUNNING and self.tries >= self.max_tries

    def retry(self) -> bool:
        """A person asks to try again what was set aside or stopped."""
        aside = self._rows().filter(
            pk=self.pk, state__in=(WorkState.ASIDE, WorkState.STOPPED), attempt=self.attempt
        )
        return bool(aside.requeue())


def delay_after(tries: int) -> timedelta:
    """How long a row rests after so many tries: 5 s, 20 s, 80 s … a quarter of an hour."""
    return timedelta(seconds=min(5 * 4 ** min(max(tries - 1, 0), 4), 900))


def end_all_leases() -> None:
    """Let every row in flight be taken again. Only for who knows that no worker lives."""
    for model in apps.get_models():
        if issubclass(model, WorkRow):
            running = model._rows().filter(state=WorkState.RUNNING)
            running.update(lease_until=timezone.now())


class Overtaken(Exception):
    """Another worker holds this row by now; whatever this one did is thrown away."""
