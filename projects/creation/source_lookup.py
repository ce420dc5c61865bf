"""Places on Commons that photos come from: named by people, looked up, and counted.

A place is what a Source row holds: its kind, value and depth. Counting lists the page ids where
they are not too many, so that files in two places are counted once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from core.user_errors import Refused
from projects.creation import category_lookup
from projects.models import Source
from wiki import categories, http
from wiki.http import WikiError
from wiki.json_tree import Node
from wiki.users import read_user

Kind = Source.Kind
KINDS = (Kind.CATEGORY, Kind.SEARCH, Kind.UPLOADER, Kind.DEPICTS)  # what people may choose
MOST_IDS = 3000  # files of a place that are listed one by one; beyond, only their number is known
A_PAGE = 500
MOST_PAGES = 20  # of a listing, some of which may be short
KEPT = 600  # seconds
MAX_SEARCH = 250  # characters; Commons takes 300, and the statement that is looked for comes in
# Files of an uploader that are read at most, the newest: some bots have uploaded a million.
UPLOADER_MOST = 10_000

_USER = re.compile(r"^:?(?:user|special:listfiles|special:contributions)[:/]", re.IGNORECASE)
_SYNTAX = re.compile(r"(^|\s)-?(insource|incategory|intitle|haswbstatement|deepcat\w*):|^\".*\"$")
_ILLEGAL = re.compile(r"[#<>\[\]|{}/@\x00-\x1f]")


class Place(NamedTuple):
    kind: str
    value: str
    depth: int = 0  # levels of subcategories

    @property
    def key(self) -> str:
        """What forms name it by."""
        return f"{self.kind}:{self.value}"


@dataclass(frozen=True)
class Counts:
    """What is in a place."""

    files: int
    lacking: int  # files without a depicts statement of the person
    subcategories: int = 0
    at_least: bool = False  # there are more files than were counted
    roughly: bool = False  # `lacking` may be less

    @property
    def percent(self) -> int:
        return round(100 * self.lacking / self.files) if self.files else 0


@dataclass(frozen=True)
class Sum:
    """What is in several places together: `files` − `twice` − `depicting` = `lacking`."""

    files: int
    twice: int  # counted in more than one place
    depicting: int
    lacking: int
    at_least: bool = False  # a place holds more than was counted
    at_most: bool = False  # some places are too big to know what they have in common


@dataclass(frozen=True)
class Listed:
    """Page ids of a place; `total` is more than them where they are too many to list."""

    ids: frozenset[int]
    total: int
    subcategories: int = 0
    at_least: bool = False

    @property
    def whole(self) -> bool:
        return len(self.ids) >= self.total


# What people type ---------------------------------------------------------------------------


def guess_kind(text: str, kind: str) -> str:
    """The kind that a pasted text tells by itself, else the one that was chosen."""
    bare = categories.without_address(text)
    if _USER.match(bare):
        return Kind.UPLOADER
    if categories.PREFIX.match(bare.strip("[] ")):
        return Kind.CATEGORY
    return Kind.SEARCH if _SYNTAX.search(text.strip()) else kind


def clean(kind: str, text: str) -> str:
    """The value as it is kept. Raises Refused."""
    if kind == Kind.CATEGORY:
        return categories.clean(text)
    if kind == Kind.UPLOADER:
        return _clean_user(text)
    words = " ".join(text.split())
    if kind == Kind.DEPICTS:
        return words
    if not words:
        raise Refused("no-search", _("Type what to search for on Commons."))
    if len(words) > MAX_SEARCH:
        sentence = _("Commons takes no search of more than %(n)s characters. Make it shorter.")
        raise Refused("long-search", sentence % {"n": MAX_SEARCH})
    return words


def look_up(kind: str, text: str) -> str:
    """The same, and the wiki knows it: a category that is there, a user who exists, a search
    that is understood. Raises Refused, and WikiError."""
    value = clean(kind, text)
    if kind == Kind.CATEGORY:
        return category_lookup.read(value).title
    if kind == Kind.UPLOADER:
        return _existing_user(value)
    if kind == Kind.SEARCH:
        total_of(value)
    return value


def _clean_user(text: str) -> str:
    name = _USER.sub("", categories.without_address(text).strip("[] "))
    name = " ".join(name.replace("_", " ").split())
    if not name or len(name.encode()) > 235 or _ILLEGAL.search(name):
        raise Refused("not-a-user", _("That is no name of a user of the wiki."))
    return name[:1].upper() + name[1:]


def users(prefix: str, limit: int = 8) -> list[str]:
    """Users of the wiki who have edited and whose name begins so. Raises WikiError."""
    try:
        start = _clean_user(prefix)
    except Refused:
        return []
    body = _query(list="allusers", auprefix=start, auwitheditsonly=1, aulimit=limit)
    return [user.name for user in body["query"]["allusers"].read_items(read_user, required=True)]


def _existing_user(name: str) -> str:
    user = read_user(_query(list="users", ususers=name)["query"]["users"][0])
    if not user.id:
        sentence = _("There is no user “%(name)s” on Commons. Check the spelling.")
        raise Refused("no-such-user", sentence % {"name": name})
    return user.name


# Counting -----------------------------------------------------------------------------------


def count(place: Place, qid: str) -> Counts:
    """What is in a place, and how much of it lacks *depicts* of the person (none without a
    Q-ID). Raises Refused and WikiError."""
    found = listed(place)
    if place.kind == Kind.DEPICTS:
        return Counts(found.total, 0)
    if not qid or not found.total:
        lacking, roughly = found.total, False
    elif (known := depicting(qid)).whole and found.whole:
        lacking, roughly = len(found.ids - known.ids), False
    else:
        lacking, roughly = _lacking_of_many(place, qid, found, known)
    return Counts(found.total, lacking, found.subcategories, found.at_least, roughly)


def add_up(places: Iterable[Place], qid: str) -> Sum | None:
    """What several places hold together; None for none. Places that cannot be read count for
    nothing: their rows say why."""
    readable = [place for place in places if _try(place, qid)]
    if not readable:
        return None
    counts = [count(place, qid) for place in readable]
    found = [listed(place) for place in readable]
    known = depicting(qid) if qid else Listed(frozenset(), 0)
    files, at_least = sum(each.files for each in counts), any(each.at_least for each in counts)
    if all(each.whole for each in found) and known.whole:
        together = frozenset().union(*(each.ids for each in found))
        lacking = len(together - known.ids)
        return Sum(files, files - len(together), len(together) - lacking, lacking, at_least)
    # of what is listed, so much is known to be in two places
    twice = sum(len(each.ids) for each in found)
    twice -= len(frozenset().union(*(each.ids for each in found)))
    depicted = sum(each.files - each.lacking for each in counts)
    lacking = max(0, files - twice - depicted)
    return Sum(files, twice, files - twice - lacking, lacking, at_least, at_most=len(counts) > 1)


def _try(place: Place, qid: str) -> bool:
    try:
        count(place, qid)
    except (Refused, WikiError):
        return False
    return True


def depicting(qid: str) -> Listed:
    """The files that already depict a person."""
    return listed(Place(Kind.DEPICTS, qid))


def is_known(place: Place, qid: str) -> bool:
    """Whether counting it asks no wiki now."""
    return all(_kept(each) for each in (place, Place(Kind.DEPICTS, qid)) if each.value)


def listed(place: Place) -> Listed:
    """The page ids of a place, some minutes old at most. Raises Refused and WikiError."""
    if known := _kept(place):
        return known
    found = _listed(place)
    cache.set(_cache_key(place), found, KEPT)
    return found


def _kept(place: Place) -> Listed | None:
    found: Listed | None = cache.get(_cache_key(place))
    return found


def _cache_key(place: Place) -> str:
    """Short, whatever the place is called."""
    name = f"{settings.WIKI.code}:{place.depth}:{place.key}"
    return f"place:{hashlib.sha256(name.encode()).hexdigest()}"


def _listed(place: Place) -> Listed:
    if place.kind == Kind.UPLOADER:
        return _uploads(_existing_user(place.value))
    if place.kind == Kind.DEPICTS:
        return _hits([f"haswbstatement:{settings.WIKI.depicts}={place.value}"])
    if place.kind == Kind.SEARCH:
        return _hits([place.value])
    tree = category_lookup.tree(place.value, place.depth)
    parts = categories.parts(tree.titles)
    found = _hits([f"incategory:{part}" for part in parts])
    below = len(tree.titles) - 1 if place.depth else tree.subcategories
    return Listed(found.ids, found.total, below, found.at_least or tree.cut)


def _hits(searches: list[str]) -> Listed:
    """What the searches find together. Of one with too many hits only the first are listed."""
    ids: set[int] = set()
    unlisted = 0
    for search in searches:
        offset = 0
        for _page in range(MOST_PAGES):
            hits = _search(search, limit=A_PAGE, offset=offset)
            ids.update(hits.ids)
            offset, total = offset + hits.rows, hits.total
            if not hits.rows or offset >= total or len(ids) + total - offset > MOST_IDS:
                break
        unlisted += max(0, total - offset)
    return Listed(frozenset(ids), len(ids) + unlisted)


def _uploads(name: str) -> Listed:
    ids: set[int] = set()
    bodies = http.follow(
        _query,
        MOST_PAGES,
        generator="allimages",
        gaisort="timestamp",
        gaidir="descending",
        gaiuser=name,
        gailimit=A_PAGE,
    )
    for body in bodies:
        ids.update(body["query"]["pages"].read_items(_page_id))
        if len(ids) >= MOST_IDS:
            return Listed(frozenset(ids), len(ids), at_least="continue" in body)
    return Listed(frozenset(ids), len(ids))


def _lacking_of_many(place: Place, qid: str, found: Listed, known: Listed) -> tuple[int, bool]:
    """Of a place or a person with too many files to list: the wiki counts where it can."""
    statement = f"haswbstatement:{settings.WIKI.depicts}={qid}"
    if place.kind == Kind.UPLOADER:
        return found.total - len(found.ids & known.ids), not known.whole
    if place.kind == Kind.SEARCH:
        return max(0, found.total - total_of(f"{place.value} {statement}")), False
    parts = categories.parts(category_lookup.tree(place.value, place.depth).titles)
    tagged = sum(total_of(f"incategory:{part} {statement}") for part in parts)
    return max(0, found.total - tagged), len(parts) > 1


def total_of(search: str) -> int:
    """How many files a search finds. Raises Refused for one that Commons does not understand."""
    return _search(search, limit=1).total


@dataclass(frozen=True)
class Hits:
    """A page of what a search finds; `rows` counts those whose id can't be read, too."""

    ids: list[int]
    rows: int
    total: int


def read_hits(body: Node) -> Hits:
    """Of an answer to `list=search`."""
    found, info = body["query"]["search"], body["query"]["searchinfo"]
    rows = found.items(required=True)
    return Hits(found.read_items(_page_id), len(rows), info["totalhits"].integer())


def _page_id(page: Node) -> int:
    return page["pageid"].integer(least=1)


def _search(search: str, limit: int, offset: int = 0) -> Hits:
    try:
        body = _query(
            list="search",
            srsearch=search,
            srnamespace=6,
            srlimit=limit,
            sroffset=offset,
            srinfo="totalhits",
            srprop="",
        )
    except WikiError as error:
        if refused_search(error.code):
            sentence = _("Commons does not understand this search: %(text)s")
            raise Refused("bad-search", sentence % {"text": error.text}) from error
        raise
    return read_hits(body)


def refused_search(code: str) -> bool:
    """Whether an error of the wiki means that asking the same again is of no use."""
    for_now = "busy" in code or "backend" in code
    return code.startswith(("cirrussearch-", "search-")) and not for_now


def _query(**params: Any) -> Node:
    return http.api(settings.WIKI.commons_api, action="query", **params)
