"""Small actions: opensearch and what pywikibot asks of paraminfo."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.api.call import Call, Json
from sandbox.api.query.lists import prefix_pages


def opensearch(call: Call) -> list[Any]:
    """Titles by prefix, as the search box of a wiki completes them."""
    params = call.params("opensearch")
    text = params.required("search")
    namespaces = [int(value) for value in params.values("namespace") or ["0"]]
    pages = prefix_pages(call, text, namespaces, params.limit(10))
    links = [f"{call.base}/wiki/{quote(page.title.replace(' ', '_'), safe=':/')}" for page in pages]
    return [text, [page.title for page in pages], [""] * len(pages), links]


def paraminfo(call: Call) -> Json:
    """Enough of the modules' parameters for pywikibot to find limits and prefixes."""
    params = call.params("paraminfo")
    params.known("helpformat")
    modules = params.values("modules")
    return {
        "paraminfo": {
            "helpformat": "none",
            "modules": [_module(path) for path in modules if path in _PREFIXES],
        }
    }


_PREFIXES = {
    "main": "", "query": "", "edit": "", "paraminfo": "", "wbsetclaim": "", "wbgetclaims": "",
    "wbgetentities": "", "wbremoveclaims": "", "wbcreateclaim": "", "wbeditentity": "",
    "wbsearchentities": "", "query+categorymembers": "cm", "query+imageinfo": "ii",
    "query+info": "in", "query+search": "sr", "query+allimages": "ai", "query+allcategories": "ac",
    "query+categories": "cl", "query+categoryinfo": "ci", "query+revisions": "rv",
    "query+recentchanges": "rc", "query+usercontribs": "uc", "query+logevents": "le",
    "query+prefixsearch": "ps", "query+userinfo": "ui", "query+siteinfo": "si",
    "query+tokens": "", "query+allmessages": "am", "query+pageprops": "pp", "query+users": "us",
    "query+redirects": "rd", "query+wikibase": "wbp",
}  # fmt: skip
_GENERATORS = {
    "query+categorymembers", "query+search", "query+allimages", "query+prefixsearch",
    "query+allcategories", "query+categories",
}  # fmt: skip
_QUERY_LISTS = {
    "prop": ["imageinfo", "info", "categories", "categoryinfo", "revisions", "pageprops",
             "redirects"],
    "list": ["categorymembers", "allcategories", "allimages", "search", "prefixsearch",
             "recentchanges", "usercontribs", "logevents", "users"],
    "meta": ["userinfo", "siteinfo", "tokens", "allmessages", "wikibase"],
}  # fmt: skip


def _module(path: str) -> Json:
    name = path.rsplit("+", 1)[-1]
    group = "action" if "+" not in path else _group(name)
    info: Json = {
        "name": name, "classname": f"Api{name.title()}", "path": path, "group": group,
        "prefix": _PREFIXES[path], "source": "MediaWiki", "readrights": True,
    }  # fmt: skip
    if path in _GENERATORS:
        info["generator"] = True
    if path == "main":
        info["parameters"] = [_enumeration("action", sorted(_actions()))]
    elif path == "query":
        info["parameters"] = [_enumeration(key, names) for key, names in _QUERY_LISTS.items()]
    else:
        limit = {"index": 1, "name": "limit", "type": "limit", "default": 10, "min": 1, "max": 500,
                 "highmax": 5000, "limit": 500}  # fmt: skip
        info["parameters"] = [limit] if "+" in path else []
    return info


def _group(name: str) -> str:
    return next((kind for kind, names in _QUERY_LISTS.items() if name in names), "prop")


def _actions() -> list[str]:
    return [path for path in _PREFIXES if "+" not in path and path != "main"]


def _enumeration(name: str, values: list[str]) -> Json:
    return {"index": 1, "name": name, "type": values, "multi": name != "action", "limit": 50}
