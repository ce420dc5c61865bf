"""Who changed a statement: the history of a file with the structured data of each revision."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sdc.files.reading import read_history
from sdc.files.revisions import read_slot
from sdc.files.statements import Statements, read_statements
from wiki.http import Read
from wiki.json_tree import Node

WITH_CONTENT = "ids|user|comment|timestamp|content"
_AUTOMATIC = re.compile(r"^/\*.*?\*/\s*")
_ENTITIES = re.compile(r"^\[\[[^\]]*\]\](?::\s*(?:\[\[[^\]]*\]\])?)?(?:,\s*)?")
_LINK = re.compile(r"\[\[:?(?:[^\]|]*\|)?([^\]|]*)\]\]")


class Stale(Exception):
    """The wiki's parts disagree on what is now: one of them lags behind."""


@dataclass(frozen=True)
class Change:
    """A revision that changed something: by whom, when, and in their own words."""

    revision: int
    by: str  # empty where the wiki hides it
    words: str
    at: datetime


def since_when(
    read: Read, page_id: int, after: int, holds: Callable[[Statements], bool]
) -> Change | None:
    """The revision since which the statements of a page are as they are now, as `holds` says.

    Looks back to revision `after`, at most 500 far. None where the history does not tell: it is
    longer, or the wiki hides what the revisions were. Raises Stale, WikiError.
    """
    found: Change | None = None
    for row in read_history(read, page_id, rvprop=WITH_CONTENT, rvslots="mediainfo"):
        change, statements = read_change(row)
        if change.revision <= after:
            return found
        if statements is None:  # hidden: whoever came next is the best we know
            continue
        if not holds(statements):
            if found is None:
                raise Stale
            return found
        found = change
    return None


def words_of(comment: str) -> str:
    """What a person wrote into a summary, without what the wiki put before it; links as text."""
    automatic = _AUTOMATIC.match(comment)
    if automatic:
        comment = _ENTITIES.sub("", comment[automatic.end() :])
    return _LINK.sub(r"\1", comment).strip()


def read_change(row: Node) -> tuple[Change, Statements | None]:
    """A revision and the statements as of it; none before the first structured data, None where
    they are hidden. Raises WikiError("unreadable")."""
    change = Change(
        row["revid"].integer(),
        row["user"].text("", longest=255),
        words_of(row["comment"].text("")),
        row["timestamp"].moment(),
    )
    stored = read_slot(row)
    return change, None if stored is None else read_statements(stored)
