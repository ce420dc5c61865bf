"""Rows derived from a page's latest revision, so that lists and searches are quick."""

from __future__ import annotations

import sqlite3

from sandbox import wikitext
from sandbox.records import Json, Page, Revision

# The order of `list=categorymembers`: pages, then subcategories, then files.
PAGE, SUBCATEGORY, FILE = 0, 1, 2
TYPE_NAMES = ("page", "subcat", "file")


def clear(db: sqlite3.Connection, page: Page) -> None:
    """Forgets what was derived from a page."""
    for table in ("category_member", "statement", "term"):
        db.execute(f"DELETE FROM {table} WHERE wiki = ? AND page_id = ?", (page.wiki, page.id))


def update(db: sqlite3.Connection, page: Page, revision: Revision) -> dict[str, bool]:
    """Derives all rows anew; memberships that stay keep their timestamp.

    Returns the categories that the page has entered (True) or left (False).
    """
    moved = _categories(db, page, revision)
    for table in ("statement", "term"):
        db.execute(f"DELETE FROM {table} WHERE wiki = ? AND page_id = ?", (page.wiki, page.id))
    if revision.entity:
        _statements(db, page, revision.entity)
        _terms(db, page, revision.entity)
    return moved


def _categories(db: sqlite3.Connection, page: Page, revision: Revision) -> dict[str, bool]:
    since = {
        row["category_title"]: row["timestamp"]
        for row in db.execute(
            "SELECT category_title, timestamp FROM category_member WHERE wiki = ? AND page_id = ?",
            (page.wiki, page.id),
        )
    }
    db.execute(
        "DELETE FROM category_member WHERE wiki = ? AND page_id = ?",
        (page.wiki, page.id),
    )
    kind = {6: FILE, 14: SUBCATEGORY}.get(page.ns, PAGE)
    now_in = wikitext.categories(revision.wikitext)
    for title, prefix in now_in.items():
        name = page.title.split(":", 1)[1] if page.ns else page.title
        sortkey = f"{prefix}\n{name}".upper() if prefix else name.upper()
        db.execute(
            "INSERT INTO category_member VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                page.wiki, title, page.id, kind, sortkey, prefix,
                since.get(title, revision.timestamp),
            ),
        )  # fmt: skip
    entered = dict.fromkeys((title for title in now_in if title not in since), True)
    return {**entered, **dict.fromkeys((title for title in since if title not in now_in), False)}


def statement_groups(entity: Json) -> Json:
    """Property → statements, whether the entity is mediainfo or an item."""
    groups = entity.get("statements") or entity.get("claims") or {}
    return groups if isinstance(groups, dict) else {}


def _statements(db: sqlite3.Connection, page: Page, entity: Json) -> None:
    keys = set()
    for prop, statements in statement_groups(entity).items():
        for statement in statements:
            keys.add(prop)
            value = statement["mainsnak"].get("datavalue", {}).get("value")
            text = value.get("id") if isinstance(value, dict) else value
            if isinstance(text, str):
                keys.add(f"{prop}={text}")
    db.executemany(
        "INSERT INTO statement VALUES (?, ?, ?)",
        [(page.wiki, page.id, key) for key in keys],
    )


def _terms(db: sqlite3.Connection, page: Page, entity: Json) -> None:
    rows = []
    for kind in ("labels", "descriptions"):
        terms = entity.get(kind) or {}
        rows += [(term["language"], kind[:-1], term["value"]) for term in terms.values()]
    for aliases in (entity.get("aliases") or {}).values():
        rows += [(alias["language"], "alias", alias["value"]) for alias in aliases]
    db.executemany(
        "INSERT INTO term VALUES (?, ?, ?, ?, ?, ?)",
        [(page.wiki, page.id, *row, row[2].casefold()) for row in rows],
    )
