"""Looking things up in the state of both wikis."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from sandbox.records import DATA, FileVersion, Json, Page, Revision, Wiki
from sandbox.store import Store


def page_of_row(row: sqlite3.Row) -> Page:
    """A page from a row of the table `page`."""
    return Page(
        wiki=row["wiki"],
        id=row["id"],
        ns=row["ns"],
        title=row["title"],
        latest=row["latest"],
        redirect_to=row["redirect_to"],
        deleted=bool(row["deleted"]),
        protection=json.loads(row["protection"]),
        content_model=row["content_model"],
        touched=row["touched"],
    )


def revision_of_row(row: sqlite3.Row) -> Revision:
    """A revision from a row of the table `revision`."""
    return Revision(
        wiki=row["wiki"],
        id=row["id"],
        page_id=row["page_id"],
        parent=row["parent"],
        timestamp=row["timestamp"],
        user=row["user"],
        comment=row["comment"],
        tags=json.loads(row["tags"]),
        minor=bool(row["minor"]),
        wikitext=row["wikitext"],
        entity=json.loads(row["entity"]) if row["entity"] else None,
    )


def file_of_row(row: sqlite3.Row) -> FileVersion:
    """A file version from a row of the table `file`."""
    fields = dict(row)
    del fields["id"]
    fields["path"] = str(DATA / row["path"])
    fields["metadata"] = json.loads(row["metadata"])
    return FileVersion(**fields)


class Reading:
    """The lookups of a world; they see what is committed, and a writer's own writes."""

    store: Store

    def is_empty(self) -> bool:
        """True for a world that was never seeded."""
        return self.store.value("SELECT 1 FROM page LIMIT 1") is None

    def page(self, wiki: Wiki, title: str) -> Page | None:
        """The live page of a canonical title."""
        row = self.store.row(
            "SELECT * FROM page WHERE wiki = ? AND title = ? AND deleted = 0",
            (wiki, title),
        )
        return page_of_row(row) if row else None

    def page_by_id(self, wiki: Wiki, page_id: int, *, deleted: bool = False) -> Page | None:
        """The page of an id; a deleted one only when asked for."""
        row = self.store.row("SELECT * FROM page WHERE wiki = ? AND id = ?", (wiki, page_id))
        return page_of_row(row) if row and (deleted or not row["deleted"]) else None

    def pages(self, wiki: Wiki, ids: Iterable[int]) -> dict[int, Page]:
        """The live pages among the ids."""
        wanted = list(ids)
        marks = ",".join("?" * len(wanted))
        rows = self.store.rows(
            f"SELECT * FROM page WHERE wiki = ? AND deleted = 0 AND id IN ({marks})",
            (wiki, *wanted),
        )
        return {row["id"]: page_of_row(row) for row in rows}

    def deleted_page(self, wiki: Wiki, title: str) -> Page | None:
        """The last deleted page of that title."""
        row = self.store.row(
            "SELECT * FROM page WHERE wiki = ? AND title = ? AND deleted = 1"
            " ORDER BY id DESC LIMIT 1",
            (wiki, title),
        )
        return page_of_row(row) if row else None

    def follow(self, page: Page) -> Page | None:
        """The page a redirect leads to (one step, as MediaWiki does), or the page itself."""
        return self.page(page.wiki, page.redirect_to) if page.redirect_to else page

    def revision(self, wiki: Wiki, revision_id: int) -> Revision | None:
        """One revision."""
        row = self.store.row(
            "SELECT * FROM revision WHERE wiki = ? AND id = ?", (wiki, revision_id)
        )
        return revision_of_row(row) if row else None

    def current(self, page: Page) -> Revision:
        """The latest revision of a page."""
        found = self.revision(page.wiki, page.latest)
        assert found, page
        return found

    def revisions_of(self, page: Page, where: str, params: list[Any]) -> list[Revision]:
        """Revisions of a page with an SQL tail (`AND …`, `ORDER BY …`) of our own making."""
        rows = self.store.rows(
            f"SELECT * FROM revision WHERE wiki = ? AND page_id = ? {where}",
            (page.wiki, page.id, *params),
        )
        return [revision_of_row(row) for row in rows]

    def history(self, page: Page, limit: int = 500) -> list[Revision]:
        """Revisions of a page, newest first."""
        return self.revisions_of(page, "ORDER BY id DESC LIMIT ?", [limit])

    def entity(self, wiki: Wiki, entity_id: str) -> Json | None:
        """The JSON of `M…`, `Q…` or `P…` as it stands, or None."""
        page = self.entity_page(wiki, entity_id)
        return self.current(page).entity if page else None

    def entity_page(self, wiki: Wiki, entity_id: str) -> Page | None:
        """The page that holds an entity: `M` + page id, item or property page."""
        if entity_id.startswith("M"):
            return self.page_by_id(wiki, int(entity_id[1:]))
        return self.page(wiki, f"Property:{entity_id}" if entity_id[0] == "P" else entity_id)

    def files(self, page: Page) -> list[FileVersion]:
        """Uploaded versions of a file page, newest first; empty for what is no file."""
        rows = self.store.rows(
            "SELECT * FROM file WHERE wiki = ? AND page_id = ? ORDER BY id DESC",
            (page.wiki, page.id),
        )
        return [file_of_row(row) for row in rows]

    def file(self, page: Page) -> FileVersion | None:
        """The current version of a file page."""
        row = self.store.row(
            "SELECT * FROM file WHERE wiki = ? AND page_id = ? ORDER BY id DESC LIMIT 1",
            (page.wiki, page.id),
        )
        return file_of_row(row) if row else None

    def current_files(self, wiki: Wiki, page_ids: Iterable[int]) -> dict[int, FileVersion]:
        """The current version of each of the pages that is a file."""
        wanted = list(page_ids)
        marks = ",".join("?" * len(wanted))
        rows = self.store.rows(
            "SELECT * FROM file WHERE id IN (SELECT max(id) FROM file WHERE wiki = ?"
            f" AND page_id IN ({marks}) GROUP BY page_id)",
            (wiki, *wanted),
        )
        return {row["page_id"]: file_of_row(row) for row in rows}

    def current_revisions(self, pages: list[Page]) -> dict[int, Revision]:
        """The latest revision of each page, by page id; all pages of one wiki."""
        if not pages:
            return {}
        marks = ",".join("?" * len(pages))
        rows = self.store.rows(
            f"SELECT * FROM revision WHERE wiki = ? AND id IN ({marks})",
            (pages[0].wiki, *(page.latest for page in pages)),
        )
        return {row["page_id"]: revision_of_row(row) for row in rows}
