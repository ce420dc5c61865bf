"""The exact statement that is sent, its summary, and finding statements in what a file has.

Data model: https://www.wikidata.org/wiki/Wikibase/DataModel/JSON. The wiki names the field
`statements` in answers and `claims` in requests; it is `[]` when empty, an object otherwise.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from crawler.models import Region
from projects.models import Person
from projects.texts import plain

# A summary may have 500 bytes; the wiki puts its own words before ours: what was done, with links
# to property and item.
SUMMARY_BYTES = 360
# What a wiki makes something of, in a summary or where one is quoted on a page: links, templates,
# tags, comments, signatures, tables, bold, and `/* … */`, by which the wiki says what was done.
_MARKUP = re.compile(r"[\[\]{}|<>]|/\*|\*/|~~+|''+|__+")

Statement = dict[str, Any]
Statements = dict[str, list[Statement]]


def depicts(guid: str, qid: str, place: str | None) -> Statement:
    """P180 = `qid`, normal rank; `place` becomes the qualifier P2677 of the same edit."""
    wiki = settings.WIKI
    statement: Statement = {
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


def place_in(statement: Statement) -> str:
    """The value of P2677 that a statement carries, or nothing."""
    for snak in (statement.get("qualifiers") or {}).get(settings.WIKI.region, ()):
        return str(snak.get("datavalue", {}).get("value", ""))
    return ""


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


def item_of(statement: Statement) -> str | None:
    """The item that is the main value; None for *some value*, *no value* and other types."""
    value = statement.get("mainsnak", {}).get("datavalue", {}).get("value")
    if not isinstance(value, dict):
        return None
    return value.get("id") or (f"Q{value['numeric-id']}" if "numeric-id" in value else None)


def with_guid(statements: Statements | None, guid: str) -> Statement | None:
    """The statement that we wrote under `guid`, whatever became of it."""
    return next((each for each in depicted(statements) if each.get("id") == guid), None)


def says(statements: Statements | None, qid: str) -> bool:
    """Whether a statement of equal main value is there, anybody's, with any qualifiers."""
    return any(item_of(each) == qid for each in depicted(statements))


def same(written: Statement, found: Statement) -> bool:
    """Whether a statement that the wiki has is as we wrote it: its value, rank, qualifiers, and no
    references. What the wiki adds by itself (hashes, `numeric-id`) says nothing."""
    return _meaning(written) == _meaning(found)


def _meaning(statement: Statement) -> dict[str, Any]:
    qualifiers = statement.get("qualifiers") or {}
    return {
        "mainsnak": _snak(statement.get("mainsnak") or {}),
        "rank": statement.get("rank", "normal"),
        "qualifiers": {
            name: sorted(repr(_snak(snak)) for snak in snaks) for name, snaks in qualifiers.items()
        },
        "references": len(statement.get("references") or ()),
    }


def _snak(snak: dict[str, Any]) -> tuple[Any, ...]:
    value = (snak.get("datavalue") or {}).get("value")
    if isinstance(value, dict):
        item = item_of({"mainsnak": snak})
        value = item or sorted(value.items())
    return snak.get("snaktype"), snak.get("property"), value
