"""Which pages a query is about: titles, page ids, revision ids, or what a generator gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.api.answer import PageList
from sandbox.api.call import Call, Json, Params
from sandbox.records import Page
from sandbox.wikitext import InvalidTitle, normalize_title

_INTERWIKI = ("wikipedia", "w", "wikidata", "d", "meta", "m", "wikt", "mw")


@dataclass
class PageSet:
    """Pages by id; what has none (missing, invalid, special) stands under negative numbers."""

    call: Call
    pages: dict[int, Page] = field(default_factory=dict)
    out: PageList = field(default_factory=PageList)
    normalized: list[Json] = field(default_factory=list)
    redirects: list[Json] = field(default_factory=list)
    interwiki: list[Json] = field(default_factory=list)
    badrevids: Json = field(default_factory=dict)
    revids: list[int] = field(default_factory=list)

    def header(self) -> Json:
        """What stands in `query` beside the pages."""
        lists = {
            "normalized": self.normalized,
            "redirects": self.redirects,
            "interwiki": self.interwiki,
            "badrevids": self.badrevids,
        }
        return {key: value for key, value in lists.items() if value}

    def add(self, page: Page) -> None:
        """Adds a page that exists."""
        self.pages[page.id] = page
        self.out.setdefault(page.id, {"pageid": page.id, "ns": page.ns, "title": page.title})

    def add_without_id(self, entry: Json) -> None:
        """Adds a page that has no id, unless the same one is there."""
        if entry not in self.out.values():
            self.out[min([0, *self.out]) - 1] = entry

    def missing(self) -> list[Json]:
        """Titles that do not exist, to be filled by prop modules."""
        return [entry for key, entry in self.out.items() if key < 0 and "missing" in entry]


def build(call: Call, params: Params) -> PageSet:
    """The page set that `titles`, `pageids` or `revids` name."""
    found = PageSet(call)
    follow = params.given("redirects")
    params.known("converttitles")
    for title in params.values("titles"):
        _add_title(found, title, follow)
    ids = [int(value) for value in params.values("pageids") if value.strip().isdigit()]
    live = call.world.pages(call.wiki, ids) if ids else {}
    for number in ids:
        if number in live:
            _add_page(found, live[number], follow)
        else:
            found.out[number] = {"pageid": number, "missing": True}
    _add_revisions(found, [int(value) for value in params.values("revids") if value.isdigit()])
    return found


def generated(call: Call, params: Params, pages: Iterable[Page]) -> PageSet:
    """The page set of a generator's result."""
    found = PageSet(call)
    follow = params.given("redirects")
    for page in pages:
        _add_page(found, page, follow)
    return found


def _add_title(found: PageSet, title: str, follow: bool) -> None:
    prefix = title.partition(":")[0].strip().casefold()
    if ":" in title and prefix in _INTERWIKI:
        found.interwiki.append({"title": title, "iw": prefix})
        return
    if prefix == "special" and ":" in title:
        found.add_without_id({"ns": -1, "title": title, "special": True})
        return
    try:
        ns, canonical = normalize_title(found.call.wiki, title)
    except InvalidTitle:
        found.add_without_id({"title": title, **_invalid(title)})
        return
    if canonical != title:
        entry: dict[str, Any] = {"fromencoded": False, "from": title, "to": canonical}
        if entry not in found.normalized:
            found.normalized.append(entry)
    page = found.call.world.page(found.call.wiki, canonical)
    if page is None:
        found.add_without_id({"ns": ns, "title": canonical, "missing": True})
    else:
        _add_page(found, page, follow)


def _invalid(title: str) -> Json:
    bad = next((char for char in title if char in "<>[]|{}#"), "")
    text = f'The requested page title contains invalid characters: "{bad}".'
    return {"invalidreason": {"code": "title-invalid-characters", "text": text}, "invalid": True}


def _add_page(found: PageSet, page: Page, follow: bool) -> None:
    if not follow or page.redirect_to is None:
        found.add(page)
        return
    entry = {"from": page.title, "to": page.redirect_to}
    if entry not in found.redirects:
        found.redirects.append(entry)
    target = found.call.world.page(page.wiki, page.redirect_to)
    if target is None:
        ns, _ = normalize_title(page.wiki, page.redirect_to)
        found.add_without_id({"ns": ns, "title": page.redirect_to, "missing": True})
    else:
        found.add(target)


def _add_revisions(found: PageSet, numbers: list[int]) -> None:
    world, wiki = found.call.world, found.call.wiki
    for number in numbers:
        revision = world.revision(wiki, number)
        page = world.page_by_id(wiki, revision.page_id) if revision else None
        if page is None:
            found.badrevids[str(number)] = {"revid": number, "missing": True}
        else:
            found.add(page)
            found.revids.append(number)
