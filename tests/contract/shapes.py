"""Compares a live answer with a recorded one: status, headers that matter, keys, types, values.

The sandbox is given the recordings' own world, so every value must be the recorded one, apart
from the few kinds that are named here and must be of the same type.
"""

from __future__ import annotations

import json
import re
from typing import Any

import requests

from tests.contract.replay import Recording

HEADERS = (
    "Content-Type", "MediaWiki-API-Error", "Retry-After", "X-Database-Lag", "Content-Disposition",
    "X-Content-Type-Options", "X-Frame-Options", "Cache-Control", "Access-Control-Allow-Origin",
)  # fmt: skip
CLIENT_ADDRESS = "192.0.2.1"  # of the client in the recordings; ours is another

# Keys whose values may differ, wherever they stand.
FREE = {
    # texts for people
    "text", "html", "info", "docref", "snippet", "wordcount", "blockreason", "parsedcomment",
    "fromparsedcomment", "toparsedcomment",
    # clocks
    "timestamp", "touched", "modified", "time", "curtimestamp", "newtimestamp", "registration",
    "expiry", "blockedtimestamp", "blockedtimestampformatted", "archivename",
    # what is made up anew for each wiki or session
    "csrftoken", "logintoken", "watchtoken", "rollbacktoken", "patroltoken",
    "rccontinue", "rvcontinue", "uccontinue", "lecontinue", "sha1",
    # where the recorded wiki is installed otherwise
    "logo", "favicon", "phpsapi", "dbtype", "dbversion", "articlepath", "scriptpath", "script",
    "server", "servername", "wikibase-conceptbaseuri", "concepturi", "host", "lag", "edits",
    "images", "users", "activeusers", "jobs",
}  # fmt: skip
# Paths below which the same holds.
FREE_PATHS = re.compile(
    r"\.extmetadata\.\w+\.value$|\.duration$|\.(ratelimits|uploaddialog|namespaces)\."
    r"|\.rightsinfo\.url$|\.(html|warnings\.\w+)\.\*$|\.messages\[\d\]\.parameters\[\d\]$"
    # an older version's address carries the time at which it was replaced
    r"|\.imageinfo\[[1-9]\]\.(thumb)?url$"
    # the slot is stored without the hashes of its snaks
    r"|\.slots\.mediainfo\.(content|size)$|\.revisions\[\d\]\.size$"
    r"|\.compare\.(bodies\.mediainfo|fromsize|tosize)$"
)
# Modules that make up a GUID where the request names none.
GUID_MAKERS = {"wbcreateclaim", "wbeditentity"}
GUID = re.compile(r"\$[0-9A-Fa-f-]{36}")
# Lists of what happened: the recorded wiki has seen more than the recordings tell, so the items
# are other ones; each must look like a recorded one of its kind.
EVENTS = {"recentchanges", "logevents", "usercontribs"}
# Of an edit that the recorded wiki has seen as well, these are the recorded ones.
EDITS = ("edit", "new", None)
OF_AN_EDIT = ("ns", "title", "pageid", "old_revid", "parentid", "user", "comment", "minor")
# Tags that say how a file came onto the recorded wiki, or that its background jobs add later.
TAGS_OF_ITS_OWN = {"mw-server-side-upload", "mw-reverted", "mw-manual-revert"}
# Lists whose items are a matter of the stack; if one is empty, so is the other, and the first
# items look alike.
LOOSE_LISTS = re.compile(
    r"\.(rights|extensions|usergroups|fileextensions|metadata|commonmetadata)$|^\.query\.tags$"
)
# Objects whose keys are a matter of the stack.
LOOSE_OBJECTS = {"general", "ratelimits", "theoreticalratelimits"}


def differences(recording: Recording, answer: requests.Response, base: str) -> list[str]:
    """What does not hold, one line each; an empty list means that the answer is as recorded.

    `base` is the sandbox's address, which takes the place of the recorded hosts.
    """
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
    told_body, given_body = _at_home(wanted["body"], base), answer.json()
    if recording.action in GUID_MAKERS:
        told_body, given_body = (_masked(body, recording) for body in (told_body, given_body))
    return found + _compare(told_body, given_body, "")


def _at_home(body: Any, base: str) -> Any:
    """A recorded body with the sandbox's addresses in it."""
    text = json.dumps(body)
    for host in ("commons", "wikidata", "upload"):
        text = text.replace(f"https://{host}.test", f"{base}/{host}")
    return json.loads(text)


def _masked(body: Any, recording: Recording) -> Any:
    """A body without the GUIDs that the request did not name."""
    asked = json.dumps(recording.parameters)

    def masked(guid: re.Match[str]) -> str:
        return guid[0] if guid[0] in asked else "$new"

    return json.loads(GUID.sub(masked, json.dumps(body)))


def _compare(wanted: Any, given: Any, path: str) -> list[str]:
    if isinstance(wanted, dict):
        return _objects(wanted, given, path)
    if isinstance(wanted, list):
        return _lists(wanted, given, path)
    if _kind(wanted) != _kind(given):
        return [f"{path}: {given!r}, recorded {wanted!r}"]
    key = path.rsplit(".", 1)[-1].split("[")[0]
    if _plain(wanted) == _plain(given) or key in FREE or FREE_PATHS.search(path):
        return []
    return [f"{path}: {given!r}, recorded {wanted!r}"]


def _plain(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("127.0.0.1", CLIENT_ADDRESS)


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
    if LOOSE_LISTS.search(path):
        forms = [_form(one[0]) if one else None for one in (wanted, given)]
        return [] if forms[0] == forms[1] else [f"{path}: {forms[1]}, recorded {forms[0]}"]
    if key == "tags":
        wanted = [tag for tag in wanted if tag not in TAGS_OF_ITS_OWN]
    if key in EVENTS:
        return _events(wanted, given, path)
    if len(wanted) != len(given):
        return [f"{path}: {len(given)} items, recorded {len(wanted)}"]
    found = []
    for position, (one, other) in enumerate(zip(wanted, given, strict=True)):
        found += _compare(one, other, f"{path}[{position}]")
    return found


def _left_out(event: Any) -> bool:
    """A log entry of a creation, or a rollback: the sandbox has neither."""
    return event.get("action") == "create" or "mw-rollback" in event.get("tags", [])


def _events(wanted: list[Any], given: list[Any], path: str) -> list[str]:
    ours = [event for event in wanted if not _left_out(event)]
    if len(given) not in (len(wanted), len(ours)):
        return [f"{path}: {len(given)} items, recorded {len(wanted)}"]
    forms = {_event_kind(event): _form(event) for event in wanted}
    told = {event.get("revid"): event for event in wanted if event.get("type") in EDITS}
    found = []
    for position, event in enumerate(given):
        place, form = f"{path}[{position}]", forms.get(_event_kind(event), _form(event))
        if form != _form(event):
            found.append(f"{place}: {_form(event)}, recorded {form}")
        same = told.get(event.get("revid"), {}) if event.get("type") in EDITS else {}
        for key in OF_AN_EDIT if same else ():
            found += _compare(same.get(key), event.get(key), f"{place}.{key}")
    return found


def _event_kind(event: Any) -> tuple[Any, ...]:
    return tuple(event.get(key) for key in ("type", "action", "logtype", "logaction", "new"))


def _form(value: Any) -> Any:
    """The keys and types of a value; of a list, whether it is one."""
    if isinstance(value, dict):
        return {key: _form(item) for key, item in value.items()}
    return _kind(value)
