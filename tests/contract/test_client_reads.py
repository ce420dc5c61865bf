"""The recorded answers to reads, byte for byte, through both of our clients."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.conf import settings as django_settings

from sdc.files import reading, revisions, statements
from sdc.models import Claim, ClaimAttempt
from sdc.writing.reasons import Reason
from tests.contract.replayed import Recorded, codes_of, names_of, parameters, recording, replaying
from wiki import http, pywikibot_client, sites
from wiki.http import WikiError
from wiki.json_tree import Node

FOLDERS = ("query", "wikibase", "refusals", "undo", "oauth")
READS = names_of("query", "wbgetentities", "wbsearchentities", "wbgetclaims", folders=FOLDERS)
DULL = {"failed-save", "permissionserrors", "modification-failed"}
FILE = [{"sha1": "x"}]
FORMAT = ("format", "formatversion", "errorformat")


@pytest.fixture(autouse=True)
def database(db: None) -> None:
    """The pace of requests is kept there."""


def plain(recorded: Recorded) -> dict[str, Any]:
    given = {key: each for key, each in parameters(recorded).items() if key not in FORMAT}
    return http.api(django_settings.WIKI.commons_api, **given).value  # type: ignore[no-any-return]


def through_pywikibot(recorded: Recorded) -> dict[str, Any]:
    given = {key: each for key, each in parameters(recorded).items() if key not in FORMAT}
    with pywikibot_client.wiki_site() as site:
        return pywikibot_client.read(site, **given).value  # type: ignore[no-any-return]


@pytest.mark.parametrize("read", [plain, through_pywikibot])
@pytest.mark.parametrize("name", READS)
def test_each_recorded_answer_to_a_read_is_understood(name: str, read: Any, settings: Any) -> None:
    """A body comes back as it was sent; a refusal is a WikiError with its most telling code."""
    settings.READS_A_MINUTE = 600_000
    recorded = recording(name)
    codes, body = codes_of(recorded), recorded["response"]["body"]
    with replaying(lambda _given: recorded) as url:
        settings.WIKI = sites.sandbox(url)
        if not codes and isinstance(body, dict):
            assert read(recorded) == body
            return
        with pytest.raises(WikiError) as raised:
            read(recorded)
    if not codes:  # an HTML page, or nothing
        assert raised.value.code == "unreadable"
    else:
        assert raised.value.code in codes
        assert raised.value.code not in DULL or set(codes) <= DULL


def pages_of(query: str, entities: str, page_id: int, settings: Any) -> reading.PageNow:
    """What our reading makes of these two recorded answers."""

    def choose(given: dict[str, str]) -> Recorded:
        return recording(entities if given["action"] == "wbgetentities" else query)

    with replaying(choose) as url:
        settings.WIKI = sites.sandbox(url)
        read = partial(http.api, settings.WIKI.commons_api)
        return reading.read_pages(read, [page_id])[page_id]


def test_a_deleted_file_is_known_by_the_page_not_by_the_entity(settings: Any) -> None:
    page = pages_of(
        "wikibase/life-3-while-deleted-by-pageid", "wikibase/life-3-while-deleted", 31, settings
    )
    assert page.problem is Reason.DELETED


def test_a_redirect_answers_with_the_page_it_leads_to(settings: Any) -> None:
    page = pages_of(
        "query/imageinfo-redirect-followed", "wikibase/getentities-file-redirect", 53, settings
    )
    assert page.problem is Reason.REDIRECT


def test_protection_for_administrators_keeps_us_out_and_the_other_does_not() -> None:
    from_protected = recording("query/info-protected")
    by_id = {page["pageid"]: page for page in from_protected["response"]["body"]["query"]["pages"]}
    found = [reading.read_page(Node({"imageinfo": FILE} | by_id[each])) for each in (33, 7)]
    assert [page.problem for page in found] == [Reason.PROTECTED, None]


def test_a_file_without_structured_data_says_nothing_yet() -> None:
    assert entity_of("wikibase/getentities-file-without-data", 23) is None
    assert entity_of("wikibase/getentities-captions-only-no-statements", 30) == {}
    assert entity_of("wikibase/getentities-after-last-statement-removed", 11) == {}


def test_statements_are_found_by_main_value_and_by_guid() -> None:
    found = entity_of("wikibase/getentities-with-statements-and-captions", 20)
    assert statements.says(found, "Q42")
    assert not statements.says(found, "Q146")
    ours = statements.with_guid(found, "M20$1324851f-90e4-479e-8529-3b36bb97198d")
    assert ours
    assert ours.place == "pct:10,20,30,40"


def entity_of(name: str, page_id: int) -> statements.Statements | None:
    body = recording(name)["response"]["body"]
    mid = next((key for key in body["entities"] if key.startswith("M")), f"M{page_id}")
    return reading.read_entity(Node(body)["entities"][mid])


def test_marked_revisions_and_what_they_changed_are_read(settings: Any) -> None:
    """The history without content, then the entities of revisions and of their parents."""
    with replaying(lambda _given: recording("undo/revisions-with-slots")) as url:
        settings.WIKI = sites.sandbox(url)
        read = partial(http.api, settings.WIKI.commons_api)
        [marked] = revisions.list_marked(read, 36, "batch 17", since=0)
        assert (marked.id, marked.parent) == (163, 36)
        assert revisions.list_marked(read, 36, "batch 17", since=163) == []
        assert revisions.list_marked(read, 36, "batch 99", since=0) == []
        changes = revisions.Changes(read).get({163: 36, 164: 163})
    first, second = (f"M36$ffffffff-0000-4000-8000-00000000000{n}" for n in range(2))
    found = [(each.after.has_guid(first), each.after.has_guid(second)) for each in changes]
    assert found == [(True, False), (True, True)]
    assert [each.is_of(attempt_at(second)) for each in changes] == [False, True]


def attempt_at(guid: str) -> ClaimAttempt:
    return ClaimAttempt(claim=Claim(qid="Q5"), statement={"id": guid})
