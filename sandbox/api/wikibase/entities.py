"""wbgetentities and wbgetclaims."""

from __future__ import annotations

from urllib.parse import quote

from sandbox.api.call import Call, Json
from sandbox.api.errors import ApiError, wikibase_error
from sandbox.api.wikibase import model, saving
from sandbox.indexes import statement_groups
from sandbox.records import Page

_PROPS = (
    "info", "sitelinks", "aliases", "labels", "descriptions", "claims", "datatype",
    "sitelinks/urls",
)  # fmt: skip
_DEFAULT = "info|sitelinks|aliases|labels|descriptions|claims|datatype"


def wbgetentities(call: Call) -> Json:
    """Entities by id. A file without data, a missing page, no file at all: all `missing`."""
    params = call.params(call.module)
    prop = params.options("props", _PROPS, _DEFAULT)
    languages = [code for code in params.values("languages", most=500) if code != "*"]
    fallback = params.given("languagefallback")
    follow = params.choice("redirects", ("yes", "no"), "yes") == "yes"
    sites = params.values("sitefilter", most=500)
    params.known("normalize", "titles")
    params.options("sites", ("wikidatawiki",))
    ids = params.values("ids")
    if not ids:
        text = (
            'Either provide the Item "ids" or pairs of "sites" and "titles" for corresponding page'
        )
        name = "wikibase-api-illegal-ids-or-sites-titles-selector"
        raise wikibase_error("param-missing", name, text)
    found: Json = {}
    for text in ids:
        entity_id = model.entity_id(text)
        if entity_id is None or (entity_id[0] == "M" and call.wiki == "wikidata"):
            raise _unknown_id(text)
        found[entity_id] = _entity(call, entity_id, prop, languages, fallback, follow, sites)
    return {"entities": found, "success": 1}


def _unknown_id(text: str) -> ApiError:
    told = f'Could not find an entity with the ID "{text}".'
    return wikibase_error("no-such-entity", "wikibase-api-no-such-entity", told, text, id=text)


def _entity(
    call: Call,
    entity_id: str,
    prop: list[str],
    languages: list[str],
    fallback: bool,
    follow: bool,
    sites: list[str],
) -> Json:
    missing = {"id": entity_id, "missing": ""}
    wiki = "commons" if entity_id[0] == "M" else "wikidata"
    page = call.world.entity_page(wiki, entity_id)  # type: ignore[arg-type]
    if page is None:
        return missing
    redirect: Json | None = None
    if page.redirect_to and wiki == "wikidata":
        target = call.world.follow(page)
        if not follow or target is None:
            return missing
        redirect = {"from": entity_id, "to": target.name}
        page, entity_id = target, target.name
    if call.world.current(page).entity is None:
        return missing
    shown = show_entity(call, entity_id, page, prop, redirect)
    for kind in ("labels", "descriptions", "aliases"):
        if languages and kind in shown:
            shown[kind] = _in_languages(shown[kind], languages, fallback)
    if sites and "sitelinks" in shown:
        shown["sitelinks"] = {
            site: link for site, link in shown["sitelinks"].items() if site in sites
        }
    return shown


def show_entity(
    call: Call, entity_id: str, page: Page, prop: list[str], redirect: Json | None
) -> Json:
    """An entity as wbgetentities shows it, in all languages."""
    world = call.world
    entity = world.current(page).entity or {}
    shown: Json = {}
    if "info" in prop:
        shown.update(pageid=page.id, ns=page.ns, title=page.title, lastrevid=page.latest)
        shown["modified"] = world.current(page).timestamp
    if redirect:
        shown["redirects"] = redirect
    kind = {"M": "mediainfo", "Q": "item", "P": "property"}[entity_id[0]]
    shown["type"] = kind
    if kind == "property" and "datatype" in prop:
        shown["datatype"] = entity.get("datatype", "string")
    shown["id"] = entity_id
    for name in ("labels", "descriptions"):
        if name in prop:
            shown[name] = entity.get(name) or {}
    if kind == "mediainfo":
        # A file's statements come with any props at all, as recorded.
        if prop:
            found = model.show_statements(world, statement_groups(entity), typed=False)
            shown["statements"] = found or []
        return shown
    if "aliases" in prop:
        shown["aliases"] = entity.get("aliases") or {}
    if "claims" in prop:
        shown["claims"] = model.show_statements(world, statement_groups(entity), typed=True)
    if kind == "item" and {"sitelinks", "sitelinks/urls"} & {*prop}:
        links = entity.get("sitelinks") or {}
        with_urls = "sitelinks/urls" in prop
        shown["sitelinks"] = {
            site: link | ({"url": _url_of(link)} if with_urls else {})
            for site, link in links.items()
        }
    return shown


def _url_of(link: Json) -> str:
    site = str(link["site"])
    host = (
        "commons.wikimedia" if site == "commonswiki" else f"{site.removesuffix('wiki')}.wikipedia"
    )
    return f"https://{host}.org/wiki/{quote(link['title'].replace(' ', '_'), safe=':/')}"


def _in_languages(terms: Json, languages: list[str], fallback: bool) -> Json:
    found: Json = {}
    for code in languages:
        if code in terms:
            found[code] = terms[code]
        elif fallback:
            other = next(
                (other for other in (code.split("-")[0], "mul", "en") if other in terms), ""
            )
            if other and isinstance(terms[other], dict):
                found[code] = {**terms[other], "for-language": code}
    return found


def wbgetclaims(call: Call) -> Json:
    """Statements of one entity, or one by GUID. Without data it is an error here."""
    params = call.params(call.module)
    params.known("props")
    guid, text = params.text("claim"), params.text("entity")
    if not guid and not text:
        told = 'The required parameter "$1" was missing.'
        raise wikibase_error("param-missing", "wikibase-api-param-missing", told)
    if guid and not model.GUID.match(guid):
        raise wikibase_error("invalid-guid", "wikibase-api-invalid-guid", "Invalid claim guid.")
    entity_id = model.entity_id(guid.split("$")[0] if guid else text)
    if entity_id is None:
        told = "Invalid entity ID."
        raise wikibase_error("param-invalid", "wikibase-api-param-invalid", told)
    rank, prop = params.text("rank"), params.text("property")
    if prop and model.entity_id(prop) is None:
        told = f'The serialization "{prop}" is not recognized by the configured id builders'
        raise wikibase_error("param-invalid", "wikibase-api-param-invalid", told, told)
    wiki = "commons" if entity_id[0] == "M" else "wikidata"
    page = call.world.entity_page(wiki, entity_id)  # type: ignore[arg-type]
    entity = call.world.current(page).entity if page else None
    if entity is None:
        raise saving.no_such_entity(entity_id)
    chosen: Json = {}
    for name, statements in statement_groups(entity).items():
        kept = [
            statement
            for statement in statements
            if (not prop or name == model.entity_id(prop))
            and (not rank or statement.get("rank", "normal") == rank)
            and (not guid or statement["id"] == guid)
        ]
        if kept:
            chosen[name] = kept
    return {"claims": model.show_statements(call.world, chosen, typed=True)}
