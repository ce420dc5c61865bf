"""The rows of the sandbox wiki's state, as the rest of the sandbox sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

Wiki = Literal["commons", "wikidata"]
Json = dict[str, Any]

# What the sandbox brings along. Paths below it are kept relative, so that it can be moved.
DATA = Path(__file__).parent / "data"

NAMESPACES: dict[str, dict[int, str]] = {
    "commons": {
        0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Commons", 5: "Commons talk", 6: "File",
        7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", 10: "Template", 11: "Template talk",
        12: "Help", 13: "Help talk", 14: "Category", 15: "Category talk",
    },
    "wikidata": {
        0: "", 1: "Talk", 2: "User", 3: "User talk", 4: "Wikidata", 5: "Wikidata talk", 6: "File",
        7: "File talk", 8: "MediaWiki", 9: "MediaWiki talk", 10: "Template", 11: "Template talk",
        12: "Help", 13: "Help talk", 14: "Category", 15: "Category talk", 120: "Property",
        121: "Property talk",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """A wiki page. `title` carries its namespace and spaces (`File:Series 01.jpg`)."""

    wiki: Wiki
    id: int
    ns: int
    title: str
    latest: int
    redirect_to: str | None
    deleted: bool
    protection: Json
    content_model: str
    touched: str

    @property
    def name(self) -> str:
        """The title without its namespace."""
        return self.title.split(":", 1)[1] if self.ns else self.title


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a page. `entity` is the mediainfo slot (Commons) or the item (Wikidata)."""

    wiki: Wiki
    id: int
    page_id: int
    parent: int
    timestamp: str
    user: str
    comment: str
    tags: list[str]
    minor: bool
    wikitext: str
    entity: Json | None


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One uploaded version of a file; `width` and `height` are of the upright picture."""

    wiki: Wiki
    page_id: int
    timestamp: str
    user: str
    sha1: str
    size: int
    width: int
    height: int
    mime: str
    mediatype: str
    path: str
    orientation: int
    metadata: Json
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A block as `blockinfo` tells it.

    `pages` names the titles of a partial block; `auto` marks one of an address, not of a person.
    """

    id: int
    by: str
    by_id: int
    reason: str
    timestamp: str
    expiry: str = "infinite"
    pages: list[str] | None = None
    auto: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """An account. `sub` is the stable OAuth id, `rights` adds to what the groups give."""

    id: int
    name: str
    sub: str
    groups: list[str]
    editcount: int
    registered: str
    blocked: Block | None = None
    rights: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of recent changes; log events are changes of type `log`."""

    id: int
    wiki: Wiki
    type: str
    page_id: int
    ns: int
    title: str
    revid: int
    old_revid: int
    user: str
    timestamp: str
    comment: str
    tags: list[str]
    minor: bool
    log_type: str
    log_action: str
    log_params: Json
    log_id: int


def now() -> str:
    """The present as MediaWiki writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
