"""Who is logged in, by a query that is compiled once: each request asks."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import QuerySet

from core.prepared_queries import prepared
from projects.models import User


class AccountBackend(AuthenticationBackend):
    """allauth's, which rejects inactive users here as there."""

    def get_user(self, user_id: Any) -> User | None:
        user: User | None = next(iter(_users(user_id)), None)
        return user if user and self.user_can_authenticate(user) else None


@prepared
def _users(key: Any) -> QuerySet[User]:
    return User.objects.filter(pk=key)
