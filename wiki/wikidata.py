"""People on Wikidata: found by name, or read by their Q-ID. Plain HTTP, for web requests.

Whom this tool may look for is asked by the callers: see `projects.creation.person_lookup`.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from core.i18n import text_in
from core.user_errors import Refused
from wiki import http
from wiki.dates import Span, span_of
from wiki.items import HUMAN, Item, read_item, read_items
from wiki.json_tree import Node

LOOKED_AT = 20  # hits of the search that are read, to find the humans among them

# What links a person to an event at which there may be photos of them, the likeliest first:
# participant in, significant event, award received.
EVENTS = ("P1344", "P793", "P166")

_QID = re.compile(r"(?<![A-Za-z0-9])[Qq]([1-9]\d{0,11})(?![A-Za-z0-9])")
_SYNTAX = re.compile(r"""[:"*?~!|\\()\[\]{}<>=/^-]+""")  # means something to CirrusSearch
_ADDRESS = re.compile(r"^\s*(https?://|[\w.-]*wikidata\.org/|\[\[|:?d:|wd:)", re.IGNORECASE)


@dataclass(frozen=True)
class Event:
    """Something that a person took part in and that has a category on Commons."""

    name: str
    category: str  # without "Category:"
    prop: str  # one of EVENTS
    years: str  # “1911”, “1914–1918” or nothing


@dataclass(frozen=True)
class PersonData:
    """A human as Wikidata has them now."""

    qid: str
    labels: dict[str, str] = field(default_factory=dict)  # language code -> label
    descriptions: dict[str, str] = field(default_factory=dict)
    portrait: str = ""  # "File:…"
    commons_category: str = ""  # without "Category:"
    born: Span | None = None
    died: Span | None = None
    took_part: tuple[tuple[str, str], ...] = ()  # property of EVENTS, Q-ID: events and awards
    sitelinks: int = 0  # pages of all wikis about the person

    def fields(self) -> dict[str, Any]:
        """What a Person row holds besides its key."""
        return {
            "labels": self.labels,
            "descriptions": self.descriptions,
            "portrait": self.portrait,
            "commons_category": self.commons_category,
            **_span_fields("born", self.born),
            **_span_fields("died", self.died),
            "sitelinks": self.sitelinks,
            "fetched_at": timezone.now(),
        }

    def label(self, language: str = "en") -> str:
        return text_in(self.labels, language, self.qid)

    def description(self, language: str = "en") -> str:
        return text_in(self.descriptions, language)


def find_qid(text: str) -> str | None:
    """The Q-ID in a pasted Q-ID or Wikidata address of any shape; None for other text."""
    found = _QID.search(text)
    if found and (is_link(text) or text.strip() == found[0]):
        return f"Q{found[1]}"
    return None


def is_link(text: str) -> bool:
    """Return whether a text is no name but an address, or the link that wikitext makes of one."""
    return bool(_ADDRESS.match(text))


def humans_called(text: str, language: str) -> list[PersonData]:
    """Return humans whose label or alias begins with `text`, best first. Raises WikiError."""
    answer = http.api(
        settings.WIKI.wikidata_api,
        action="wbsearchentities",
        search=text,
        language=language,
        uselang=language,
        type="item",
        limit=LOOKED_AT,
    )
    return _people(answer["search"].read_items(lambda hit: hit["id"].text(), required=True))


def humans_about(text: str, besides: Container[str]) -> list[PersonData]:
    """Return humans with all words of `text` somewhere in their item, best first, without those
    whose Q-ID is `besides`. Raises WikiError."""
    return _people([qid for qid in _full_text(text) if qid not in besides])


def read_human(qid: str) -> PersonData:
    """Read any human, a redirect followed. Raises Refused for what is no human, and WikiError."""
    if not re.fullmatch(r"Q[1-9]\d{0,11}", qid):
        raise no_item()
    item = read_item(_entities([qid]), qid)
    if item is None:
        sentence = _("There is no item %(qid)s on Wikidata. Check the number.") % {"qid": qid}
        raise Refused("missing", sentence)
    person = _person(item)
    if not item.is_human:
        raise _not_human(person)
    return person


def read_events(person: PersonData, language: str) -> list[Event]:
    """Those of the events and awards of a person that have a category. Raises WikiError."""
    props: dict[str, str] = {}
    for prop, qid in person.took_part:
        props.setdefault(qid, prop)
    return [
        Event(item.label(language), item.category, props[qid], item.years)
        for qid, item in _by_asked_id(list(props))
        if item.category
    ]


def _by_asked_id(qids: list[str]) -> list[tuple[str, Item]]:
    """Items under the ids by which they were asked for; redirects come back under another."""
    items = {item.qid: item for item in _items(qids)}
    return [(qid, items[qid]) for qid in qids if qid in items]


def _full_text(text: str) -> list[str]:
    """Q-IDs of humans that have all words of `text` somewhere in their item, best first."""
    if not (words := _SYNTAX.sub(" ", text).strip()):
        return []
    answer = http.api(
        settings.WIKI.wikidata_api,
        action="query",
        list="search",
        srsearch=f"{words} haswbstatement:P31={HUMAN}",
        srnamespace=0,
        srlimit=LOOKED_AT,
        srinfo="",
        srprop="",
    )
    return answer["query"]["search"].read_items(lambda hit: hit["title"].text(), required=True)


def _people(qids: list[str]) -> list[PersonData]:
    """Return the humans among the items."""
    return [_person(item) for item in _items(qids) if item.is_human]


def no_item() -> Refused:
    """Return the refusal of a text that names no item."""
    sentence = _("That is no item of Wikidata. Type a name, a Q-ID such as Q7186, or its address.")
    return Refused("not-an-item", sentence)


def _not_human(person: PersonData) -> Refused:
    values = {"name": person.label(), "qid": person.qid, "what": person.description()}
    if values["what"]:
        sentence = _("%(name)s (%(qid)s) is not a person but this: %(what)s.") % values
    else:
        sentence = _("%(name)s (%(qid)s) is not a person on Wikidata.") % values
    return Refused("not-human", sentence)


def _items(qids: list[str]) -> list[Item]:
    """Up to 50 items in the order of `qids`; missing and unreadable ones are left out."""
    if not qids:
        return []
    found = read_items(_entities(qids[:50]))
    return [item for qid in qids if (item := found.get(qid))]


def _entities(qids: list[str]) -> Node:
    try:
        return http.api(
            settings.WIKI.wikidata_api,
            action="wbgetentities",
            ids=qids,
            props="labels|descriptions|claims|sitelinks",
        )
    except http.WikiError as error:
        if error.code in ("no-such-entity", "invalid-entity-id"):  # only for an absurd number
            return Node({"entities": {qid: {"missing": ""} for qid in qids}})
        raise


def _person(item: Item) -> PersonData:
    portraits = item.texts("P18")
    return PersonData(
        qid=item.qid,
        labels=item.labels,
        descriptions=item.descriptions,
        portrait=f"File:{portraits[0]}".replace("_", " ") if portraits else "",
        commons_category=item.category,
        born=span_of(item.times("P569")),
        died=span_of(item.times("P570")),
        took_part=tuple((prop, qid) for prop in EVENTS for qid in item.qids(prop)),
        sitelinks=item.sitelinks,
    )


def _span_fields(name: str, span: Span | None) -> dict[str, date | int | None]:
    return {
        f"{name}_from": span.start if span else None,
        f"{name}_to": span.end if span else None,
        f"{name}_precision": span.precision if span else None,
    }
