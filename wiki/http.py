"""The plain HTTP session to Wikimedia, for web requests and for pictures.

Only the origins of `settings.WIKI` are ever fetched, redirects included: see
`wiki/egress.py`. Tasks that read listings or write statements use pywikibot instead (see
`wiki/pywikibot_client.py`), through the same gate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self
from urllib.parse import urljoin

import requests
from django.conf import settings
from requests.exceptions import ContentDecodingError, InvalidSchema, InvalidURL, MissingSchema
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ReadTimeoutError
from urllib3.util.retry import Retry

from wiki.egress import TooLarge, guard
from wiki.json_tree import Node, parse, unreadable
from wiki.json_tree import WikiError as WikiError

TIMEOUT = (5, 20)  # seconds to connect, to read
A_DAY = 86_400.0
Read = Callable[..., Node]  # `read(action=…, …)`; raises WikiError
Cursor = dict[str, str | int]
_local = threading.local()


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

    Raises WikiError "forbidden-host", "network", and "unreadable" for a body beyond the bounds of
    `wiki.egress`. The caller judges the status.
    """
    options.setdefault("timeout", TIMEOUT)
    for _ in range(5):
        try:
            response = session().request(method, url, allow_redirects=False, **options)
        except requests.RequestException as error:
            raise failure(error) from error
        if not (follow and response.is_redirect and method == "GET"):
            return response
        there = urljoin(url, response.headers["Location"])
        if session().should_strip_auth(url, there):  # type: ignore[no-untyped-call]
            options["headers"] = _unsigned(options.get("headers") or {})
        options.pop("params", None)
        response.close()
        url = there
    raise WikiError("network", "too many redirects")


def failure(error: Exception) -> WikiError:
    """What it means that a request raised this."""
    if isinstance(error, InvalidURL | InvalidSchema | MissingSchema):
        return WikiError("forbidden-host", str(error))
    if isinstance(error, TooLarge | ContentDecodingError):
        return unreadable(str(error)[:200])
    return WikiError("network", type(error).__name__)


def _unsigned(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() != "authorization"}


def api(endpoint: str, *, token: str | None = None, **params: Any) -> Node:
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


def follow(read: Read, most: int, **params: Any) -> Iterator[Node]:
    """The answers to a query, page by page, until the wiki names none to go on with. Raises
    WikiError, also where that is not so after `most` of them."""
    cursor: Cursor = {}
    for _ in range(most):
        body = read(**params, **cursor)
        yield body
        cursor = read_cursor(body)
        if not cursor:
            return
    raise unreadable(f"no end after {most} pages")


def read_cursor(body: Node) -> Cursor:
    """MediaWiki's `continue`: what to ask besides for what comes next; empty at the end."""
    return {key: _scalar(node) for key, node in body["continue"].fields().items()}


def _scalar(node: Node) -> str | int:
    return node.integer() if isinstance(node.value, int) else node.text(longest=2000)


def read_answer(response: requests.Response) -> Node:
    """The body of an Action API answer; every refusal is HTTP 200 with `errors`."""
    retry_after = retry_after_of(response)
    if response.status_code != 200:
        raise WikiError(f"http-{response.status_code}", retry_after=retry_after)
    body = read_object(response)
    if refused := refusal(body, retry_after):
        raise refused
    return body


def read_object(response: requests.Response) -> Node:
    """The body of an answer that is an object. Raises WikiError("unreadable")."""
    body = parse(response.content)
    if not isinstance(body.value, dict):
        raise body.wrong("an object")
    return body


def refusal(body: Node, retry_after: float | None = None) -> WikiError | None:
    """What the wiki refuses by an answer, if it does: in `errors`, or in the older shape, `error`,
    which it may fall back to."""
    errors = body["errors"].items() or ([body["error"]] if "error" in body else [])
    if not errors:
        return None
    codes = [error["code"].text(longest=255) for error in errors]
    return WikiError(telling(codes), errors[-1]["text"].text("")[:500], retry_after)


def telling(codes: Sequence[str]) -> str:
    """The code that says most: Wikibase puts a useless `failed-save` before the real reason."""
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
