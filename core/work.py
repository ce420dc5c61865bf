"""Work rows: taking by compare-and-set, leases, fencing, and setting aside.

A worker takes a row before the dangerous work and commits that; it commits its result only
while the row still bears its attempt number. One that slept past its lease changes nothing.
How long it took and how it ended is logged and counted (`core.metrics`).
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import metrics


class WorkState(models.TextChoices):
    QUEUED = "q", _("queued")
    RUNNING = "r", _("running")
    DONE = "d", _("done")
    ASIDE = "x", _("set aside")
    STOPPED = "s", _("stopped")


T = TypeVar("T", bound="WorkRow")
A_MOMENT = timedelta(seconds=1)
# What an attempt came to, in logs and metrics, where it doesn't say so itself.
OUTCOMES: dict[str, str] = {
    WorkState.QUEUED: "again",
    WorkState.DONE: "done",
    WorkState.ASIDE: "aside",
    WorkState.STOPPED: "stopped",
}


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
    STEP: ClassVar[str]  # what its work is called in logs and metrics
    _taken: tuple[float, datetime] | None = None  # when, and when it had been due

    class Meta:
        abstract = True

    @property
    def step(self) -> str:
        return self.STEP

    def told(self) -> dict[str, Any]:
        """What the log says of this row beside its key; nothing personal."""
        return {}

    @classmethod
    def _rows(cls) -> WorkQuerySet[Any]:
        return WorkQuerySet(cls)

    def take(self, lease: timedelta, **fields: Any) -> bool:
        """Take this row for `lease`; False when another worker was quicker.

        Call outside a transaction: the attempt must be counted before the work begins.
        """
        now, due_at = timezone.now(), self.lease_until or self.due_at
        fields |= {
            "state": WorkState.RUNNING,
            "attempt": F("attempt") + 1,
            "tries": F("tries") + 1,
            "lease_until": now + lease * settings.LEASE_PERCENT / 100,
        }
        unchanged = self._rows().filter(pk=self.pk, attempt=self.attempt, state=self.state)
        if not unchanged.update(**fields):
            return False
        self.refresh_from_db()
        self._taken = (time.monotonic(), due_at)
        return True

    def settle(self, state: str, **fields: Any) -> bool:
        """Commit the outcome of the attempt this object took; False when it was overtaken.

        Call inside the transaction that writes the results, and raise `Overtaken` on False.
        """
        fields |= {"state": state, "lease_until": None}
        mine = self._rows().filter(pk=self.pk, attempt=self.attempt, state=WorkState.RUNNING)
        if not mine.update(**fields):
            return False
        transaction.on_commit(partial(self._tell, state, fields), robust=True)
        return True

    def _tell(self, state: str, fields: dict[str, Any]) -> None:
        """Log and count an attempt that ended. What was merely put back says nothing."""
        reason = str(fields.get("reason") or fields.get("error") or "")
        if state == WorkState.QUEUED and not reason:
            return
        outcome = str(fields.get("outcome") or OUTCOMES[state])
        metrics.add("outcomes", step=self.step, outcome=outcome, reason=reason)
        ended: dict[str, Any] = {"outcome": outcome, "reason": reason}
        if self._taken:
            began, due_at = self._taken
            ended["seconds"] = round(time.monotonic() - began, 3)
            metrics.observe("step", ended["seconds"], step=self.step)
            if state != WorkState.QUEUED:
                lag = max(0.0, (timezone.now() - due_at).total_seconds())
                metrics.observe("lag", lag, step=self.step)
        about = {"step": self.step, "row": self.pk, "attempt": self.attempt} | ended | self.told()
        words = [f"{key}={value}" for key, value in about.items() if value != ""]
        logging.getLogger(f"work.{self.step}").info(" ".join(words), extra=about)

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

    def give_back(self) -> bool:
        """Put back at once what failed by the database (`core.transactions.is_transient`): it
        costs no try."""
        return self.settle(
            WorkState.QUEUED, tries=max(self.tries - 1, 0), due_at=timezone.now() + A_MOMENT
        )

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
