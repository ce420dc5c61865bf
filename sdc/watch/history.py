"""Who changed a statement: the history of a file with the structured data of each revision."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sdc.reading import A_CALL, HISTORY, Read
from sdc.statements import Statements

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
    found: dict[str, Any] | None = None
    for row in _revisions(read, page_id):
        if row["revid"] <= after:
            return _change(found)
        statements = _statements(row)
        if statements is None:  # hidden: whoever came next is the best we know
            continue
        if not holds(statements):
            if found is None:
                raise Stale
            return _change(found)
        found = row
    return None


def words_of(comment: str) -> str:
    """What a person wrote into a summary, without what the wiki put before it; links as text."""
    automatic = _AUTOMATIC.match(comment)
    if automatic:
        comment = _ENTITIES.sub("", comment[automatic.end() :])
    return _LINK.sub(r"\1", comment).strip()


def _change(row: dict[str, Any] | None) -> Change | None:
    if row is None:
        return None
    return Change(
        row["revid"],
        row.get("user", ""),
        words_of(row.get("comment", "")),
        datetime.fromisoformat(row["timestamp"]),
    )


def _revisions(read: Read, page_id: int) -> Iterator[dict[str, Any]]:
    """Newest first."""
    cursor: dict[str, Any] = {}
    for _page in range(HISTORY // A_CALL):
        body = read(
            action="query",
            prop="revisions",
            pageids=page_id,
            rvprop="ids|user|comment|timestamp|content",
            rvslots="mediainfo",
            rvlimit=A_CALL,
            **cursor,
        )
        for page in body.get("query", {}).get("pages", []):
            yield from page.get("revisions", [])
        cursor = body.get("continue", {})
        if not cursor:
            return


def _statements(row: dict[str, Any]) -> Statements | None:
    """Of one revision; none before the first structured data, None where it is hidden."""
    slot = (row.get("slots") or {}).get("mediainfo")
    if slot is None:
        return None if "texthidden" in row or "suppressed" in row else {}
    if "content" not in slot:
        return None
    return json.loads(slot["content"]).get("statements") or {}
