"""Categories on Commons: completed as one types, counted, and guessed when misspelt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import gettext as _

from projects import denials, http
from projects.refusal import Refused

MAX_DEPTH = 5
MAX_TREE = 60  # categories that a count walks through; beyond it says "at least"
MAX_QUERY = 280  # characters; the search of Commons refuses queries longer than 300

_ADDRESS = re.compile(
    r"^https?://[^/]+/(?:[^?]*/)?(?:index\.php\?title=)?(?=[^/]+:)", re.IGNORECASE
)
_PREFIX = re.compile(r"^:?category:", re.IGNORECASE)
_ILLEGAL = re.compile(r"[#<>\[\]|{}\x00-\x1f]")


@dataclass(frozen=True)
class Category:
    """`title` is without prefix; the numbers are of its direct members."""

    title: str
    files: int
    subcategories: int


@dataclass(frozen=True)
class Counts:
    """What a category holds down to the depth asked for, each file counted once."""

    title: str
    files: int
    subcategories: int
    lacking: int  # files without a depicts statement of the person
    at_least: bool  # the tree is bigger than what was walked through

    @property
    def percent(self) -> int:
        return round(100 * self.lacking / self.files) if self.files else 0


def clean(text: str) -> str:
    """A title without prefix from what somebody typed or pasted. Raises Refused."""
    title = _ADDRESS.sub("", text.strip())
    if title != text.strip():
        title = unquote(title).split("&")[0]
    title = " ".join(_PREFIX.sub("", title.strip("[] ")).replace("_", " ").split())
    if not title or len(title.encode()) > 240 or _ILLEGAL.search(title):
        raise Refused("not-a-category", _("That is no name of a category on Commons."))
    return title[:1].upper() + title[1:]


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
    answer = _query(
        generator="prefixsearch",
        gpssearch=f"Category:{start}",
        gpsnamespace=14,
        gpslimit=limit,
        prop="categoryinfo",
    )
    pages = sorted(answer.get("pages", []), key=lambda page: page["index"])
    return [_category(page) for page in pages]


def read(title: str) -> Category:
    """One category, a redirect followed. Raises WikiError, and Refused with a guess at what was
    meant when there is neither page nor member."""
    answer = http.api(
        settings.WIKI.commons_api,
        action="query",
        titles=f"Category:{title}",
        redirects=1,
        prop="categoryinfo",
    )
    page = answer["query"]["pages"][0]
    if page.get("missing") and "categoryinfo" not in page:
        raise _no_such(title)
    found = _category(page)
    refuse_denied(found.title)
    return found


def refuse_denied(title: str) -> None:
    """Raises Refused for a category that is left alone."""
    if denials.denied_category(title):
        sentence = _("This tool leaves the category “%(title)s” alone: it was asked to.")
        raise Refused("denied", sentence % {"title": title})


def count(title: str, qid: str, depth: int = 0) -> Counts:
    """Files, subcategories and files that lack *depicts* `qid`. Raises Refused and WikiError."""
    root = read(clean(title))
    titles, at_least = _tree(root, min(depth, MAX_DEPTH))
    depicts = f"haswbstatement:{settings.WIKI.depicts}={qid}"
    files = root.files if len(titles) == 1 else _found(titles, "")
    depicting = _found(titles, depicts) if qid and files else 0
    lacking = max(0, files - depicting)
    below = len(titles) - 1 if depth else root.subcategories
    return Counts(root.title, files, below, lacking, at_least)


def suggest(title: str, limit: int = 3) -> list[str]:
    """Names of categories that look like a misspelt one, best first. Raises WikiError."""
    words = " ".join(f"{word}~" for word in re.findall(r"\w+", title))
    hits = _query(list="search", srsearch=words, srnamespace=14, srlimit=20, srprop="")
    names = {_PREFIX.sub("", hit["title"]) for hit in hits.get("search", [])}
    for length in (len(title) * 3 // 4, len(title) // 2, 3):
        near = _query(list="allcategories", acprefix=title[:length], aclimit=100)
        names |= {category["category"] for category in near.get("allcategories", [])}
        if guesses := get_close_matches(title, sorted(names), limit, 0.75):
            return guesses
    return []


def _no_such(title: str) -> Refused:
    sentence = _("There is no category “%(title)s” on Commons.") % {"title": title}
    guesses = suggest(title)
    if guesses:
        sentence += " " + _("Did you mean one of these?")
    return Refused("no-such-category", sentence, guesses=guesses)


def _tree(root: Category, depth: int) -> tuple[list[str], bool]:
    """Titles of a category and those below it, each once, and whether it was cut short."""
    titles, level = [root.title], [root]
    for _level in range(depth):
        found = [child for parent in level for child in _children(parent)]
        level = []
        for child in found:
            if child.title not in titles:
                titles.append(child.title)
                level.append(child)
            if len(titles) >= MAX_TREE:
                return titles, True
    return titles, False


def _children(parent: Category) -> list[Category]:
    if not parent.subcategories:
        return []
    answer = _query(
        generator="categorymembers",
        gcmtitle=f"Category:{parent.title}",
        gcmtype="subcat",
        gcmlimit=MAX_TREE,
        prop="categoryinfo",
    )
    return [_category(page) for page in answer.get("pages", [])]


def _found(titles: list[str], condition: str) -> int:
    """How many files the search finds in the categories together."""
    total = 0
    for part in _parts(titles, MAX_QUERY - len(condition)):
        query = f"incategory:{part} {condition}".strip()
        answer = _query(
            list="search", srsearch=query, srnamespace=6, srlimit=1, srinfo="totalhits", srprop=""
        )
        total += answer["searchinfo"]["totalhits"]
    return total


def _parts(titles: list[str], room: int) -> Iterator[str]:
    """The titles as `"A"|"B"`, in as few pieces as the search takes."""
    part = ""
    for title in titles:
        quoted = '"' + title.replace('"', '\\"') + '"'
        if part and len(part) + len(quoted) + 12 > room:
            yield part
            part = ""
        part = f"{part}|{quoted}" if part else quoted
    yield part


def _query(**params: Any) -> dict[str, Any]:
    answer = http.api(settings.WIKI.commons_api, action="query", **params)
    return answer.get("query", {})  # type: ignore[no-any-return]


def _category(page: dict[str, Any]) -> Category:
    info = page.get("categoryinfo") or {}
    return Category(_PREFIX.sub("", page["title"]), info.get("files", 0), info.get("subcats", 0))
