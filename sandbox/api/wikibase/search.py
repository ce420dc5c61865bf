"""wbsearchentities: entities by the beginning of a label or alias, as you type.

Like the search of the real Wikidata it does not mind case; who is written about most comes first.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.api.call import Call, Json
from sandbox.api.wikibase import model
from sandbox.reading import page_of_row
from sandbox.records import Page

_CODES = (
    "aa af als am an ar arz as ast az ba bar be bg bn br bs ca ce ceb ckb cs cv cy da de "
    "de-at de-ch el en en-ca en-gb en-us eo es et eu fa fi fo fr fy ga gl gu he hi hr hsb "
    "ht hu hy ia id io is it ja jv ka kk kn ko ku ky la lb lt lv mg mi mk ml mn mr ms mul "
    "my nan nb nds ne nl nn no oc or pa pl ps pt pt-br ro ru scn sco sd sh si sk sl sq sr "
    "sv sw ta te tg th tl tr tt uk ur uz vi vo war yi yo yue zh zh-cn zh-hans zh-hant "
    "zh-hk zh-tw zu "
)
LANGUAGES = frozenset(_CODES.split())
_URL = re.compile(r"^https?://www\.wikidata\.org/(?:entity|wiki)/", re.IGNORECASE)
_NAMESPACE = {"item": 0, "property": 120}


def wbsearchentities(call: Call) -> Json:
    """Items or properties that a text names."""
    params = call.params(call.module)
    text, language = params.required("search"), params.required("language")
    if language not in LANGUAGES:
        raise params.bad_value("language", language)
    kind = params.choice("type", _NAMESPACE, "item")
    limit, offset = params.limit(7, 50, 0), params.integer("continue")
    strict = params.given("strictlanguage")
    prop = params.options("props", ("url",), "url")
    params.known("profile")
    display = call.values.get("uselang", "en")
    hits = _by_id(call, text, kind) + _by_term(call, text, language, kind, strict)
    shown = [_hit(call, *hit, display, prop) for hit in hits[offset : offset + limit]]
    body: Json = {"searchinfo": {"search": text}, "search": shown}
    if len(hits) > offset + limit:
        body["search-continue"] = offset + limit
    return {**body, "success": 1}


Hit = tuple[Page, str, Json]


def _by_id(call: Call, text: str, kind: str) -> list[Hit]:
    entity_id = model.entity_id(_URL.sub("", text.strip()))
    if entity_id is None or entity_id[0] != ("Q" if kind == "item" else "P"):
        return []
    page = call.world.entity_page("wikidata", entity_id)
    return [(page, entity_id, {"type": "entityId", "text": entity_id})] if page else []


def _by_term(call: Call, text: str, language: str, kind: str, strict: bool) -> list[Hit]:
    folded = text.casefold()
    others = [] if strict else [language.split("-")[0], "mul", "en"]
    codes = list(dict.fromkeys([language, *others]))
    marks = ",".join("?" * len(codes))
    rows = call.world.store.rows(
        f"SELECT page.*, kind, text, term.language AS code, folded = ? AS exact,"
        " (SELECT count(*) FROM statement WHERE statement.wiki = page.wiki"
        " AND statement.page_id = page.id) AS weight"
        " FROM term JOIN page ON page.wiki = term.wiki AND page.id = term.page_id"
        " WHERE term.wiki = 'wikidata' AND deleted = 0 AND ns = ? AND kind IN ('label', 'alias')"
        f" AND term.language IN ({marks}) AND folded >= ? AND folded < ?"
        " ORDER BY exact DESC, weight DESC, folded, page.id, kind = 'alias'",
        (folded, _NAMESPACE[kind], *codes, folded, folded + "\U0010ffff"),
    )
    found: dict[int, Hit] = {}
    exact: dict[int, bool] = {}
    for row in rows:
        match = {"type": row["kind"], "language": row["code"], "text": row["text"]}
        before = found.get(row["id"])
        if before is None or (before[2]["type"] == "alias" and not exact[row["id"]]):
            found[row["id"]] = (page_of_row(row), row["title"].split(":")[-1], match)
        exact.setdefault(row["id"], row["exact"])
    return list(found.values())


def _hit(
    call: Call, page: Page, entity_id: str, match: Json, display: str, prop: list[str]
) -> Json:
    entity = call.world.current(call.world.follow(page) or page).entity or {}
    repository = f"{call.world.base_url}/wikidata/wiki/"
    item: Json = {
        "id": entity_id,
        "title": page.title,
        "pageid": page.id,
        "concepturi": f"http://www.wikidata.org/entity/{entity_id}",
        "repository": "wikidata",
    }
    if call.wiki == "commons":
        item.update(title=f"d:Special:EntityPage/{entity_id}", pageid=0)
        repository += "Special:EntityPage/"
    if "url" in prop:
        item["url"] = f"{repository}{page.title if call.wiki == 'wikidata' else entity_id}"
    if entity.get("datatype"):
        item["datatype"] = entity["datatype"]
    label, about = _term(entity, "labels", display), _term(entity, "descriptions", display)
    terms: Json = {}
    if label:
        terms["label"] = label
    if about:
        terms["description"] = about
    item["display"] = terms
    item.update({key: term["value"] for key, term in terms.items()})
    item["match"] = match
    if match["text"] != item.get("label"):
        item["aliases"] = [match["text"]]
    return item


def _term(entity: Json, kind: str, language: str) -> Json | None:
    terms: dict[str, Any] = entity.get(kind) or {}
    for code in (language, language.split("-")[0], "mul", "en"):
        if code in terms:
            return {"value": terms[code]["value"], "language": code}
    return None
