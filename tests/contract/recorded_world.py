"""The world in which the recordings were made, as far as they show it.

Built from INDEX.md ("What is on the wikis") and the recordings themselves. As there, a file's
first revision has the number of its page, so that recorded revision ids fit.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.records import Block, Page
from sandbox.world import World

RECORDINGS = Path(__file__).parent / "recordings"
Json = dict[str, Any]

INFORMATION = (
    "== Summary ==\n== {{{{int:filedesc}}}} ==\n{{{{Information|description={0}|date={1}"
    "|source=Own work|author=[[User:Uploader|Uploader]]}}}}\n== {{{{int:license-header}}}} ==\n"
    "{{{{Cc-by-sa-4.0}}}}"
)
KINDS = {
    "series": ("Series image", "2020-01-01"),
    "format": ("Formats sample", "2021"),
    "bridge": ("A bridge", "2019-06-15"),
    "play": ("Playground", "2023"),
    "portrait": ("Portrait of the writer Douglas Adams", "1990"),
}
# Page id, name, kind of description ("" = none), categories, width, height, type, bytes.
FILES: list[tuple[int, str, str, str, int, int, str, int]] = [
    (1, "Playground 1.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (2, "Series 10.jpg", "series", "Series", 640, 480, "image/jpeg", 4805),
    (3, "Playground 3.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (4, "Coat of arms.svg", "format", "Format samples", 200, 240, "image/svg+xml", 250),
    (5, "Series webp.webp", "series", "Series", 800, 600, "image/webp", 946),
    (6, "No category.jpg", "", "", 964, 547, "image/jpeg", 6117),
    (7, "Semi-protected photo.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (8, "Two categories.jpg", "series", "Missing page category|Playground|Series", 600, 400,
     "image/jpeg", 4000),
    (9, "Series 06.jpg", "series", "Series", 640, 480, "image/jpeg", 4738),
    (10, "Cat & dog's house, 50 percent.jpg", "play", "Playground", 500, 500, "image/jpeg", 3264),
    (11, "Series 09.jpg", "series", "Series", 640, 480, "image/jpeg", 4700),
    (12, "Large diagram.png", "format", "Format samples", 3000, 2000, "image/png", 23553),
    (13, "Series 08.jpg", "series", "Series", 640, 480, "image/jpeg", 4743),
    (14, "Three page scan.tif", "format", "Format samples", 1000, 700, "image/tiff", 13966),
    (15, "Series 12.jpg", "series", "Series", 640, 480, "image/jpeg", 4700),
    (16, "Series 07.jpg", "series", "Series", 640, 480, "image/jpeg", 4770),
    (17, "Series 05.jpg", "series", "Series", 640, 480, "image/jpeg", 4767),
    (18, "Claims playground.jpg", "play", "Playground", 464, 752, "image/jpeg", 4588),
    (19, "Series 01.jpg", "series", "Series", 640, 480, "image/jpeg", 4789),
    (20, "Portrait of Douglas Adams 1990.jpg", "portrait",
     "Hidden maintenance|Portraits of Douglas Adams", 1600, 1200, "image/jpeg", 14099),
    (21, "Rotated bridge.jpg", "bridge", "Brücken in Wien", 800, 1200, "image/jpeg", 10335),
    (22, "Playground 22.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (23, "Animated.gif", "format", "Format samples", 300, 200, "image/gif", 1113),
    (24, "Overwritten photo.jpg", "format", "Format samples", 402, 555, "image/jpeg", 3266),
    (25, "Series 04.jpg", "series", "Series", 640, 480, "image/jpeg", 4765),
    (26, "Brücke über die Donau (Wien) – 1905.jpg", "bridge", "Brücken in Wien", 795, 572,
     "image/jpeg", 5444),
    (27, "Very small.jpg", "format", "Format samples", 16, 12, "image/jpeg", 291),
    (28, "Photo to delete.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (29, "Diagram.png", "format", "Format samples", 500, 400, "image/png", 3254),
    (30, "Series 02.jpg", "series", "Series", 640, 480, "image/jpeg", 4793),
    (31, "Series 03.jpg", "series", "Series", 640, 480, "image/jpeg", 4794),
    (32, "Old name.jpg", "play", "", 740, 486, "image/jpeg", 4500),
    (33, "Protected photo.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (34, "Series 11.jpg", "series", "Series", 640, 480, "image/jpeg", 4776),
    (35, "Scan of letter.tif", "format", "Format samples", 2400, 3200, "image/tiff", 54382),
    (36, "Undo playground.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
    (37, "Conflict playground.jpg", "play", "Playground", 600, 400, "image/jpeg", 4000),
]  # fmt: skip
# Page id, title, wikitext.
PAGES = [
    (38, "Category:Playground", ""),
    (39, "Category:CC-BY-SA-4.0", ""),
    (40, "Category:Format samples", ""),
    (41, "Category:Portraits of Douglas Adams", "[[Category:Douglas Adams]]"),
    (42, "Category:Writers", ""),
    (43, "Category:Empty category", ""),
    (44, "Category:Series", ""),
    (45, "Category:Series part B", "[[Category:Series]]"),
    (46, "Category:Series part C", "[[Category:Series]]"),
    (47, "Category:Bridges", ""),
    (48, "Category:Hidden maintenance", "__HIDDENCAT__"),
    (49, "Category:Moved category", "#REDIRECT [[Category:Series]]"),
    (50, "Gallery of Adams", "A gallery. [[Category:Douglas Adams]]"),
    (51, "Category:Douglas Adams", "[[Category:Writers]]"),
    (52, "Category:Brücken in Wien", "[[Category:Bridges]]"),
]
PROPERTIES = {
    "P18": "commonsMedia", "P31": "wikibase-item", "P180": "wikibase-item",
    "P279": "wikibase-item", "P373": "string", "P459": "wikibase-item", "P518": "wikibase-item",
    "P569": "time", "P570": "time", "P571": "time", "P625": "globe-coordinate",
    "P887": "wikibase-item", "P973": "url", "P1114": "quantity", "P1163": "string",
    "P1476": "monolingualtext", "P1552": "wikibase-item", "P2048": "quantity", "P2093": "string",
    "P2677": "string", "P6216": "wikibase-item", "P7482": "wikibase-item",
}  # fmt: skip
PROPERTY_TERMS = {
    "P180": ("depicts", "entity visually depicted in an image"),
    "P2677": ("relative position within image", ""),
}
# Item: English label, description, aliases, German label.
ITEMS: dict[str, tuple[str, str, list[str], str]] = {
    "Q5": ("human", "any single member of Homo sapiens", [], "Mensch"),
    "Q84": ("London", "capital of the United Kingdom", [], "London"),
    "Q111": ("Mars", "fourth planet", [], "Mars"),
    "Q146": ("house cat", "domesticated feline animal", ["cat"], "Hauskatze"),
    "Q500": ("Adams", "family name", ["Douglas"], ""),
    "Q502": ("deleted", "an item that will be deleted", [], ""),
    "Q515": ("city", "large human settlement", [], ""),
    "Q571": ("book", "medium for recording information", [], ""),
    "Q1741": ("Vienna", "capital of Austria", [], "Wien"),
    "Q12280": ("bridge", "structure built to span physical obstacles", [], "Brücke"),
    "Q66768": ("visual inspection", "", [], ""),
}
WIKIDATA_PAGE_IDS = {"P180": 4, "Q5": 24, "Q146": 25, "Q12280": 28, "Q42": 30, "Q500": 32}
USERS: list[tuple[int, str, list[str]]] = [
    (1, "Admin", ["bureaucrat", "interface-admin", "sysop", "autoconfirmed"]),
    (3, "ExampleUser", ["autoconfirmed"]),
    (4, "Uploader", ["autoconfirmed"]),
    (5, "BlockedUser", ["autoconfirmed"]),
    (6, "LimitedUser", ["autoconfirmed"]),
    (7, "OtherUser", ["autoconfirmed"]),
    (9, "PartialBlocked", ["autoconfirmed"]),
    (10, "ExampleBot", ["bot", "autoconfirmed"]),
]
UPLOADED = "2026-11-24T06:35:41Z"


@cache
def body(name: str) -> Any:
    """The body of a recorded answer."""
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]["body"]


def build(world: World) -> None:
    """Fills an empty world. The next revision of Commons is 71, as before the first statement."""
    world.base_url = world.base_url or "http://commons.test"
    with world.store.transaction():
        _users(world)
        _wikidata(world)
        _files(world)
        for page_id, title, text in PAGES:
            world.add_page(
                "commons", title, text, page_id=page_id, timestamp="2026-11-24T06:36:21Z"
            )
        _changes(world)
    world.set("tags", json.dumps(["example-tool"]))


def _users(world: World) -> None:
    for number, name, groups in USERS:
        world.users.add(name, user_id=number, groups=groups, registered="2026-11-24T06:35:11Z")
    until = "2030-01-01T00:00:00Z"
    world.users.block(
        "BlockedUser", Block(3, "Admin", 1, "Disruptive editing", "2026-11-24T06:48:11Z", until)
    )
    world.users.block(
        "PartialBlocked",
        Block(2, "Admin", 1, "Only these pages", UPLOADED, until, ["File:Series 01.jpg"]),
    )


def _terms(text: str, language: str = "en") -> Json:
    return {language: {"language": language, "value": text}} if text else {}


def _wikidata(world: World) -> None:
    entities: Json = {}
    for prop, kind in PROPERTIES.items():
        label, about = PROPERTY_TERMS.get(prop, (prop.lower(), ""))
        entities[prop] = {
            "type": "property", "id": prop, "datatype": kind, "labels": _terms(label),
            "descriptions": _terms(about), "aliases": {}, "claims": {},
        }  # fmt: skip
    for item, (label, about, aliases, german) in ITEMS.items():
        entities[item] = {
            "type": "item", "id": item, "labels": {**_terms(label), **_terms(german, "de")},
            "descriptions": _terms(about), "claims": {}, "sitelinks": {},
            "aliases": {"en": [{"language": "en", "value": text} for text in aliases]}
            if aliases else {},
        }  # fmt: skip
    adams = body("wikibase/wikidata-getentities-item")["entities"]["Q42"]
    stored = ("type", "id", "labels", "descriptions", "aliases", "claims", "sitelinks")
    entities["Q42"] = {key: adams[key] for key in stored}
    numbers = {name: WIKIDATA_PAGE_IDS.get(name, 100 + place)
               for place, name in enumerate(entities)}  # fmt: skip
    for name in sorted(entities, key=lambda name: numbers[name]):
        entity, number = entities[name], numbers[name]
        title = f"Property:{name}" if name.startswith("P") else name
        world.set("revision:wikidata", str(number - 1))
        world.add_page("wikidata", title, entity=entity, page_id=number, timestamp=UPLOADED)
    world.add_page("wikidata", "Q501", "#REDIRECT [[Q42]]", page_id=33, timestamp=UPLOADED)
    deleted = world.page("wikidata", "Q502")
    assert deleted
    world.delete(deleted, user="Admin")


def _files(world: World) -> None:
    for page_id, name, kind, categories, width, height, mime, size in FILES:
        text = INFORMATION.format(*KINDS[kind]) if kind else "Just text."
        for category in filter(None, categories.split("|")):
            text += f"\n[[Category:{category}]]"
        facts: Json = {
            "sha1": f"{page_id:040x}", "size": size, "width": width, "height": height,
            "mime": mime, "mediatype": "DRAWING" if "svg" in mime else "BITMAP",
            "orientation": 6 if name.startswith("Rotated") else 1, "metadata": _metadata(name),
        }  # fmt: skip
        if page_id == 19:
            facts["sha1"] = SERIES_01
        world.upload(
            f"File:{name}", Path("/nowhere") / name, facts, user="Uploader", text=text,
            comment="uploaded a sample", page_id=page_id,
            timestamp=UPLOADED if page_id <= 20 else "2026-11-24T06:35:42Z",
        )  # fmt: skip


SERIES_01 = "10a5a6590c6431d8b30ce3f463aa528ef946c643"


def _metadata(name: str) -> Json:
    if name == "Animated.gif":
        return {"frameCount": 6, "duration": 0.6}
    if name == "Three page scan.tif":
        return {"frameCount": 3}
    if name == "Rotated bridge.jpg":
        return {"Make": "Canon", "Orientation": 6}
    return {}


def page(world: World, page_id: int) -> Page:
    """The live page of that id on Commons."""
    found = world.page_by_id("commons", page_id)
    assert found, page_id
    return found


def entity_of(name: str, entity_id: str) -> Json:
    """An entity as a recorded wbgetentities shows it, as it would be stored."""
    shown = body(name)["entities"][entity_id]
    keys = ("type", "id", "labels", "descriptions", "statements")
    stored = {key: shown[key] for key in keys}
    return {**stored, "statements": stored["statements"] or {}}


def _changes(world: World) -> None:
    """What happened to the files between upload and the first recording."""
    world.set("revision:commons", "53")
    world.save_entity(page(world, 28), entity_of("wikibase/life-1-before-deletion", "M31"),
                      user="Uploader")  # fmt: skip
    world.delete(page(world, 28), user="Admin", comment="[[COM:DR|Deletion request]]: test")
    world.move(page(world, 32), "File:New name.jpg", user="Admin", comment="better name")
    assert page(world, 53).title == "File:Old name.jpg"
    for page_id, level in ((33, "sysop"), (7, "autoconfirmed")):
        world.save_text(page(world, page_id), world.current(page(world, page_id)).wikitext,
                        user="Admin", comment="Protected")  # fmt: skip
        world.protect(page(world, page_id), level)
        world.protect(page(world, page_id), "sysop", action="move")
    replaced: Json = {
        "sha1": SERIES_01, "size": 4789, "width": 640, "height": 480, "mime": "image/jpeg",
        "mediatype": "BITMAP",
    }  # fmt: skip
    world.upload("File:Overwritten photo.jpg", Path("/nowhere/new.jpg"), replaced,
                 user="Uploader", comment="better quality")  # fmt: skip
    world.set("revision:commons", "63")
    for page_id, name in (
        (30, "getentities-captions-only-no-statements"),
        (31, "getentities-statements-only-no-captions"),
        (20, "getentities-with-statements-and-captions"),
    ):
        stored = entity_of(f"wikibase/{name}", f"M{page_id}")
        world.save_entity(page(world, page_id), stored, user="Uploader")
    world.set("revision:commons", "69")
    put_text = world.current(page(world, 25)).wikitext
    world.save_text(page(world, 25), put_text, user="ExampleUser")
