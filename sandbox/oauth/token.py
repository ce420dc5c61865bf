"""/access_token: exchanges codes and rotates refresh tokens."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from sandbox.oauth import store
from sandbox.oauth.answers import (
    BAD_SCOPE,
    INVALID_GRANT,
    REST,
    OAuthError,
    current_world,
    json_answer,
    json_error,
    malformed,
    rest_error,
)
from sandbox.oauth.store import CODE_VERIFIER, Client, Code, Token

bp = Blueprint("token", __name__)

GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials")


@bp.route(f"{REST}/access_token", methods=["GET", "POST", "OPTIONS", "PUT", "DELETE"])
def access_token() -> Response:
    """Exchanges a code, or rotates a refresh token."""
    if request.method == "OPTIONS":
        return _preflight()
    if request.method != "POST":
        text = f"The request method ({request.method}) was not the allowed method for this path"
        answer = rest_error(405, "Method Not Allowed", f"{text} (POST)")
        answer.headers["Allow"] = "POST"
        return answer
    kind = request.mimetype
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data", ""):
        text = f"Unsupported Content-Type: {kind}"
        key = "rest-unsupported-content-type"
        return rest_error(415, "Unsupported Media Type", text, errorKey=key)
    try:
        return _token_answer(_granted(request.form))
    except OAuthError as error:
        return json_error(error)


def _granted(form: MultiDict[str, str]) -> Token:
    kind = form.get("grant_type")
    if kind not in GRANT_TYPES:
        problem = (
            'The "grant_type" parameter must be set.'
            if kind is None
            else f'Unrecognized value for parameter "grant_type": {kind}.'
        )
        text = f"Invalid request: Invalid request body: {problem}"
        raise OAuthError(400, "invalid_request", text, "Check the `grant_type` parameter")
    client = _authenticated(form, kind)
    if kind == "refresh_token":
        return _refreshed(form, client)
    if kind == "authorization_code":
        return _exchanged(form, client)
    owner = current_world().users.all()[0]
    return store.issue(current_world(), client.id, owner, client.grants, refreshable=False)


def _authenticated(form: MultiDict[str, str], kind: str) -> Client:
    """The client that proved itself by its secret, or a public one that exchanges a code."""
    client_id, secret = _credentials(form)
    if not client_id:
        raise malformed("Check the `client_id` parameter")
    client = store.client(current_world(), client_id)
    if client is None and kind == "refresh_token":  # a fault of the wiki's own
        raise OAuthError(500, "server_error", f"Client with identifier {client_id} does not exist!")
    refused = OAuthError(401, "invalid_client", "Client authentication failed")
    if client is None or client.owner_only != (kind == "client_credentials"):
        raise refused
    needs_secret = client.confidential or kind != "authorization_code"
    if (needs_secret or secret) and not hmac.compare_digest(client.secret, secret):
        raise refused
    asked = form.get("redirect_uri")
    if asked is not None and not client.allows(asked):
        raise refused
    return client


def _credentials(form: MultiDict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            return name, secret
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
    return form.get("client_id", ""), form.get("client_secret", "")


def _exchanged(form: MultiDict[str, str], client: Client) -> Token:
    if "code" not in form:
        raise malformed("Check the `code` parameter")
    world = current_world()
    code = store.code(world, form["code"])
    if code is None:
        raise malformed("Cannot decrypt the authorization code")
    if code.expires <= time.time():
        raise malformed("Authorization code has expired")
    if code.used:
        raise malformed("Authorization code has been revoked")
    if code.client_id != client.id:
        raise malformed("Authorization code was not issued to this client")
    if code.redirect_uri and "redirect_uri" not in form:
        raise malformed("Check the `redirect_uri` parameter")
    if code.redirect_uri and form["redirect_uri"] != code.redirect_uri:
        raise malformed("Invalid redirect URI")
    if code.challenge:
        _check_verifier(form.get("code_verifier"), code)
    user = world.users.by_id(code.user_id)
    if user is None or not store.spend_code(world, code.code):
        raise malformed("Authorization code has been revoked")
    return store.issue(world, client.id, user, code.scopes)


def _check_verifier(verifier: str | None, code: Code) -> None:
    if verifier is None:
        raise malformed("Check the `code_verifier` parameter")
    if not CODE_VERIFIER.fullmatch(verifier):
        raise malformed("Code Verifier must follow the specifications of RFC-7636.")
    proof = verifier
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(proof, code.challenge):
        hint = "Failed to verify `code_verifier`."
        raise OAuthError(400, "invalid_grant", INVALID_GRANT, hint)


def _refreshed(form: MultiDict[str, str], client: Client) -> Token:
    if "refresh_token" not in form:
        raise malformed("Check the `refresh_token` parameter")
    world = current_world()
    old = store.by_refresh(world, form["refresh_token"])
    user = world.users.by_id(old.user_id) if old else None
    if old is None or user is None:
        raise _bad_refresh("Cannot decrypt the refresh token")
    if old.client_id != client.id:
        raise _bad_refresh("Token is not linked to client")
    if old.refresh_expires <= time.time():
        raise _bad_refresh("Token has expired")
    scopes = form.get("scope", "").split() or old.scopes
    for scope in scopes:
        if scope not in old.scopes and not old.revoked:
            raise OAuthError(400, "invalid_scope", BAD_SCOPE, f"Check the `{scope}` scope")
    with world.store.transaction():
        if not store.revoke(world, old):
            raise _bad_refresh("Token has been revoked")
        return store.issue(world, client.id, user, scopes)


def _bad_refresh(hint: str) -> OAuthError:
    return OAuthError(401, "invalid_request", "The refresh token is invalid.", hint)


def _token_answer(token: Token) -> Response:
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": round(token.access_expires - time.time()),
        "access_token": token.access,
    }
    if token.refresh:
        body["refresh_token"] = token.refresh
    return json_answer(
        body, 200, {"Pragma": "no-cache", "Cache-Control": "no-store"}, "; charset=UTF-8"
    )


def _preflight() -> Response:
    headers = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": (
            "Accept, Accept-Language, Content-Language, Content-Type, Accept-Encoding, DNT, Origin,"
            " User-Agent, Api-User-Agent, Access-Control-Max-Age, Authorization, If-Mach,"
            " If-None-Match, If-Modified-Since"
        ),
    }
    return Response("", 204, headers, content_type="text/html; charset=UTF-8")
