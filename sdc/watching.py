"""Statements that we wrote are looked at again: after a day, a week and a month."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from sdc.models import ClaimAttempt, Watch


def begin(attempt: ClaimAttempt, *, removed: bool = False) -> None:
    """Watch the statement that this attempt wrote. Call in the transaction of its success."""
    now = timezone.now()
    Watch.objects.create(
        claim_attempt=attempt,
        due_at=now + timedelta(hours=settings.WATCH_AFTER_HOURS[0]),
        finding=Watch.Finding.REMOVED if removed else Watch.Finding.STANDS,
        found_at=now if removed else None,
    )
