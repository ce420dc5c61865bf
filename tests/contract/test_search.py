"""Search keywords of Commons. Built by their documentation: no recording covers them."""

from __future__ import annotations

import pytest

from tests.contract.replay import Player
from tests.contract.wiki import Wiki


@pytest.fixture
def wiki(player: Player) -> Wiki:
    """ExampleUser's client, after two files got statements."""
    found = Wiki(player)
    found.add(13, "Q42")
    found.add(26, "Q42")
    return found


def found(wiki: Wiki, text: str) -> set[int]:
    """The page ids that a search gives."""
    body = wiki.get(action="query", list="search", srsearch=text, srnamespace=6, srlimit=50)
    hits = body["query"]["search"]
    assert body["query"]["searchinfo"]["totalhits"] == len(hits)
    return {hit["pageid"] for hit in hits}


def test_haswbstatement(wiki: Wiki) -> None:
    assert found(wiki, "haswbstatement:P180=Q42") == {13, 20, 26}
    assert found(wiki, "haswbstatement:P180=Q146|P180=Q5") == {20, 31}
    assert found(wiki, "haswbstatement:P180") == {13, 20, 26, 31}
    assert found(wiki, "custommatch:depicts_or_linked_from=Q42") == {13, 20, 26}


def test_statements_and_categories_together(wiki: Wiki) -> None:
    series = found(wiki, 'incategory:"Series"')
    assert len(series) == 14
    assert found(wiki, "incategory:Series -haswbstatement:P180=Q42") == series - {13}
    assert found(wiki, 'incategory:"Brücken in Wien" haswbstatement:P180=Q42') == {26}


def test_deepcat_goes_into_subcategories(wiki: Wiki) -> None:
    assert found(wiki, "incategory:Writers") == set()
    assert found(wiki, "deepcat:Writers") == {20}
    assert found(wiki, "deepcat:Bridges -haswbstatement:P180=Q42") == {21}


def test_a_removed_statement_is_found_no_more(wiki: Wiki) -> None:
    [(guid, _)] = wiki.depicts(13)
    wiki.write(action="wbremoveclaims", claim=guid)
    assert 13 not in found(wiki, "haswbstatement:P180=Q42")


def test_file_types_and_words(wiki: Wiki) -> None:
    assert found(wiki, "filetype:drawing") == {4}
    assert found(wiki, '"writer Douglas Adams"') == {20}
    assert found(wiki, "intitle:Rotated") == {21}


def test_going_on_from_page_to_page(wiki: Wiki) -> None:
    asked = {"action": "query", "list": "search", "srsearch": "incategory:Series",
             "srnamespace": 6, "srlimit": 5}  # fmt: skip
    seen: list[int] = []
    following: dict[str, object] = {}
    while True:
        body = wiki.get(**{**asked, **following})
        seen += [hit["pageid"] for hit in body["query"]["search"]]
        if "continue" not in body:
            break
        following = body["continue"]
    assert len(seen) == len(set(seen)) == 14
