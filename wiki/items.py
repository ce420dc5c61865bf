"""Items of Wikidata, read from what its API says of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.i18n import text_in
from wiki.dates import Time, span_of
from wiki.json_tree import Node

HUMAN = "Q5"
PROPERTIES = frozenset(
    {"P18", "P31", "P166", "P373", "P569", "P570", "P580", "P582", "P585", "P793", "P1344"}
)
RANKS = ("preferred", "normal")


@dataclass(frozen=True)
class ItemId:
    """An item that is the value of a statement."""

    qid: str


Value = str | Time | ItemId


@dataclass(frozen=True)
class Item:
    """`values` has those of the best rank that has any, by property; of PROPERTIES alone."""

    qid: str
    labels: dict[str, str] = field(default_factory=dict)  # language code -> label
    descriptions: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[Value]] = field(default_factory=dict)
    sitelinks: int = 0  # pages of all wikis about it
    commons_page: str = ""  # that of Commons

    @property
    def is_human(self) -> bool:
        return HUMAN in self.qids("P31")

    @property
    def category(self) -> str:
        """The category on Commons, by P373 or the sitelink; without prefix."""
        if found := self.texts("P373"):
            return found[0].replace("_", " ")
        page = self.commons_page
        return page.removeprefix("Category:") if page.startswith("Category:") else ""

    @property
    def years(self) -> str:
        """Of the point in time, or from the start to the end."""
        spans = [span_of(self.times(prop)) for prop in ("P585", "P580", "P582")]
        years = sorted({span.start.year for span in spans if span})
        return "–".join(dict.fromkeys(str(year) for year in (*years[:1], *years[-1:])))

    def label(self, language: str) -> str:
        return text_in(self.labels, language, self.qid)

    def texts(self, prop: str) -> list[str]:
        return [value for value in self.values.get(prop, []) if isinstance(value, str)]

    def times(self, prop: str) -> list[Time]:
        return [value for value in self.values.get(prop, []) if isinstance(value, Time)]

    def qids(self, prop: str) -> list[str]:
        return [value.qid for value in self.values.get(prop, []) if isinstance(value, ItemId)]


def read_items(body: Node) -> dict[str, Item]:
    """Items of an answer to `wbgetentities`, by the id that was asked for; missing ones, and those
    that can't be read, are left out."""
    found = body["entities"].read_fields(_read_item)
    return {qid: item for qid, item in found.items() if item}


def read_item(body: Node, qid: str) -> Item | None:
    """The one that was asked for; None where it is missing."""
    return _read_item(body["entities"][qid])


def _read_item(entity: Node) -> Item | None:
    if entity["missing"].flag():
        return None
    links = entity["sitelinks"]
    return Item(
        qid=entity["id"].text(longest=16),
        labels=read_terms(entity["labels"]),
        descriptions=read_terms(entity["descriptions"]),
        values=_read_claims(entity["claims"]),
        sitelinks=len(links.fields()),
        commons_page=links["commonswiki"]["title"].text("", longest=255),
    )


def read_terms(terms: Node) -> dict[str, str]:
    """Labels or descriptions by language."""
    return terms.read_fields(lambda term: term["value"].text(longest=1000))


def _read_claims(claims: Node) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for prop in PROPERTIES & claims.fields().keys():
        ranked = claims[prop].read_items(_read_statement)
        for rank in RANKS:
            best = [value for its, value in ranked if its == rank and value is not None]
            if best:
                found[prop] = best
                break
    return found


def _read_statement(statement: Node) -> tuple[str, Value | None]:
    """Rank and value; `no value`, `unknown value`, and what is of no use to us are none."""
    rank, snak = statement["rank"].text(), statement["mainsnak"]
    if snak["snaktype"].text() != "value":
        return rank, None
    kind, value = snak["datavalue"]["type"].text(), snak["datavalue"]["value"]
    if kind == "string":
        return rank, value.text(longest=250)
    if kind == "time":
        return rank, Time(value["time"].text(longest=40), value["precision"].integer())
    if kind == "wikibase-entityid":
        return rank, ItemId(value["id"].text(longest=16))
    return rank, None
