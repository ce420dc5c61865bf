"""Answers of the wiki that are huge or strange, through each of our ways to it."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import requests
from allauth.socialaccount.adapter import get_adapter
from django.conf import settings

from sandbox import RunningSandbox
from wiki import http, pywikibot_client
from wiki.http import WikiError

MB = 1_000_000


def plainly() -> Any:
    return http.api(settings.WIKI.commons_api, action="query", meta="siteinfo")


def through_pywikibot() -> Any:
    with pywikibot_client.wiki_site() as site:
        return pywikibot_client.read(site, action="query", meta="siteinfo")


def as_allauth_would() -> Any:
    try:
        return get_adapter().get_requests_session().get(settings.WIKI.commons_api)
    except requests.RequestException as error:
        raise http.failure(error) from error


WAYS = (plainly, through_pywikibot, as_allauth_would)


@pytest.mark.parametrize("ask", WAYS)
def test_a_huge_answer_costs_no_more_than_the_bound(
    ask: Callable[[], Any], db: None, sandbox: RunningSandbox
) -> None:
    """300 MB that come packed in some 300 kB."""
    assert len(gzip.compress(b" " * MB)) < 2000
    ask()  # what is loaded once
    sandbox.faults.add("body", {"path": "/commons/w/api.php"}, megabytes=300)
    tracemalloc.start()
    try:
        with pytest.raises(WikiError) as raised:
            ask()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (raised.value.code, raised.value.text) == ("unreadable", "more than 16000000 bytes")
    assert peak < 50 * MB


STRANGE = ("null", "[]", '"text"', "7", "<html>", "", "[" * 200_000, '{"errors": 7}')


@pytest.mark.parametrize("ask", [plainly, through_pywikibot])
@pytest.mark.parametrize("body", STRANGE, ids=lambda body: body[:9])
def test_what_is_no_answer_is_unreadable(
    body: str, ask: Callable[[], Any], db: None, sandbox: RunningSandbox
) -> None:
    sandbox.faults.add("body", {"path": "/commons/w/api.php"}, body=body)
    with pytest.raises(WikiError) as raised:
        ask()
    assert raised.value.code == "unreadable"
    assert raised.value.text


def test_what_can_not_be_unpacked_is_unreadable(monkeypatch: Any, sandbox: RunningSandbox) -> None:
    monkeypatch.setattr("sandbox.faults.gzip.compress", lambda _data: b"no gzip at all")
    sandbox.faults.add("body", {"path": "/commons/w/api.php"}, megabytes=1)
    with pytest.raises(WikiError) as raised:
        plainly()
    assert (raised.value.code, raised.value.text) == ("unreadable", "it can't be unpacked")


def test_a_list_that_never_ends_is_not_read_for_ever(sandbox: RunningSandbox) -> None:
    more = '{"continue": {"cmcontinue": "x"}, "query": {"categorymembers": []}}'
    sandbox.faults.add("body", {"path": "/commons/w/api.php"}, body=more)
    with pytest.raises(WikiError, match="no end after 3 pages"):
        list(http.follow(lambda **_asked: plainly(), 3))
