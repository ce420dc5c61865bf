"""Loading an entity to change it, and saving the change as Wikibase does."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.api import access
from sandbox.api.call import Call, Json
from sandbox.api.errors import (
    Entry,
    Message,
    edit_conflict,
    internal_error,
    save_refused,
    wikibase_error,
)
from sandbox.indexes import statement_groups
from sandbox.records import Page, Revision

MAX_COMMENT = 500


@dataclass
class Target:
    """An entity about to be changed: its page, the base revision and what is latest now."""

    page: Page
    entity_id: str
    base: Revision
    latest: Revision
    stale: bool

    @property
    def base_entity(self) -> Json:
        """A copy of the entity at the base revision, empty where there is none yet."""
        return copy.deepcopy(self.base.entity) if self.base.entity else _empty(self.entity_id)


def _empty(entity_id: str) -> Json:
    return {
        "type": "mediainfo", "id": entity_id, "labels": {}, "descriptions": {}, "statements": {},
    }  # fmt: skip


def groups(entity: Json) -> Json:
    """Property → statements of an entity, made a dict in place so that it can be changed."""
    key = "statements" if entity.get("type") == "mediainfo" or "statements" in entity else "claims"
    if not isinstance(entity.get(key), dict):
        entity[key] = {}
    found: Json = entity[key]
    return found


def find(entity: Json, guid: str) -> Json | None:
    """The statement of a GUID; case matters."""
    for statements in statement_groups(entity).values():
        for statement in statements:
            if statement["id"] == guid:
                found: Json = statement
                return found
    return None


def no_such_entity(entity_id: str) -> Exception:
    """The page is missing, deleted or no file."""
    text = "⧼no-such-entity⧽"
    return wikibase_error("no-such-entity", "no-such-entity", text, entity_id)


def load(call: Call, entity_id: str) -> Target:
    """The entity with the base revision that `baserevid` names (0 or none: the latest).

    Raises no-such-entity, nosuchrevid, or the refusal of an entity of the other wiki.
    """
    if call.wiki == "commons" and not entity_id.startswith("M"):
        raise _not_local(entity_id)
    page = call.world.entity_page(call.wiki, entity_id)
    if page is None or (call.wiki == "commons" and page.ns != 6):
        raise no_such_entity(entity_id)
    latest = call.world.current(page)
    number = call.params(call.module).integer("baserevid")
    if not number:
        return Target(page, entity_id, latest, latest, stale=False)
    base = call.world.revision(call.wiki, number)
    if base is None or base.page_id != page.id:
        text = "Revision with ID not found."
        raise wikibase_error("nosuchrevid", "wikibase-api-nosuchrevid", text)
    stale = base.id != latest.id
    if stale and base.entity is None and latest.entity is not None:
        raise internal_error("Wikibase\\Lib\\Store\\BadRevisionException")
    return Target(page, entity_id, base, latest, stale)


def _not_local(entity_id: str) -> Exception:
    kind = {"Q": "item", "P": "property"}.get(entity_id[0], "mediainfo")
    text = f"Entity type {kind} cannot be edited on this wiki."
    message = Message("wikibase-error-entity-not-local", [{"plaintext": kind}], text)
    entry = Entry("wikibase-error-entity-not-local", text)
    return save_refused([entry], [message], permission=False)


def save(call: Call, target: Target, change: Callable[[Json], None], summary: str) -> int:
    """Applies a change to the base and saves it; returns the page's latest revision id.

    Nothing is saved where nothing changes, but permission and rate limit are checked all the
    same. With a stale base the change is patched into the latest version, with a warning.
    """
    wanted = target.base_entity
    change(wanted)
    tags = access.check_tags(call)
    access.refuse_wikibase_save(call, target.page)
    if slow := call.fault("slow-save", target.page.title):
        time.sleep(slow.seconds)
    before = target.base_entity
    if wanted == before and (target.base.entity is not None or not statement_groups(wanted)):
        return target.latest.id
    if target.stale:
        wanted = _patched(target, before, wanted)
    if target.stale or call.fault("patched", target.page.title):
        call.warn(call.module, "wikibase-conflict-patched",
                  "Your edit was patched into the latest version.")  # fmt: skip
    comment = _comment(call, summary)
    with call.world.store.transaction():
        now_there = call.world.page_by_id(call.wiki, target.page.id)
        if now_there is None:
            raise no_such_entity(target.entity_id)
        if now_there.latest != target.latest.id:
            message = Message("edit-conflict", [], "Edit conflict.")
            entry = Entry("editconflict", "Edit conflict.")
            raise save_refused([entry], [message], permission=False)
        revision = call.world.save_entity(
            target.page,
            wanted,
            user=call.user_name,
            comment=comment,
            tags=access.own_tags(call) + tags,
        )
    return revision.id


def _comment(call: Call, summary: str) -> str:
    own = call.params(call.module).text("summary")
    return (f"{summary}, {own}" if own and summary.startswith("/*") else summary + own)[
        :MAX_COMMENT
    ]


def _by_guid(entity: Json) -> dict[str, Json]:
    return {
        statement["id"]: statement
        for statements in statement_groups(entity).values()
        for statement in statements
    }


def _patched(target: Target, before: Json, wanted: Json) -> Json:
    """The latest version with the difference between base and wanted applied.

    As recorded: what somebody else changed meanwhile is overwritten; what somebody removed, or
    made exactly so already, is an edit conflict.
    """
    current = copy.deepcopy(target.latest.entity) or _empty(target.entity_id)
    old, new, there = _by_guid(before), _by_guid(wanted), _by_guid(current)
    for guid in [guid for guid in old if guid not in new]:
        if guid not in there:
            raise edit_conflict()
        drop(current, guid)
    for guid, statement in new.items():
        if statement == old.get(guid):
            continue
        if there.get(guid) == statement or (guid in old and guid not in there):
            raise edit_conflict()
        put(current, statement)
    for key in ("labels", "descriptions"):
        if wanted.get(key) != before.get(key):
            current[key] = wanted[key]
    return current


def drop(entity: Json, guid: str) -> None:
    """Removes a statement."""
    for prop, statements in list(groups(entity).items()):
        kept = [statement for statement in statements if statement["id"] != guid]
        if kept:
            groups(entity)[prop] = kept
        else:
            del groups(entity)[prop]


def put(entity: Json, statement: Json, index: int | None = None) -> None:
    """Replaces the statement of the same GUID where it stands, or adds it."""
    siblings = groups(entity).setdefault(statement["mainsnak"]["property"], [])
    for position, other in enumerate(siblings):
        if other["id"] == statement["id"]:
            siblings[position] = statement
            return
    siblings.insert(len(siblings) if index is None else index, statement)
