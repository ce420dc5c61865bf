"""Readers are given every recorded answer, changed at each place: a key removed, emptied, or of
another type. What comes is what the reader gives, or WikiError("unreadable"); in a list a broken
element costs itself alone."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from classify.learner import bootstrap
from crawler.listing import file_info
from crawler.listing import read_page as listing_read_page
from projects.accounts import login, tokens
from projects.creation import source_lookup, suggestions
from sdc.files import reading, revisions
from sdc.reconcile import edit_tags
from sdc.sending_rights import stop_page
from sdc.watch import history
from sdc.writing import responses
from sdc.writing import session as writing_session
from tests.contract.replayed import FOLDER, recording
from wiki import categories, http, items, users
from wiki import pages as wiki_pages
from wiki.json_tree import Node, WikiError

Path = tuple[str | int, ...]
GONE = object()
SIDE_BY_SIDE = 2  # elements of a list, or fields by a number or id, that are changed
CHANGES: tuple[Any, ...] = (
    GONE,
    [],
    {},
    "",
    None,
    "text",
    7,
    -1,
    10**30,
    1.5,
    True,
    [7],
    ["text"],
    {"text": 7},
    [[]],
)
DEEP = {"text": {"text": [{"text": 7}]}}


@dataclass(frozen=True)
class Reader:
    """`wants` is what an answer has to hold to be read by it; each element under `parts` is read by
    itself."""

    read: Callable[[Node], Any]
    wants: Path
    parts: Path | None = None

    def has(self, path: Path) -> bool:
        """Whether a place is in one of the elements."""
        depth = len(self.parts or ())
        return bool(self.parts) and path[:depth] == self.parts and len(path) > depth


def each_page(read: Callable[[Node], Any]) -> Callable[[Node], list[Any]]:
    return lambda body: body["query"]["pages"].read_items(read)


def each_entity(read: Callable[[Node], Any]) -> Callable[[Node], dict[str, Any]]:
    return lambda body: body["entities"].read_fields(read)


def each_revision(read: Callable[[Node], Any]) -> Callable[[Node], list[Any]]:
    return lambda body: [*map(read, reading.list_revisions(body))]


PAGES: Path = ("query", "pages")
HITS: Path = ("query", "search")
ENTITIES: Path = ("entities",)
READERS = {
    "refusal": Reader(http.refusal, ("errors",)),
    "the older refusal": Reader(http.refusal, ("error",)),
    "cursor": Reader(http.read_cursor, ("continue",)),
    "userinfo": Reader(users.read_userinfo, ("query", "userinfo")),
    "users": Reader(users.read_users, ("query", "users"), ("query", "users")),
    "hits": Reader(
        lambda body: source_lookup.read_hits(body).ids, ("query", "search"), ("query", "search")
    ),
    "total": Reader(source_lookup.read_hits, ("query", "searchinfo")),
    "items": Reader(items.read_items, ENTITIES, ENTITIES),
    "categories": Reader(each_page(categories.read_category), PAGES, PAGES),
    "categories of files": Reader(suggestions.read_categories, PAGES, PAGES),
    "page id": Reader(wiki_pages.read_page, PAGES),
    "files": Reader(lambda body: file_info.read_files(body["query"]["pages"])[0], PAGES, PAGES),
    "others": Reader(lambda body: file_info.read_files(body["query"]["pages"])[1], PAGES),
    "membership": Reader(each_page(listing_read_page.read_membership), PAGES, PAGES),
    "gone": Reader(
        lambda body: listing_read_page.read_gone(body["query"]["pages"], [1, 2, 31]), PAGES
    ),
    "redirect": Reader(lambda body: listing_read_page.read_redirect(body["query"]), ("query",)),
    "subcategories": Reader(
        lambda body: body["query"]["categorymembers"].read_items(listing_read_page.read_title),
        ("query", "categorymembers"),
        ("query", "categorymembers"),
    ),
    "depicted": Reader(each_entity(listing_read_page.read_depicted), ENTITIES, ENTITIES),
    "pages": Reader(each_page(reading.read_page), PAGES, PAGES),
    "statements": Reader(each_entity(reading.read_entity), ENTITIES, ENTITIES),
    "labels": Reader(reading.read_item_labels, ENTITIES, ENTITIES),
    "revisions": Reader(each_revision(revisions.read_revision), PAGES),
    "changes": Reader(each_revision(history.read_change), PAGES),
    "entities of revisions": Reader(revisions.read_listed_entities, PAGES),
    "contributions": Reader(
        lambda body: body["query"]["usercontribs"].read_items(edit_tags.read_contribution),
        ("query", "usercontribs"),
        ("query", "usercontribs"),
    ),
    "marked revisions": Reader(edit_tags.read_revisions, PAGES),
    "stop page": Reader(stop_page.read_stop, PAGES),
    "edit token": Reader(writing_session.read_edit_token, ("query", "tokens")),
    "answer to a write": Reader(responses.judge, ("success",)),
    "answer with errors": Reader(responses.judge, ("errors",)),
    "answer with an error": Reader(responses.judge, ("error",)),
    "tokens": Reader(tokens.read_pair, ("access_token",)),
    "profile": Reader(login.read_profile, ("sub",)),
    "facts": Reader(bootstrap.read_fields, ("results",), ("results", "bindings")),
}
FACTS = {
    "head": {"vars": ["fact", "value", "precision"]},
    "results": {
        "bindings": [
            {"fact": {"type": "literal", "value": about}, "value": value} | more
            for about, value, more in (
                ("human", {"type": "uri", "value": "http://www.wikidata.org/entity/Q5"}, {}),
                ("label", {"type": "literal", "xml:lang": "en", "value": "Marie Curie"}, {}),
                ("sitelinks", {"type": "literal", "value": "312"}, {}),
                ("portrait", {"type": "uri", "value": "http://x/Special:FilePath/A%20b.jpg"}, {}),
                ("category", {"type": "literal", "value": "Marie Curie"}, {}),
                (
                    "born",
                    {"type": "literal", "value": "1867-11-07T00:00:00Z"},
                    {"precision": {"type": "literal", "value": "11"}},
                ),
            )
        ]
    },
}


def bodies() -> list[tuple[str, Any]]:
    """Every recorded JSON body, and one of the query service, which was not recorded."""
    names = [f"{path.parent.name}/{path.stem}" for path in sorted(FOLDER.glob("*/*.json"))]
    found = [(name, recording(name)["response"]["body"]) for name in names]
    return [(name, body) for name, body in found if isinstance(body, dict)] + [("facts", FACTS)]


def at(body: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(body, dict | list):
            return GONE
        if isinstance(body, list):
            body = body[key] if isinstance(key, int) and key < len(body) else GONE
        else:
            body = body.get(key, GONE)
    return body


def places_in(value: Any, path: Path = ()) -> Iterator[Path]:
    """Each key and element, of long lists and tables of equals only the first ones."""
    if isinstance(value, dict):
        alike = all(key[-1:].isdigit() for key in value)
        for key in list(value)[: SIDE_BY_SIDE if alike else None]:
            yield (*path, key)
            yield from places_in(value[key], (*path, key))
    elif isinstance(value, list):
        for number in range(min(len(value), SIDE_BY_SIDE)):
            yield (*path, number)
            yield from places_in(value[number], (*path, number))


def changed(body: Any, path: Path) -> Iterator[Any]:
    """The body with each change made at a place; it is put back in the end."""
    holder, key = at(body, path[:-1]), path[-1]
    kept = holder.copy()
    for change in CHANGES:
        if change is GONE:
            del holder[key]
        else:
            holder[key] = change
        yield body
        holder.clear()
        holder.extend(kept) if isinstance(holder, list) else holder.update(kept)


def outcome(reader: Reader, body: Any) -> Any:
    """What a reader makes of it; WikiError("unreadable") stands for itself."""
    try:
        return reader.read(Node(body))
    except WikiError as error:
        if error.code != "unreadable" or not error.text:
            raise AssertionError(f"not told as unreadable: {error}") from error
        return error


def listed(found: Any) -> list[str]:
    return sorted(map(repr, found.items() if isinstance(found, dict) else found))


def without(body: Any, reader: Reader, path: Path) -> Any:
    """A body without the element that a place is in."""
    assert reader.parts
    less = copy.deepcopy(body)
    del at(less, reader.parts)[path[len(reader.parts)]]
    return less


def shape(body: Any, path: Path) -> Any:
    """What makes a place like another one: the way to it, and what stands beside it."""
    way = tuple("" if isinstance(key, int) else key.strip("0123456789") for key in path)
    beside = at(body, path[:-1])
    return way, frozenset(beside) if isinstance(beside, dict) else None


@pytest.mark.long
@pytest.mark.parametrize("name", READERS)
def test_whatever_is_changed_is_read_or_is_unreadable(name: str) -> None:
    reader, tried = READERS[name], 0
    seen: set[Any] = set()
    for source, body in bodies():
        if at(body, reader.wants) is GONE:
            continue
        readable = not isinstance(outcome(reader, body), WikiError)
        for path in places_in(body):
            if (like := shape(body, path)) in seen:
                continue
            seen.add(like)
            alone = readable and reader.has(path)
            least = listed(outcome(reader, without(body, reader, path))) if alone else []
            for mutant in changed(body, path):
                found = outcome(reader, mutant)
                tried += 1
                if alone:
                    assert not isinstance(found, WikiError), (source, path, found)
                    lost = [each for each in least if each not in listed(found)]
                    assert not lost, (source, path, lost)
    assert tried >= 4 * len(CHANGES), "no recording was read"
