"""Who patrols the wiki: people whom it trusts to roll back or to patrol edits there. They may stop
and undo any batch, member or not.

The wiki is asked as nobody: to a bearer it shows only the rights that the grants of our consumer
cover, and those are for editing alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from projects.models import User
from sdc.models import Writer
from wiki import http
from wiki.http import WikiError
from wiki.json_tree import unreadable
from wiki.users import read_users

RIGHTS = frozenset({"rollback", "patrol"})
YES_LASTS = timedelta(hours=1)  # before the wiki is asked again
NO_LASTS = timedelta(minutes=1)  # shorter: the right may be new, or given back
UNREAD_SECONDS = 60  # before a wiki that could not be read is asked again
_KNOWN = "_patrols"  # on a user, for one request


def patrols(user: Any) -> bool:
    """Return whether the user patrols the wiki, as it last said. Asks nobody."""
    if not user.is_authenticated or not user.is_active:
        return False
    if _KNOWN not in user.__dict__:
        mine = Writer.objects.filter(user=user, wiki=settings.WIKI.code, patrols=True)
        user.__dict__[_KNOWN] = mine.exists()
    return bool(user.__dict__[_KNOWN])


def refresh(user: Any) -> None:
    """Ask the wiki where its last yes is older than an hour, or its last no than a minute. While it
    can't be read, the last answer stays, and pages do not wait for it again for a minute. Call
    outside of transactions."""
    if not user.is_authenticated:
        return
    now = timezone.now()
    fresh = Q(patrols_asked_at__gt=now - NO_LASTS)
    fresh |= Q(patrols_asked_at__gt=now - YES_LASTS, patrols=True)
    known = Writer.objects.filter(fresh, user=user, wiki=settings.WIKI.code)
    if known.exists() or not cache.add(f"patrols:{user.pk}", True, UNREAD_SECONDS):
        return
    try:
        ask(user)
    except WikiError:
        return


def check(user: User) -> None:
    """Ask the wiki now, right before somebody does what only patrollers may. Call outside of
    transactions. Raises PermissionDenied with a sentence, WikiError."""
    if not ask(user):
        raise PermissionDenied(
            _(
                "The wiki says that you have neither rollback nor patrol rights there now."
                " Nothing was changed."
            )
        )


def ask(user: User) -> bool:
    """Read the user's rights from the wiki and keep what they say. Raises WikiError."""
    found = bool(user.is_active and settings.CAN_LOG_IN and RIGHTS & _rights(user.wiki_username))
    Writer.objects.update_or_create(
        user=user,
        wiki=settings.WIKI.code,
        defaults={"patrols": found, "patrols_asked_at": timezone.now()},
    )
    user.__dict__[_KNOWN] = found
    return found


def _rights(name: str) -> frozenset[str]:
    if not name:
        return frozenset()
    body = http.api(
        settings.WIKI.commons_api, action="query", list="users", ususers=name, usprop="rights"
    )
    users = read_users(body)
    if not users:  # even of a name that nobody has the wiki says so
        raise unreadable("no user")
    return frozenset().union(*(found.rights for found in users if found.name == name))
