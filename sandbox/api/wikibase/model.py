"""Snaks and statements: reading what clients send, hashing, and showing.

Hashes are computed as Wikibase DataModel does (SHA-1 of PHP's serialisation), so equal values
have the hash here that they have on the real wiki.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from sandbox.api.errors import ApiError, internal_error, wikibase_error
from sandbox.world import World

Json = dict[str, Any]

ENTITY_ID = re.compile(r"^(?:([MQP])([1-9]\d*))$", re.IGNORECASE)
GUID = re.compile(
    r"^[MQP][1-9]\d*\$[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", re.IGNORECASE
)
RANKS = ("deprecated", "normal", "preferred")
SNAK_TYPES = ("value", "somevalue", "novalue")
# Data type of a property → type of its values.
VALUE_TYPES = {
    "wikibase-item": "wikibase-entityid", "wikibase-property": "wikibase-entityid",
    "time": "time", "quantity": "quantity", "globe-coordinate": "globecoordinate",
    "monolingualtext": "monolingualtext",
}  # fmt: skip
MAX_STRING = 400


def entity_id(text: str) -> str | None:
    """The id in its canonical form (`m20` → `M20`), or None."""
    match = ENTITY_ID.match(text)
    return f"{match[1].upper()}{match[2]}" if match else None


def data_type(world: World, prop: str) -> str | None:
    """A property's data type, or None when there is no such property."""
    entity = world.entity("wikidata", prop) if prop.startswith("P") else None
    return str(entity["datatype"]) if entity else None


# ------------------------------------------------------------------------------------ hashing


def _php(class_name: str, data: str) -> str:
    return f'C:{len(class_name.encode())}:"{class_name}":{len(data.encode())}:{{{data}}}'


def snak_hash(snak: Json) -> str:
    """The hash of a snak, `hash` and `datatype` left out of account."""
    prop = snak["property"]
    kind = {"value": "Value", "somevalue": "SomeValue", "novalue": "NoValue"}[snak["snaktype"]]
    data = prop
    if kind == "Value":
        value = _php_value(snak["datavalue"])
        data = f'a:2:{{i:0;s:{len(prop)}:"{prop}";i:1;{value}}}'
    text = _php(f"Wikibase\\DataModel\\Snak\\Property{kind}Snak", data)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _php_value(datavalue: Json) -> str:
    value, kind = datavalue["value"], datavalue["type"]
    if kind == "string":
        return _php("DataValues\\StringValue", value)
    if kind == "wikibase-entityid":
        name = "ItemId" if value["id"].startswith("Q") else "NumericPropertyId"
        inner = _php(f"Wikibase\\DataModel\\Entity\\{name}", value["id"])
        return _php("Wikibase\\DataModel\\Entity\\EntityIdValue", inner)
    if kind == "time":
        keys = ("time", "timezone", "before", "after", "precision", "calendarmodel")
        text = json.dumps([value[key] for key in keys], separators=(",", ":"))
        return _php("DataValues\\TimeValue", text.replace("/", "\\/"))
    return json.dumps(datavalue, sort_keys=True)


def reference_hash(reference: Json) -> str:
    """The hash of a reference: over the sorted hashes of its snaks."""
    hashes = sorted(snak_hash(snak) for group in reference["snaks"].values() for snak in group)
    return hashlib.sha1("|".join(hashes).encode(), usedforsecurity=False).hexdigest()


# ------------------------------------------------------------------------------------- showing


def show_snak(world: World, snak: Json, *, typed: bool) -> Json:
    """A snak with its hash, and with its data type where that is told."""
    shown: Json = {
        "snaktype": snak["snaktype"],
        "property": snak["property"],
        "hash": snak_hash(snak),
    }
    if snak["snaktype"] == "value":
        shown["datavalue"] = snak["datavalue"]
    if typed:
        shown["datatype"] = data_type(world, snak["property"]) or "string"
    return shown


def show_snaks(world: World, groups: Json, *, typed: bool) -> Json:
    """Snaks by property."""
    return {
        prop: [show_snak(world, snak, typed=typed) for snak in snaks]
        for prop, snaks in groups.items()
    }


def show_statement(world: World, statement: Json, *, typed: bool) -> Json:
    """A statement as the API shows it."""
    shown: Json = {
        "mainsnak": show_snak(world, statement["mainsnak"], typed=typed),
        "type": "statement",
    }
    if statement.get("qualifiers"):
        shown["qualifiers"] = show_snaks(world, statement["qualifiers"], typed=typed)
        shown["qualifiers-order"] = list(statement["qualifiers"])
    shown["id"] = statement["id"]
    shown["rank"] = statement.get("rank", "normal")
    if statement.get("references"):
        shown["references"] = [
            {
                "hash": reference_hash(reference),
                "snaks": show_snaks(world, reference["snaks"], typed=typed),
                "snaks-order": list(reference["snaks"]),
            }
            for reference in statement["references"]
        ]
    return shown


def show_statements(world: World, groups: Json, *, typed: bool) -> Json:
    """Statements by property."""
    return {
        prop: [show_statement(world, statement, typed=typed) for statement in statements]
        for prop, statements in groups.items()
        if statements
    }


# ------------------------------------------------------------------------------------- reading


def _deserializers(name: str) -> ApiError:
    return internal_error(f"Deserializers\\Exceptions\\{name}")


def read_snak(raw: Any) -> Json:
    """A snak of a client's JSON. Malformed ones look like a fault of the server, as there."""
    if not isinstance(raw, dict) or "snaktype" not in raw:
        raise _deserializers("MissingTypeException")
    if raw["snaktype"] not in SNAK_TYPES:
        raise _deserializers("UnsupportedTypeException")
    if "property" not in raw:
        raise _deserializers("MissingAttributeException")
    prop = entity_id(str(raw["property"]))
    if prop is None or not prop.startswith("P"):
        raise _deserializers("InvalidAttributeException")
    snak: Json = {"snaktype": raw["snaktype"], "property": prop}
    if raw["snaktype"] == "value":
        if "datavalue" not in raw:
            raise _deserializers("MissingAttributeException")
        snak["datavalue"] = read_datavalue(raw["datavalue"])
    return snak


def read_datavalue(raw: Any) -> Json:
    """A data value; an id in it is made whole. What cannot be read gets the key `error`."""
    if not isinstance(raw, dict) or "type" not in raw or "value" not in raw:
        raise _deserializers("MissingAttributeException")
    kind, value = raw["type"], raw["value"]
    if kind != "wikibase-entityid":
        return {"value": value, "type": kind}
    text = ""
    if isinstance(value, dict):
        text = str(value.get("id") or "")
        if not text and "numeric-id" in value:
            letter = "P" if value.get("entity-type") == "property" else "Q"
            text = f"{letter}{value['numeric-id']}"
    whole = entity_id(text)
    if whole is None:
        told = f"Can not parse id '{text}' to build EntityIdValue with"
        return {"value": value, "type": kind, "error": told}
    type_name = {"Q": "item", "P": "property", "M": "mediainfo"}[whole[0]]
    full = {"entity-type": type_name, "numeric-id": int(whole[1:]), "id": whole}
    return {"value": full, "type": kind}


def read_snaks(raw: Any, order: Any = None) -> Json:
    """Snaks by property, from an object by property or from a plain list."""
    listed = raw if isinstance(raw, list) else [snak for group in raw.values() for snak in group]
    groups: Json = {}
    for prop in order or []:
        groups[prop] = []
    for snak in map(read_snak, listed):
        groups.setdefault(snak["property"], []).append(snak)
    return {prop: snaks for prop, snaks in groups.items() if snaks}


def read_statement(raw: Any) -> Json:
    """A statement of a client's JSON, without looking whether it may stand on the entity."""
    if not isinstance(raw, dict) or "type" not in raw:
        raise _deserializers("MissingTypeException")
    if raw["type"] not in ("statement", "claim"):
        raise _deserializers("UnsupportedTypeException")
    if "mainsnak" not in raw:
        raise _deserializers("MissingAttributeException")
    statement: Json = {"mainsnak": read_snak(raw["mainsnak"]), "type": "statement"}
    if raw.get("qualifiers"):
        statement["qualifiers"] = read_snaks(raw["qualifiers"], raw.get("qualifiers-order"))
    if "id" in raw:
        statement["id"] = str(raw["id"])
    rank = raw.get("rank", "normal")
    if rank not in RANKS:
        raise _deserializers("DeserializationException")
    statement["rank"] = rank
    if raw.get("references"):
        statement["references"] = [
            {"snaks": read_snaks(reference.get("snaks", {}), reference.get("snaks-order"))}
            for reference in raw["references"]
        ]
    return statement


# ---------------------------------------------------------------------------------- validating


def failed(text: str, name: str = "wikibase-api-modification-failed", *more: Any) -> ApiError:
    """A change that Wikibase's validators or change operations refuse."""
    return wikibase_error("modification-failed", name, text, *(more or (text,)))


def validate_statement(world: World, statement: Json) -> None:
    """Refuses values that their property does not take, or that do not exist."""
    validate_snak(world, statement["mainsnak"])
    for snaks in (statement.get("qualifiers") or {}).values():
        for snak in snaks:
            validate_snak(world, snak)
    for reference in statement.get("references") or []:
        for snaks in reference["snaks"].values():
            for snak in snaks:
                validate_snak(world, snak)


def validate_snak(world: World, snak: Json) -> None:
    """See `validate_statement`."""
    prop = snak["property"]
    kind = data_type(world, prop)
    if kind is None:
        link = f"[[d:Special:EntityPage/{prop}|{prop}]]"
        raise failed(f"Property {link} not found", "wikibase-validator-no-such-property", link)
    if snak["snaktype"] != "value":
        return
    value = snak["datavalue"]
    if "error" in value:
        told = f"Data value corrupt: {value['error']}"
        raise failed(told, "wikibase-validator-bad-value", value["error"])
    expected = VALUE_TYPES.get(kind, "string")
    if value["type"] != expected:
        told = f"Bad value type {value['type']}, expected {expected}"
        raise failed(told, "wikibase-validator-bad-value-type", value["type"], expected)
    if expected == "wikibase-entityid":
        _validate_item(world, value["value"], kind)
    elif expected == "string":
        _validate_string(value["value"])


def _validate_item(world: World, value: Json, kind: str) -> None:
    wanted = "item" if kind == "wikibase-item" else "property"
    if value["entity-type"] != wanted:
        told = f"Unexpected entity type {value['entity-type']}"
        raise failed(told, "wikibase-validator-bad-entity-type", value["entity-type"])
    if world.entity_page("wikidata", value["id"]) is None:
        link = f"[[d:Special:EntityPage/{value['id']}|{value['id']}]]"
        raise failed(f"{link} not found", "wikibase-validator-no-such-entity", link)


def _validate_string(text: Any) -> None:
    if not isinstance(text, str):
        told = "Bad value type"
        raise failed(told, "wikibase-validator-bad-value-type", "unknown", "string")
    if not text:
        told = "Must be at least one character long"
        raise failed(told, "wikibase-validator-too-short", "1", "")
    if len(text) > MAX_STRING:
        told = f"Must be no more than {MAX_STRING} characters long"
        raise failed(told, "wikibase-validator-too-long", str(MAX_STRING), text[:29] + "...")
    if text != text.strip() or re.search(r"[\t\n\v\f\r]", text):
        told = (
            "String should not start or end with whitespace nor include vertical whitespace or"
            f" tabs: {text}"
        )
        raise failed(told, "wikibase-validator-illegal-string-chars", text)
