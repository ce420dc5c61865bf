"""OAuth 2.0 at /commons/w/rest.php/oauth2, as the OAuth extension answers it.

The login page lists the accounts, without passwords: one picks who to be.
"""

from __future__ import annotations

from flask import Blueprint

from sandbox.oauth import approval, authorize, resource, token
from sandbox.oauth.approval import approval_page, login_page, rest_redirect
from sandbox.oauth.bearer import InvalidBearer, token_of_bearer, user_of_bearer
from sandbox.oauth.store import Client, add_client, revoke_all

__all__ = [
    "Client",
    "InvalidBearer",
    "add_client",
    "approval_page",
    "bp",
    "login_page",
    "rest_redirect",
    "revoke_all",
    "token_of_bearer",
    "user_of_bearer",
]

bp = Blueprint("oauth", __name__)
for part in (authorize, approval, token, resource):
    bp.register_blueprint(part.bp)
