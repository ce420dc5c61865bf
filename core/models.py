"""Base classes of models, and the rows in which all processes share a clock or a count."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models
from django.utils import timezone


def new_public_id() -> str:
    """Eleven url-safe characters, 64 random bits: what stands in URLs instead of keys."""
    return secrets.token_urlsafe(8)


class PublicIdField(models.CharField):  # type: ignore[type-arg]
    """What stands in URLs instead of the key."""

    def __init__(self, **kwargs: object) -> None:
        options = {"max_length": 16, "unique": True, "default": new_public_id, "editable": False}
        super().__init__(**(options | kwargs))  # type: ignore[arg-type]


class AppendOnlyQuerySet(models.QuerySet[Any]):
    def update(self, **fields: Any) -> int:
        raise TypeError("These rows are never changed.")

    def bulk_update(self, *args: Any, **options: Any) -> int:
        raise TypeError("These rows are never changed.")

    def bulk_create(self, objs: Any, *args: Any, **options: Any) -> list[Any]:
        if options.get("update_conflicts"):
            raise TypeError("These rows are never changed.")
        return super().bulk_create(objs, *args, **options)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TypeError("These rows are never deleted by hand.")


class AppendOnly(models.Model):
    """Rows that are written once. Only the database's own cascades touch them later.

    A model whose rows others lead to (`user.edits`) also names `objects` as its base manager, by
    which Django would move rows from one to the other.
    """

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise TypeError("These rows are never changed.")
        # else Django would update the row, should there be one with the key of a new object
        super().save(force_insert=True, using=options.get("using"))

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("These rows are never deleted by hand.")


class WikiPace(models.Model):
    """One lane of requests to a wiki, shared by all workers: who is next, and until when all wait.

    `lane` is "read", "picture" or "write:<user id>". Some are mere clocks that all processes
    share, such as "stop-page" and "worker:<queue>"; two are rows to lock: "detect" and
    "objections".
    """

    wiki = models.CharField(max_length=16)
    lane = models.CharField(max_length=40)
    next_at = models.DateTimeField(default=timezone.now)
    paused_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["wiki", "lane"], name="one_lane")]


class Measure(models.Model):
    """What workers counted or timed since the beginning, all together: see core.metrics."""

    name = models.CharField(max_length=40)
    labels = models.CharField(max_length=200)  # "outcome=done;step=detect"
    value = models.FloatField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="one_measure")]
