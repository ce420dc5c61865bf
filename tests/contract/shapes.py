"""Compares a live answer with a recorded one: status, headers that matter, keys, types, codes.

Texts, dates and addresses may differ; ids, titles, hashes and codes may not, since the sandbox
is given the recordings' own world.
"""

from __future__ import annotations

from typing import Any

import requests

from tests.contract.replay import Recording

HEADERS = (
    "Content-Type", "MediaWiki-API-Error", "Retry-After", "X-Database-Lag", "Content-Disposition",
    "X-Content-Type-Options", "X-Frame-Options", "Cache-Control", "Access-Control-Allow-Origin",
)  # fmt: skip
CLIENT_ADDRESS = "192.0.2.1"  # of the client in the recordings; ours is another
# Values that must be equal, wherever they stand.
EXACT = {
    "code", "module", "title", "ns", "pageid", "hash", "snaktype", "property", "rank", "datatype",
    "name", "from", "to", "missing", "batchcomplete", "lastrevid", "type", "continue", "sroffset",
    "totalhits", "invalid", "special", "width", "height", "mime", "mediatype", "errorclass",
    "fromencoded", "hidden", "redirect", "new", "nochange", "result", "success", "min", "max",
    "numeric-id", "entity-type", "imagerepository", "thumbwidth", "thumbheight", "language",
}  # fmt: skip
# Lists whose length and items are a matter of the stack; each item need only look like the first.
LOOSE_LISTS = {
    "rights", "groups", "extensions", "usergroups", "fileextensions", "fallback", "tags",
    "parameters",
    "nofollownsexceptions", "nofollowdomainexceptions", "metadata", "commonmetadata", "source",
    "recentchanges", "logevents", "usercontribs", "revisions", "allcentralidlookupproviders",
}  # fmt: skip
# Objects whose keys are a matter of the stack.
LOOSE_OBJECTS = {"general", "namespaces", "uploaddialog", "ratelimits", "theoreticalratelimits",
                 "dialog", "params", "logparams"}  # fmt: skip


def differences(recording: Recording, answer: requests.Response) -> list[str]:
    """What does not hold, one line each; an empty list means that the answer is as recorded."""
    found: list[str] = []
    wanted = recording.response
    told_headers = {name.lower(): value for name, value in wanted["headers"].items()}
    if answer.status_code != wanted["status"]:
        found.append(f"status {answer.status_code}, recorded {wanted['status']}")
    for name in HEADERS:
        given, told = answer.headers.get(name), told_headers.get(name.lower())
        if given != told:
            found.append(f"header {name}: {given!r}, recorded {told!r}")
    if isinstance(wanted["body"], str):
        if answer.headers["Content-Type"].startswith("application/json"):
            found.append("JSON where HTML was recorded")
        return found
    return found + list(_compare(wanted["body"], answer.json(), ""))


def _compare(wanted: Any, given: Any, path: str) -> list[str]:
    if isinstance(wanted, dict):
        return _objects(wanted, given, path)
    if isinstance(wanted, list):
        return _lists(wanted, given, path)
    key = path.rsplit(".", 1)[-1].split("[")[0]
    if _kind(wanted) != _kind(given):
        return [f"{path}: {given!r}, recorded {wanted!r}"]
    if key in EXACT and wanted != given and wanted != CLIENT_ADDRESS:
        return [f"{path}: {given!r}, recorded {wanted!r}"]
    return []


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _objects(wanted: Any, given: Any, path: str) -> list[str]:
    if not isinstance(given, dict):
        return [f"{path}: {type(given).__name__}, recorded an object"]
    loose = path.rsplit(".", 1)[-1] in LOOSE_OBJECTS
    found = []
    if not loose and set(wanted) != set(given):
        less, more = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
        found.append(f"{path}: keys lack {less}, has besides {more}")
    for key in wanted:
        if key in given:
            found += _compare(wanted[key], given[key], f"{path}.{key}")
    return found


def _lists(wanted: list[Any], given: Any, path: str) -> list[str]:
    if not isinstance(given, list):
        return [f"{path}: {type(given).__name__}, recorded a list"]
    key = path.rsplit(".", 1)[-1]
    if key in LOOSE_LISTS:
        if bool(wanted) != bool(given):
            return [f"{path}: {len(given)} items, recorded {len(wanted)}"]
        first = [one for one in (wanted[:1], given[:1]) if one and isinstance(one[0], dict)]
        if len(first) == 2 and set(first[0][0]) != set(first[1][0]):
            return [f"{path}[0]: keys {sorted(given[0])}, recorded {sorted(wanted[0])}"]
        return []
    if len(wanted) != len(given):
        return [f"{path}: {len(given)} items, recorded {len(wanted)}"]
    found = []
    for position, (one, other) in enumerate(zip(wanted, given, strict=True)):
        found += _compare(one, other, f"{path}[{position}]")
    return found
