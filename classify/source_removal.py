"""What answers mean for photos whose source was taken away, and what is forgotten of those that
leave. Hears `crawler.listing.sources.staying` and `gone`."""

from __future__ import annotations

from typing import Any

from classify.models import Answer, Label, Origin, Question, Score
from projects.models import Project


def answered(*, project: Project, photos: set[int], **_: Any) -> set[int]:
    """Those that people said something about stay."""
    said = Answer.objects.filter(subject=project.subject, photo__in=photos, user__isnull=False)
    return set(said.exclude(origin=Origin.BOOTSTRAP).values_list("photo", flat=True))


def forget(*, project: Project, photos: set[int], **_: Any) -> None:
    """Nothing is asked or thought of what has left. Answers are never deleted."""
    for model in (Question, Score, Label):
        model.objects.filter(subject=project.subject, photo__in=photos).delete()
