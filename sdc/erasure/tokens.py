"""Permission to edit as somebody goes once they logged out and nothing of theirs is under way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from core.work import WorkState
from projects.models import User, WikiCredential
from sdc.erasure.projects import UNDER_WAY
from sdc.models import ClaimAttempt, EditBatch

RESTS = timedelta(days=1)  # after a login, should nothing list its session


def logged_out(*, request: Any, user: User | None, **_: Any) -> None:
    """Hears Django's `user_logged_out`: at once, unless another device is logged in."""
    if isinstance(user, User):
        others = _sessions().exclude(session_key=request.session.session_key)
        if not others.filter(user=user).exists():
            _idle().filter(user=user).delete()


def unneeded() -> QuerySet[WikiCredential]:
    """Of who is logged in nowhere; what was under way at their log-out has ended since."""
    here = Exists(_sessions().filter(user=OuterRef("user")))
    return _idle().filter(~here, user__last_login__lt=timezone.now() - RESTS)


def forget(_until: float) -> int:
    return unneeded().delete()[0]


def _sessions() -> QuerySet[UserSession]:
    alive = Session.objects.filter(expire_date__gt=timezone.now())
    listed: QuerySet[UserSession] = UserSession.objects.all()
    return listed.filter(session_key__in=alive.values("session_key"))


def _idle() -> QuerySet[WikiCredential]:
    batches = EditBatch.objects.filter(user=OuterRef("user"), state__in=UNDER_WAY)
    tries = ClaimAttempt.objects.filter(batch__user=OuterRef("user"), state=WorkState.RUNNING)
    return WikiCredential.objects.filter(~Exists(batches), ~Exists(tries))
