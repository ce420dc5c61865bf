"""The OAuth 2.0 tokens of users: sealed at rest, refreshed by one process at a time.

The wiki rotates refresh tokens: a refresh kills the old pair at once. So one process takes a
lease, asks, and saves the new pair before anybody uses it, while the others wait. When it
dies between the wiki's answer and the save, the pair is lost and the user logs in again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from core.crash_points import crash_point
from core.encryption import Unsealable, context, seal, unseal
from projects.models import User, WikiCredential
from wiki import http
from wiki.json_tree import Node, parse

MARGIN = timedelta(minutes=5)  # a token handed out lives at least this long
LEASE = timedelta(seconds=60)  # longer than http.TIMEOUT allows one request to take
POLL = 0.1  # seconds between looks while another process refreshes
PAGE_WAIT = timedelta(seconds=5)  # how long a page waits for another process to refresh
WORKER_WAIT = 2 * LEASE

LONGEST = 20_000  # characters of a token
# The code for a client id or secret that the wiki does not take: the operator's to mend. For an id
# that it does not know at all, a refresh is answered with a fault of the server (MediaWiki 1.43).
WRONG_CLIENT = "invalid-client"
_NO_CLIENT = "Client with identifier"

ACCESS, REFRESH = "access-token", "refresh-token"  # columns, see core.encryption.context


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


def is_signed_in(user: User) -> bool:
    """Whether there are tokens that the wiki did not refuse, as far as we know."""
    held = WikiCredential.objects.filter(user=user, wiki=settings.WIKI.code, needs_login=False)
    return held.exists()


def access_token(user: User, wait: timedelta = WORKER_WAIT) -> str:
    """Return a bearer token of `user` that lives five more minutes at least.

    Wait at most this long while another process refreshes it: a page `PAGE_WAIT`. Call outside
    transactions, for it may ask the wiki. Raises NeedsLogin, WikiError.
    """
    give_up = time.monotonic() + wait.total_seconds()
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
    expires_at = timezone.now() + timedelta(seconds=answer.expires_in)
    fields = _sealed(credential.user_id, answer.access, answer.refresh, expires_at)
    saved = _unchanged(credential).update(**fields, generation=F("generation") + 1)
    return answer.access if saved else None


@dataclass(frozen=True)
class Pair:
    """What the token endpoint gives; `expires_in` is in seconds, of the access token."""

    access: str
    refresh: str
    expires_in: int


def read_pair(body: Node) -> Pair:
    """A new pair of tokens. Raises WikiError("unreadable")."""
    return Pair(
        body["access_token"].text(longest=LONGEST),
        body["refresh_token"].text(longest=LONGEST),
        body["expires_in"].integer(most=10**9),
    )


def _ask(refresh_token: str) -> Pair:
    """The token endpoint's answer. A refused refresh token raises NeedsLogin."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        "client_id": settings.OAUTH_CLIENT_ID,
        "client_secret": settings.OAUTH_CLIENT_SECRET,
    }
    response = http.fetch("POST", f"{settings.WIKI.rest}/oauth2/access_token", data=form)
    return read_token_answer(response.status_code, response.content)


def read_token_answer(status: int, content: bytes) -> Pair:
    """The same from its status and body. Raises NeedsLogin, WikiError."""
    if status == 200:
        return read_pair(parse(content))
    error, words = _read_refusal(content)
    if error == "invalid_client" or (error == "server_error" and _NO_CLIENT in words):
        raise http.WikiError(WRONG_CLIENT, "OAUTH_CLIENT_ID or its secret is wrong")
    if status in (400, 401) and error:
        raise NeedsLogin
    raise http.WikiError(f"http-{status}")


def _read_refusal(content: bytes) -> tuple[str, str]:
    """OAuth's error code and all words that came with it; nothing where it is no such answer."""
    try:
        fields = parse(content).fields()
    except http.WikiError:
        return "", ""
    texts = {key: str(node.value) for key, node in fields.items()}
    return texts.get("error", ""), " ".join(texts.values())


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
