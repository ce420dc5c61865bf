"""The OAuth 2.0 tokens of users: sealed at rest, refreshed by one process at a time.

The wiki rotates refresh tokens: a refresh kills the old pair at once. So one process takes a
lease, asks, and saves the new pair before anybody uses it, while the others wait. When it
dies between the wiki's answer and the save, the pair is lost and the user logs in again.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from projects import http
from projects.faults import crash_point
from projects.models import User, WikiCredential
from projects.sealing import Unsealable, context, seal, unseal

MARGIN = timedelta(minutes=5)  # a token handed out lives at least this long
LEASE = timedelta(seconds=60)  # longer than http.TIMEOUT allows one request to take
POLL = 0.1  # seconds between looks while another process refreshes

ANSWER = {"access_token", "refresh_token", "expires_in"}  # what the token endpoint gives
ACCESS, REFRESH = "access-token", "refresh-token"  # columns, see projects.sealing.context


class NeedsLogin(Exception):
    """The user has to log in again: no tokens, or the wiki takes them no longer."""


def store(user: User, access: str, refresh: str, expires_in: float) -> None:
    """Keep what a login brought; `expires_in` is in seconds. Overtakes a refresh under way."""
    now = timezone.now()
    fields = _sealed(user.pk, access, refresh, now + timedelta(seconds=expires_in))
    WikiCredential.objects.get_or_create(
        user=user,
        wiki=settings.WIKI.code,
        defaults={"access_token": b"", "refresh_token": b"", "expires_at": now},
    )
    mine = WikiCredential.objects.filter(user=user, wiki=settings.WIKI.code)
    mine.update(**fields, generation=F("generation") + 1)


def reject(user: User, access: str) -> None:
    """The wiki does not take this token, whatever our clock says: log in again."""
    _holding(user, access).update(needs_login=True)


def expire(user: User, access: str) -> None:
    """The wiki refused this token before its time by our clock: refresh it next time."""
    _holding(user, access).update(expires_at=timezone.now())


def access_token(user: User) -> str:
    """A bearer token of `user` that lives five more minutes at least.

    Call outside transactions, for it may ask the wiki. Raises NeedsLogin, WikiError.
    """
    give_up = time.monotonic() + 2 * LEASE.total_seconds()
    while time.monotonic() < give_up:
        credential = _read(user)
        if credential.expires_at > timezone.now() + MARGIN:
            return _open(credential, ACCESS)
        if not _take_lease(credential):
            time.sleep(POLL)
        elif token := _refresh(credential):
            return token
    raise http.WikiError("network", "another process did not finish refreshing the login")


def _holding(user: User, access: str) -> Any:
    """The user's row while it holds this token: a login may have brought another meanwhile."""
    found = WikiCredential.objects.filter(user=user, wiki=settings.WIKI.code).first()
    if found is None or _open(found, ACCESS) != access:
        return WikiCredential.objects.none()
    return _unchanged(found)


def _read(user: User) -> WikiCredential:
    with transaction.atomic(durable=True):  # durable: refuses to run in a transaction
        found = WikiCredential.objects.filter(user=user, wiki=settings.WIKI.code).first()
    if found is None or found.needs_login:
        raise NeedsLogin
    return found


def _take_lease(credential: WikiCredential) -> bool:
    now = timezone.now()
    free = Q(refreshing_until=None) | Q(refreshing_until__lt=now)
    return bool(_unchanged(credential).filter(free).update(refreshing_until=now + LEASE))


def _refresh(credential: WikiCredential) -> str | None:
    """The new access token, saved; None when a login was quicker and what it left is to be read."""
    try:
        answer = _ask(_open(credential, REFRESH))
    except NeedsLogin:
        if _unchanged(credential).update(needs_login=True, refreshing_until=None):
            raise
        return None
    except BaseException:
        _unchanged(credential).update(refreshing_until=None)
        raise
    crash_point("tokens:before-save")
    expires_at = timezone.now() + timedelta(seconds=answer["expires_in"])
    both = answer["access_token"], answer["refresh_token"]
    fields = _sealed(credential.user_id, *both, expires_at)
    saved = _unchanged(credential).update(**fields, generation=F("generation") + 1)
    return str(answer["access_token"]) if saved else None


def _ask(refresh_token: str) -> dict[str, Any]:
    """The token endpoint's answer. A refused refresh token raises NeedsLogin."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": settings.OAUTH_CLIENT_ID,
        "client_secret": settings.OAUTH_CLIENT_SECRET,
    }
    response = http.fetch("POST", f"{settings.WIKI.rest}/oauth2/access_token", data=form)
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        body = {}
    if body.get("error") == "invalid_client":  # our own mistake, no user can mend it
        raise http.WikiError("invalid-client", "OAUTH_CLIENT_ID or its secret is wrong")
    if response.status_code in (400, 401):
        raise NeedsLogin
    if response.status_code != 200 or not body.keys() >= ANSWER:
        raise http.WikiError(f"http-{response.status_code}")
    return body


def _unchanged(credential: WikiCredential) -> Any:
    """The row as long as it holds the pair that was read: the fence of all writes here."""
    return WikiCredential.objects.filter(pk=credential.pk, generation=credential.generation)


def _sealed(user_id: int, access: str, refresh: str, expires_at: Any) -> dict[str, Any]:
    return {
        "access_token": seal(access.encode(), _context(ACCESS, user_id)),
        "refresh_token": seal(refresh.encode(), _context(REFRESH, user_id)),
        "expires_at": expires_at,
        "refreshing_until": None,
        "needs_login": False,
    }


def _context(column: str, user_id: int) -> bytes:
    return context(column, user_id, settings.WIKI.code)


def _open(credential: WikiCredential, column: str) -> str:
    sealed = credential.access_token if column == ACCESS else credential.refresh_token
    try:
        return unseal(bytes(sealed), _context(column, credential.user_id)).decode()
    except Unsealable:  # the key is gone: as if there were no token
        raise NeedsLogin from None
