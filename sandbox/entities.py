"""Builds entity JSON for the seed: snaks, statements, items, properties, mediainfo.

Snaks carry neither hash nor datatype here; the API adds them on the way out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

from sandbox.records import Json

ENTITY_URI = "http://www.wikidata.org/entity/"
GREGORIAN, JULIAN = ENTITY_URI + "Q1985727", ENTITY_URI + "Q1985786"
GREGORIAN_SINCE = 1583
HUMAN = "Q5"
# Languages in which a Latin-script name is written alike.
WIKIPEDIAS = ("enwiki", "dewiki", "frwiki", "eswiki", "nowiki", "jawiki", "plwiki", "arwiki")
SAME_NAME = ("en", "de", "fr", "es", "nb")
_IDS = uuid.UUID("6f1c2f0e-5d0b-4c0e-9a54-1d1a5a7d3b11")


def item_value(qid: str) -> Json:
    """The datavalue of an item."""
    value = {"entity-type": "item", "numeric-id": int(qid[1:]), "id": qid}
    return {"value": value, "type": "wikibase-entityid"}


def string_value(text: str) -> Json:
    """The datavalue of a string, a file name included."""
    return {"value": text, "type": "string"}


def time_value(text: str) -> Json:
    """The datavalue of a date whose form tells its precision.

    "1879-03-14" is a day (11), "1879-03" a month (10), "1879" a year (9), "1870s" a decade (8),
    "19th century" a century (7), written as the data model of Wikibase does.
    """
    if match := re.fullmatch(r"(\d+)(?:st|nd|rd|th) century", text):
        year, month, day, precision = int(match[1]) * 100, 0, 0, 7
    elif match := re.fullmatch(r"(\d+)s", text):
        year, month, day, precision = int(match[1]), 0, 0, 8
    else:
        parts = [int(part) for part in text.split("-")]
        year, month, day = (*parts, 0, 0)[:3]
        precision = 8 + len(parts)
    value = {
        "time": f"+{year:04}-{month:02}-{day:02}T00:00:00Z",
        "timezone": 0,
        "before": 0,
        "after": 0,
        "precision": precision,
        "calendarmodel": GREGORIAN if year >= GREGORIAN_SINCE else JULIAN,
    }
    return {"value": value, "type": "time"}


def snak(prop: str, datavalue: Json | None) -> Json:
    """A snak; `None` says that there is no value."""
    if datavalue is None:
        return {"snaktype": "novalue", "property": prop}
    return {"snaktype": "value", "property": prop, "datavalue": datavalue}


def statement(
    entity_id: str,
    prop: str,
    datavalue: Json | None,
    *,
    rank: str = "normal",
    qualifiers: Iterable[tuple[str, Json]] = (),
) -> Json:
    """A statement with an id that is the same on every start."""
    built: Json = {
        "mainsnak": snak(prop, datavalue),
        "type": "statement",
        "id": f"{entity_id}${uuid.uuid5(_IDS, f'{entity_id} {prop} {datavalue}')}",
        "rank": rank,
    }
    added = list(qualifiers)
    if added:
        built["qualifiers"] = {key: [snak(key, value)] for key, value in added}
        built["qualifiers-order"] = [key for key, _ in added]
    return built


def grouped(statements: Iterable[Json]) -> Json:
    """Statements by property, in the order given."""
    groups: Json = {}
    for one in statements:
        groups.setdefault(one["mainsnak"]["property"], []).append(one)
    return groups


def terms(values: dict[str, str]) -> Json:
    """Labels or descriptions, by language."""
    return {code: {"language": code, "value": text} for code, text in values.items()}


def item(qid: str, facts: dict[str, Any]) -> Json:
    """An item from its entry in `world.toml`."""
    name = facts.get("name")
    labels = dict.fromkeys(SAME_NAME, name) if name else {}
    aliases = [{"language": "en", "value": text} for text in facts.get("aliases", [])]
    return {
        "type": "item",
        "id": qid,
        "labels": terms({**labels, **facts.get("labels", {})}),
        "descriptions": terms(facts.get("descriptions", {})),
        "aliases": {"en": aliases} if aliases else {},
        "claims": grouped(_item_statements(qid, facts)),
        "sitelinks": _sitelinks(facts),
    }


def _sitelinks(facts: dict[str, Any]) -> Json:
    """The link to Commons, where the entry names a page there; and of a human to as many
    Wikipedias as the entry says, else to all that there are here."""
    titles = {"commonswiki": facts["sitelink"]} if "sitelink" in facts else {}
    if facts.get("human"):
        name = facts.get("name") or facts.get("labels", {}).get("en", "")
        wikis = WIKIPEDIAS[: facts.get("wikipedias", len(WIKIPEDIAS))] if name else ()
        titles |= dict.fromkeys(wikis, name)
    return {site: {"site": site, "title": title, "badges": []} for site, title in titles.items()}


def _item_statements(qid: str, facts: dict[str, Any]) -> Iterable[Json]:
    kind = HUMAN if facts.get("human") else facts.get("is_a")
    if kind:
        yield statement(qid, "P31", item_value(kind))
    for name in facts.get("image", []):
        yield statement(qid, "P18", string_value(name))
    for key, prop in (("born", "P569"), ("died", "P570")):
        if key in facts:
            yield statement(qid, prop, time_value(facts[key]))
    if "category" in facts:
        yield statement(qid, "P373", string_value(facts["category"]))
    for key, prop in (("on", "P585"), ("from", "P580"), ("until", "P582")):
        if key in facts:
            yield statement(qid, prop, time_value(facts[key]))
    for prop, values in facts.get("claims", {}).items():
        for value in values:
            yield statement(qid, prop, item_value(value))
    for prop in facts.get("novalue", []):
        yield statement(qid, prop, None)


def property_entity(pid: str, label: str, datatype: str) -> Json:
    """A property of that datatype."""
    return {
        "type": "property",
        "datatype": datatype,
        "id": pid,
        "labels": terms({"en": label}),
        "descriptions": {},
        "aliases": {},
        "claims": {},
    }


def mediainfo(mid: str, facts: dict[str, Any]) -> Json | None:
    """The structured data of a file, or None where its entry says nothing of it."""
    made = list(_file_statements(mid, facts))
    captions = facts.get("captions", {})
    if not made and not captions:
        return None
    return {
        "type": "mediainfo",
        "id": mid,
        "labels": terms(captions),
        "descriptions": {},
        "statements": grouped(made) or [],
    }


def _file_statements(mid: str, facts: dict[str, Any]) -> Iterable[Json]:
    for shown in facts.get("depicts", []):
        region = shown.get("region")
        yield statement(
            mid,
            "P180",
            item_value(shown["item"]),
            rank=shown.get("rank", "normal"),
            qualifiers=[("P2677", string_value(region))] if region else (),
        )
    for key, prop in (("status", "P6216"), ("licence", "P275"), ("represents", "P6243")):
        if key in facts:
            yield statement(mid, prop, item_value(facts[key]))
