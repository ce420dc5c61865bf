"""action=query: page sets, generators, prop, list and meta modules, and continuation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.api.call import Call, Json, Params
from sandbox.api.query import changes, imageinfo, info, lists, meta, pageset, revisions, search
from sandbox.api.query.lists import Listing
from sandbox.api.query.pageset import PageSet

# module: (prefix, function). A prop fills the page set and returns its continuation, if any.
PROPS: dict[str, tuple[str, Callable[[Params, PageSet], Json | None]]] = {
    "imageinfo": ("ii", imageinfo.imageinfo),
    "info": ("in", info.info),
    "categories": ("cl", info.categories),
    "categoryinfo": ("ci", info.categoryinfo),
    "redirects": ("rd", info.redirects),
    "pageprops": ("pp", info.pageprops),
    "revisions": ("rv", revisions.revisions),
}
LISTS: dict[str, tuple[str, Callable[[Params], Listing]]] = {
    "categorymembers": ("cm", lists.categorymembers),
    "allcategories": ("ac", lists.allcategories),
    "allimages": ("ai", lists.allimages),
    "prefixsearch": ("ps", lists.prefixsearch),
    "users": ("us", lists.users),
    "allusers": ("au", lists.allusers),
    "search": ("sr", search.search),
    "recentchanges": ("rc", changes.recentchanges),
    "logevents": ("le", changes.logevents),
    "usercontribs": ("uc", changes.usercontribs),
    "tags": ("tg", changes.tags),
}
METAS: dict[str, tuple[str, Callable[[Params], Json]]] = {
    "userinfo": ("ui", meta.userinfo),
    "tokens": ("", meta.tokens),
    "siteinfo": ("si", meta.siteinfo),
    "allmessages": ("am", meta.allmessages),
    "wikibase": ("wbp", meta.wikibase),
}
GENERATORS = ("categorymembers", "allimages", "search", "prefixsearch", "allcategories")


def run(call: Call) -> Json:
    """Answers `action=query`."""
    params = call.params("query")
    params.known("indexpageids", "export", "iwurl")
    props = params.options("prop", PROPS)
    wanted = params.options("list", LISTS)
    metas = params.options("meta", METAS)
    params.known("continue")
    before, done = _continuation(call)
    generator = params.text("generator")
    query: Json = {}
    following: Json = {}
    limits: Json = {}
    if generator:
        listing = _generate(call, params, generator)
        pages = pageset.generated(call, params, listing.pages)
        for position, page in enumerate(listing.pages, start=listing.first_index):
            if listing.indexed and page.id in pages.out:
                pages.out[page.id]["index"] = position
    else:
        listing = Listing("", [])
        pages = pageset.build(call, params)
    query.update(pages.header())
    for name in wanted:
        prefix, list_function = LISTS[name]
        part = list_function(call.params(f"query+{name}", prefix))
        query.update(part.extra)
        query[name] = part.items
        following.update(part.next or {})
        if call.values.get(f"{prefix}limit") == "max":
            limits[name] = 5000 if "apihighlimits" in call.rights else 500
    open_props = _run_props(call, pages, [name for name in props if name not in done])
    for name in metas:
        prefix, meta_function = METAS[name]
        query.update(meta_function(call.params(f"query+{name}", prefix)))
    if pages.out:
        query["pages"] = pages.out
    return _body(call, query, listing, following, open_props, before, [*done, *props], limits)


def _body(
    call: Call,
    query: Json,
    listing: Listing,
    following: Json,
    open_props: dict[str, Json],
    before: str,
    props: list[str],
    limits: Json,
) -> Json:
    body: Json = {}
    generator = call.values.get("generator", "")
    finished = "|".join(dict.fromkeys(name for name in props if name not in open_props))
    if open_props:
        # The generator stays where it is until every prop has told all of these pages.
        kept = {key: call.values[key] for key in before.split("|") if key in call.values}
        steps: Json = {key: value for part in open_props.values() for key, value in part.items()}
        body["continue"] = {**steps, **kept, **following}
        body["continue"]["continue"] = f"{'|'.join(kept)}||{finished}"
    else:
        body["batchcomplete"] = True
        if generator and listing.next:
            steps = {f"g{key}": value for key, value in listing.next.items()}
            body["continue"] = {**steps, **following, "continue": f"{'|'.join(steps)}||"}
        elif following:
            body["continue"] = {**following, "continue": f"-||{finished}"}
    if limits:
        body["limits"] = limits
    if query:
        body["query"] = query
    return body


def _continuation(call: Call) -> tuple[str, list[str]]:
    """What `continue` says: the generator's own parameters, and the props that are through."""
    generator_part, _, done = call.values.get("continue", "").partition("||")
    return generator_part, [name for name in done.split("|") if name]


def _generate(call: Call, params: Params, name: str) -> Listing:
    if name not in GENERATORS:
        raise params.bad_value("generator", name)
    prefix, function = LISTS[name]
    return function(call.params(f"query+{name}", f"g{prefix}"))


def _run_props(call: Call, pages: PageSet, names: list[str]) -> dict[str, Json]:
    unfinished: dict[str, Any] = {}
    for name in names:
        prefix, function = PROPS[name]
        rest = function(call.params(f"query+{name}", prefix), pages)
        if rest:
            unfinished[name] = rest
    return unfinished
