"""Edits on the wiki that bear the mark of a batch of ours."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from projects.http import WikiError
from sdc import statements
from sdc.models import EditBatch
from sdc.reading import A_CALL, Read

CLOCKS = timedelta(minutes=2)  # by which the wiki's clock and ours may differ
CONTRIBUTIONS = 500  # a call
_ADDED = re.compile(r"/\* wbsetclaim-create\b.*?\*/.*?\b(Q[1-9][0-9]*)\b")  # the wiki's own words


@dataclass(frozen=True)
class Marked:
    """An edit on the wiki whose summary bears the mark of one of our batches."""

    revision: int
    page_id: int
    code: str
    timestamp: str
    added: str = ""  # the item of the statement that it made, by the wiki's own words


class Marks:
    """Reads the edits of our batches from the wiki, and revisions that the ledger names."""

    def __init__(self, read: Read, batches: dict[str, EditBatch]) -> None:
        self.read = read
        self.batches = batches
        self.by_page: dict[int, list[Marked]] = defaultdict(list)
        self.unknown: list[Marked] = []  # of a batch that is none of these

    def look(self) -> None:
        """The edits of everybody who sent, since their first batch, that bear a mark of ours."""
        since: dict[str, datetime] = {}
        for batch in self.batches.values():
            name, at = batch.user.wiki_username, batch.confirmed_at or batch.created_at
            since[name] = min(since.get(name, at), at)
        mark = re.compile(re.escape(statements.batch_mark("@")).replace("@", "([0-9a-f]{12})"))
        unknown: dict[int, Marked] = {}
        for name, at in since.items():
            for row in self._contributions(name, at - CLOCKS):
                if not (match := mark.search(row.get("comment", ""))):
                    continue
                added = _ADDED.match(row["comment"])
                edit = Marked(
                    row["revid"],
                    row["pageid"],
                    match[1],
                    row.get("timestamp", ""),
                    added[1] if added else "",
                )
                if edit.code in self.batches:
                    self.by_page[edit.page_id].append(edit)
                else:
                    unknown[edit.revision] = edit
        self.unknown = list(unknown.values())

    def _contributions(self, name: str, since: datetime) -> Iterator[dict[str, Any]]:
        cursor: dict[str, Any] = {}
        while True:
            try:
                body = self.read(
                    action="query",
                    list="usercontribs",
                    ucuser=name,
                    ucprop="ids|comment|timestamp",
                    ucend=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    uclimit=CONTRIBUTIONS,
                    **cursor,
                )
            except WikiError as error:
                if error.code.startswith("baduser"):  # renamed, or no name at all
                    return
                raise
            yield from body.get("query", {}).get("usercontribs", [])
            cursor = body.get("continue", {})
            if not cursor:
                return

    def revisions(self, ids: Iterable[int]) -> dict[int, tuple[int, str | None]]:
        """Page and summary of these revisions; the summary is None where it is hidden."""
        found: dict[int, tuple[int, str | None]] = {}
        for chunk in chunks(list(ids), A_CALL):
            body = self.read(
                action="query", prop="revisions", revids=chunk, rvprop="ids|user|comment"
            )
            for page in body.get("query", {}).get("pages", []):
                for row in page.get("revisions", []):
                    words = None if row.get("commenthidden") else row.get("comment", "")
                    found[row["revid"]] = (page["pageid"], words)
        return found


def chunks(values: list[int], size: int) -> Iterator[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def named(edit: Marked) -> str:
    return f"revision {edit.revision}, batch {edit.code}"
