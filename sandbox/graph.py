"""The items of the sandbox as RDF, in the shape of the Wikidata Query Service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import quote

from rdflib import OWL, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from sandbox.entities import ENTITY_URI, JULIAN
from sandbox.records import Json
from sandbox.world import World

WD = Namespace(ENTITY_URI)
PROP = "http://www.wikidata.org/prop/"
WIKIBASE = Namespace("http://wikiba.se/ontology#")
SCHEMA = Namespace("http://schema.org/")
# The prefixes that the service knows without being told.
PREFIXES = {
    "wd": str(WD),
    "wdt": PROP + "direct/",
    "wdno": PROP + "novalue/",
    "wds": ENTITY_URI + "statement/",
    "wdv": "http://www.wikidata.org/value/",
    "wdref": "http://www.wikidata.org/reference/",
    "p": PROP,
    "ps": PROP + "statement/",
    "psv": PROP + "statement/value/",
    "pq": PROP + "qualifier/",
    "pqv": PROP + "qualifier/value/",
    "wikibase": str(WIKIBASE),
    "schema": str(SCHEMA),
    "bd": "http://www.bigdata.com/rdf#",
    "rdf": str(RDF),
    "rdfs": str(RDFS),
    "skos": str(SKOS),
    "owl": str(OWL),
    "xsd": str(XSD),
}
_RANKS = {"preferred": "PreferredRank", "normal": "NormalRank", "deprecated": "DeprecatedRank"}
_TYPES = {
    "commonsMedia": "CommonsMedia",
    "wikibase-item": "WikibaseItem",
    "string": "String",
    "time": "Time",
}

Triple = tuple[Node, Node, Node]


def build(world: World) -> Graph:
    """Every item and property of the world as it stands now."""
    graph = Graph(bind_namespaces="none")
    for row in world.store.rows(
        "SELECT title, redirect_to, entity FROM page JOIN revision"
        " ON revision.wiki = page.wiki AND revision.id = page.latest"
        " WHERE page.wiki = 'wikidata' AND deleted = 0 AND ns IN (0, 120)"
    ):
        if row["redirect_to"]:
            graph.add((WD[row["title"]], OWL.sameAs, WD[row["redirect_to"]]))
        elif row["entity"]:
            entity = world.entity("wikidata", row["title"].removeprefix("Property:"))
            for triple in _entity(entity or {}, world.base_url):
                graph.add(triple)
    return graph


def _entity(entity: Json, base: str) -> Iterator[Triple]:
    subject = WD[entity["id"]]
    yield from _terms(subject, entity)
    if entity["type"] == "property":
        kind = _TYPES.get(entity["datatype"], "String")
        yield subject, RDF.type, WIKIBASE.Property
        yield subject, WIKIBASE.propertyType, WIKIBASE[kind]
        yield subject, WIKIBASE.directClaim, URIRef(f"{PREFIXES['wdt']}{entity['id']}")
        return
    links = len(entity.get("sitelinks") or {})
    yield subject, WIKIBASE.sitelinks, Literal(links, datatype=XSD.integer)
    for prop, statements in (entity.get("claims") or {}).items():
        ranks = {one.get("rank", "normal") for one in statements}
        best = "preferred" if "preferred" in ranks else "normal"
        for one in statements:
            yield from _statement(subject, prop, one, one.get("rank", "normal") == best, base)


def _terms(subject: URIRef, entity: Json) -> Iterator[Triple]:
    for term in (entity.get("labels") or {}).values():
        text = Literal(term["value"], lang=term["language"])
        yield subject, RDFS.label, text
        yield subject, SKOS.prefLabel, text
        yield subject, SCHEMA.name, text
    for term in (entity.get("descriptions") or {}).values():
        yield subject, SCHEMA.description, Literal(term["value"], lang=term["language"])
    for terms in (entity.get("aliases") or {}).values():
        for term in terms:
            yield subject, SKOS.altLabel, Literal(term["value"], lang=term["language"])


def _statement(subject: URIRef, prop: str, one: Json, best: bool, base: str) -> Iterator[Triple]:
    node = URIRef(PREFIXES["wds"] + one["id"].replace("$", "-"))
    yield subject, URIRef(PREFIXES["p"] + prop), node
    yield node, RDF.type, WIKIBASE.Statement
    yield node, WIKIBASE.rank, WIKIBASE[_RANKS[one.get("rank", "normal")]]
    if best:
        yield node, RDF.type, WIKIBASE.BestRank
    snak = one["mainsnak"]
    if snak["snaktype"] == "novalue":
        yield node, RDF.type, URIRef(PREFIXES["wdno"] + prop)
    if snak["snaktype"] != "value":
        return
    value = _value(prop, snak["datavalue"]["value"], base)
    yield node, URIRef(PREFIXES["ps"] + prop), value
    if best:
        yield subject, URIRef(PREFIXES["wdt"] + prop), value
    if snak["datavalue"]["type"] == "time":
        yield from _time_node(node, prop, snak["datavalue"]["value"])
    for key, snaks in (one.get("qualifiers") or {}).items():
        for other in snaks:
            if other["snaktype"] == "value":
                said = _value(key, other["datavalue"]["value"], base)
                yield node, URIRef(PREFIXES["pq"] + key), said


def _value(prop: str, value: Json | str, base: str) -> Node:
    if isinstance(value, str):
        if prop == "P18":
            return URIRef(f"{base}/commons/wiki/Special:FilePath/{quote(value, safe='')}")
        return Literal(value)
    if "time" in value:
        return _moment(value)
    return WD[value["id"]]


def _time_node(node: URIRef, prop: str, value: Json) -> Iterator[Triple]:
    inner = URIRef(f"{PREFIXES['wdv']}{node.rsplit('/', 1)[-1]}")
    yield node, URIRef(PREFIXES["psv"] + prop), inner
    yield inner, RDF.type, WIKIBASE.TimeValue
    yield inner, WIKIBASE.timeValue, _moment(value)
    yield inner, WIKIBASE.timePrecision, Literal(value["precision"], datatype=XSD.integer)
    yield inner, WIKIBASE.timeTimezone, Literal(value["timezone"], datatype=XSD.integer)
    yield inner, WIKIBASE.timeCalendarModel, URIRef(value["calendarmodel"])


def _moment(value: Json) -> Literal:
    """The first day of what the value means, in the Gregorian calendar, as the service does."""
    year, month, day = (int(part) for part in value["time"][1:11].split("-"))
    first = date(year, max(month, 1), max(day, 1))
    if value["calendarmodel"] == JULIAN and value["precision"] >= 11:
        century = (year if month > 2 else year - 1) // 100
        first += timedelta(days=century - century // 4 - 2)
    text = f"{first.year:04}-{first.month:02}-{first.day:02}T00:00:00Z"
    return Literal(text, datatype=XSD.dateTime, normalize=False)
