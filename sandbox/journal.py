"""Recent changes and logs: a line for each edit, change of category, and log event."""

from __future__ import annotations

import json
from typing import Any

from sandbox.records import Json, Page, Revision, now
from sandbox.store import Store


class Journal:
    """Writes the lines of the table `change`; each call belongs to a running transaction."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def edit(self, page: Page, kind: str, revision: Revision) -> None:
        """A new revision; `kind` is edit or new."""
        self._add(
            page, kind, revision.user, revision.timestamp, revision.comment,
            revid=revision.id, old_revid=revision.parent, tags=json.dumps(revision.tags),
            minor=revision.minor,
        )  # fmt: skip

    def category(self, page: Page, revision: Revision, category: str, entered: bool) -> None:
        """A page that entered or left a category."""
        what = "added to" if entered else "removed from"
        comment = f"[[:{page.title}]] {what} category"
        self._add(
            page, "categorize", revision.user, revision.timestamp, comment, revid=revision.id,
            old_revid=revision.parent, title=category, ns=14,
        )  # fmt: skip

    def event(
        self, page: Page, log_type: str, action: str, user: str, comment: str,
        timestamp: str | None, params: Json, revid: int = 0,
    ) -> None:  # fmt: skip
        """A log event about a page; `params` are the log's details."""
        newest = self.store.value("SELECT max(log_id) FROM change WHERE wiki = ?", (page.wiki,))
        self._add(
            page, "log", user, timestamp or now(), comment, log_type=log_type, log_action=action,
            log_params=json.dumps(params), log_id=1 + (newest or 0), revid=revid,
        )  # fmt: skip

    def _add(
        self,
        page: Page,
        kind: str,
        user: str,
        timestamp: str,
        comment: str,
        **extra: Any,
    ) -> None:
        newest = self.store.value("SELECT max(id) FROM change WHERE wiki = ?", (page.wiki,))
        values = {
            "wiki": page.wiki, "id": 1 + (newest or 0), "type": kind, "page_id": page.id,
            "ns": page.ns, "title": page.title, "revid": 0, "old_revid": 0, "user": user,
            "timestamp": timestamp, "comment": comment, "tags": "[]", **extra,
        }  # fmt: skip
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        with self.store.transaction() as db:
            db.execute(
                f"INSERT INTO change ({columns}) VALUES ({marks})",
                tuple(values.values()),
            )
