"""wbeditentity, as far as files need it: captions and statements, added, changed, removed."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any

from sandbox.api.call import Call, Json
from sandbox.api.errors import wikibase_error
from sandbox.api.wikibase import entities, model, saving
from sandbox.records import Page

MAX_CAPTION = 250


def wbeditentity(call: Call) -> Json:
    """Changes captions and statements at once. The key `statements` is silently ignored."""
    params = call.params(call.module)
    params.known("bot", "baserevid", "summary", "tags", "site", "title")
    if params.text("new"):
        kind = params.text("new")
        text = f"Cannot automatically assign ID: {kind} entities do not support automatic IDs!"
        name = "wikibase-api-no-automatic-entity-id"
        raise wikibase_error("no-automatic-entity-id", name, text, text)
    clear = params.given("clear")
    data: Json = json.loads(params.required("data"))
    whole = model.entity_id(params.required("id"))
    if whole is None:
        text = "Invalid entity ID."
        raise wikibase_error("invalid-entity-id", "wikibase-api-invalid-entity-id", text)
    target = saving.load(call, whole)
    changes = _statements(call, whole, data.get("claims") or [], target.base_entity, clear)
    captions = _captions(data.get("labels") or {})

    def change(entity: Json) -> None:
        if clear:
            entity.update(labels={}, descriptions={})
            saving.groups(entity).clear()
        entity.setdefault("labels", {})
        if not isinstance(entity["labels"], dict):
            entity["labels"] = {}
        for language, text in captions.items():
            if text:
                entity["labels"][language] = {"language": language, "value": text}
            else:
                entity["labels"].pop(language, None)
        for guid, statement in changes.items():
            if statement is None:
                saving.drop(entity, guid)
            else:
                saving.put(entity, statement)

    before = target.latest.id
    kind = "override:0|" if clear else "update:0|"
    revision = saving.save(call, target, change, f"/* wbeditentity-{kind} */ ")
    page = call.world.page_by_id(call.wiki, target.page.id)
    assert page
    return {"entity": _shown(call, page, whole, revision, before), "success": 1}


def _shown(call: Call, page: Page, entity_id: str, revision: int, before: int) -> Json:
    shown = entities.show_entity(call, entity_id, page, ["labels", "descriptions", "claims"], None)
    shown["lastrevid"] = revision
    if revision == before:
        shown["nochange"] = True
    return shown


def _captions(labels: Json) -> dict[str, str]:
    found = {}
    for language, term in labels.items():
        text = "" if "remove" in term else str(term.get("value", ""))
        if len(text) > MAX_CAPTION:
            told = f"Label must be no more than {MAX_CAPTION} characters long"
            name = "wikibase-validator-label-too-long"
            raise model.failed(told, name, str(MAX_CAPTION), text[:29] + "...")
        found[language] = text
    return found


def _statements(
    call: Call, entity_id: str, raw: Any, base: Json, clear: bool
) -> dict[str, Json | None]:
    listed = raw if isinstance(raw, list) else [one for group in raw.values() for one in group]
    changes: dict[str, Json | None] = {}
    for item in listed:
        guid = item.get("id")
        if "remove" in item:
            if saving.find(base, guid) is None:
                raise model.failed(f"Entity does not have statement with GUID {guid}")
            changes[guid] = None
            continue
        statement = model.read_statement(copy.deepcopy(item))
        statement.setdefault("id", f"{entity_id}${str(uuid.uuid4()).upper()}")
        model.validate_statement(call.world, statement)
        changes[statement["id"]] = statement
    return changes
