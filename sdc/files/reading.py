"""Reading files fresh, 50 a call: what the page is now, its picture, and its statements."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.conf import settings

from projects.models import DenyEntry
from projects.privacy import denylist, pauses
from sdc.files import statements
from sdc.files.statements import Json, Statements
from sdc.writing.reasons import Reason
from wiki.http import Read, WikiError, follow
from wiki.items import read_terms
from wiki.json_tree import Node, unreadable

log = logging.getLogger(__name__)

A_CALL = 50  # titles or ids, for users without higher limits
MOST_ANSWERS = 50  # about the same pages
HISTORY = 500  # revisions looked through for one of ours
# Protection that does not keep out the users that this tool is for.
OPEN_LEVELS = frozenset({"autoconfirmed", "editautoconfirmed", "editsemiprotected", ""})


@dataclass(frozen=True)
class PageNow:
    """A file page as the wiki has it now. `problem` says why nothing can be added to it."""

    page_id: int
    problem: Reason | None = None
    title: str = ""
    sha1: str = ""
    revision: int = 0
    statements: Statements | None = None  # None: no structured data yet
    denied: bool = False  # it is in a category that this tool leaves alone
    paused: tuple[str, ...] = ()  # of its categories those to which somebody objects now
    asked: tuple[str, ...] = ()  # the categories that it was asked about

    def depicts(self, qid: str) -> bool:
        return statements.says(self.statements, qid)

    def prefers_others(self, qid: str) -> bool:
        """Whether another item has preferred rank: best-rank queries leave out the rest then."""
        shown = statements.depicted(self.statements)
        preferred = {each.item for each in shown if each.rank == "preferred"}
        return bool(preferred - {qid})

    @property
    def is_artwork(self) -> bool:
        """Whether the file says that it is the reproduction of a work of art."""
        return bool((self.statements or {}).get(settings.WIKI.artwork))

    def has_guid(self, guid: str) -> bool:
        return statements.with_guid(self.statements, guid) is not None


def read_pages(read: Read, page_ids: Iterable[int]) -> dict[int, PageNow]:
    """What the pages of these ids are now; each id asked for is in the answer."""
    found: dict[int, PageNow] = {}
    denied, paused = denylist.categories(), pauses.categories()
    for ids in _batched(page_ids):
        pages = _pages(read, ids, [*denied, *paused])
        entities = _entities(read, [page_id for page_id in ids if page_id in pages])
        for each in ids:
            page = pages.get(each)
            listed = page.categories if page else frozenset()
            found[each] = replace(
                _page_now(each, page, entities[f"M{each}"]),
                denied=not listed.isdisjoint(map(_category, denied)),
                paused=tuple(sorted(listed & set(map(_category, paused)))),
                asked=(*denied, *paused),
            )
    return found


def categories_to_ask() -> tuple[str, ...]:
    """The categories about which a page that is read now is asked."""
    return (*denylist.categories(), *pauses.categories())


def _category(title: str) -> str:
    return denylist.normal(DenyEntry.Kind.CATEGORY, title)


def read_statements(read: Read, page_id: int) -> Statements | None:
    """The statements alone, in one call; None also where there is no such page any more."""
    return read_entity(_entities(read, [page_id])[f"M{page_id}"])


def read_labels(read: Read, qids: Iterable[str], language: str) -> dict[str, str]:
    """Labels of items in a language, with its fallbacks; items without one are left out."""
    found: dict[str, str] = {}
    for ids in _batched(qids):
        body = read(
            action="wbgetentities",
            ids=ids,
            props="labels",
            languages=[language],
            languagefallback=1,
        )
        found |= read_item_labels(body)
    return found


def read_item_labels(body: Node) -> dict[str, str]:
    """The first label of each item."""
    labels = body["entities"].read_fields(lambda entity: read_terms(entity["labels"]))
    return {qid: next(iter(texts.values())) for qid, texts in labels.items() if texts}


def read_history(read: Read, page_id: int, **wanted: str) -> Iterator[Node]:
    """Yield the revisions of a page, newest first, HISTORY at most. `wanted` are parameters of
    `prop=revisions` that say what of each."""
    bodies = follow(
        read,
        HISTORY // A_CALL + 1,
        action="query",
        prop="revisions",
        pageids=page_id,
        rvlimit=A_CALL,
        **wanted,
    )
    for body in islice(bodies, HISTORY // A_CALL):
        yield from list_revisions(body)


def list_revisions(body: Node) -> list[Node]:
    """Those of the page that was asked for; none where it is gone. Raises WikiError where the
    answer does not tell of it, since no edit of ours there would mean that none was made."""
    page = body["query"]["pages"][0]
    return page["revisions"].items(required=not page["missing"].flag())


@dataclass(frozen=True)
class _Page:
    """What the wiki says of a page itself. `problem` is UNREADABLE where it makes no sense."""

    problem: Reason | None = None
    title: str = ""
    sha1: str = ""
    revision: int = 0
    categories: frozenset[str] = frozenset()  # of those that were asked about, without prefix


def _pages(read: Read, ids: list[int], categories: list[str]) -> dict[int, _Page]:
    """Pages by id. Redirects are followed, so the id of one is missing from the answer. Only these
    of their categories are asked for."""
    first, *more = list(_batched(categories)) or [[]]
    about: dict[str, Any] = {"prop": ["imageinfo", "info"], "iiprop": "sha1"}
    about["inprop"] = "protection"
    if first:
        about["prop"].append("categories")
        about |= {"clcategories": first, "cllimit": "max"}
    found: dict[int, Json] = {}
    whole = _ask(read, ids, about, found)
    for titles in more:
        about = {"prop": "categories", "clcategories": titles, "cllimit": "max"}
        whole = _ask(read, ids, about, found) and whole
    pages = {page_id: read_page(Node(page, f"page {page_id}")) for page_id, page in found.items()}
    lost = {page_id: _Page(Reason.UNREADABLE) for page_id in ids if page_id not in pages}
    return pages if whole else pages | lost


def _ask(read: Read, ids: list[int], about: dict[str, Any], pages: dict[int, Json]) -> bool:
    """Put together what the answers say of each page; False where one of them can't be told from
    the others. Raises WikiError."""
    whole = True
    for body in follow(read, MOST_ANSWERS, action="query", pageids=ids, redirects=1, **about):
        asked = body["query"]["pages"]
        told = dict(asked.read_items(lambda page: (page["pageid"].integer(least=1), page.value)))
        if not told:
            raise unreadable("nothing of the pages that were asked for")
        whole = whole and len(told) == len(asked.items())
        for page_id, page in told.items():
            had = pages.get(page_id, {})
            in_both = _listed(had.get("categories")) + _listed(page.get("categories"))
            pages[page_id] = had | page | {"categories": in_both}
    return whole


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _entities(read: Read, ids: list[int]) -> Node:
    if not ids:
        return Node()
    mids = [f"M{page_id}" for page_id in ids]
    return read(action="wbgetentities", ids=mids, props="claims")["entities"]


def read_page(page: Node) -> _Page:
    """Of an answer to `prop=imageinfo|info|categories`."""
    try:
        if page["missing"].flag():
            return _Page(Reason.DELETED)
        sha1 = page["imageinfo"][0]["sha1"].text("", longest=40)
        problem = None if sha1 else Reason.NOT_A_FILE
        if sha1 and any(_read_closed(rule) for rule in page["protection"].items()):
            problem = Reason.PROTECTED
        return _Page(
            problem,
            page["title"].text(longest=255),
            sha1,
            page["lastrevid"].integer(0),
            frozenset(_category(row["title"].text()) for row in page["categories"].items()),
        )
    except WikiError as error:
        log.warning("%s", error.text)
        return _Page(Reason.UNREADABLE)


def read_entity(entity: Node) -> Statements | None:
    """The statements of a media entity; None where there is no structured data yet. `missing` is
    "" even in formatversion 2."""
    if entity["missing"].flag():
        return None
    if entity["id"].is_missing:  # the wiki told nothing of it
        raise entity.wrong("an entity")
    return statements.read_statements(entity["statements"])


def _page_now(page_id: int, page: _Page | None, entity: Node) -> PageNow:
    if page is None:
        return PageNow(page_id, Reason.REDIRECT)
    if page.problem in (Reason.DELETED, Reason.UNREADABLE):
        return PageNow(page_id, page.problem)
    try:
        known = read_entity(entity)
    except WikiError as error:
        log.warning("statements of page %s: %s", page_id, error.text)
        return PageNow(page_id, Reason.UNREADABLE)
    return PageNow(page_id, page.problem, page.title, page.sha1, page.revision, known)


def _read_closed(rule: Node) -> bool:
    return rule["type"].text("") == "edit" and rule["level"].text("") not in OPEN_LEVELS


def _batched(values: Iterable[Any]) -> Iterator[list[Any]]:
    unique = list(dict.fromkeys(values))
    return (unique[start : start + A_CALL] for start in range(0, len(unique), A_CALL))


def item_labels_wanted(pages: Iterable[PageNow]) -> list[str]:
    """The items that these files depict now."""
    found = (each.item for page in pages for each in statements.depicted(page.statements))
    return list(dict.fromkeys(qid for qid in found if qid))
