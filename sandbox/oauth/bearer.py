"""Who is behind an Authorization header."""

from __future__ import annotations

import time

from sandbox.oauth import store
from sandbox.oauth.store import Token
from sandbox.records import User
from sandbox.world import World


class InvalidBearer(Exception):
    """The token is unknown, expired or revoked; the text is the hint of /resource/profile."""


def user_of_bearer(world: World, header: str) -> User | None:
    """The account behind an Authorization header, None without one.

    Only the scheme `Bearer`, written so, counts. Raises InvalidBearer.
    """
    token = token_of_bearer(world, header)
    return world.users.by_id(token.user_id) if token else None


def token_of_bearer(world: World, header: str) -> Token | None:
    """The live token behind an Authorization header, None without one. Raises InvalidBearer."""
    if not header.startswith("Bearer "):
        return None
    access = header.removeprefix("Bearer ").strip()
    token = store.by_access(world, access)
    if token is None and access.count(".") != 2:
        raise InvalidBearer("The JWT string must have two dots")
    if token is None or token.access_expires <= time.time():
        raise InvalidBearer("Access token could not be verified")
    if token.revoked:
        raise InvalidBearer("Access token has been revoked")
    return token
