"""Photos that no project shows any more, with their faces, once nothing is built on them."""

from __future__ import annotations

import time
from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from classify.models import Answer
from core.transactions import atomic
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto
from sdc.models import Claim, ClaimAttempt

STEP = 200


def photos() -> QuerySet[Photo]:
    """Of no project, without a claim and without a word about them. Those on the deny-list stay:
    they say that the file is left alone, whatever its name."""
    of = {"photo": OuterRef("pk")}
    shown, said = ProjectPhoto.objects.filter(**of), Answer.objects.filter(**of)
    claims = Claim.objects.filter(**of)
    old = Photo.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1))
    free = old.exclude(state=Photo.State.DENIED)
    return free.filter(~Exists(shown), ~Exists(said), ~Exists(claims))


def pictures() -> QuerySet[Picture]:
    """Without a page, and not at work; nothing was answered or written about their faces."""
    stands = Photo.objects.filter(picture=OuterRef("pk"))
    said = Answer.objects.filter(region__picture=OuterRef("pk"))
    tried = ClaimAttempt.objects.filter(region__picture=OuterRef("pk"))
    idle = Picture.objects.exclude(state=WorkState.RUNNING)
    return idle.filter(~Exists(stands), ~Exists(said), ~Exists(tried))


def forget(until: float) -> int:
    count = 0
    for rows in (photos, pictures):
        while keys := list(rows().order_by("pk").values_list("pk", flat=True)[:STEP]):
            count += atomic(rows().filter(pk__in=keys).delete)()[0]
            if time.monotonic() > until:
                return count
    return count
