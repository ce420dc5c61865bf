"""What is kept no longer than docs/privacy.md says: one table of steps, for beat and operators."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models

from classify import retention as classify_retention
from crawler import retention as crawler_retention
from crawler.models import Embedding
from projects.accounts import moderator_rights, sessions
from projects.notifications import services as notifications
from projects.privacy import objections
from sdc.erasure import audit_names, leftovers, projects, tokens

# What is biometric in the database: backups leave it out (see ops.backup), since it can be made
# again from the pictures. Beside it there are the crops in CROPS_DIR, which are in no backup.
BIOMETRIC_TABLES: tuple[type[models.Model], ...] = (Embedding,)


@dataclass(frozen=True)
class Step:
    """`forget` takes away some of what is due, until a monotonic time, and says how many rows or
    files went; `count` says how many are due."""

    name: str
    forget: Callable[[float], int]
    count: Callable[[], int]


def _pictures(until: float) -> int:
    count = 0
    while some := crawler_retention.forget_unneeded():
        count += some
        if time.monotonic() > until:
            break
    return count


STEPS = (
    Step("deleted projects: rows", projects.go_on, lambda: projects.deleted().count()),
    Step("pictures of no live project", _pictures, lambda: crawler_retention.unneeded().count()),
    Step(
        "vectors of sleeping projects",
        classify_retention.forget_vectors,
        lambda: classify_retention.asleep_vectors().count(),
    ),
    Step(
        "scores and questions without a vector",
        classify_retention.forget_scores,
        lambda: (
            classify_retention.stale_scores().count() + classify_retention.stale_questions().count()
        ),
    ),
    Step(
        "crops",
        classify_retention.forget_crops,
        lambda: sum(1 for _ in classify_retention.stale_crops()),
    ),
    Step(
        "photos and pictures of no project",
        leftovers.forget,
        lambda: leftovers.photos().count() + leftovers.pictures().count(),
    ),
    Step("permissions to edit that nobody uses", tokens.forget, lambda: tokens.unneeded().count()),
    Step("sessions", lambda _until: sessions.forget_ended(), lambda: sessions.ended().count()),
    Step(
        "texts of closed objections",
        lambda _until: objections.forget_closed(),
        lambda: objections.with_old_texts().count(),
    ),
    Step(
        "moderators who are none any more",
        lambda _until: moderator_rights.dismiss(),
        lambda: len(moderator_rights.no_longer()),
    ),
    Step("names in the audit log", audit_names.forget, lambda: audit_names.due().count()),
    Step(
        "old notifications",
        lambda _until: notifications.sweep(),
        lambda: notifications.old().count(),
    ),
)


def sweep(seconds: float) -> dict[str, int]:
    """Take away what is due for about so long; how much went, by step. The rest waits for the
    next time."""
    until = time.monotonic() + seconds
    return {step.name: step.forget(until) for step in STEPS}


def due() -> dict[str, Any]:
    """How much would go, by step. What one step takes away may be due for the next one then."""
    return {step.name: step.count() for step in STEPS}
