"""action=paraminfo: as much about the modules' parameters as pywikibot plans its requests by."""

from __future__ import annotations

from sandbox.api import query
from sandbox.api.call import Call, Json
from sandbox.api.query.meta import TOKENS

# Modules whose results can be limited, and those that can be kept to namespaces.
_LIMITED = {
    "categorymembers", "allcategories", "allimages", "allusers", "prefixsearch", "search",
    "recentchanges", "logevents", "usercontribs", "tags", "imageinfo", "categories", "revisions",
    "redirects",
}  # fmt: skip
_BY_NAMESPACE = {
    "categorymembers", "prefixsearch", "search", "recentchanges", "logevents", "usercontribs",
    "redirects",
}  # fmt: skip
_SHOW = [f"{sign}{word}" for word in ("minor", "bot", "anon", "redirect", "patrolled")
         for sign in ("", "!")]  # fmt: skip
_ACTIONS = (
    "query", "edit", "compare", "opensearch", "paraminfo", "wbgetentities", "wbgetclaims",
    "wbsearchentities", "wbsetclaim", "wbcreateclaim", "wbremoveclaims", "wbeditentity",
)  # fmt: skip


def paraminfo(call: Call) -> Json:
    """The modules asked for; an unknown one is a warning."""
    params = call.params("paraminfo")
    params.known("helpformat", "querymodules", "mainmodule", "pagesetmodule", "formatmodules")
    found = []
    for path in params.values("modules"):
        module = _module(path)
        if module is None:
            text = f'The module "{path}" does not exist.'
            call.warn("paraminfo", "badmodule", text)
        else:
            found.append(module)
    return {"paraminfo": {"helpformat": "none", "modules": found}}


def _module(path: str) -> Json | None:
    parent, _, name = path.rpartition("+")
    group, prefix = _group(name) if parent == "query" else ("action", "")
    if parent == "query" and not group:
        return None
    if not parent and path not in (*_ACTIONS, "main"):
        return None
    info: Json = {
        "name": name,
        "classname": f"Api{name.title()}",
        "path": path,
        "group": group,
        "prefix": prefix,
        "source": "MediaWiki",
        "readrights": True,
        "parameters": _parameters(path, name),
    }
    if name in query.GENERATORS:
        info["generator"] = True
    return info


def _group(name: str) -> tuple[str, str]:
    for group, modules in _groups().items():
        if name in modules:
            return group, modules[name]
    return "", ""


def _groups() -> dict[str, dict[str, str]]:
    return {
        "prop": {name: prefix for name, (prefix, _) in query.PROPS.items()},
        "list": {name: prefix for name, (prefix, _) in query.LISTS.items()},
        "meta": {name: prefix for name, (prefix, _) in query.METAS.items()},
    }


def _parameters(path: str, name: str) -> list[Json]:
    if path == "main":
        modules: Json = {action: action for action in _ACTIONS}
        return [{"index": 1, "name": "action", "type": list(_ACTIONS), "submodules": modules}]
    if path == "query":
        return [*(_submodules(group, list(names)) for group, names in _groups().items()),
                _submodules("generator", list(query.GENERATORS))]  # fmt: skip
    found: list[Json] = []
    if path == "query+tokens":
        found.append({"index": 1, "name": "type", "type": list(TOKENS), "multi": True,
                      "default": "csrf", "limit": 50, "lowlimit": 50,
                      "highlimit": 500})  # fmt: skip
    if name in ("recentchanges", "usercontribs"):
        found.append({"index": 3, "name": "show", "type": _SHOW, "multi": True, "limit": 50,
                      "lowlimit": 50, "highlimit": 500})  # fmt: skip
    if name in _LIMITED:
        found.append({"index": 1, "name": "limit", "type": "limit", "default": 10, "min": 1,
                      "max": 500, "highmax": 5000, "limit": 500})  # fmt: skip
    if name in _BY_NAMESPACE:
        found.append({"index": 2, "name": "namespace", "type": "namespace", "multi": True,
                      "limit": 50, "lowlimit": 50, "highlimit": 500})  # fmt: skip
    return found


def _submodules(name: str, names: list[str]) -> Json:
    paths = {module: f"query+{module}" for module in names}
    return {"index": 1, "name": name, "type": names, "multi": name != "generator", "limit": 50,
            "lowlimit": 50, "highlimit": 500, "submodules": paths}  # fmt: skip
