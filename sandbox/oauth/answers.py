"""Refusals and answers that every part of the OAuth server shares."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app

from sandbox.world import World

REST = "/commons/w/rest.php/oauth2"
MALFORMED = (
    "The request is missing a required parameter, includes an invalid parameter value, includes a"
    " parameter more than once, or is otherwise malformed."
)
INVALID_GRANT = (
    "The provided authorization grant (e.g., authorization code, resource owner credentials) or"
    " refresh token is invalid, expired, revoked, does not match the redirection URI used in the"
    " authorization request, or was issued to another client."
)
DENIED = "The resource owner or authorization server denied the request."
NO_CLIENT = (
    "Client authentication failed (e.g., unknown client, no client authentication included, or"
    " unsupported authentication method)"
)
BAD_SCOPE = "The requested scope is invalid, unknown, or malformed"
REJECTED = "User has rejected the request from client application"


class OAuthError(Exception):
    """A refusal: status, error code, description, and a hint where there is one."""

    def __init__(self, status: int, error: str, description: str, hint: str = "") -> None:
        super().__init__(description)
        self.status, self.error, self.description, self.hint = status, error, description, hint


def malformed(hint: str) -> OAuthError:
    """400 `invalid_request`."""
    return OAuthError(400, "invalid_request", MALFORMED, hint)


def current_world() -> World:
    """The world of the running app."""
    world: World = current_app.extensions["world"]
    return world


def json_error(error: OAuthError) -> Response:
    """A refusal as the token and resource endpoints write it."""
    body = {"error": error.error, "error_description": error.description}
    body |= {"hint": error.hint} if error.hint else {}
    body |= {"message": error.description}
    return json_answer(body, error.status, {"Cache-Control": "private,no-cache,s-maxage=0"})


def json_answer(
    body: dict[str, Any], status: int, headers: dict[str, str] | None = None, charset: str = ""
) -> Response:
    """JSON with that status; `charset` is added to the content type as it stands."""
    text = current_app.json.dumps(body)
    return Response(text, status, headers, content_type=f"application/json{charset}")


def rest_error(status: int, reason: str, text: str, **extra: str) -> Response:
    """An error of the REST framework itself, before OAuth has its say."""
    body = {**extra, "messageTranslations": {"en": text}, "httpCode": status, "httpReason": reason}
    return json_answer(body, status)
