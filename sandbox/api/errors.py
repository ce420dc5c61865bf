"""Refusals of the Action API, in the shapes that MediaWiki 1.43 gives them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Message:
    """One entry of a Wikibase error's `messages`."""

    name: str
    parameters: list[Any] = field(default_factory=list)
    html: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of `errors`. An empty module leaves the key out."""

    code: str
    text: str
    data: Json | None = None
    module: str | None = None
    messages: list[Message] | None = None


class ApiError(Exception):
    """A refusal. `entries` is what `errors` lists; `bc` what the old `error` object holds.

    A module of None stands for the module that runs, "" for no module at all.
    """

    def __init__(
        self,
        code: str,
        text: str,
        data: Json | None = None,
        *,
        module: str | None = None,
        messages: list[Message] | None = None,
        entries: list[Entry] | None = None,
        headers: dict[str, str] | None = None,
        docref: bool = True,
    ) -> None:
        super().__init__(code)
        self.bc = Entry(code, text, data, module, messages)
        self.entries = entries or [self.bc]
        self.headers = headers or {}
        self.docref = docref

    @property
    def codes(self) -> list[str]:
        """The distinct codes in order, for the header MediaWiki-API-Error."""
        return list(dict.fromkeys(entry.code for entry in self.entries))


def missing_param(name: str, module: str | None = None) -> ApiError:
    """A required parameter is not there."""
    return ApiError("missingparam", f'The "{name}" parameter must be set.', module=module)


def wikibase_error(code: str, message: str, text: str, *parameters: Any, **data: Any) -> ApiError:
    """A refusal by Wikibase before saving: one entry, of module main, with its messages."""
    told = [Message(message, list(parameters), text)]
    return ApiError(code, text, data or None, module="main", messages=told)


def internal_error(exception: str) -> ApiError:
    """An uncaught exception of the server: no module, no docref."""
    code = f"internal_api_error_{exception}"
    text = f"[0123456789abcdef] Caught exception of type {exception}"
    return ApiError(code, text, {"errorclass": exception}, module="", docref=False)


def save_refused(reasons: list[Entry], messages: list[Message], *, permission: bool) -> ApiError:
    """What Wikibase makes of a refused save: `failed-save` first, the cause further on.

    `reasons` hold the cause's code as MediaWiki's edit reports it, `messages` its message.
    """
    failed = Entry("failed-save", "The save has failed.")
    told = [Message("wikibase-api-failed-save", [], failed.text), *messages]
    head = [failed]
    for entry, message in zip(reasons, messages, strict=False):
        head.append(Entry(entry.code, message.html, entry.data if _tells_at_once(entry) else None))
    if permission:
        told.append(Message("permissionserrors", [], "Permission error"))
        head.append(Entry("permissionserrors", "Permission error"))
    later = [entry for entry in reasons if not _tells_at_once(entry)]
    tail = [entry for entry in later if entry.data or entry.code == "ratelimited"]
    body = Entry(failed.code, failed.text, messages=told)
    return ApiError(failed.code, failed.text, messages=told, entries=[*head, body, *tail])


def _tells_at_once(entry: Entry) -> bool:
    """AbuseFilter's data stands at the cause itself, that of others in an entry of its own."""
    return entry.code.startswith("abusefilter-")


def refused_with(codes: list[str]) -> ApiError:
    """A refusal with any codes, in the shape that belongs to them: `failed-save` with its causes,
    an exception of the server, or the plain list."""
    first, *causes = codes
    if first.startswith("internal_api_error_"):
        return internal_error(first.removeprefix("internal_api_error_"))
    if first == "failed-save":
        permission = "permissionserrors" in causes
        causes = [code for code in causes if code != "permissionserrors"]
        reasons = [Entry(code, f"Refused: {code}") for code in causes]
        messages = [Message(_MESSAGES.get(code, code), [], f"Refused: {code}") for code in causes]
        return save_refused(reasons, messages, permission=permission)
    module = "main" if first.startswith("assert") or first in ("maxlag", "readonly") else None
    module = "" if first.startswith("mwoauth-invalid-authorization") else module
    entries = [Entry(code, f"Refused: {code}", module=module) for code in codes]
    return ApiError(first, entries[0].text, module=module, entries=entries)


# Names of the messages that come along with a code, where they differ.
_MESSAGES = {
    "autoblocked": "autoblockedtext",
    "blocked": "blockedtext",
    "editconflict": "edit-conflict",
    "permissiondenied": "badaccess-groups",
    "protectedpage": "protectedpagetext",
    "ratelimited": "actionthrottledtext",
}


def edit_conflict() -> ApiError:
    """The base revision is stale and the change cannot be patched in."""
    text = "Edit conflict. Could not patch the current revision."
    told = [
        Message("wikibase-api-editconflict", [], text),
        Message("edit-conflict", [], "Edit conflict."),
    ]
    body = Entry("editconflict", text, messages=told)
    entries = [Entry("editconflict", text), Entry("editconflict", "Edit conflict."), body]
    return ApiError("editconflict", text, messages=told, entries=entries)
