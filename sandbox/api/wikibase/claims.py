"""wbsetclaim, wbcreateclaim, wbremoveclaims."""

from __future__ import annotations

import json
import uuid
from typing import Any

from sandbox.api.call import Call, Json
from sandbox.api.errors import ApiError, wikibase_error
from sandbox.api.wikibase import model, saving
from sandbox.indexes import statement_groups

_LINK = "[[d:Special:EntityPage/{0}]]"


def _value_text(snak: Json) -> str:
    if snak["snaktype"] != "value":
        return {"somevalue": "unknown value", "novalue": "no value"}[snak["snaktype"]]
    value = snak["datavalue"]["value"]
    if isinstance(value, dict):
        return _LINK.format(value["id"]) if "id" in value else str(value.get("time", value))
    return str(value)


def _summary(key: str, snaks: list[Json]) -> str:
    listed = ", ".join(f"{_LINK.format(snak['property'])}: {_value_text(snak)}" for snak in snaks)
    return f"/* {key} */ {listed}"


def _invalid_claim(text: str) -> ApiError:
    return wikibase_error("invalid-claim", "wikibase-api-invalid-claim", text, text)


def _invalid_guid() -> ApiError:
    return wikibase_error("invalid-guid", "wikibase-api-invalid-guid", "Invalid claim guid.")


def wbsetclaim(call: Call) -> Json:
    """Sets a whole statement under the GUID that the client chose."""
    params = call.params(call.module)
    params.known("bot", "baserevid", "summary", "tags")
    text = params.required("claim")
    ignore_duplicate = params.given("ignoreduplicatemainsnak")
    index = params.integer("index") if params.given("index") else None
    try:
        raw = json.loads(text)
    except ValueError:
        told = "Failed to get claim from claim Serialization Failed to get statement from"
        raise _invalid_claim(f"{told} Serialization") from None
    statement = model.read_statement(raw)
    guid = statement.get("id")
    if not guid:
        raise _invalid_claim("GUID must be set when setting a claim")
    if guid.count("$") != 1 or model.entity_id(guid.split("$")[0]) is None:
        raise _invalid_claim("$serialization does not have the correct number of parts")
    entity_id = model.entity_id(guid.split("$")[0])
    assert entity_id
    target = saving.load(call, entity_id)
    if ignore_duplicate and _has_equal(target.base_entity, statement):
        told = "Duplicate main snak detected. Statement not added."
        call.warn(call.module, "wikibase-setclaim-warning-duplicatemainsnak", told)
        return {}
    if not model.GUID.match(guid):
        raise model.failed("Statement does not have a valid GUID")
    before = saving.find(target.base_entity, guid)
    if before and before["mainsnak"]["property"] != statement["mainsnak"]["property"]:
        old, new = before["mainsnak"]["property"], statement["mainsnak"]["property"]
        raise model.failed(f"Claim with GUID {guid} uses property {old}, can't change to {new}")
    model.validate_statement(call.world, statement)
    key = "wbsetclaim-update:2||1|1" if before else "wbsetclaim-create:2||1"
    revision = saving.save(
        call,
        target,
        lambda entity: saving.put(entity, statement, index),
        _summary(key, [statement["mainsnak"]]),
    )
    return _saved(call, revision, statement)


def _has_equal(entity: Json, statement: Json) -> bool:
    wanted = model.snak_hash(statement["mainsnak"])
    siblings = statement_groups(entity).get(statement["mainsnak"]["property"], [])
    return any(model.snak_hash(other["mainsnak"]) == wanted for other in siblings)


def _saved(call: Call, revision: int, statement: Json) -> Json:
    return {
        "pageinfo": {"lastrevid": revision},
        "success": 1,
        "claim": model.show_statement(call.world, statement, typed=True),
    }


def wbcreateclaim(call: Call) -> Json:
    """Adds a statement with a GUID of the server's; the same value again makes a duplicate."""
    params = call.params(call.module)
    params.known("bot", "baserevid", "summary", "tags")
    entity_id = params.required("entity")
    prop_text, value = params.required("property"), params.text("value")
    params.required("snaktype")
    kind = params.choice("snaktype", model.SNAK_TYPES, "value")
    whole = model.entity_id(entity_id)
    prop = model.entity_id(prop_text)
    if whole is None or prop is None:
        text = "Invalid entity ID."
        raise wikibase_error("invalid-entity-id", "wikibase-api-invalid-entity-id", text)
    if not prop.startswith("P"):
        text = "Invalid Property ID."
        raise wikibase_error("param-illegal", "wikibase-api-invalid-property-id", text)
    if kind == "value" and not value:
        text = "A value needs to be provided when creating a claim with PropertyValueSnak snak."
        raise wikibase_error("param-missing", "wikibase-api-claim-value-missing", text)
    target = saving.load(call, whole)
    snak = _new_snak(call, prop, kind, value)
    model.validate_snak(call.world, snak)
    guid = f"{whole}${str(uuid.uuid4()).upper()}"
    statement = {"mainsnak": snak, "type": "statement", "id": guid, "rank": "normal"}
    revision = saving.save(
        call,
        target,
        lambda entity: saving.put(entity, statement),
        _summary("wbcreateclaim-create:1|", [snak]),
    )
    return _saved(call, revision, statement)


def _new_snak(call: Call, prop: str, kind: str, value: str) -> Json:
    data_type = model.data_type(call.world, prop)
    if data_type is None:
        text = 'Could not find an entity with the ID "$1".'
        raise wikibase_error("no-such-entity", "wikibase-api-no-such-entity", text)
    snak: Json = {"snaktype": kind, "property": prop}
    if kind != "value":
        return snak
    expected = model.VALUE_TYPES.get(data_type, "string")
    try:
        parsed: Any = json.loads(value)
    except ValueError:
        parsed = None
    fits = isinstance(parsed, str if expected == "string" else dict)
    found = model.read_datavalue({"type": expected, "value": parsed}) if fits else {}
    if not fits or "error" in found:
        raise wikibase_error("invalid-snak", "wikibase-api-invalid-snak", "Invalid snak data.")
    return {**snak, "datavalue": found}


def wbremoveclaims(call: Call) -> Json:
    """Removes statements of one entity by GUID: all of them or none."""
    params = call.params(call.module)
    params.known("bot", "baserevid", "summary", "tags")
    params.required("claim")
    guids = params.values("claim")
    owners = {guid.split("$")[0] for guid in guids}
    if not all(model.GUID.match(guid) for guid in guids) or len(owners) != 1:
        raise _invalid_guid()
    entity_id = model.entity_id(owners.pop())
    assert entity_id
    target = saving.load(call, entity_id)
    found = [saving.find(target.base_entity, guid) for guid in guids]
    snaks = [statement["mainsnak"] for statement in found if statement]
    if len(snaks) < len(guids):
        raise _invalid_guid()

    def remove(entity: Json) -> None:
        for guid in guids:
            saving.drop(entity, guid)

    key = f"wbremoveclaims-remove:{len(guids)}|"
    revision = saving.save(call, target, remove, _summary(key, snaks))
    return {"pageinfo": {"lastrevid": revision}, "success": 1, "claims": guids}
