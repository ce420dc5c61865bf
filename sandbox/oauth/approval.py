"""Special:UserLogin, where one picks an account, and Special:OAuth/approve: allow or cancel."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.datastructures import MultiDict

from sandbox import seed
from sandbox.oauth import store
from sandbox.oauth.answers import REST, current_world
from sandbox.records import User

bp = Blueprint("approval", __name__)

LOGIN = "/commons/wiki/Special:UserLogin"
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


def login_page(query: MultiDict[str, str]) -> Response:
    """Special:UserLogin: the accounts, one of which one picks."""
    page = render_template(
        "login.html",
        accounts=_accounts(),
        chosen=session_user(),
        action=LOGIN,
        hidden={
            "wpLoginToken": form_token("login"),
            "returnto": query.get("returnto", ""),
            "returntoquery": query.get("returntoquery", ""),
        },
    )
    return _page(page)


@bp.get(LOGIN)
def login_form() -> Response:
    """The same page under its own address."""
    return login_page(request.args)


@bp.post(LOGIN)
def log_in() -> Response:
    """Remembers who one is, and goes on where one came from."""
    form = request.form
    user = current_world().users.by_name(form.get("user", ""))
    if user is None or not _is_ours(form.get("wpLoginToken", ""), "login"):
        return login_page(form)
    title = form.get("returnto", "") or "Main Page"
    query = urlencode(parse_qsl(form.get("returntoquery", ""), keep_blank_values=True))
    address = f"/commons/wiki/{quote(title.replace(' ', '_'), safe=':/')}?{query}"
    response = redirect(current_world().base_url + address, 302)
    assert isinstance(response, Response)
    response.set_cookie(COOKIE, cookie_of(user), path="/commons", httponly=True, samesite="Lax")
    return response


def rest_redirect(query: MultiDict[str, str]) -> Response:
    """Special:OAuth/rest redirect: back to the REST API after the login."""
    there = query.get("rest_url", "")
    response = redirect(current_world().base_url + (there if there.startswith(REST) else "/"), 302)
    assert isinstance(response, Response)
    return response


def approval_page(query: MultiDict[str, str]) -> Response:
    """Special:OAuth/approve: what the client may do in whose name, Allow and Cancel."""
    user = session_user()
    if user is None:
        return login_page(query)
    client = store.client(current_world(), query.get("client_id", ""))
    scopes = query.get("scope", "").split()
    page = render_template(
        "oauth_approve.html",
        client=client,
        scopes=scopes,
        user=user,
        other=f"{LOGIN}?{urlencode(_way_back(query))}",
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
    return _page(page)


def _way_back(query: MultiDict[str, str]) -> dict[str, str]:
    """What the login needs to know to come back to the same question."""
    asked = f"{query.get('returnto', '')}?{query.get('returntoquery', '')}"
    return {
        "returnto": "Special:OAuth/rest redirect",
        "returntoquery": urlencode({"rest_url": asked}),
    }


def _page(text: str) -> Response:
    headers = {"X-Frame-Options": "DENY", "Cache-Control": "private, must-revalidate, max-age=0"}
    return Response(text, 200, headers, content_type="text/html; charset=UTF-8")


@bp.get(APPROVE)
def approval_form() -> Response:
    """The same page under its own address."""
    return approval_page(request.args)


@bp.post(APPROVE)
def approve() -> Response:
    """Takes Allow or Cancel and sends the browser back to /authorize."""
    form = request.form
    if session_user() is None or not _is_ours(
        form.get("wpEditToken", ""), form.get("client_id", "")
    ):
        return approval_page(form)
    verdict = "approval_cancel=1" if "cancel" in form else "approval_pass=1"
    query = urlencode(parse_qsl(form.get("returntoquery", ""), keep_blank_values=True))
    response = redirect(f"{current_world().base_url}{REST}/authorize?{query}&{verdict}", 302)
    assert isinstance(response, Response)
    response.headers["Content-Type"] = "text/html; charset=UTF-8"
    return response


def _accounts() -> list[dict[str, Any]]:
    about = seed.about_users()
    people = [user for user in current_world().users.all() if "bot" not in user.groups]
    people.sort(key=lambda user: (user.name not in about, user.id < 100, user.id))
    return [{"user": user, "about": about.get(user.name, "")} for user in people]


def _sign(text: str) -> str:
    key = store.signing_key(current_world()).encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


def form_token(about: str) -> str:
    """What a form must send back: that of the login, or of the approval of a client."""
    return _sign(f"form {about}") + "+\\"


def _is_ours(token: str, about: str) -> bool:
    return hmac.compare_digest(token, form_token(about))


def cookie_of(user: User) -> str:
    """The signed cookie that remembers an account."""
    return f"{user.id}.{_sign(f'user {user.id}')}"


def session_user() -> User | None:
    """The account that was picked last in this browser."""
    number, _, signature = request.cookies.get(COOKIE, "").partition(".")
    if number.isdigit() and hmac.compare_digest(signature, _sign(f"user {number}")):
        return current_world().users.by_id(int(number))
    return None
