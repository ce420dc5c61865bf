"""The exact statement that is sent, its summary, and finding statements in what a file has.

Data model: https://www.wikidata.org/wiki/Wikibase/DataModel/JSON. The wiki names the field
`statements` in answers and `claims` in requests; it is `[]` when empty, an object otherwise.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from core.text import plain
from crawler.models import Region
from projects.models import Person
from wiki.json_tree import Node

# A summary may have 500 bytes; the wiki puts its own words before ours: what was done, with links
# to property and item.
SUMMARY_BYTES = 360
# What a wiki makes something of, in a summary or where one is quoted on a page: links, templates,
# tags, comments, signatures, tables, bold, and `/* … */`, by which the wiki says what was done.
_MARKUP = re.compile(r"[\[\]{}|<>]|/\*|\*/|~~+|''+|__+")

Json = dict[str, Any]
Statements = dict[str, list["Statement"]]  # by property


@dataclass(frozen=True)
class Snak:
    """A property with a value. `kind` is "value", "somevalue" or "novalue"."""

    kind: str
    property: str
    item: str | None = None  # Q-ID, where the value is an item
    value: str = ""  # any other value: its text, or its JSON with sorted keys


@dataclass(frozen=True)
class Statement:
    """A statement as the wiki has it, or as it is sent."""

    guid: str
    main: Snak
    rank: str = "normal"
    qualifiers: tuple[Snak, ...] = ()  # in an order of our own
    references: int = 0

    @property
    def item(self) -> str | None:
        """The item that is the main value; None for *some value*, *no value* and other types."""
        return self.main.item

    @property
    def place(self) -> str:
        """The value of P2677 that it carries, or nothing."""
        wanted = settings.WIKI.region
        return next((snak.value for snak in self.qualifiers if snak.property == wanted), "")


def read_statements(statements: Node) -> Statements:
    """All statements of a file, by property. Each has to be readable: whoever can't read one can't
    say what the file says."""
    return {
        prop: [read_statement(each) for each in some.items()]
        for prop, some in statements.fields().items()
    }


def read_statement(statement: Node) -> Statement:
    """One statement, of the wiki or as we send it. What the wiki adds by itself (hashes,
    `numeric-id`) says nothing."""
    qualifiers = [
        _read_snak(snak)
        for snaks in statement["qualifiers"].fields().values()
        for snak in snaks.items()
    ]
    return Statement(
        statement["id"].text("", longest=255),
        _read_snak(statement["mainsnak"]),
        statement["rank"].text("normal", longest=20),
        tuple(sorted(qualifiers, key=repr)),
        len(statement["references"].items()),
    )


def _read_snak(snak: Node) -> Snak:
    kind, prop = snak["snaktype"].text(longest=20), snak["property"].text(longest=20)
    value = snak["datavalue"]["value"]
    if isinstance(value.value, str):
        return Snak(kind, prop, value=value.value)
    if value.is_missing:
        return Snak(kind, prop)
    if "id" in value:
        return Snak(kind, prop, item=value["id"].text(longest=20))
    if "numeric-id" in value:
        return Snak(kind, prop, item=f"Q{value['numeric-id'].integer()}")
    return Snak(kind, prop, value=json.dumps(value.value, sort_keys=True))


def depicts(guid: str, qid: str, place: str | None) -> Json:
    """P180 = `qid`, normal rank; `place` becomes the qualifier P2677 of the same edit."""
    wiki = settings.WIKI
    statement: Json = {
        "type": "statement",
        "mainsnak": {
            "snaktype": "value",
            "property": wiki.depicts,
            "datavalue": {
                "type": "wikibase-entityid",
                "value": {"entity-type": "item", "numeric-id": int(qid[1:]), "id": qid},
            },
        },
        "rank": "normal",
        "id": guid,
    }
    if place:
        snak = {
            "snaktype": "value",
            "property": wiki.region,
            "datavalue": {"type": "string", "value": place},
        }
        statement["qualifiers"] = {wiki.region: [snak]}
        statement["qualifiers-order"] = [wiki.region]
    return statement


def place_of(region: Region) -> str | None:
    """`pct:left,top,width,height` of a face, in per cent of the upright picture.

    None for a photo as a whole. Edges are rounded, not sides, so that no box leaves the picture.
    """
    if region.origin == Region.Origin.PHOTO:
        return None
    (left, width), (top, height) = _span(region.x, region.w), _span(region.y, region.h)
    return "pct:" + ",".join(f"{side / 10:.1f}" for side in (left, top, width, height))


def _span(start: float, length: float) -> tuple[int, int]:
    """Start and length in tenths of a per cent, inside the picture and at least one long."""
    first, last = (round(1000 * min(max(edge, 0.0), 1.0)) for edge in (start, start + length))
    first = min(first, 999)
    return first, max(last - first, 1)


def batch_mark(code: str) -> str:
    """How EditGroups recognises a batch in a summary; unique to this batch."""
    return f"[[:toolforge:editgroups-commons/b/{settings.TOOL_NAME}/{code}|details]]"


def summary(template: str, person: Person, code: str, how: str = "") -> str:
    """What stands in each edit's summary after the wiki's own words; `template` is a setting, and
    `how` one, too: the machine's part in what is added.

    The wiki cuts long summaries at their end, where the mark stands: so names are cut instead,
    between two letters. A name can't be more than a name there: see `_MARKUP`.
    """
    mark = batch_mark(code)
    room = SUMMARY_BYTES - len(template.format(person="", how=how, batch=mark).encode())
    name = plain(_MARKUP.sub(" ", plain(person.label()))) or person.qid
    short = name[:100].encode()[: max(room, 0)].decode(errors="ignore").strip()
    return template.format(person=short, how=how, batch=mark)


def depicted(statements: Statements | None) -> list[Statement]:
    """The depicts statements of a file; none for a file without structured data."""
    return (statements or {}).get(settings.WIKI.depicts, [])


def with_guid(statements: Statements | None, guid: str) -> Statement | None:
    """The statement that we wrote under `guid`, whatever became of it."""
    return next((each for each in depicted(statements) if each.guid == guid), None)


def says(statements: Statements | None, qid: str) -> bool:
    """Whether a statement of equal main value is there, anybody's, with any qualifiers."""
    return any(each.item == qid for each in depicted(statements))


def same(written: Json, found: Statement) -> bool:
    """Whether a statement that the wiki has is as we wrote it: its value, rank, qualifiers, and no
    references."""
    return replace(read_statement(Node(written)), guid="") == replace(found, guid="")


def place_in(written: Json) -> str:
    """The value of P2677 that we wrote, or nothing."""
    return read_statement(Node(written)).place
