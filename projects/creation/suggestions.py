"""Where photos of a person may be: what the wikis say, so that nobody has to look for it.

The person's own category often yields least: its files are tagged. So what they took part in,
and what else their photos are in, is offered beside it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from core.user_errors import Refused
from projects.creation import category_lookup
from projects.creation.source_lookup import Place
from projects.models import Source
from wiki import categories, http, wikidata
from wiki.http import WikiError
from wiki.json_tree import Node
from wiki.wikidata import PersonData

Kind = Source.Kind
OWN_DEPTH = 2  # levels of subcategories of the person's own category
EVENT_DEPTH = 1
# Suggested events so small that hardly anybody would not want them are ticked.
SMALL_FILES, SMALL_SUBCATEGORIES = 300, 10
EVENTS_SHOWN, BESIDES_SHOWN = 8, 4
_LOOKED_AT = 50  # files that depict the person, whose categories are tallied


class Why(StrEnum):
    """Why a place is in the list."""

    OWN = "own"
    DEPICTS = "depicts"
    PART = "part"
    EVENT = "event"
    AWARD = "award"
    BESIDES = "besides"
    NAME = "name"
    TYPED = "typed"

    @property
    def sentence(self) -> str:
        return str(_SENTENCES.get(self, ""))


_SENTENCES = {
    Why.OWN: _("the person’s own category"),
    Why.DEPICTS: _("they teach the tool what the person looks like; nothing is added to them"),
    Why.PART: _("the person took part in it"),
    Why.EVENT: _("an event in the person’s life"),
    Why.AWARD: _("an award of the person; others have it, too"),
    Why.BESIDES: _("photos that show the person are in it"),
    Why.NAME: _("whatever names the person"),
}
_OF_PROPERTY = {"P1344": Why.PART, "P793": Why.EVENT, "P166": Why.AWARD}


@dataclass(frozen=True)
class Suggestion:
    place: Place
    why: Why
    use: bool  # ticked, unless one says otherwise
    years: str = ""


def for_person(person: PersonData, language: str) -> tuple[list[Suggestion], bool]:
    """Places for a person, best first, and whether the wiki answered all that was asked.

    The first ones need no wiki, so there is always something to begin with.
    """
    found = [Suggestion(Place(Kind.DEPICTS, person.qid), Why.DEPICTS, True)]
    if person.commons_category:
        own = Place(Kind.CATEGORY, person.commons_category, OWN_DEPTH)
        found.insert(0, Suggestion(own, Why.OWN, True))
    complete = True
    for more in (_events, _besides):
        try:
            found += more(person, language, {each.place.value for each in found})
        except (WikiError, Refused):
            complete = False
    found += _by_name(person)
    return found, complete


def _events(person: PersonData, language: str, there: set[str]) -> list[Suggestion]:
    events = {
        event.category: event
        for event in reversed(wikidata.read_events(person, language))
        if event.category not in there
    }
    sizes = category_lookup.sizes(list(events))
    kept = [
        Suggestion(
            Place(Kind.CATEGORY, title, EVENT_DEPTH),
            _OF_PROPERTY[event.prop],
            event.prop != "P166" and _is_small(sizes[title]),
            event.years,
        )
        for title, event in reversed(events.items())
        if title in sizes and (sizes[title].files or sizes[title].subcategories)
    ]
    return kept[:EVENTS_SHOWN]


def _is_small(category: categories.Category) -> bool:
    return category.files <= SMALL_FILES and category.subcategories <= SMALL_SUBCATEGORIES


def _besides(person: PersonData, _language: str, there: set[str]) -> list[Suggestion]:
    """Categories of files that depict the person, outside of the person's own tree."""
    body = http.api(
        settings.WIKI.commons_api,
        action="query",
        generator="search",
        gsrsearch=f"haswbstatement:{settings.WIKI.depicts}={person.qid}",
        gsrnamespace=6,
        gsrlimit=_LOOKED_AT,
        prop="categories",
        clshow="!hidden",
        cllimit="max",
    )
    tally = Counter(read_categories(body))
    own = person.commons_category
    known = set(category_lookup.tree(own, OWN_DEPTH).titles) if own else set()
    wanted = [title for title, _files in tally.most_common(20) if title not in known | there]
    sizes = category_lookup.sizes(wanted)
    few = [title for title in wanted if title in sizes and _is_small(sizes[title])]
    return [
        Suggestion(Place(Kind.CATEGORY, title), Why.BESIDES, False) for title in few[:BESIDES_SHOWN]
    ]


def read_categories(body: Node) -> list[str]:
    """Categories of each file of an answer to `prop=categories`, without prefix."""
    pages = body["query"]["pages"].read_items(lambda page: page["categories"].read_items(_bare))
    return [title for titles in pages for title in titles]


def _bare(category: Node) -> str:
    return category["title"].text(longest=300).partition(":")[2]


def _by_name(person: PersonData) -> list[Suggestion]:
    """Their name as words that stand together; nothing of ours may be syntax of the search."""
    name = person.label().replace('"', " ").strip()
    if not name or name == person.qid:
        return []
    return [Suggestion(Place(Kind.SEARCH, f'"{name}"'), Why.NAME, False)]
