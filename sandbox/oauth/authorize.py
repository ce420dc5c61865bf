"""/authorize: checks a client's request, asks for approval, hands out a code."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from markupsafe import escape
from werkzeug.datastructures import MultiDict

from sandbox.oauth import store
from sandbox.oauth.answers import (
    BAD_SCOPE,
    DENIED,
    NO_CLIENT,
    REJECTED,
    REST,
    OAuthError,
    current_world,
    malformed,
)
from sandbox.oauth.approval import session_user
from sandbox.oauth.store import CODE_VERIFIER, Client

bp = Blueprint("authorize", __name__)


@bp.get(f"{REST}/authorize")
def authorize() -> Response:
    """Checks the request, sends the browser to the approval page, and in the end back."""
    query = request.args
    user = session_user()
    if user is None:  # before the wiki looks at what is asked for
        return _to_login()
    try:
        client = _authorizing_client(query)
        target = query.get("redirect_uri") or client.redirect_uris[0]
        scopes = _scopes(query.get("scope", ""), client, target)
        _check_challenge(query, client)
    except OAuthError as error:
        return _error_page(error)
    except _BackToClient as back:
        return back.response
    if "approval_cancel" in query:
        return _back_to_client(target, "unauthorized_client", REJECTED)
    if "approval_pass" not in query:
        return _to_approval(client, scopes)
    code = store.issue_code(
        current_world(), client.id, user, query.get("redirect_uri", ""), scopes,
        query.get("code_challenge", ""), query.get("code_challenge_method", "plain"),
    )  # fmt: skip
    answer = {"code": code} | ({"state": query["state"]} if "state" in query else {})
    return _found(_extended(target, answer))


class _BackToClient(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def _authorizing_client(query: MultiDict[str, str]) -> Client:
    if query.get("response_type") != "code":
        raise malformed("Check the `response_type` parameter")
    if not query.get("client_id"):
        raise malformed("Check the `client_id` parameter")
    client = store.client(current_world(), query["client_id"])
    asked = query.get("redirect_uri")
    if client is None or client.owner_only or (asked is not None and not client.allows(asked)):
        raise OAuthError(401, "invalid_client", NO_CLIENT)
    if not client.approved:
        user = session_user()
        hint = f"Client {client.id} is not usable by user with ID {user.id if user else 0}"
        raise OAuthError(401, "access_denied", DENIED, hint)
    return client


def _scopes(asked: str, client: Client, target: str) -> list[str]:
    """What the client may have of what it asks for; a known grant it lacks is left out."""
    wanted = asked.split()
    for scope in wanted:
        if scope not in store.KNOWN_GRANTS:
            hint = f"Check the `{scope}` scope"
            raise _BackToClient(_back_to_client(target, "invalid_scope", BAD_SCOPE, hint))
    return [scope for scope in wanted if scope in client.grants] if wanted else client.grants


def _check_challenge(query: MultiDict[str, str], client: Client) -> None:
    challenge = query.get("code_challenge")
    if challenge is None:
        if not client.confidential:
            raise malformed("Code challenge must be provided for public clients")
        return
    if query.get("code_challenge_method", "plain") not in ("plain", "S256"):
        raise malformed("Check the `code_challenge_method` parameter")
    if not CODE_VERIFIER.fullmatch(challenge):
        raise malformed("Code challenge must follow the specifications of RFC-7636.")


def _to_approval(client: Client, scopes: list[str]) -> Response:
    query = urlencode(
        {
            "returnto": f"{REST}/authorize",
            "returntoquery": urlencode(list(request.args.items(multi=True))),
            "client_id": client.id,
            "oauth_version": "2",
            "scope": " ".join(scopes),
        }
    )
    answer = _to_special_page("OAuth/approve", query)
    answer.headers["Cache-Control"] = "private,must-revalidate,s-maxage=0"
    return answer


def _to_login() -> Response:
    """What the wiki tells a stranger, whatever client was named."""
    back = f"{REST}/authorize?{urlencode(list(request.args.items(multi=True)))}"
    query = {
        "returnto": "Special:OAuth/rest redirect",
        "returntoquery": urlencode({"rest_url": back}),
    }
    return _to_special_page("UserLogin", urlencode(query))


def _to_special_page(name: str, query: str) -> Response:
    url = f"{current_world().base_url}/commons/w/index.php?title=Special:{name}&{query}"
    body = f'<!doctype html><title>Redirect</title><a href="{escape(url)}">{escape(url)}</a>'
    return Response(body, 307, {"Location": url}, content_type="text/html; charset=utf-8")


def _back_to_client(target: str, error: str, text: str, hint: str = "") -> Response:
    """A refusal that the client is told about; `state` is dropped, as the wiki does."""
    answer = {"error": error, "error_description": text}
    answer |= {"hint": hint} if hint else {}
    return _found(_extended(target, answer | {"message": text}))


def _extended(url: str, answer: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(answer)}"


def _found(url: str) -> Response:
    headers = {"Location": url, "Cache-Control": "private,must-revalidate,s-maxage=0"}
    return Response("", 302, headers, content_type="text/html; charset=UTF-8")


def _error_page(error: OAuthError) -> Response:
    page = render_template("oauth_error.html", text=error.description, hint=error.hint)
    headers = {
        "X-Frame-Options": "DENY",
        "Cache-Control": "private,must-revalidate,s-maxage=0",
        "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
        "Content-Language": "en",
    }
    return Response(page, error.status, headers, content_type="text/html;charset=UTF-8")
