"""Names in the audit log: what is no edit of the wiki loses them after 90 days.

Whoever did it, whom it was done to, and words that may name somebody go. What was done, to which
project or thing, and when, stays.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.transactions import atomic
from projects.models import AuditEvent
from sdc.erasure.accounts import plain

AUDIT_NAME_DAYS = 90
# About edits, which are public on the wiki under the same names: batches of edits and statements.
OF_EDITS = ("batch.", "claim.")
NAMING_TARGETS = ("user", "uploader", "author")  # `kind:somebody`
# Of `data`: an uploader's name, and free text. What still holds (an entry of the deny-list, an
# admission, a stop) has its reason in its own row.
NAMING_DATA = ("place", "reason", "was")
AT_ONCE = 500  # rows in one transaction


def due() -> QuerySet[AuditEvent]:
    """Rows that still name somebody, and whose time is over."""
    names = Q(actor__isnull=False) | Q(data__has_any_keys=NAMING_DATA)
    for kind in NAMING_TARGETS:
        names |= Q(target__startswith=f"{kind}:")
    of_edits = Q(pk__in=())
    for prefix in OF_EDITS:
        of_edits |= Q(action__startswith=prefix)
    over = timezone.now() - timedelta(days=AUDIT_NAME_DAYS)
    return AuditEvent.objects.filter(names, at__lt=over).exclude(of_edits)


def forget(until: float) -> int:
    """Take the names off until a monotonic time; return from how many rows."""
    count = 0
    while rows := list(due().order_by("pk")[:AT_ONCE]):
        _take_names_off(rows)
        count += len(rows)
        if time.monotonic() > until:
            break
    return count


def without_names(data: dict[str, Any]) -> dict[str, Any]:
    """Return what may stay of a row's data."""
    return {name: value for name, value in data.items() if name not in NAMING_DATA}


@atomic
def _take_names_off(rows: list[AuditEvent]) -> None:
    for row in rows:
        kind = row.target.partition(":")[0]
        target = kind if kind in NAMING_TARGETS else row.target
        data = without_names(row.data)
        plain(AuditEvent).filter(pk=row.pk).update(actor=None, target=target, data=data)
