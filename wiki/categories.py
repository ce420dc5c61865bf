"""Categories on Commons: completed as one types, counted, and guessed when misspelt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import gettext as _

from core.user_errors import Refused
from wiki import http
from wiki.json_tree import Node

MAX_DEPTH = 5
MAX_TREE = 60  # categories that a count walks through; beyond it says "at least"
# Characters; the search of Commons refuses queries longer than 300, and a statement comes in.
MAX_QUERY = 260
MAX_CHILDREN = 2000  # subcategories of one category that are listed
MOST_PAGES = 20  # of that list

_ADDRESS = re.compile(
    r"^https?://[^/]+/(?:[^?]*/)?(?:index\.php\?title=)?(?=[^/]+:)", re.IGNORECASE
)
PREFIX = re.compile(r"^:?category:", re.IGNORECASE)
_ILLEGAL = re.compile(r"[#<>\[\]|{}\x00-\x1f]")


@dataclass(frozen=True)
class Category:
    """`title` is without prefix; the numbers are of its direct members."""

    title: str
    files: int
    subcategories: int


@dataclass(frozen=True)
class Tree:
    """A category and those below it."""

    titles: list[str]  # each once, the category itself first
    subcategories: int  # of the category itself
    cut: bool  # the tree is bigger than what was walked through


def clean(text: str) -> str:
    """A title without prefix from what somebody typed or pasted. Raises Refused."""
    title = without_address(text)
    title = " ".join(PREFIX.sub("", title.strip("[] ")).replace("_", " ").split())
    if not title or len(title.encode()) > 240 or _ILLEGAL.search(title):
        raise Refused("not-a-category", _("That is no name of a category on Commons."))
    return title[:1].upper() + title[1:]


def without_address(text: str) -> str:
    """The title of a page, where its address was pasted."""
    title = _ADDRESS.sub("", text.strip())
    return title if title == text.strip() else unquote(title).split("&")[0]


def search(prefix: str, limit: int = 8) -> list[Category]:
    """Categories whose name begins with `prefix`, with their sizes. Raises WikiError.

    Commons takes small letters for capitals; a wiki without CirrusSearch does not, so names
    are tried with a capital in each word, too.
    """
    try:
        start = clean(prefix)
    except Refused:
        return []
    capitals = " ".join(word[:1].upper() + word[1:] for word in start.split())
    return _beginning(start, limit) or (_beginning(capitals, limit) if capitals != start else [])


def _beginning(start: str, limit: int) -> list[Category]:
    body = _query(
        generator="prefixsearch",
        gpssearch=f"Category:{start}",
        gpsnamespace=14,
        gpslimit=limit,
        prop="categoryinfo",
    )
    found = _pages(body).read_items(lambda page: (page["index"].integer(), read_category(page)))
    return [category for _index, category in sorted(found, key=lambda pair: pair[0])]


def read(title: str) -> Category:
    """One category, a redirect followed. Raises WikiError, and Refused with a guess at what was
    meant when there is neither page nor member."""
    page = _pages(_query(titles=f"Category:{title}", redirects=1, prop="categoryinfo"))[0]
    if page["missing"].flag() and "categoryinfo" not in page:
        raise _no_such(title)
    return read_category(page)


def tree(root: Category, depth: int = 0) -> Tree:
    """Return a category with what is below it, as deep as asked for. Raises WikiError."""
    titles, level = [root.title], [root]
    for _level in range(min(depth, MAX_DEPTH)):
        found = [child for parent in level for child in _children(parent)]
        level = []
        for child in found:
            if child.title not in titles:
                titles.append(child.title)
                level.append(child)
            if len(titles) >= MAX_TREE:
                return Tree(titles, root.subcategories, True)
    return Tree(titles, root.subcategories, False)


def children(title: str) -> list[Category]:
    """Return the subcategories right below a category, those with most members first. Raises
    WikiError."""
    found: list[Category] = []
    bodies = http.follow(
        _query,
        MOST_PAGES,
        generator="categorymembers",
        gcmtitle=f"Category:{title}",
        gcmtype="subcat",
        gcmlimit=500,
        prop="categoryinfo",
    )
    for body in bodies:
        found += _pages(body).read_items(read_category)
        if len(found) >= MAX_CHILDREN:
            break
    return sorted(found, key=lambda each: (-each.files - each.subcategories, each.title))


def sizes(titles: list[str]) -> dict[str, Category]:
    """Those of at most 50 categories that have a page or members; redirects are not followed.
    Raises WikiError."""
    if not titles:
        return {}
    asked = "|".join(f"Category:{title}" for title in titles[:50])
    pages = _pages(_query(titles=asked, prop="categoryinfo"))
    found = [category for category in pages.read_items(_existing) if category]
    return {each.title: each for each in found}


def suggest(title: str, limit: int = 3) -> list[str]:
    """Names of categories that look like a misspelt one, best first. Raises WikiError."""
    words = " ".join(f"{word}~" for word in re.findall(r"\w+", title))
    hits = _query(list="search", srsearch=words, srnamespace=14, srlimit=20, srprop="")
    names = {*hits["query"]["search"].read_items(lambda hit: _bare(hit["title"]))}
    for length in (len(title) * 3 // 4, len(title) // 2, 3):
        near = _query(list="allcategories", acprefix=title[:length], aclimit=100)
        listed = near["query"]["allcategories"]
        names |= {*listed.read_items(lambda category: category["category"].text())}
        if guesses := get_close_matches(title, sorted(names), limit, 0.75):
            return guesses
    return []


def _no_such(title: str) -> Refused:
    sentence = _("There is no category “%(title)s” on Commons.") % {"title": title}
    guesses = suggest(title)
    if guesses:
        sentence += " " + _("Did you mean one of these?")
    return Refused("no-such-category", sentence, guesses=guesses)


def _children(parent: Category) -> list[Category]:
    if not parent.subcategories:
        return []
    body = _query(
        generator="categorymembers",
        gcmtitle=f"Category:{parent.title}",
        gcmtype="subcat",
        gcmlimit=MAX_TREE,
        prop="categoryinfo",
    )
    return _pages(body).read_items(read_category)


def parts(titles: list[str], room: int = MAX_QUERY) -> list[str]:
    """The titles as `"A"|"B"`, in as few pieces as the search takes."""
    found, part = [], ""
    for title in titles:
        quoted = '"' + title.replace('"', '\\"') + '"'
        if part and len(part) + len(quoted) + 12 > room:
            found.append(part)
            part = ""
        part = f"{part}|{quoted}" if part else quoted
    return [*found, part] if part else found


def _query(**params: Any) -> Node:
    return http.api(settings.WIKI.commons_api, action="query", **params)


def _pages(body: Node) -> Node:
    return body["query"]["pages"]


def _existing(page: Node) -> Category | None:
    """A category that has a page or members."""
    return read_category(page) if "categoryinfo" in page else None


def read_category(page: Node) -> Category:
    """Of an answer to `prop=categoryinfo`."""
    info = page["categoryinfo"]
    return Category(_bare(page["title"]), info["files"].integer(0), info["subcats"].integer(0))


def _bare(title: Node) -> str:
    return PREFIX.sub("", title.text(longest=300))
