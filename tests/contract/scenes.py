"""The state in which each recording was made.

Most of it follows from the recordings: whoever looks at revision 90 of a file needs the recorded
edits of that file below 90. Edits that were made and not recorded, and what had been configured,
stand here.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from fnmatch import fnmatch
from functools import cache, partial
from typing import Any

from sandbox.api.wikibase import saving
from sandbox.records import Block
from sandbox.world import World
from tests.contract.recorded_world import page
from tests.contract.replay import Player, Recording, load, replayable

Json = dict[str, Any]
BASE = 70  # the last revision before the first recorded edit

# Recordings that changed nothing; they tell the revision that was there already.
NO_OPS = {
    "wikibase/setclaim-same-guid-same-content-again",
    "wikibase/setclaim-same-again-with-current-baserevid",
    "wikibase/conflict-3-another-user-already-made-exactly-this-change-no-baserevid",
    "wikibase/editentity-no-change",
    "wikibase/editentity-key-statements-instead-of-claims",
    "undo/tag-nothing-changed-no-tag",
}
# Reads and refusals: after which revision they were made (pattern: page id, revision).
AFTER: list[tuple[str, int, int]] = [
    ("wikibase/setclaim-ignoreduplicatemainsnak-equal-present*", 13, 92),
    ("wikibase/setclaim-ignoreduplicatemainsnak-same-guid-*", 13, 93),
    ("wikibase/setclaim-state-after-duplicates", 13, 93),
    ("wikibase/setclaim-*", 13, 86),
    ("wikibase/createclaim-*", 17, 76),
    ("wikibase/conflict-1-state-after", 11, 106),
    ("wikibase/conflict-3-*", 11, 109),
    ("wikibase/conflict-4-state-after", 11, 111),
    ("wikibase/conflict-5-state-after", 11, 117),
    ("wikibase/conflict-6-*", 11, 118),
    ("wikibase/conflict-9-*", 2, 122),
    ("wikibase/removeclaims-already-removed", 21, 140),
    ("wikibase/removeclaims-one-present-one-gone", 21, 141),
    ("wikibase/removeclaims-*", 21, 142),
    ("wikibase/get*-after-last-statement-removed*", 23, 146),
    ("wikibase/editentity-error-*", 29, 147),
    ("wikibase/editentity-remove-a-statement-already-gone", 29, 148),
    ("wikibase/editentity-*", 29, 148),
    ("wikibase/getentities-many-with-claims-only", 0, 162),
    ("refusals/blocked-info-testactions", 29, 151),
    ("refusals/blocked-*", 34, 156),
    ("refusals/ratelimit-*", 34, 156),
    ("refusals/race-parallel-statements-on-one-file-result", 15, 161),
    ("refusals/race-parallel-first-statements-on-a-file-without-data-result", 27, 162),
    ("undo/claims-after-undo-of-*", 36, 165),
    ("undo/claims-after-undo-conflict", 36, 167),
    ("undo/claims-after-undo-range", 36, 169),
    ("undo/revisions-file-without-mediainfo", 5, 123),
    ("undo/revisions-by-own-tag", 34, 186),
    ("undo/revisions-*", 36, 165),
    ("undo/compare-*", 36, 165),
    ("undo/edit-undo-statement-changed-by-another-user-since", 36, 167),
    ("undo/edit-undo-of-an-already-removed-statement", 36, 175),
    ("undo/edit-undo-range-undoafter", 36, 169),
    ("undo/edit-undo-with-stale-baserevid", 36, 171),
    ("undo/edit-undo-formatversion1", 36, 171),
    ("undo/edit-undo-bad-token", 36, 171),
    ("undo/edit-undo-*", 36, 165),
    ("undo/edit-text-*", 36, 165),
    ("undo/wbremoveclaims-as-undo-again", 36, 172),
    ("undo/tag-two-one-unknown", 34, 186),
    ("undo/*-by-own-tag", 34, 186),
    ("undo/*", 36, 178),
]


def statement(guid: str, item: str, **more: Any) -> Json:
    """A plain depicts statement."""
    value = {"entity-type": "item", "numeric-id": int(item[1:]), "id": item}
    snak = {
        "snaktype": "value",
        "property": "P180",
        "datavalue": {"value": value, "type": "wikibase-entityid"},
    }
    return {"mainsnak": snak, "type": "statement", "id": guid, "rank": "normal", **more}


def put(world: World, page_id: int, new: Json, user: str = "OtherUser", comment: str = "") -> None:
    """Another user sets a statement."""
    _change(world, page_id, lambda entity: saving.put(entity, new), user, comment)


def drop(world: World, page_id: int, guid: str, user: str = "OtherUser") -> None:
    """Another user removes a statement."""
    _change(world, page_id, lambda entity: saving.drop(entity, guid), user)


def _change(
    world: World, page_id: int, change: Callable[[Json], None], user: str, comment: str = ""
) -> None:
    file = page(world, page_id)
    empty: Json = {"type": "mediainfo", "labels": {}, "descriptions": {}, "statements": {}}
    entity = copy.deepcopy(world.current(file).entity) or empty
    change(entity)
    world.save_entity(file, entity, user=user, comment=comment)


def _box(text: str) -> Json:
    snak = {"snaktype": "value", "property": "P2677",
            "datavalue": {"value": text, "type": "string"}}  # fmt: skip
    return {"P2677": [snak]}


M11 = "M11$bbbbbbbb-0000-4000-8000-0000000000{0}"
M21 = "M21$cccccccc-0000-4000-8000-000000000{0}"
M36 = "M36$ffffffff-0000-4000-8000-00000000000{0}"


def _touch(world: World, page_id: int) -> None:
    text = world.current(page(world, page_id)).wikitext
    world.save_text(page(world, page_id), text + "\n", user="OtherUser")


def _update_36(world: World, key: str, new: Json) -> None:
    item = new["mainsnak"]["datavalue"]["value"]["id"]
    comment = f"/* {key} */ [[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{item}]]"
    put(world, 36, new, "Uploader", comment)


# Edits that nobody recorded: revision → (page id, what was done).
UNRECORDED: dict[int, tuple[int, Callable[[World], None]]] = {
    105: (11, lambda w: put(w, 11, statement(M11.format("01"), "Q84"))),
    107: (11, lambda w: put(w, 11, statement(M11.format("01"), "Q111"))),
    109: (11, lambda w: put(w, 11, statement(M11.format("01"), "Q5"))),
    110: (
        11,
        lambda w: put(w, 11, statement(M11.format("01"), "Q5", qualifiers=_box("pct:5,5,5,5"))),
    ),
    112: (11, lambda w: put(w, 11, statement(M11.format("09"), "Q515"))),
    114: (11, lambda w: put(w, 11, statement(M11.format("10"), "Q84"))),
    116: (11, lambda w: put(w, 11, statement(M11.format("12"), "Q12280"))),
    118: (11, lambda w: drop(w, 11, M11.format("01"))),
    120: (11, lambda w: _touch(w, 11)),
    122: (
        2,
        lambda w: put(w, 2, statement("M2$9f29f616-66cf-4682-a9ae-9fe325a523d9", "Q42")),
    ),
    135: (21, lambda w: put(w, 21, statement(M21.format(100), "Q42"))),
    136: (21, lambda w: put(w, 21, statement(M21.format(101), "Q5"))),
    137: (21, lambda w: put(w, 21, statement(M21.format(102), "Q146"))),
    138: (21, lambda w: put(w, 21, statement(M21.format(103), "Q84"))),
    139: (21, lambda w: put(w, 21, statement(M21.format(104), "Q571"))),
    143: (
        21,
        lambda w: put(w, 21, statement(M21.format(104), "Q571", qualifiers=_box("pct:1,1,1,1"))),
    ),
    145: (
        23,
        lambda w: put(w, 23, statement("M23$cccccccc-0000-4000-8000-000000000900", "Q42")),
    ),
    151: (29, lambda w: _change(w, 29, lambda entity: entity["labels"].clear(), "ExampleUser")),
    167: (36, lambda w: _update_36(w, "wbsetclaim-update:2||1", statement(M36.format(3), "Q5"))),
    174: (
        36,
        lambda w: _update_36(
            w,
            "wbsetclaim-update:2||1|1",
            statement(M36.format(8), "Q12280", qualifiers=_box("pct:2,2,2,2")),
        ),
    ),
}


def page_of(recording: Recording) -> int:
    """The page that an edit concerns, 0 when that does not follow from the request."""
    form = recording.parameters
    named = str(form.get("entity") or form.get("id") or "")
    claim = str(form.get("claim", ""))
    if claim.startswith("{"):
        named = str(json.loads(claim).get("id", ""))
    elif claim:
        named = claim
    number = named.split("$")[0][1:]
    if number.isdigit():
        return int(number)
    return 36 if "Undo playground" in str(form.get("title", "")) else 0


@cache
def _history() -> list[tuple[int, int, str]]:
    """(revision, page id, recording) of every recorded edit, in order."""
    made = []
    for name in replayable():
        recording = load(name)
        if recording.revision and name not in NO_OPS:
            made.append((recording.revision, page_of(recording), name))
    return sorted(made)


def _place(recording: Recording) -> tuple[int, int]:
    """(page id, last revision) that must be there before the recording."""
    if recording.revision and recording.name in NO_OPS:
        return page_of(recording), recording.revision
    if recording.revision:
        return page_of(recording), recording.revision - 1
    for pattern, page_id, revision in AFTER:
        if fnmatch(recording.name, pattern):
            return page_id, revision
    return 0, BASE


def prepare(recording: Recording, player: Player) -> AbstractContextManager[None]:
    """Brings the world to where it was; the context lasts as long as the request."""
    world = player.running.world
    if "ratelimit-" in recording.name:
        world.set("ratelimit:LimitedUser", "2/20")
    page_id, last = _place(recording)
    _play_history(player, page_id, last)
    own = recording.revision
    if own and recording.name not in NO_OPS:
        world.set("revision:commons", str(own - 1))
    for pattern, configure in CONFIGURED:
        if fnmatch(recording.name, pattern):
            found = configure(player)
            return found if found is not None else nullcontext()
    return nullcontext()


def _play_history(player: Player, page_id: int, last: int) -> None:
    world = player.running.world
    events: list[tuple[int, int, Any]] = [
        *((revision, where, name) for revision, where, name in _history()),
        *((revision, where, edit) for revision, (where, edit) in UNRECORDED.items()),
    ]
    for revision, where, event in sorted(events, key=lambda item: item[0]):
        if revision > last or (page_id and where != page_id) or last <= BASE:
            continue
        world.set("revision:commons", str(revision - 1))
        if isinstance(event, str):
            answer = player.play(load(event))
            body = answer.json()
            assert "error" not in body, (event, body)
            assert "errors" not in body, (event, body)
        else:
            event(world)


def _delete_31(player: Player) -> None:
    world = player.running.world
    world.delete(page(world, 31), user="Admin", comment="test")


def _undelete_31(player: Player) -> None:
    _delete_31(player)
    world = player.running.world
    gone = world.deleted_page("commons", "File:Series 03.jpg")
    assert gone
    world.undelete(gone, user="Admin")


def _move_31(player: Player) -> None:
    _undelete_31(player)
    world = player.running.world
    world.set("revision:commons", "180")
    world.move(page(world, 31), "File:Series 03 renamed.jpg", user="Admin")


def _move_15(player: Player) -> None:
    world = player.running.world
    world.set("revision:commons", "182")
    world.move(page(world, 15), "File:Series 12 without redirect.jpg", user="Admin",
               comment="x", redirect=False)  # fmt: skip


def _lag(seconds: float) -> Callable[[Player], None]:
    return partial(_fault_now, "maxlag", lag=seconds)


def _dispatching(player: Player) -> None:
    player.running.faults.add("maxlag", lag=12, host="wikidatawiki", source="wikibase-dispatching")


def _fault(kind: str) -> Callable[[Player], None]:
    return partial(_fault_now, kind)


def _fault_now(kind: str, player: Player, **settings: Any) -> None:
    player.running.faults.add(kind, **settings)


def _autoblock(player: Player) -> None:
    block = Block(5, "Admin", 1, "Autoblocked", "2026-11-24T06:58:37Z", "2026-11-25T06:58:37Z",
                  auto=True)  # fmt: skip
    player.running.world.users.block("ExampleUser", block)


def _no_anonymous_edits(player: Player) -> None:
    player.running.world.set("anonymous_edits", "0")


def _collide(page_id: int) -> Callable[[Player], AbstractContextManager[None]]:
    """Somebody else saves the same file while the recorded edit is under way."""

    @contextmanager
    def meanwhile(player: Player) -> Any:
        world = player.running.world
        player.running.faults.add("slow-save", {"action": "wbsetclaim"}, seconds=0.3, times=1)
        guid = f"M{page_id}$00000000-0000-4000-8000-00000000abcd"
        other = threading.Timer(0.1, lambda: put(world, page_id, statement(guid, "Q84")))
        other.start()
        yield
        other.join()

    return meanwhile


CONFIGURED: list[tuple[str, Callable[[Player], AbstractContextManager[None] | None]]] = [
    ("wikibase/life-3-*", _delete_31),
    ("wikibase/life-4-*", _undelete_31),
    ("wikibase/life-5-*", _move_31),
    ("wikibase/life-6-*", _move_15),
    ("refusals/maxlag-*-wikibase-dispatching", _dispatching),
    ("refusals/maxlag-minus-one-*", lambda player: None),
    ("refusals/*maxlag-*", _lag(7.25)),
    ("refusals/readonly-*", _fault("readonly")),
    ("refusals/edit-refused-by-a-hook-*", _fault("hook")),
    ("refusals/autoblocked-*", _autoblock),
    ("refusals/anonymous-may-not-edit-*", _no_anonymous_edits),
    ("refusals/race-parallel-statements-on-one-file-1", _collide(15)),
    ("refusals/race-parallel-first-statements-on-a-file-without-data-[13]", _collide(27)),
]
