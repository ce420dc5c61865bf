"""/sparql: the Wikidata Query Service, over the sandbox's own items.

Not recorded anywhere, so unverified: shapes follow the SPARQL results format, prefixes and
value nodes those of the public service. Of its SERVICE extensions only `wikibase:label` works.
"""

from __future__ import annotations

import re
import threading

import rdflib.plugins.sparql
from flask import Blueprint, Response, current_app, request
from rdflib import Graph

from sandbox import graph
from sandbox.world import World

bp = Blueprint("sparql", __name__)

rdflib.plugins.sparql.SPARQL_LOAD_GRAPHS = False  # FROM must not fetch anything

_LABEL_SERVICE = re.compile(
    r"SERVICE\s+wikibase:label\s*\{[^{}]*?wikibase:language\s+\"([^\"]*)\"[^{}]*\}", re.IGNORECASE
)
_LABEL_VARIABLE = re.compile(r"\?(\w+?)(Label|Description)\b")
_TERMS = {"Label": "rdfs:label", "Description": "schema:description"}

# rdflib's parser is not made for several threads, so queries take turns of some milliseconds.
_lock = threading.Lock()


@bp.route("/sparql", methods=["GET", "POST"])
def sparql() -> Response:
    """Answers `query`, or a body of type application/sparql-query."""
    direct = request.mimetype == "application/sparql-query"
    query = request.get_data(as_text=True) if direct else request.values.get("query", "")
    if not query.strip():
        return _refused("No query given.")
    query = with_labels(query)
    if re.search(r"\bSERVICE\b", query, re.IGNORECASE):
        return _refused("The sandbox supports no SERVICE but wikibase:label.")
    world: World = current_app.extensions["world"]
    try:
        with _lock:
            result = _current_graph(world).query(query, initNs=graph.PREFIXES)
            body = result.serialize(format="json")
    except Exception as error:  # rdflib raises many kinds for what a client wrote
        return _refused(f"MalformedQueryException: {error}")
    headers = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=0"}
    kind = "application/sparql-results+json;charset=utf-8"
    return Response(body, 200, headers, content_type=kind)


def _current_graph(world: World) -> Graph:
    """The graph, built anew when an item has changed since."""
    stamp = world.store.row(
        "SELECT id, page_id, timestamp, entity,"
        " (SELECT count(*) FROM page WHERE wiki = 'wikidata' AND deleted = 1)"
        " FROM revision WHERE wiki = 'wikidata' ORDER BY id DESC LIMIT 1"
    )
    built: tuple[object, Graph] | None = current_app.extensions.get("sparql")
    if built is None or built[0] != tuple(stamp or ()):
        built = (tuple(stamp or ()), graph.build(world))
        current_app.extensions["sparql"] = built
    return built[1]


def with_labels(query: str) -> str:
    """The query with `SERVICE wikibase:label` written out: ?xLabel and ?xDescription of ?x.

    The first language that has a term wins; without any the label is the id.
    """
    match = _LABEL_SERVICE.search(query)
    if not match:
        return query
    languages = [code.strip() for code in match[1].split(",") if code.strip()]
    wanted = dict.fromkeys(_LABEL_VARIABLE.findall(query))
    spelled = " ".join(_term_pattern(name, kind, languages) for name, kind in wanted)
    return query[: match.start()] + spelled + query[match.end() :]


def _term_pattern(name: str, kind: str, languages: list[str]) -> str:
    tries = [f"?_{name}{kind}{place}" for place in range(len(languages))]
    optional = " ".join(
        f'OPTIONAL {{ ?{name} {_TERMS[kind]} {one} . FILTER(lang({one}) = "{code}") }}'
        for one, code in zip(tries, languages, strict=True)
    )
    fallback = [f'REPLACE(STR(?{name}), "^.*/", "")'] if kind == "Label" else []
    return f"{optional} BIND(COALESCE({', '.join(tries + fallback)}) AS ?{name}{kind})"


def _refused(message: str) -> Response:
    return Response(f"{message}\n", 400, content_type="text/plain;charset=utf-8")
