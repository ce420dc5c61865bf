"""Special:OAuth/approve: one picks an account, allows or cancels."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from sandbox import seed
from sandbox.oauth import store
from sandbox.oauth.answers import REST, current_world
from sandbox.records import User

bp = Blueprint("approval", __name__)

APPROVE = "/commons/wiki/Special:OAuth/approve"
COOKIE = "sandboxUser"
# What Special:OAuth/approve calls the grants.
GRANT_NAMES = {
    "basic": "Basic rights",
    "editpage": "Edit existing pages",
    "createeditmovepage": "Create, edit, and move pages",
    "highvolume": "High-volume (bot) access",
}


@bp.app_template_filter("grant_name")
def grant_name(grant: str) -> str:
    """A grant in words."""
    return GRANT_NAMES.get(grant, grant)


def approval_page(query: MultiDict[str, str]) -> Response:
    """Special:OAuth/approve: who one is, what the client may do, Allow and Cancel."""
    client = store.client(current_world(), query.get("client_id", ""))
    scopes = query.get("scope", "").split()
    page = render_template(
        "oauth_approve.html",
        client=client,
        scopes=scopes,
        accounts=_accounts(),
        chosen=session_user(),
        action=APPROVE,
        hidden={
            "title": "Special:OAuth/approve",
            "wpEditToken": form_token(query.get("client_id", "")),
            "display": "",
            "wpaction": "accept",
            "wpconfirmUpdate": "0",
            "oauth_version": "2",
            "client_id": query.get("client_id", ""),
            "scope": " ".join(scopes),
            "returnto": query.get("returnto", ""),
            "returntoquery": query.get("returntoquery", ""),
        },
    )
    headers = {"X-Frame-Options": "DENY", "Cache-Control": "private, must-revalidate, max-age=0"}
    return Response(page, 200, headers, content_type="text/html; charset=UTF-8")


@bp.get(APPROVE)
def approval_form() -> Response:
    """The same page under its own address."""
    return approval_page(request.args)


@bp.post(APPROVE)
def approve() -> Response:
    """Takes Allow or Cancel and sends the browser back to /authorize."""
    form = request.form
    user = current_world().users.by_name(form.get("user", "")) or session_user()
    right_form = hmac.compare_digest(
        form.get("wpEditToken", ""), form_token(form.get("client_id", ""))
    )
    if not right_form or (user is None and "cancel" not in form):
        return approval_page(form)
    verdict = "approval_cancel=1" if "cancel" in form else "approval_pass=1"
    query = urlencode(parse_qsl(form.get("returntoquery", ""), keep_blank_values=True))
    response = redirect(f"{current_world().base_url}{REST}/authorize?{query}&{verdict}", 302)
    assert isinstance(response, Response)
    response.headers["Content-Type"] = "text/html; charset=UTF-8"
    if user:
        response.set_cookie(COOKIE, cookie_of(user), path="/commons", httponly=True, samesite="Lax")
    return response


def _accounts() -> list[dict[str, Any]]:
    about = seed.about_users()
    people = [user for user in current_world().users.all() if "bot" not in user.groups]
    people.sort(key=lambda user: (user.name not in about, user.id < 100, user.id))
    return [{"user": user, "about": about.get(user.name, "")} for user in people]


def _sign(text: str) -> str:
    key = store.signing_key(current_world()).encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


def form_token(client_id: str) -> str:
    """What the approval form must send back."""
    return _sign(f"form {client_id}") + "+\\"


def cookie_of(user: User) -> str:
    """The signed cookie that remembers an account."""
    return f"{user.id}.{_sign(f'user {user.id}')}"


def session_user() -> User | None:
    """The account that was picked last in this browser."""
    number, _, signature = request.cookies.get(COOKIE, "").partition(".")
    if number.isdigit() and hmac.compare_digest(signature, _sign(f"user {number}")):
        return current_world().users.by_id(int(number))
    return None
