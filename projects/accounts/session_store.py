"""Sessions in the database, as Django's, found by a query that is compiled once: each request of
somebody who is logged in begins with it."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from core.prepared_queries import prepared


class SessionStore(db.SessionStore):
    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises SessionInterrupted where it was ended meanwhile, as by a logout
        in another tab; allauth saves during a request, where Django would not catch its own error.
        """
        try:
            super().save(must_create)
        except UpdateError as error:
            raise SessionInterrupted("The session was ended meanwhile.") from error

    def _get_session_from_db(self) -> Session | None:
        found = _valid(self.session_key, timezone.now()) if self.session_key else []
        if not found:
            self._session_key = None
            return None
        session: Session = found[0]
        return session


@prepared
def _valid(key: Any, now: Any) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)
