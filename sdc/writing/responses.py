"""The one table of what the wiki answers to a write, and what follows from it.

Every refusal of the Action API is HTTP 200; the codes stand in `errors` (errorformat=plaintext)
or `error` (bc). Wikibase hides the cause behind `failed-save`: it is in a later entry, or only
in the names of the messages. Texts are never looked at: some are broken by nature.
Source: the recorded answers in tests/contract/recordings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from projects.accounts.tokens import WRONG_CLIENT
from sdc.writing.reasons import OF_THE_SITE, Reason
from wiki.http import WikiError
from wiki.json_tree import MAX_INTEGER, Node


class Next(Enum):
    """What is to be done after an answer. Where several codes came, the first of these counts."""

    LOGIN = "refresh the login once, then ask the user"
    STOP = "stop the batch and say why"
    PAUSE = "pause the batch; it goes on by itself"
    REFUSE = "fail this claim alone"
    TOKEN = "fetch a new edit token once"  # noqa: S105  # not a password
    LATER = "put back and try again"
    LOOK = "read the file and see"
    SAVED = "written"
    THERE = "an equal statement is there, whose is known by reading"


@dataclass(frozen=True)
class Outcome:
    """`wait` is in seconds where the wiki named them. `doubtful`: the edit may have been made.
    `patient`: the wiki asks to wait, which says nothing of this statement."""

    next: Next
    reason: Reason | None = None
    revision: int | None = None
    wait: float | None = None
    doubtful: bool = False
    patient: bool = False
    detail: str = ""
    told: dict[str, Any] = field(default_factory=dict)  # of a success, for the ledger


_PATIENT = frozenset({Reason.MAXLAG, Reason.RATELIMITED, Reason.READONLY, Reason.TURNED_AWAY})

_TABLE: dict[str, tuple[Next, Reason]] = {
    "mwoauth-invalid-authorization": (Next.LOGIN, Reason.LOGIN),
    "mwoauth-invalid-authorization-invalid-user": (Next.LOGIN, Reason.LOGIN),
    "assertuserfailed": (Next.LOGIN, Reason.LOGIN),
    "assertnameduserfailed": (Next.LOGIN, Reason.LOGIN),
    "notloggedin": (Next.LOGIN, Reason.LOGIN),
    "mwoauth-invalid-authorization-blocked-user": (Next.STOP, Reason.BLOCKED),
    "mwoauth-invalid-authorization-not-approved": (Next.STOP, Reason.TOOL_OFF),
    WRONG_CLIENT: (Next.PAUSE, Reason.MISCONFIGURED),
    "blocked": (Next.STOP, Reason.BLOCKED),
    "blockedtext": (Next.STOP, Reason.BLOCKED),
    "blockedtext-composite": (Next.STOP, Reason.BLOCKED),
    "autoblocked": (Next.STOP, Reason.BLOCKED),
    "autoblockedtext": (Next.STOP, Reason.BLOCKED),
    "systemblocked": (Next.STOP, Reason.BLOCKED),
    "globalblocking-blockedtext-user": (Next.STOP, Reason.BLOCKED),
    "permissiondenied": (Next.STOP, Reason.NOT_PERMITTED),
    "badaccess-groups": (Next.STOP, Reason.NOT_PERMITTED),
    "badaccess-group0": (Next.STOP, Reason.NOT_PERMITTED),
    "readapidenied": (Next.STOP, Reason.NOT_PERMITTED),
    "mwoauth-unauthorized-user": (Next.STOP, Reason.NOT_PERMITTED),
    "assertbotfailed": (Next.STOP, Reason.NOT_PERMITTED),
    "badtags": (Next.STOP, Reason.BAD_TAGS),
    "readonly": (Next.PAUSE, Reason.READONLY),
    "readonlytext": (Next.PAUSE, Reason.READONLY),
    "http-401": (Next.PAUSE, Reason.TURNED_AWAY),
    "http-403": (Next.PAUSE, Reason.TURNED_AWAY),
    "protectedpage": (Next.REFUSE, Reason.PROTECTED),
    "protectedpagetext": (Next.REFUSE, Reason.PROTECTED),
    "cascadeprotected": (Next.REFUSE, Reason.PROTECTED),
    "protectednamespace": (Next.REFUSE, Reason.PROTECTED),
    "hookaborted": (Next.REFUSE, Reason.FILTERED),
    "abusefilter-disallowed": (Next.REFUSE, Reason.FILTERED),
    "abusefilter-warning": (Next.REFUSE, Reason.FILTERED),
    "spamblacklist": (Next.REFUSE, Reason.FILTERED),
    "titleblacklist-forbidden": (Next.REFUSE, Reason.FILTERED),
    "no-such-entity": (Next.REFUSE, Reason.GONE),
    "wikibase-error-entity-not-local": (Next.REFUSE, Reason.GONE),
    "wikibase-validator-no-such-entity": (Next.REFUSE, Reason.NO_SUCH_ITEM),
    "invalid-claim": (Next.REFUSE, Reason.BAD_STATEMENT),
    "invalid-snak": (Next.REFUSE, Reason.BAD_STATEMENT),
    "invalid-guid": (Next.REFUSE, Reason.BAD_STATEMENT),
    "invalid-entity-id": (Next.REFUSE, Reason.BAD_STATEMENT),
    "missingparam": (Next.REFUSE, Reason.BAD_STATEMENT),
    "mustpostparams": (Next.REFUSE, Reason.BAD_STATEMENT),
    "badtoken": (Next.TOKEN, Reason.TOKEN),
    "maxlag": (Next.LATER, Reason.MAXLAG),
    "ratelimited": (Next.LATER, Reason.RATELIMITED),
    "actionthrottledtext": (Next.LATER, Reason.RATELIMITED),
    "http-429": (Next.LATER, Reason.RATELIMITED),
    "editconflict": (Next.LATER, Reason.CONFLICT),
    "edit-conflict": (Next.LATER, Reason.CONFLICT),
    "lockmanager-fail-conflict": (Next.LATER, Reason.CONFLICT),
    r"internal_api_error_Wikibase\Lib\Store\BadRevisionException": (Next.LATER, Reason.CONFLICT),
    "network": (Next.LATER, Reason.NETWORK),
    "unreadable": (Next.LATER, Reason.TROUBLE),
}
# What these mean when a statement is removed: somebody was quicker, which reading tells.
_REMOVING: dict[str, tuple[Next, Reason]] = {
    "invalid-guid": (Next.LOOK, Reason.GONE_ALREADY),
    "no-such-entity": (Next.LOOK, Reason.DELETED),
}
# Codes that come along with others and mean little; alone they refuse this one statement.
_DULL = {
    "failed-save": Reason.UNKNOWN,
    "wikibase-api-failed-save": Reason.UNKNOWN,
    "permissionserrors": Reason.UNKNOWN,
    "modification-failed": Reason.BAD_STATEMENT,
    "wikibase-api-editconflict": Reason.UNKNOWN,
}
# A block of these pages only, which `errors` calls `blocked` like any other.
_PARTLY = "blockedtext-partial"
_DUPLICATE = "wikibase-setclaim-warning-duplicatemainsnak"
_PATCHED = "wikibase-conflict-patched"


def judge(answer: Node, wait: float | None = None, action: str = "wbsetclaim") -> Outcome:
    """What was answered to wbsetclaim or wbremoveclaims means; `wait` is its Retry-After. It takes
    any shape: what it can't read leaves open whether the edit was made."""
    body, removing = answer.value, action == "wbremoveclaims"
    if not isinstance(body, dict):
        return Outcome(Next.LATER, Reason.TROUBLE, doubtful=True, detail="odd answer")
    if "errors" in body or "error" in body:
        return _refusal(list(_codes(body)), wait, removing=removing)
    warnings = set(_warnings(body))
    if _DUPLICATE in warnings:
        return Outcome(Next.THERE, Reason.ALREADY_THERE)
    if body.get("success") not in (1, True):
        return Outcome(Next.LATER, Reason.TROUBLE, doubtful=True, detail="no success")
    if _PATCHED in warnings:
        return Outcome(Next.LOOK, Reason.CONFLICT, doubtful=True, detail=_PATCHED)
    revision = _revision(body)
    told: dict[str, Any] = {"success": 1, "pageinfo": {"lastrevid": revision}}
    if warnings:
        told["warnings"] = sorted(code[:255] for code in warnings)[:10]
    return Outcome(Next.SAVED, revision=revision, told=told)


def judge_failure(error: WikiError) -> Outcome:
    """The same for what the transport or a read raises."""
    return _refusal([error.code], error.retry_after)


def of_the_site(error: WikiError) -> Reason | None:
    """The reason of a failure where it ails the site itself, so that no user can mend it."""
    reason = judge_failure(error).reason
    return reason if reason in OF_THE_SITE else None


def _refusal(codes: list[str], wait: float | None, *, removing: bool = False) -> Outcome:
    """All codes count: the gravest decides, dull ones only where nothing else came."""
    codes = [code for code in dict.fromkeys(codes) if code]
    if not codes:
        return Outcome(Next.LATER, Reason.TROUBLE, doubtful=True, detail="error without a code")
    if _PARTLY in codes:
        return Outcome(Next.REFUSE, Reason.PARTLY_BLOCKED, detail=_PARTLY)
    telling = [code for code in codes if code not in _DULL]
    ruled = [(*_rule(code, removing), code) for code in telling]
    if not ruled:
        code = codes[-1]
        reason = next((_DULL[c] for c in codes if _DULL.get(c) != Reason.UNKNOWN), Reason.UNKNOWN)
        return Outcome(Next.REFUSE, reason, detail=code)
    follows, reason, code = min(ruled, key=_gravity)
    trouble = reason in (Reason.NETWORK, Reason.TROUBLE)
    return Outcome(
        follows, reason, wait=wait, doubtful=trouble, patient=reason in _PATIENT, detail=code
    )


def _gravity(rule: tuple[Next, Reason, str]) -> tuple[bool, int]:
    """The order of Next; a code that we don't know says less than any that we do."""
    follows, reason, _ = rule
    return reason == Reason.UNKNOWN, list(Next).index(follows)


def _is_known(code: str) -> bool:
    return _rule(code)[1] is not Reason.UNKNOWN


def _rule(code: str, removing: bool = False) -> tuple[Next, Reason]:
    if removing and code in _REMOVING:
        return _REMOVING[code]
    if code in _TABLE:
        return _TABLE[code]
    if code.startswith("http-5"):
        return Next.LATER, Reason.TROUBLE
    if "Deserializers\\Exceptions" in code:  # looks like a fault of the server, but is ours
        return Next.REFUSE, Reason.BAD_STATEMENT
    if code.startswith("internal_api_error"):
        return Next.LATER, Reason.TROUBLE
    if code.startswith(("abusefilter", "spam", "titleblacklist", "captcha")):
        return Next.REFUSE, Reason.FILTERED
    if code.startswith(("globalblocking", "blockedtext")):
        return Next.STOP, Reason.BLOCKED
    if code.startswith("mwoauth"):
        return Next.STOP, Reason.TOOL_OFF
    return Next.REFUSE, Reason.UNKNOWN


def _codes(body: dict[str, Any]) -> Iterator[str]:
    """Every code and message name of a refusal, in either shape."""
    for entry in _entries(body.get("errors")) + _entries(body.get("error")):
        yield str(entry.get("code", ""))
        for data in _entries(entry.get("data")) + [entry]:  # bc has no `data`
            # of names only those in the table: most are just texts beside the code
            yield from (name for name in _names(data.get("messages")) if _is_known(name))
            if any(block.get("blockpartial") for block in _entries(data.get("blockinfo"))):
                yield _PARTLY


def _warnings(body: dict[str, Any]) -> Iterator[str]:
    """Codes of warnings: a list (plaintext), or by module with messages (bc)."""
    warnings = body.get("warnings")
    for entry in _entries(warnings) if isinstance(warnings, list) else ():
        yield str(entry.get("code", ""))
    for entry in warnings.values() if isinstance(warnings, dict) else ():
        yield from _names(entry.get("messages") if isinstance(entry, dict) else None)


def _entries(value: object) -> list[dict[str, Any]]:
    """The error objects in what should be a list of them, or one."""
    found: Iterable[object] = value if isinstance(value, list) else (value,)
    return [entry for entry in found if isinstance(entry, dict)]


def _names(messages: object) -> Iterator[str]:
    """Names of messages: a list, or in formatversion 1 an object with numbered keys."""
    found = messages.values() if isinstance(messages, dict) else messages
    for message in found if isinstance(found, Iterable) else ():
        if isinstance(message, dict) and message.get("name"):
            yield str(message["name"])


def _revision(body: dict[str, Any]) -> int | None:
    info = body.get("pageinfo")
    revision = info.get("lastrevid") if isinstance(info, dict) else None
    known = isinstance(revision, int) and 0 < revision <= MAX_INTEGER
    return revision if known else None
