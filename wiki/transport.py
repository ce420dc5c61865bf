"""pywikibot as transport, and as nothing more: our family, our sign-in, no retries of its own.

Importing this module imports pywikibot, which keeps process-wide state: prefork workers only,
never a web request. Everything else goes through `wiki.pywikibot_client`.
"""

from __future__ import annotations

import atexit
import os
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from requests import PreparedRequest, Response
from requests.auth import AuthBase

from wiki.egress import guard
from wiki.http import TIMEOUT, WikiError, failure, read_object, refusal, retry_after_of
from wiki.json_tree import Node
from wiki.users import UserInfo, read_userinfo

os.environ.setdefault("PYWIKIBOT_NO_USER_CONFIG", "2")  # before the first import

from pywikibot import config, family
from pywikibot.comms import http
from pywikibot.data import api
from pywikibot.exceptions import Error as PywikibotError
from pywikibot.site import APISite

# The access token that signs requests now; None makes them anonymous.
bearer: ContextVar[str | None] = ContextVar("bearer", default=None)


class WikiFamily(family.Family):
    """The wiki pair of `settings.WIKI`, wherever it is; the sandbox has plain http and a prefix."""

    name = "wikivisage"
    langs = {"commons": "", "wikidata": ""}

    def _base(self, code: str) -> Any:
        return urlsplit(settings.WIKI.commons if code == "commons" else settings.WIKI.wikidata)

    def hostname(self, code: str) -> str:
        return str(self._base(code).netloc)

    def protocol(self, code: str) -> str:
        return str(self._base(code).scheme)

    def scriptpath(self, code: str) -> str:
        return f"{self._base(code).path}/w"


class BearerAuth(AuthBase):
    """Signs requests to api.php of our own wikis with the token of the moment, and no others."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        token = bearer.get()
        address = (request.url or "").partition("?")[0]
        if token and address in (settings.WIKI.commons_api, settings.WIKI.wikidata_api):
            request.headers["Authorization"] = f"Bearer {token}"
        return request


class PlainRequest(api.Request):
    """A request that is sent once and whose answer comes back as it is.

    pywikibot would look for `error` only, repeat what it thinks worth repeating, sleep inside
    the call, and trip over the lists that `errorformat=plaintext` gives. Here the caller judges
    the body; `retry_after` holds the seconds that the wiki asked for, if it did.
    Raises WikiError("network"), ("http-<status>") and ("unreadable"); for a write without a valid
    user also ("mwoauth-invalid-authorization") and ("assertuserfailed"), before it is sent.
    """

    def __init__(self, site: APISite, *, post: bool = False, **params: Any) -> None:
        params = {"format": "json", "formatversion": 2, "errorformat": "plaintext"} | params
        self.retry_after: float | None = None
        try:
            super().__init__(site, throttle=False, use_get=not post, parameters=params)
        except PywikibotError as error:  # a write as nobody; it looks at `site.userinfo` first
            raise WikiError("assertuserfailed", str(error)) from error

    def _add_defaults(self) -> None:
        """Nothing but what the caller said."""

    def _handle_warnings(self, result: dict[str, Any]) -> bool:
        return False

    def _userinfo_query(self, result: dict[str, Any]) -> bool:
        return False

    def _http_request(
        self,
        use_get: bool,
        uri: str,
        data: Any,
        headers: dict[str, str] | None,
        paramstring: str,
    ) -> tuple[Response, bool]:
        agent = {"user-agent": http.user_agent(self.site)}
        response = http.fetch(
            self.site.base_url(uri),
            "GET" if use_get else "POST",
            headers=(headers or {}) | agent,
            default_error_handling=False,
            data=data,
            allow_redirects=False,
        )
        if isinstance(response, Exception):
            raise failure(response) from response
        self.retry_after = retry_after_of(response)
        if response.status_code != 200:
            raise WikiError(f"http-{response.status_code}", retry_after=self.retry_after)
        return response, use_get

    def _json_loads(self, response: Response) -> dict[str, Any]:
        body: dict[str, Any] = read_object(response).value
        if "error" in body:  # the older shape, on which pywikibot would act by itself
            body["errors"] = [body.pop("error")]
        return body


class Site(APISite):
    """A wiki to which one is known by the bearer token or not at all: no cookies, no log-in."""

    about_us = "blockinfo|groups|rights|editcount|ratelimits"  # what userinfo is asked for

    def login(self, *args: Any, **kwargs: Any) -> None:
        """The token is the log-in."""

    @property
    def userinfo(self) -> dict[str, Any]:
        """Who the wiki takes us for, asked once. Raises WikiError."""
        if not hasattr(self, "_userinfo"):
            asked = {"action": "query", "meta": "userinfo", "uiprop": self.about_us}
            body = Node(self.simple_request(**asked).submit())
            if refused := refusal(body):
                raise refused
            self.know(read_userinfo(body))
        return self._userinfo

    def know(self, found: UserInfo) -> None:
        """Who the wiki takes us for, where that was asked together with something else."""
        self._userinfo: dict[str, Any] = {"id": found.id, "name": found.name}
        if not found.id:
            self._userinfo["anon"] = True

    def simple_request(self, **params: Any) -> PlainRequest:
        return PlainRequest(self, post="token" in params, **params)


def make_site(code: str, username: str | None = None) -> Site:
    """A fresh site object; it remembers who is logged in, so it serves one user and task."""
    return Site(code, fam=WikiFamily(), user=username)


def _configure() -> None:
    folder = settings.DATA_DIR / "pywikibot"
    folder.mkdir(parents=True, exist_ok=True)
    config.base_dir = str(folder)  # else it writes throttle.ctrl where it stands
    config.enable_GET_without_SSL = True
    config.max_retries = 1
    config.put_throttle = config.minthrottle = config.maxthrottle = 0
    config.socket_timeout = TIMEOUT
    agent = settings.USER_AGENT.replace("{", "{{").replace("}", "}}")
    config.user_agent_format = f"{agent} {{pwb}} {{python}}"
    atexit.unregister(http.flush)  # it reports any exception of the process as its own
    http.session.auth = BearerAuth()
    guard(http.session)


_configure()
