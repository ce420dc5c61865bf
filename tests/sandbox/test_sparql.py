"""SPARQL over the sandbox's items, in the shapes of the public service."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from sandbox import RunningSandbox

Row = dict[str, dict[str, str]]


def ask(wiki: RunningSandbox, query: str, **options: Any) -> list[Row]:
    answer = requests.get(f"{wiki.url}/sparql", {"query": query}, timeout=10, **options)
    assert answer.status_code == 200, answer.text
    kind = answer.headers["Content-Type"].replace(" ", "")
    assert kind == "application/sparql-results+json;charset=utf-8"
    rows: list[Row] = answer.json()["results"]["bindings"]
    return rows


def values(rows: list[Row], name: str) -> list[str]:
    return [row[name]["value"] for row in rows if name in row]


def test_labels_carry_their_language(wiki: RunningSandbox) -> None:
    rows = ask(wiki, "SELECT ?l { wd:Q937 rdfs:label ?l }")
    labels = {row["l"]["xml:lang"]: row["l"]["value"] for row in rows}
    assert labels["en"] == "Albert Einstein"
    assert labels["ja"] == "アルベルト・アインシュタイン"
    assert labels["ar"] == "ألبرت أينشتاين"


@pytest.mark.parametrize(
    ("qid", "born", "precision"),
    [
        ("Q937", "1879-03-14T00:00:00Z", "11"),
        ("Q215562", "1818-02-01T00:00:00Z", "10"),
        ("Q990000001", "1964-01-01T00:00:00Z", "9"),
        ("Q990000002", "1890-01-01T00:00:00Z", "8"),
        ("Q11903", "0400-01-01T00:00:00Z", "7"),
        ("Q762", "1452-04-24T00:00:00Z", "11"),  # 15 April in the Julian calendar
    ],
)
def test_birth_comes_with_its_precision(
    wiki: RunningSandbox, qid: str, born: str, precision: str
) -> None:
    rows = ask(
        wiki,
        f"SELECT ?t ?p {{ wd:{qid} p:P569/psv:P569 ?v ."
        " ?v wikibase:timeValue ?t ; wikibase:timePrecision ?p }",
    )
    assert (values(rows, "t"), values(rows, "p")) == ([born], [precision])
    assert rows[0]["t"]["datatype"] == "http://www.w3.org/2001/XMLSchema#dateTime"


def test_portraits_are_addresses_that_lead_to_the_file(
    wiki: RunningSandbox, http: requests.Session
) -> None:
    found = values(ask(wiki, "SELECT ?p { wd:Q937 wdt:P18 ?p }"), "p")
    assert len(found) == 2
    for url in found:
        assert http.get(url).headers["Content-Type"] == "image/jpeg"
        assert "px-" in http.get(f"{url}?width=120").url


def test_no_value_is_no_value(wiki: RunningSandbox) -> None:
    assert ask(wiki, "SELECT ?p { wd:Q990000001 wdt:P18|wdt:P373 ?p }") == []
    assert ask(wiki, "SELECT ?s { ?s a wdno:P18 }") != []


def test_only_humans_are_human(wiki: RunningSandbox) -> None:
    query = "SELECT ?i { VALUES ?i { wd:Q937 wd:Q84 wd:Q12418 } ?i wdt:P31 wd:Q5 }"
    assert values(ask(wiki, query), "i") == ["http://www.wikidata.org/entity/Q937"]


def test_a_name_finds_its_people_and_the_label_service_names_them(wiki: RunningSandbox) -> None:
    rows = ask(
        wiki,
        'SELECT ?i ?iLabel ?iDescription { ?i rdfs:label "Albert Einstein"@en ; wdt:P31 wd:Q5 .'
        ' SERVICE wikibase:label { bd:serviceParam wikibase:language "nb,de,en" } } ORDER BY ?i',
    )
    assert values(rows, "i")[-1].endswith("Q990000002")
    assert values(rows, "iLabel") == ["Albert Einstein", "Albert Einstein"]
    assert [row["iDescription"]["xml:lang"] for row in rows][-2:] in (["nb", "de"], ["de", "nb"])


def test_a_redirect_points_to_its_target(wiki: RunningSandbox) -> None:
    rows = ask(wiki, "SELECT ?t { wd:Q990000020 owl:sameAs ?t }")
    assert values(rows, "t") == ["http://www.wikidata.org/entity/Q937"]


def test_it_takes_posts_and_asks(wiki: RunningSandbox) -> None:
    url = f"{wiki.url}/sparql"
    query = "ASK { wd:Q937 wdt:P31 wd:Q5 }"
    for answer in (
        requests.post(url, data={"query": query}, timeout=10),
        requests.post(
            url, data=query, headers={"Content-Type": "application/sparql-query"}, timeout=10
        ),
    ):
        assert answer.json()["boolean"] is True


@pytest.mark.parametrize(
    "query",
    ["", "SELECT WHERE {", "SELECT * { SERVICE <http://127.0.0.1:1/> { ?a ?b ?c } }"],
)
def test_what_it_cannot_do_is_refused(wiki: RunningSandbox, query: str) -> None:
    answer = requests.get(f"{wiki.url}/sparql", {"query": query}, timeout=10)
    assert answer.status_code == 400
    assert answer.text


def test_it_fetches_no_graph_from_elsewhere(wiki: RunningSandbox) -> None:
    query = f"SELECT ?s FROM <{wiki.url}/commons/wiki/Main_Page> {{ ?s ?p ?o }}"
    wiki.world.reset_request_counts()
    requests.get(f"{wiki.url}/sparql", {"query": query}, timeout=10)
    assert not [key for key in wiki.world.request_counts if "Main_Page" in key]


def test_an_edited_item_is_seen_at_once(scratch: RunningSandbox) -> None:
    query = "SELECT ?l { wd:Q937 rdfs:label ?l FILTER(lang(?l) = 'en') }"
    assert values(ask(scratch, query), "l") == ["Albert Einstein"]
    page = scratch.world.page("wikidata", "Q937")
    assert page
    entity = scratch.world.current(page).entity
    assert entity
    entity["labels"]["en"]["value"] = "A. Einstein"
    scratch.world.save_entity(page, entity, user="Admin")
    assert values(ask(scratch, query), "l") == ["A. Einstein"]


def test_the_short_property_gives_the_best_rank_only(scratch: RunningSandbox) -> None:
    query = "SELECT ?i { wd:Q937 wdt:P18 ?i }"
    assert len(values(ask(scratch, query), "i")) == 2
    page = scratch.world.page("wikidata", "Q937")
    assert page
    entity = scratch.world.current(page).entity
    assert entity
    best = entity["claims"]["P18"][1]
    best["rank"] = "preferred"
    scratch.world.save_entity(page, entity, user="Admin")
    name = quote(best["mainsnak"]["datavalue"]["value"], safe="")
    assert [value.rpartition("/")[2] for value in values(ask(scratch, query), "i")] == [name]
    every = "SELECT ?i { wd:Q937 p:P18/ps:P18 ?i }"
    assert len(values(ask(scratch, every), "i")) == 2
