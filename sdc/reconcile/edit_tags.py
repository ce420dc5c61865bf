"""Edits on the wiki that bear the mark of a batch of ours."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sdc.files import statements
from sdc.files.reading import A_CALL
from sdc.models import EditBatch
from wiki.http import Read, WikiError, follow
from wiki.json_tree import Node

CLOCKS = timedelta(minutes=2)  # by which the wiki's clock and ours may differ
CONTRIBUTIONS = 500  # a call
MOST_PAGES = 10_000  # of one user's
_ADDED = re.compile(r"/\* wbsetclaim-create\b.*?\*/.*?\b(Q[1-9][0-9]*)\b")  # the wiki's own words


@dataclass(frozen=True)
class Marked:
    """An edit on the wiki whose summary bears the mark of one of our batches."""

    revision: int
    page_id: int
    code: str
    timestamp: str
    parent: int = 0  # the revision before it
    added: str = ""  # the item of the statement that it made, by the wiki's own words


@dataclass(frozen=True)
class Contribution:
    """An edit of a user; without a comment where the wiki hides it."""

    revision: int
    parent: int
    page_id: int
    comment: str
    timestamp: str


def read_contribution(row: Node) -> Contribution:
    """Of an answer to `list=usercontribs`."""
    return Contribution(
        row["revid"].integer(),
        row["parentid"].integer(0),
        row["pageid"].integer(),
        row["comment"].text(""),
        row["timestamp"].text("", longest=40),
    )


def read_revisions(body: Node) -> dict[int, tuple[int, str | None]]:
    """Page and summary of each revision; the summary is None where it is hidden."""
    found: dict[int, tuple[int, str | None]] = {}
    for page in body["query"]["pages"].items(required=True):
        for row in page["revisions"].items():
            words = None if row["commenthidden"].flag() else row["comment"].text("")
            found[row["revid"].integer()] = (page["pageid"].integer(), words)
    return found


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
                if not (match := mark.search(row.comment)):
                    continue
                added = _ADDED.match(row.comment)
                edit = Marked(
                    row.revision,
                    row.page_id,
                    match[1],
                    row.timestamp,
                    row.parent,
                    added[1] if added else "",
                )
                if edit.code in self.batches:
                    self.by_page[edit.page_id].append(edit)
                else:
                    unknown[edit.revision] = edit
        self.unknown = list(unknown.values())

    def _contributions(self, name: str, since: datetime) -> Iterator[Contribution]:
        bodies = follow(
            self.read,
            MOST_PAGES,
            action="query",
            list="usercontribs",
            ucuser=name,
            ucprop="ids|comment|timestamp",
            ucend=since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            uclimit=CONTRIBUTIONS,
        )
        try:
            for body in bodies:
                rows = body["query"]["usercontribs"]
                yield from rows.read_items(read_contribution, required=True)
        except WikiError as error:
            if not error.code.startswith("baduser"):  # renamed, or no name at all
                raise

    def revisions(self, ids: Iterable[int]) -> dict[int, tuple[int, str | None]]:
        """Page and summary of these revisions; the summary is None where it is hidden."""
        found: dict[int, tuple[int, str | None]] = {}
        for chunk in chunks(list(ids), A_CALL):
            body = self.read(
                action="query", prop="revisions", revids=chunk, rvprop="ids|user|comment"
            )
            found |= read_revisions(body)
        return found


def chunks(values: list[int], size: int) -> Iterator[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))


def named(edit: Marked) -> str:
    return f"revision {edit.revision}, batch {edit.code}"
