"""The state of both sandbox wikis and the verbs that change it.

Everything that reads or writes state goes through `World`. Each verb is one transaction;
page ids and revision ids run per wiki, as on two real wikis.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from pathlib import Path

from sandbox import indexes, wikitext
from sandbox.journal import Journal
from sandbox.reading import Reading
from sandbox.records import DATA, Json, Page, Revision, Wiki, now
from sandbox.store import Store
from sandbox.users import Users


class NoSuchPage(LookupError):
    """The page does not exist (or is deleted)."""


class World(Reading):
    """Both wikis. `users` holds the accounts, `store` the SQLite file."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.store = Store(data_dir / "sandbox.sqlite3")
        self.users = Users(self.store)
        self.journal = Journal(self.store)
        self.base_url = "http://127.0.0.1"
        self.request_counts: dict[str, int] = {}
        self._counting = threading.Lock()
        # When each user edited lately, for the rate limit.
        self.edit_times: dict[str, deque[float]] = {}
        self.edit_times_lock = threading.Lock()

    def setting(self, key: str, default: str) -> str:
        """A setting of the sandbox, such as `anonymous_edits` or `ratelimit:<user>` (`2/20`)."""
        found = self.store.value("SELECT value FROM meta WHERE key = ?", (key,))
        return default if found is None else str(found)

    def set(self, key: str, value: str) -> None:
        """Changes a setting."""
        with self.store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def add_page(
        self,
        wiki: Wiki,
        title: str,
        text: str = "",
        *,
        entity: Json | None = None,
        user: str = "Admin",
        comment: str = "",
        timestamp: str | None = None,
        page_id: int | None = None,
        tags: list[str] | None = None,
    ) -> Page:
        """A new page. Raises ValueError when the title is taken.

        `page_id` sets the id (and so the M-id of a file); left out, the next free one is taken.
        """
        ns, canonical = wikitext.normalize_title(wiki, title)
        stamp = timestamp or now()
        with self.store.transaction() as db:
            if self.page(wiki, canonical):
                raise ValueError(f"{canonical} exists")
            taken = self.store.value("SELECT max(id) FROM page WHERE wiki = ?", (wiki,))
            number = page_id or 1 + (taken or 0)
            db.execute(
                "INSERT INTO page (wiki, id, ns, title, latest, content_model, touched)"
                " VALUES (?, ?, ?, ?, 0, ?, ?)",
                (wiki, number, ns, canonical, _content_model(wiki, ns), stamp),
            )
            page = self.page_by_id(wiki, number)
            assert page
            self._save(page, text, entity, user, comment, tags, stamp, kind="new")
        found = self.page_by_id(wiki, number)
        assert found
        return found

    def save_text(
        self,
        page: Page,
        text: str,
        *,
        user: str,
        comment: str = "",
        tags: list[str] | None = None,
        timestamp: str | None = None,
        minor: bool = False,
    ) -> Revision:
        """A new revision with other wikitext; the entity slot stays."""
        with self.store.transaction():
            entity = self.current(self._fresh(page)).entity
            return self._save(page, text, entity, user, comment, tags, timestamp, minor=minor)

    def save_entity(
        self,
        page: Page,
        entity: Json,
        *,
        user: str,
        comment: str = "",
        tags: list[str] | None = None,
        timestamp: str | None = None,
    ) -> Revision:
        """A new revision with another entity (mediainfo slot, item or property)."""
        with self.store.transaction():
            text = self.current(self._fresh(page)).wikitext
            return self._save(page, text, entity, user, comment, tags, timestamp)

    def _save(
        self,
        page: Page,
        text: str,
        entity: Json | None,
        user: str,
        comment: str,
        tags: list[str] | None,
        timestamp: str | None,
        *,
        minor: bool = False,
        kind: str = "edit",
    ) -> Revision:
        stamp = timestamp or now()
        with self.store.transaction() as db:
            page = self._fresh(page)
            number = self._next_revision(page.wiki)
            revision = Revision(
                page.wiki, number, page.id, page.latest, stamp, user, comment, tags or [],
                minor, text, entity,
            )  # fmt: skip
            db.execute(
                "INSERT INTO revision (wiki, id, page_id, parent, timestamp, user, comment, tags,"
                " minor, wikitext, entity) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    page.wiki, number, page.id, page.latest, stamp, user, comment,
                    json.dumps(tags or []), minor, text,
                    None if entity is None else json.dumps(entity, ensure_ascii=False),
                ),
            )  # fmt: skip
            db.execute(
                "UPDATE page SET latest = ?, touched = ?, redirect_to = ?"
                " WHERE wiki = ? AND id = ?",
                (
                    number,
                    stamp,
                    wikitext.redirect_target(page.wiki, text),
                    page.wiki,
                    page.id,
                ),
            )
            db.execute("UPDATE user SET editcount = editcount + 1 WHERE name = ?", (user,))
            moved = indexes.update(db, page, revision)
            self.journal.edit(page, kind, revision)
            for category, entered in moved.items():
                self.journal.category(page, revision, category, entered)
        return revision

    def upload(
        self,
        title: str,
        path: Path,
        facts: Json,
        *,
        user: str,
        text: str = "",
        comment: str = "",
        timestamp: str | None = None,
        page_id: int | None = None,
        entity: Json | None = None,
    ) -> Page:
        """A new file, or a new version of one that exists.

        `facts` holds sha1, size, width, height, mime, mediatype, orientation, metadata
        (`sandbox.files.describe(path)` reads them from the file itself). `path` must stay.
        """
        stamp = timestamp or now()
        kept = path.relative_to(DATA) if path.is_relative_to(DATA) else path.absolute()
        with self.store.transaction() as db:
            _, canonical = wikitext.normalize_title("commons", title)
            page = self.page("commons", canonical)
            if page is None:
                page = self.add_page(
                    "commons", canonical, text, entity=entity, user=user, comment=comment,
                    timestamp=stamp, page_id=page_id,
                )  # fmt: skip
                action = "upload"
            else:
                before = self.current(page)
                self._save(page, before.wikitext, before.entity, user, comment, None, stamp)
                action = "overwrite"
            db.execute(
                "INSERT INTO file (wiki, page_id, timestamp, user, sha1, size, width, height,"
                " mime, mediatype, path, orientation, metadata, comment)"
                " VALUES ('commons', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    page.id, stamp, user, facts["sha1"], facts["size"], facts["width"],
                    facts["height"], facts["mime"], facts["mediatype"], str(kept),
                    facts.get("orientation", 1), json.dumps(facts.get("metadata", {})), comment,
                ),
            )  # fmt: skip
            page = self._fresh(page)
            params = {"img_sha1": facts["sha1"], "img_timestamp": stamp}
            self.journal.event(page, "upload", action, user, comment, stamp, params, page.latest)
        return page

    def move(
        self,
        page: Page,
        new_title: str,
        *,
        user: str,
        comment: str = "",
        redirect: bool = True,
    ) -> Page:
        """Renames a page. It keeps its id; the redirect left behind is a new page."""
        _, canonical = wikitext.normalize_title(page.wiki, new_title)
        with self.store.transaction() as db:
            page = self._fresh(page)
            if self.page(page.wiki, canonical):
                raise ValueError(f"{canonical} exists")
            old = page.title
            db.execute(
                "UPDATE page SET title = ? WHERE wiki = ? AND id = ?",
                (canonical, page.wiki, page.id),
            )
            before = self.current(page)
            note = f"{user} moved page [[{old}]] to [[{canonical}]]"
            note += "" if redirect else " without leaving a redirect"
            note += f": {comment}" if comment else ""
            moved = self._fresh(page)
            self._save(
                moved,
                before.wikitext,
                before.entity,
                user,
                note,
                None,
                None,
                minor=True,
            )
            if redirect:
                self.add_page(
                    page.wiki, old, f"#REDIRECT [[{canonical}]]", user=user, comment=note,
                    tags=["mw-new-redirect"],
                )  # fmt: skip
            params: Json = {
                "target_ns": moved.ns,
                "target_title": canonical,
                "suppressredirect": not redirect,
            }
            latest = self._fresh(page).latest
            self.journal.event(page, "move", "move", user, comment, None, params, latest)
        found = self.page_by_id(page.wiki, page.id)
        assert found
        return found

    def delete(self, page: Page, *, user: str, comment: str = "") -> None:
        """Hides a page with its file and data; `undelete` brings all of it back."""
        with self.store.transaction() as db:
            page = self._fresh(page)
            db.execute(
                "UPDATE page SET deleted = 1 WHERE wiki = ? AND id = ?",
                (page.wiki, page.id),
            )
            indexes.clear(db, page)
            self.journal.event(page, "delete", "delete", user, comment, None, {})

    def undelete(self, page: Page, *, user: str, comment: str = "") -> Page:
        """Brings a deleted page back under its old id."""
        with self.store.transaction() as db:
            if self.page(page.wiki, page.title):
                raise ValueError(f"{page.title} exists")
            db.execute(
                "UPDATE page SET deleted = 0, touched = ? WHERE wiki = ? AND id = ?",
                (now(), page.wiki, page.id),
            )
            back = self._fresh(page)
            indexes.update(db, back, self.current(back))
            params: Json = {"count": {"revisions": len(self.history(back)), "files": 1}}
            self.journal.event(back, "delete", "restore", user, comment, None, params)
        return back

    def protect(self, page: Page, level: str | None, *, action: str = "edit") -> None:
        """Sets the level that an action needs (`sysop`, `autoconfirmed`); None frees it."""
        with self.store.transaction() as db:
            levels = dict(self._fresh(page).protection)
            levels.pop(action, None)
            if level:
                levels[action] = level
            db.execute(
                "UPDATE page SET protection = ? WHERE wiki = ? AND id = ?",
                (json.dumps(levels), page.wiki, page.id),
            )

    def count_request(self, key: str) -> None:
        """Counts one request under `path action`, for tests that ask how often we were called."""
        with self._counting:
            self.request_counts[key] = self.request_counts.get(key, 0) + 1

    def reset_request_counts(self) -> None:
        """Forgets the counts."""
        with self._counting:
            self.request_counts.clear()

    def close(self) -> None:
        """Closes the database."""
        self.store.close()

    def _next_revision(self, wiki: Wiki) -> int:
        newest = self.store.value("SELECT max(id) FROM revision WHERE wiki = ?", (wiki,)) or 0
        return int(max(newest, int(self.setting(f"revision:{wiki}", "0"))) + 1)

    def _fresh(self, page: Page) -> Page:
        found = self.page_by_id(page.wiki, page.id)
        if found is None:
            raise NoSuchPage(page.title)
        return found


def _content_model(wiki: Wiki, ns: int) -> str:
    if wiki == "wikidata" and ns in (0, 120):
        return "wikibase-property" if ns == 120 else "wikibase-item"
    return "wikitext"
