"""Reading files fresh, 50 a call: what the page is now, its picture, and its statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from projects import denials, pauses
from projects.models import DenyEntry
from sdc import statements
from sdc.reasons import Reason
from sdc.statements import Statements

A_CALL = 50  # titles or ids, for users without higher limits
HISTORY = 500  # revisions looked through for one of ours
# Protection that does not keep out the users that this tool is for.
OPEN_LEVELS = frozenset({"autoconfirmed", "editautoconfirmed", "editsemiprotected", ""})

Read = Callable[..., dict[str, Any]]  # `read(action=…, …)`; raises WikiError


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
        preferred = {statements.item_of(each) for each in shown if each.get("rank") == "preferred"}
        return bool(preferred - {qid})

    @property
    def is_artwork(self) -> bool:
        """Whether the file says that it is the reproduction of a work of art."""
        return bool((self.statements or {}).get(settings.WIKI.artwork))

    def has_guid(self, guid: str) -> bool:
        return statements.with_guid(self.statements, guid) is not None


@dataclass(frozen=True)
class Revision:
    id: int
    user: str
    comment: str


def read_pages(read: Read, page_ids: Iterable[int]) -> dict[int, PageNow]:
    """What the pages of these ids are now; each id asked for is in the answer."""
    found: dict[int, PageNow] = {}
    denied, paused = denials.categories(), pauses.categories()
    for ids in _batched(page_ids):
        pages = _pages(read, ids, [*denied, *paused])
        entities = _entities(read, [page_id for page_id in ids if page_id in pages])
        for each in ids:
            page = _page_now(each, pages.get(each), entities.get(each))
            listed = {_category(row["title"]) for row in pages.get(each, {}).get("categories", ())}
            found[each] = replace(
                page,
                denied=not listed.isdisjoint(map(_category, denied)),
                paused=tuple(sorted(listed & set(map(_category, paused)))),
                asked=(*denied, *paused),
            )
    return found


def categories_to_ask() -> tuple[str, ...]:
    """The categories about which a page that is read now is asked."""
    return (*denials.categories(), *pauses.categories())


def _category(title: str) -> str:
    return denials.normal(DenyEntry.Kind.CATEGORY, title)


def read_statements(read: Read, page_id: int) -> Statements | None:
    """The statements alone, in one call; None also where there is no such page any more."""
    entity = _entities(read, [page_id])[page_id]
    return None if "missing" in entity else entity.get("statements") or {}


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
        for qid, entity in body.get("entities", {}).items():
            for label in (entity.get("labels") or {}).values():
                found[qid] = label["value"]
    return found


def our_revision(read: Read, page_id: int, mark: str, since: int) -> Revision | None:
    """The revision of a page after `since` whose summary names our batch, newest first."""
    cursor: dict[str, Any] = {}
    for _page in range(HISTORY // A_CALL):
        body = read(
            action="query",
            prop="revisions",
            pageids=page_id,
            rvprop="ids|user|comment",
            rvlimit=A_CALL,
            **cursor,
        )
        for page in body.get("query", {}).get("pages", []):
            for row in page.get("revisions", []):
                if row["revid"] <= since:
                    return None
                if mark in row.get("comment", ""):
                    return Revision(row["revid"], row.get("user", ""), row["comment"])
        cursor = body.get("continue", {})
        if not cursor:
            break
    return None


def _pages(read: Read, ids: list[int], categories: list[str]) -> dict[int, dict[str, Any]]:
    """Pages by id. Redirects are followed, so the id of one is missing from the answer. Only these
    of their categories are asked for."""
    first, *more = list(_batched(categories)) or [[]]
    about: dict[str, Any] = {"prop": ["imageinfo", "info"], "iiprop": "sha1"}
    about["inprop"] = "protection"
    if first:
        about["prop"].append("categories")
        about |= {"clcategories": first, "cllimit": "max"}
    pages: dict[int, dict[str, Any]] = {}
    _ask(read, ids, about, pages)
    for titles in more:
        _ask(read, ids, {"prop": "categories", "clcategories": titles, "cllimit": "max"}, pages)
    return pages


def _ask(
    read: Read, ids: list[int], about: dict[str, Any], pages: dict[int, dict[str, Any]]
) -> None:
    cursor: dict[str, Any] = {}
    while True:
        body = read(action="query", pageids=ids, redirects=1, **about, **cursor)
        for page in body.get("query", {}).get("pages", []):
            if "pageid" in page:
                had = pages.get(page["pageid"], {})
                in_both = had.get("categories", []) + page.get("categories", [])
                pages[page["pageid"]] = had | page | {"categories": in_both}
        cursor = body.get("continue", {})
        if not cursor:
            return


def _entities(read: Read, ids: list[int]) -> dict[int, dict[str, Any]]:
    if not ids:
        return {}
    mids = [f"M{page_id}" for page_id in ids]
    entities = read(action="wbgetentities", ids=mids, props="claims").get("entities", {})
    return {page_id: entities.get(f"M{page_id}", {}) for page_id in ids}


def _page_now(page_id: int, page: dict[str, Any] | None, entity: dict[str, Any] | None) -> PageNow:
    if page is None:
        return PageNow(page_id, Reason.REDIRECT)
    if page.get("missing"):
        return PageNow(page_id, Reason.DELETED)
    picture = (page.get("imageinfo") or [{}])[0]
    problem = None
    if not picture.get("sha1"):
        problem = Reason.NOT_A_FILE
    elif any(_closed(rule) for rule in page.get("protection", [])):
        problem = Reason.PROTECTED
    # `missing` is "" even in formatversion 2: no structured data yet, nothing more
    known = entity is not None and "missing" not in entity
    return PageNow(
        page_id,
        problem,
        page.get("title", ""),
        picture.get("sha1", ""),
        page.get("lastrevid", 0),
        ((entity or {}).get("statements") or {}) if known else None,
    )


def _closed(rule: dict[str, Any]) -> bool:
    return rule.get("type") == "edit" and rule.get("level", "") not in OPEN_LEVELS


def _batched(values: Iterable[Any]) -> Iterator[list[Any]]:
    unique = list(dict.fromkeys(values))
    return (unique[start : start + A_CALL] for start in range(0, len(unique), A_CALL))


def item_labels_wanted(pages: Iterable[PageNow]) -> list[str]:
    """The items that these files depict now."""
    found = (
        statements.item_of(each) for page in pages for each in statements.depicted(page.statements)
    )
    return list(dict.fromkeys(qid for qid in found if qid))
