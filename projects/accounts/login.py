"""Login through the wiki: who somebody is, and their tokens, sealed.

allauth speaks OAuth 2.0 (state, PKCE). A user is the wiki's `sub` under its issuer, never a
name or an e-mail address; no address is kept. Logging out ends the session here; the
tokens go with it, or once the batches under way have ended (sdc.erasure.tokens). The user takes
the permission back on the wiki.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.mediawiki.provider import MediaWikiProvider
from allauth.socialaccount.providers.mediawiki.views import MediaWikiOAuth2Adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from requests import Session

from projects.accounts import moderator_rights, oauth_consumer, tokens
from projects.accounts.sessions import NO_ADDRESS
from projects.models import User
from projects.notifications import services as notifications
from wiki import http
from wiki.egress import guard
from wiki.http import WikiError
from wiki.json_tree import Node

log = logging.getLogger(__name__)


class WikiOAuth2Client(OAuth2Client):
    """Reads the answer of the token endpoint as ours are read."""

    def get_access_token(
        self, code: str, pkce_code_verifier: str | None = None, extra_data: Any = None
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback_url,
            "client_id": self.consumer_key,
            "client_secret": self.consumer_secret,
            "code_verifier": pkce_code_verifier,
        }
        try:
            response = http.fetch("POST", self.access_token_url, data=form)
            pair = tokens.read_token_answer(response.status_code, response.content)
        except (tokens.NeedsLogin, WikiError) as error:
            if isinstance(error, WikiError) and error.code == tokens.WRONG_CLIENT:
                oauth_consumer.report_refused(error.code)
            raise OAuth2Error("no tokens") from error
        return {
            "access_token": pair.access,
            "refresh_token": pair.refresh,
            "expires_in": pair.expires_in,
        }


class WikiOAuth2Adapter(MediaWikiOAuth2Adapter):
    client_class = WikiOAuth2Client

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Who logs in, as the wiki says."""
        headers = {"Authorization": f"Bearer {token.token}"}
        try:
            response = http.fetch("GET", self.profile_url, headers=headers)
            if response.status_code != 200:
                raise WikiError(f"http-{response.status_code}")
            profile = read_profile(http.read_object(response))
        except WikiError as error:
            raise OAuth2Error("no profile") from error
        data = {"sub": profile.sub, "username": profile.username}
        return self.get_provider().sociallogin_from_response(request, data)


@dataclass(frozen=True)
class Profile:
    sub: str  # stays when the name changes
    username: str


def read_profile(body: Node) -> Profile:
    """Of `oauth2/resource/profile`. Raises WikiError("unreadable")."""
    sub, username = body["sub"], body["username"].text(longest=255)
    number = str(sub.integer(least=1)) if isinstance(sub.value, int) else sub.text(longest=64)
    if not number or not username:
        raise body.wrong("a profile")
    return Profile(number, username)


oauth2_login = OAuth2LoginView.adapter_view(WikiOAuth2Adapter)
oauth2_callback = OAuth2CallbackView.adapter_view(WikiOAuth2Adapter)


class WikiProvider(MediaWikiProvider):
    """Keeps nothing of what the wiki tells but the name."""

    oauth2_adapter_class = WikiOAuth2Adapter

    def extract_extra_data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {"username": data["username"]}


class AccountAdapter(DefaultAccountAdapter):
    """Nobody's address is looked at, nor kept in the list of sessions."""

    def get_client_ip(self, request: HttpRequest) -> str:
        return NO_ADDRESS


class WikiAccountAdapter(DefaultSocialAccountAdapter):
    """Keys users by issuer and sub."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> Any:
        """Without a consumer the login page says so, whichever address was asked for."""
        if not settings.CAN_LOG_IN:
            raise ImmediateHttpResponse(render(request, "account/login.html", status=503))
        found = super().get_provider(request, provider, client_id)
        return WikiProvider(request, app=found.app)

    def get_requests_session(self) -> Session:
        """allauth's own requests pass our gate, too."""
        return guard(super().get_requests_session())

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> User:
        """A new user as the wiki knows them; what else the wiki tells is not kept."""
        user: User = sociallogin.user
        user.issuer, user.sub = settings.WIKI.issuer, sociallogin.account.uid
        user.username = f"mw-{user.sub}"
        user.wiki_username = data["username"]
        sociallogin.account.extra_data = {"username": data["username"]}
        sociallogin.email_addresses = []
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise PermissionDenied  # one account here is one account there
        if not sociallogin.is_existing:
            known = User.objects.filter(
                issuer=settings.WIKI.issuer, sub=sociallogin.account.uid
            ).first()
            if known:
                sociallogin.connect(request, known)
        if sociallogin.is_existing:
            _greet(sociallogin)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        _greet(sociallogin)
        return user

    def validate_disconnect(self, account: Any, accounts: Any) -> None:
        raise ValidationError(_("Your account here is your account on the wiki."))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Says what happened, and a way on."""
        reason, status = _reason(request, exception)
        request.META["QUERY_STRING"] = ""  # the code in it is to stand on no page
        context = {"reason": reason, "next": ((extra_context or {}).get("state") or {}).get("next")}
        page = render(request, "account/login_failed.html", context, status=status)
        raise ImmediateHttpResponse(page)


def _greet(sociallogin: SocialLogin) -> None:
    """What each login brings: the present name, whether they moderate, new tokens."""
    user: User = sociallogin.user
    before, user.wiki_username = str(user), sociallogin.account.extra_data["username"]
    user.save(update_fields=["wiki_username"])
    if str(user) != before:
        notifications.rename(before, str(user))
    moderator_rights.set_moderator(user, moderator_rights.is_one(user))
    token = sociallogin.token
    seconds = (token.expires_at - timezone.now()).total_seconds() if token.expires_at else 0
    tokens.store(user, token.token, token.token_secret, seconds)


def _reason(request: HttpRequest, exception: Exception | None) -> tuple[str, int]:
    """A code for the page and the HTTP status. On a cancel the wiki says `unauthorized_client`
    and leaves the state out."""
    if request.GET.get("error") in ("unauthorized_client", "access_denied"):
        return "cancelled", 200
    cause = exception.__cause__ if exception else None
    if isinstance(cause, WikiError) and cause.code != tokens.WRONG_CLIENT:
        return "wiki-down", 503
    if request.GET.get("error") or exception:
        return "refused", 502
    return "too-late", 400
