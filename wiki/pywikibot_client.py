"""Reading and writing the wikis through pywikibot, in tasks of prefork workers only.

pywikibot is imported when a site is first asked for, so that web processes never load it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings

from wiki import pace
from wiki.http import WikiError, refusal
from wiki.json_tree import Node

if TYPE_CHECKING:
    from wiki.transport import Site

READ_LANE = "read"


@contextmanager
def wiki_site(username: str | None = None, token: str | None = None) -> Iterator[Site]:
    """Commons, as the user whose access token it is, or as nobody.

    The token signs requests within this block and this context only.
    """
    with _site("commons", username, token) as site:
        yield site


@contextmanager
def wikidata_site() -> Iterator[Site]:
    with _site("wikidata", None, None) as site:
        yield site


@contextmanager
def _site(code: str, username: str | None, token: str | None) -> Iterator[Site]:
    from wiki import transport

    before = transport.bearer.set(token)
    try:
        yield transport.make_site(code, username)
    finally:
        transport.bearer.reset(before)


def submit(site: Site, *, post: bool = False, **params: Any) -> tuple[Node, float | None]:
    """One request, sent once: the body as it came, and the seconds of `Retry-After` if any.

    A refusal is in the body (`errors`, a list), with HTTP 200: judge it. Lists are joined with
    `|`. `token` in the parameters means POST. Raises WikiError("network"), ("http-<status>") and
    ("unreadable"), where nobody knows whether a write took effect.
    """
    from wiki.transport import PlainRequest

    request = PlainRequest(site, post=post or "token" in params, **params)
    return Node(request.submit()), request.retry_after


def read(site: Site, **params: Any) -> Node:
    """A read at the pace of the lane "read". Raises WikiError with MediaWiki's code.

    When the wiki says how long to wait, the whole lane waits. Call outside transactions.
    """
    pace.wait_turn(READ_LANE, settings.READS_A_MINUTE)
    try:
        body, retry_after = submit(site, **params)
        if refused := refusal(body, retry_after):
            raise refused
    except WikiError as error:
        if error.retry_after:
            pace.pause(READ_LANE, error.retry_after, error.code)
        raise
    return body
