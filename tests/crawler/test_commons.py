"""pywikibot as transport: who is signed for, what is judged, what is left to the caller."""

from __future__ import annotations

import pytest
import requests
from pytest_django import Settings

from projects.models import User
from sandbox import RunningSandbox
from tests.crawler.helpers import open_lanes
from tests.factories import issue_tokens
from wiki import pace, pywikibot_client
from wiki.http import WikiError

pytestmark = pytest.mark.django_db


def who(site: object) -> str:
    body, _ = pywikibot_client.submit(site, action="query", meta="userinfo")  # type: ignore[arg-type]
    return body["query"]["userinfo"]["name"].text()


def test_each_site_speaks_for_its_own_user_only(sandbox: RunningSandbox, alice: User) -> None:
    """One after the other in one process, and nested: no session, no cookie, no leftover token."""
    alices, _ = issue_tokens(sandbox, "Alice")
    bobs, _ = issue_tokens(sandbox, "Bob")
    with pywikibot_client.wiki_site("Alice", alices) as site:
        assert who(site) == "Alice"
        with pywikibot_client.wiki_site("Bob", bobs) as other:
            assert who(other) == "Bob"
        assert who(site) == "Alice"
        assert site.userinfo["name"] == "Alice"
    with pywikibot_client.wiki_site() as nobody:
        assert who(nobody) not in ("Alice", "Bob")


def test_a_token_signs_api_calls_of_our_wikis_and_nothing_else(sandbox: RunningSandbox) -> None:
    from wiki.transport import BearerAuth, bearer

    before = bearer.set("secret")
    try:

        def header(url: str) -> str | None:
            request = requests.Request("GET", url, auth=BearerAuth()).prepare()
            return request.headers.get("Authorization")

        assert header(f"{sandbox.url}/commons/w/api.php?action=query") == "Bearer secret"
        assert header(f"{sandbox.url}/commons/wiki/Main_Page") is None
        assert header("http://elsewhere.example/commons/w/api.php") is None
    finally:
        bearer.reset(before)


def test_a_bad_token_is_an_error_before_any_write(sandbox: RunningSandbox) -> None:
    with (
        pywikibot_client.wiki_site("Alice", "not-a-token") as site,
        pytest.raises(WikiError) as caught,
    ):
        pywikibot_client.submit(site, action="wbsetclaim", claim="{}", token="x")
    assert caught.value.code == "mwoauth-invalid-authorization"
    assert "/commons/w/api.php wbsetclaim" not in sandbox.world.request_counts


def test_a_write_as_nobody_is_never_sent(sandbox: RunningSandbox) -> None:
    with pywikibot_client.wiki_site() as site, pytest.raises(WikiError) as caught:
        pywikibot_client.submit(site, action="wbsetclaim", claim="{}", token="x")
    assert caught.value.code == "assertuserfailed"
    assert "/commons/w/api.php wbsetclaim" not in sandbox.world.request_counts


def test_a_refusal_comes_back_as_it_is_and_is_sent_once(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("maxlag", {"action": "query"}, lag=7.3)
    with pywikibot_client.wiki_site() as site:
        body, retry_after = pywikibot_client.submit(site, action="query", meta="siteinfo", maxlag=5)
    assert body["errors"][0]["code"].text() == "maxlag"
    assert retry_after == 5
    assert sandbox.world.request_counts == {"/commons/w/api.php query": 1}


def test_a_read_raises_the_telling_code_and_the_lane_waits(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("http", {"action": "query"}, status=503, retry_after=40, times=1)
    with pywikibot_client.wiki_site() as site, pytest.raises(WikiError) as caught:
        pywikibot_client.read(site, action="query", meta="siteinfo")
    assert (caught.value.code, caught.value.retry_after) == ("http-503", 40)
    assert pace.paused_until(pywikibot_client.READ_LANE)
    open_lanes()


def test_a_cut_connection_is_a_network_error_and_not_repeated(sandbox: RunningSandbox) -> None:
    sandbox.faults.add("cut-before", {"action": "query"})
    with pywikibot_client.wiki_site() as site, pytest.raises(WikiError) as caught:
        pywikibot_client.submit(site, action="query", meta="siteinfo")
    assert caught.value.code == "network"


def test_warnings_in_a_list_do_not_trip_it(sandbox: RunningSandbox) -> None:
    with pywikibot_client.wiki_site() as site:
        body = pywikibot_client.read(site, action="query", meta="siteinfo", nosuchparameter=1)
    assert body["warnings"][0]["code"].text() == "unrecognizedparams"


def test_both_wikis_can_be_read(sandbox: RunningSandbox) -> None:
    with pywikibot_client.wikidata_site() as site:
        body = pywikibot_client.read(site, action="wbgetentities", ids="Q937", props="labels")
    assert body["entities"]["Q937"]["labels"]["en"]["value"].text() == "Albert Einstein"


def test_it_says_who_we_are(sandbox: RunningSandbox, settings: Settings) -> None:
    from pywikibot.comms import http

    with pywikibot_client.wiki_site("Alice Ü") as site:
        agent = http.user_agent(site)
    assert agent.startswith(settings.USER_AGENT)
    assert "Pywikibot/" in agent
    assert "Alice" not in agent
