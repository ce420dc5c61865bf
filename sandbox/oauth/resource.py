"""/resource: what a bearer stands for."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, request

from sandbox.oauth.answers import (
    DENIED,
    REST,
    OAuthError,
    current_world,
    json_answer,
    json_error,
)
from sandbox.oauth.bearer import InvalidBearer, token_of_bearer
from sandbox.oauth.store import Token

bp = Blueprint("resource", __name__)


@bp.get(f"{REST}/resource/<kind>")
def resource(kind: str) -> Response:
    """`profile` and `scopes` of the bearer."""
    try:
        token = token_of_bearer(current_world(), request.headers.get("Authorization", ""))
        if token is None:
            raise InvalidBearer("The JWT string must have two dots")
    except InvalidBearer as problem:
        return json_error(OAuthError(401, "access_denied", DENIED, str(problem)))
    headers = {"Cache-Control": "private,must-revalidate,s-maxage=0"}
    if kind == "profile":
        return json_answer(_profile(token), 200, headers)
    if kind == "scopes":
        return json_answer({"scopes": _numbered(token.scopes)}, 200, headers)
    return json_answer(_unknown_resource(kind), 400)


def _profile(token: Token) -> dict[str, Any]:
    from sandbox.api import access  # the API imports this module

    world = current_world()
    user = world.users.by_id(token.user_id)
    assert user
    return {
        "sub": user.sub,
        "username": user.name,
        "editcount": user.editcount,
        "email_verified": True,
        "confirmed_email": True,
        "blocked": user.blocked is not None and user.blocked.pages is None,
        "registered": re.sub(r"\D", "", user.registered),
        "groups": access.groups_of(user),
        "rights": access.rights_of(world, user, token.access),
        "grants": token.scopes,
    }


def _numbered(scopes: list[str]) -> dict[str, str]:
    """An object with a hole after the first number, as PHP writes it."""
    return {str(place + (place > 0)): scope for place, scope in enumerate(scopes)}


def _unknown_resource(kind: str) -> dict[str, Any]:
    return {
        "error": "parameter-validation-failed",
        "name": "type",
        "value": kind,
        "failureCode": "badvalue",
        "failureData": [],
        "errorKey": "badvalue",
        "messageTranslations": {"en": f'Unrecognized value for parameter "type": {kind}.'},
        "httpCode": 400,
        "httpReason": "Bad Request",
    }
