"""The plain HTTP session to Wikimedia, for web requests and for pictures.

Only the origins of `settings.WIKI` are ever fetched, redirects included: see
`projects/outgoing.py`. Tasks that read listings or write statements use pywikibot instead (see
`crawler/commons.py`), through the same gate.
"""

from __future__ import annotations

import threading
from typing import Any, Self
from urllib.parse import urljoin

import requests
from django.conf import settings
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from projects.outgoing import guard
from projects.texts import read_json

TIMEOUT = (5, 20)  # seconds to connect, to read
A_DAY = 86_400.0
_local = threading.local()


class WikiError(Exception):
    """The wiki answered with an error, or not at all.

    `code` is MediaWiki's (the most telling of its list), "network", "http-<status>" or
    "forbidden-host"; `retry_after` is in seconds where the wiki named one.
    """

    def __init__(self, code: str, text: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.retry_after = retry_after


class _Retry(Retry):
    """Who was silent until the time ran out is not asked again at once: somebody waits."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        *args: Any,
        **options: Any,
    ) -> Self:
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, *args, **options)


def session() -> requests.Session:
    """One pooled session a thread. Only idempotent requests are retried."""
    if not hasattr(_local, "session"):
        made = requests.Session()
        retry = _Retry(
            total=2,
            backoff_factor=0.5,
            status_forcelist=(502, 503, 504),
            allowed_methods=("GET", "HEAD"),
            respect_retry_after_header=False,
            raise_on_status=False,
        )
        made.headers["User-Agent"] = f"{settings.USER_AGENT} requests/{requests.__version__}"
        _local.session = guard(made, pool_maxsize=16, max_retries=retry)
    return _local.session  # type: ignore[no-any-return]


def fetch(method: str, url: str, *, follow: bool = True, **options: Any) -> requests.Response:
    """A request to an allowed origin; redirects of a GET are followed only to allowed origins, and
    without `follow` not at all.

    Raises WikiError("forbidden-host") and WikiError("network"). The caller judges the status.
    """
    options.setdefault("timeout", TIMEOUT)
    for _ in range(5):
        try:
            response = session().request(method, url, allow_redirects=False, **options)
        except (InvalidURL, InvalidSchema, MissingSchema) as error:
            raise WikiError("forbidden-host", str(error)) from error
        except requests.RequestException as error:
            raise WikiError("network", type(error).__name__) from error
        if not (follow and response.is_redirect and method == "GET"):
            return response
        there = urljoin(url, response.headers["Location"])
        if session().should_strip_auth(url, there):  # type: ignore[no-untyped-call]
            options["headers"] = _unsigned(options.get("headers") or {})
        options.pop("params", None)
        response.close()
        url = there
    raise WikiError("network", "too many redirects")


def _unsigned(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "authorization"}


def api(endpoint: str, *, token: str | None = None, **params: Any) -> dict[str, Any]:
    """Read from the Action API (`settings.WIKI.commons_api` or `.wikidata_api`) by GET.

    Lists are joined with `|`. Raises WikiError with MediaWiki's code. With `token`, the
    request is made as the user whose bearer token it is.
    """
    query = {
        "format": "json",
        "formatversion": 2,
        "errorformat": "plaintext",
        **{
            key: "|".join(map(str, value)) if isinstance(value, list | tuple) else value
            for key, value in params.items()
        },
    }
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = fetch("GET", endpoint, params=query, headers=headers)
    return read_answer(response)


def read_answer(response: requests.Response) -> dict[str, Any]:
    """The body of an Action API answer; every refusal is HTTP 200 with `errors`."""
    retry_after = retry_after_of(response)
    if response.status_code != 200:
        raise WikiError(f"http-{response.status_code}", retry_after=retry_after)
    try:
        body: dict[str, Any] = read_json(response.content)
    except ValueError:
        raise WikiError("not-json") from None
    if "error" in body:  # the older shape, which a wiki may fall back to
        body["errors"] = [body["error"]]
    if errors := body.get("errors"):
        raise WikiError(telling(errors), errors[-1].get("text", ""), retry_after)
    return body


def telling(errors: list[dict[str, str]]) -> str:
    """The code that says most: Wikibase puts a useless `failed-save` before the real reason."""
    codes = [error["code"] for error in errors]
    dull = ("failed-save", "permissionserrors", "modification-failed")
    return next((code for code in codes if code not in dull), codes[0])


def retry_after_of(response: requests.Response) -> float | None:
    """The seconds that the wiki asks to wait; None where it names none, a date, or no time at
    all that one could wait."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return seconds if 0 <= seconds <= A_DAY else None
