"""Where somebody is logged in: allauth lists it at each login, and here it ends.

Kept of a session are when it began and the rough kind of device; no address.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from core.transactions import atomic
from projects.ledger import audit
from projects.models import User

NO_ADDRESS = "0.0.0.0"  # noqa: S104
# In this order: a browser names others that it resembles, an iPad names a Mac.
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"),
            ("Chrom", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"))  # fmt: skip
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
           ("Mac OS", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


def device(agent: str) -> str:
    """“Firefox · Windows”: what a browser tells of itself, without versions; or nothing."""
    named = [
        next((name for sign, name in table if sign in agent), "") for table in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, named))


@receiver(pre_save, sender=UserSession)
def keep_little(instance: UserSession, **_kwargs: Any) -> None:
    instance.ip = NO_ADDRESS
    if " · " not in instance.user_agent:
        instance.user_agent = device(instance.user_agent)


def sessions_of(request: HttpRequest, user: User) -> list[UserSession]:
    """Those that are open, this one first, then the latest."""
    found = UserSession.objects.purge_and_list(user)
    this = request.session.session_key
    return sorted(found, key=lambda each: (each.session_key == this, each.created_at), reverse=True)


def ended() -> QuerySet[Session]:
    return Session.objects.filter(expire_date__lt=timezone.now())


def forget_ended() -> int:
    """Those whose time is over, and what was listed of them. One that just begins is listed
    before it is stored."""
    count = ended().delete()[0]
    stored = Session.objects.values("session_key")
    before = timezone.now() - timedelta(hours=1)
    UserSession.objects.filter(created_at__lt=before).exclude(session_key__in=stored).delete()
    return count


def end(user: User, session_id: int) -> bool:
    """One of somebody's own."""
    session = UserSession.objects.filter(user=user, pk=session_id).first()
    if session:
        session.end()
    return bool(session)


def end_others(request: HttpRequest, user: User) -> int:
    """All but the one that asks; returns how many."""
    others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
    for session in others:
        session.end()
    return len(others)


@atomic
def end_all(user: User, by: User, reason: str) -> bool:
    """Log somebody out everywhere, also where nothing lists it: sessions are bound to the
    (unusable) password, which becomes another one. What they gave the tool to send with stays."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    for session in UserSession.objects.filter(user=user):
        session.end()
    audit(by, "sessions.ended", target=f"user:{user.pk}", reason=reason)
    return True
