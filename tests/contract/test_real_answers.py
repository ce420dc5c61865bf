"""Answers of a real wiki that no recording has; they were written down from a MediaWiki 1.43."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.listing.file_info import read_files
from sandbox import RunningSandbox
from sdc.writing.reasons import Reason
from sdc.writing.responses import Next, judge
from tests.contract.scenes import statement
from tests.contract.wiki import Wiki
from wiki.json_tree import Node

FILTER = "Artist|LicenseShortName|DateTimeOriginal"


def test_a_file_without_any_of_the_keys_asked_for_has_an_empty_list(wiki: Wiki) -> None:
    asked = {"action": "query", "pageids": 6, "prop": "imageinfo", "iiprop": "extmetadata"}
    [page] = wiki.get(**asked, iiextmetadatafilter=FILTER)["query"]["pages"]
    assert page["imageinfo"][0]["extmetadata"] == []
    [page] = wiki.get(**asked)["query"]["pages"]
    assert page["imageinfo"][0]["extmetadata"]["ObjectName"]


@pytest.mark.parametrize(
    ("code", "action"), [("abusefilter-disallowed", "disallow"), ("abusefilter-warning", "warn")]
)
def test_abuse_filter_says_which_filter_it_was(
    code: str, action: str, wiki: Wiki, recorded: RunningSandbox
) -> None:
    recorded.faults.add("abusefilter", codes=[code])
    body = wiki.set_claim(statement("M18$12345678-0000-4000-8000-000000000001", "Q42"))
    first, second, third = body["errors"]
    assert (first["code"], second["code"], third["code"]) == ("failed-save", code, "failed-save")
    told: dict[str, Any] = second["data"]["abusefilter"]
    assert {*told} == {"id", "description", "actions"}
    assert told["actions"] == [action]
    names = [message["name"] for message in third["data"]["messages"]]
    assert names == ["wikibase-api-failed-save", code]
    outcome = judge(Node(body))
    assert (outcome.next, outcome.reason, outcome.detail) == (Next.REFUSE, Reason.FILTERED, code)


def test_the_seed_has_a_file_whose_page_says_nothing_of_it(sandbox: RunningSandbox) -> None:
    """So that whatever runs on the sandbox meets one."""
    world = sandbox.world
    page = world.page("commons", "File:Dirac cutout.jpg")
    assert page
    assert world.current(page).wikitext == "[[Category:Paul Dirac]]"
    asked = {"action": "query", "pageids": page.id, "format": "json", "formatversion": "2"}
    asked |= {"prop": "imageinfo", "iiprop": "sha1|mime|extmetadata", "iiextmetadatafilter": FILTER}
    answer = sandbox.app.test_client().get("/commons/w/api.php", query_string=asked).get_json()
    files, _others = read_files(Node(answer)["query"]["pages"])
    assert [(file.author, file.licence, file.taken_from) for file in files] == [("", "", None)]
