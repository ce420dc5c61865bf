"""Edit summaries, links and statements in words."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from sandbox.indexes import statement_groups
from sandbox.records import Json, Wiki
from sandbox.world import World

_AUTOMATIC = re.compile(r"^/\* ([\w-]+):?[^*]*\*/ ?")
_LINK = re.compile(r"\[\[(:?[^\]|]+)(?:\|([^\]]*))?\]\]")
_SUMMARIES = {
    "wbsetclaim-create": "Created claim:",
    "wbcreateclaim-create": "Created claim:",
    "wbsetclaim-update": "Changed claim:",
    "wbremoveclaims-remove": "Removed claim:",
    "wbsetqualifier-add": "Added qualifier:",
    "wbeditentity-update": "Changed an entity:",
}


def page_url(wiki: Wiki, title: str) -> str:
    """The path of a page on this server."""
    return f"/{wiki}/wiki/{quote(title.replace(' ', '_'), safe=':/,()')}"


def comment_html(comment: str) -> Markup:
    """An edit summary: the automatic part in words, links as links."""
    automatic = _AUTOMATIC.match(comment)
    words = ""
    if automatic:
        words = _SUMMARIES.get(automatic[1], automatic[1]) + " "
        comment = comment[automatic.end() :]
    pieces, place = [escape(words)], 0
    for match in _LINK.finditer(comment):
        pieces += [escape(comment[place : match.start()]), _link(match[1], match[2])]
        place = match.end()
    return Markup("").join([*pieces, escape(comment[place:])])


def _link(target: str, label: str | None) -> Markup:
    target = target.lstrip(":")
    prefix, _, rest = target.partition(":")
    if prefix == "d":
        shown = label or rest.rpartition("/")[2]
        return Markup('<a href="{}">{}</a>').format(page_url("wikidata", rest), shown)
    if prefix in ("toolforge", "m", "w", "en"):
        return Markup('<span title="{}">{}</span>').format(target, label or target)
    return Markup('<a href="{}">{}</a>').format(page_url("commons", target), label or target)


def label(world: World, entity_id: str) -> str:
    """The English label of an item or property, or its id."""
    entity = world.entity("wikidata", entity_id) or {}
    found = (entity.get("labels") or {}).get("en")
    return str(found["value"]) if found else entity_id


def statements(world: World, entity: Json | None) -> list[Json]:
    """Statements as the templates show them, in the order of the entity."""
    return [
        _statement(world, one)
        for group in statement_groups(entity or {}).values()
        for one in group
    ]  # fmt: skip


def _statement(world: World, one: Json) -> Json:
    qualifiers = one.get("qualifiers") or {}
    names = one.get("qualifiers-order") or list(qualifiers)
    return {
        **_snak(world, one["mainsnak"]),
        "guid": one.get("id", ""),
        "rank": one.get("rank", "normal"),
        "qualifiers": [_snak(world, snak) for name in names for snak in qualifiers.get(name, [])],
    }


def _snak(world: World, snak: Json) -> Json:
    prop = snak["property"]
    shown: Json = {"property": prop, "property_label": label(world, prop), "url": "", "item": ""}
    if snak["snaktype"] != "value":
        return {**shown, "value": {"novalue": "no value"}.get(snak["snaktype"], "unknown value")}
    value = snak["datavalue"]["value"]
    if not isinstance(value, dict):
        url = {"P18": f"File:{value}", "P373": f"Category:{value}"}.get(prop)
        return {**shown, "value": str(value), "url": page_url("commons", url) if url else ""}
    if "id" in value:
        url = page_url("wikidata", value["id"])
        return {**shown, "value": label(world, value["id"]), "item": value["id"], "url": url}
    return {**shown, "value": date(value)}


def date(value: Json) -> str:
    """A time value, as exact as its precision."""
    if "time" not in value:
        return str(value)
    parts = value["time"].lstrip("+").partition("T")[0].split("-")
    year, month, day = (int(part) for part in parts[-3:])
    numbers: list[Any] = [year, f"{month:02}", f"{day:02}"]
    precision = value.get("precision", 9)
    if precision >= 11:
        return "{}-{}-{}".format(*numbers)
    return {10: f"{year}-{month:02}", 9: f"{year}", 8: f"{year}s"}.get(
        precision, f"century of {year}"
    )


def lines(world: World, entity: Json | None) -> list[str]:
    """One line for each caption and statement, for comparing revisions."""
    if not entity:
        return []
    found = [f"caption ({code}): {term['value']}" for code, term in terms(entity, "labels")]
    for one in statements(world, entity):
        extra = "".join(f"; {q['property_label']}: {q['value']}" for q in one["qualifiers"])
        item = f" ({one['item']})" if one["item"] else ""
        rank = "" if one["rank"] == "normal" else f", {one['rank']} rank"
        found.append(
            f"{one['property_label']} ({one['property']}): {one['value']}{item}{rank}{extra}"
        )
    return found


def terms(entity: Json | None, kind: str) -> list[tuple[str, Json]]:
    """(language, term) of labels or descriptions; an empty map may be a list."""
    found = (entity or {}).get(kind) or {}
    return list(found.items())
