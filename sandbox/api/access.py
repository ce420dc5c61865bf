"""Who asks, what they may do, and why an edit is refused."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import deque
from datetime import datetime
from typing import Any

from flask import Request

from sandbox import oauth
from sandbox.api.call import Call, Json
from sandbox.api.errors import ApiError, Entry, Message, save_refused
from sandbox.records import Block, Page, User
from sandbox.world import World

_EVERYONE = (
    "createaccount read edit createpage createtalk viewmyprivateinfo editmyprivateinfo"
    " editmyoptions item-term property-term item-merge item-redirect property-create"
    " mediainfo-term"
)
_USER = (
    "move move-subpages move-rootuserpages move-categorypages movefile upload reupload"
    " reupload-shared minoredit editmyusercss editmyuserjson editmyuserjs editmyuserjsredirect"
    " applychangetags changetags editcontentmodel viewmywatchlist editmywatchlist"
    " mwoauthproposeconsumer mwoauthupdateownconsumer mwoauthmanagemygrants"
)


def _words(text: str) -> list[str]:
    return text.split()


GROUP_RIGHTS: dict[str, list[str]] = {
    "*": _words(_EVERYONE),
    "user": _words(_USER),
    "autoconfirmed": ["autoconfirmed", "editsemiprotected"],
    "patroller": _words("patrol autopatrol"),
    "rollbacker": _words("rollback"),
    "bot": _words("bot nominornewtalk autopatrol suppressredirect apihighlimits noratelimit"),
    "sysop": _words(
        "block delete undelete protect editprotected rollback suppressredirect patrol autopatrol"
        " apihighlimits noratelimit browsearchive deletedhistory deletedtext markbotedits"
        " unwatchedpages ipblock-exempt blockemail editinterface"
    ),
}
# What a bearer may do by the grants it was given (see Special:ListGrants).
GRANT_RIGHTS: dict[str, list[str]] = {
    "basic": ["read", "autoconfirmed", "editsemiprotected"],
    "editpage": _words(
        "edit minoredit applychangetags changetags editcontentmodel item-term property-term"
        " item-merge item-redirect mediainfo-term"
    ),
    "createeditmovepage": _words(
        "edit createpage createtalk move move-subpages move-rootuserpages move-categorypages"
        " property-create minoredit applychangetags changetags"
    ),
    "highvolume": ["bot", "apihighlimits", "noratelimit", "markbotedits"],
    "rollback": ["rollback"],
    "patrol": ["patrol"],
    "editprotected": ["editprotected"],
}
READ_ONLY = "The database is locked for maintenance; it should be back in 15 minutes."
FAULT_BLOCK = Block(3, "Admin", 1, "Disruptive editing", "2026-11-24T06:48:11Z")
_LEVEL_RIGHTS = {"sysop": "editprotected", "autoconfirmed": "editsemiprotected"}
_EDIT_LIMITS = {"newcomer": (120, 300), "user": (900, 180)}


def identify(world: World, request: Request) -> tuple[User | None, str]:
    """The user behind a request and its bearer. Raises ApiError for a bad bearer.

    Only the scheme `Bearer`, written so, counts; `origin=*` makes a request anonymous.
    """
    header = request.headers.get("Authorization", "")
    if not header.startswith("Bearer ") or request.values.get("origin") == "*":
        return None, ""
    try:
        user = oauth.user_of_bearer(world, header)
    except oauth.InvalidBearer:
        raise invalid_bearer() from None
    return user, header.removeprefix("Bearer ")


def invalid_bearer() -> ApiError:
    """Invalid, expired, revoked: all the same, and no module."""
    text = "The authorization headers in your request are not valid: Invalid access token"
    return ApiError("mwoauth-invalid-authorization", text, module="", docref=True)


def groups_of(user: User | None) -> list[str]:
    """Explicit and implicit groups, in MediaWiki's order."""
    if user is None:
        return ["*"]
    implicit = ["*", "user", "autoconfirmed"]
    if user.editcount < 10 and "autoconfirmed" not in user.groups:
        implicit.pop()
    return [group for group in user.groups if group not in implicit] + implicit


def rights_of(world: World, user: User | None, bearer: str) -> list[str]:
    """What the user may do, cut down to what the bearer's grants allow."""
    found: dict[str, None] = {}
    for group in groups_of(user):
        found.update(dict.fromkeys(GROUP_RIGHTS.get(group, [])))
    if user:
        found.update(dict.fromkeys(user.rights))
    if not bearer:
        return list(found)
    scopes = world.store.value("SELECT scopes FROM oauth_token WHERE access = ?", (bearer,))
    allowed = set(GRANT_RIGHTS["basic"])
    for grant in json.loads(scopes or "[]"):
        allowed.update(GRANT_RIGHTS.get(grant, []))
    return [right for right in found if right in allowed]


def token_for(call: Call, kind: str = "csrf") -> str:
    """The token of a kind for this session; `+\\` for anonymous requests."""
    if call.user is None and kind != "login":
        return "+\\"
    text = f"{call.user_name}|{call.bearer}|{kind}"
    return hmac.new(b"sandbox", text.encode(), hashlib.sha256).hexdigest()[:40] + "+\\"


def check_token(call: Call, kind: str = "csrf") -> None:
    """Refuses a missing or wrong token, and one that was put into the query string."""
    if not call.post or ("token" in call.values and "token" not in call.posted):
        text = (
            "The following parameter was found in the query string, but must be in the POST body:"
            " token."
        )
        raise ApiError("mustpostparams", text)
    given = call.values.get("token")
    if not given:
        raise ApiError("missingparam", 'The "token" parameter must be set.')
    if not hmac.compare_digest(given, token_for(call, kind)):
        raise ApiError("badtoken", "Invalid CSRF token.")


def check_assertions(call: Call) -> None:
    """`assert` and `assertuser`."""
    wanted = call.values.get("assert", "")
    if wanted == "user" and call.user is None:
        text = "You are no longer logged in, so the action could not be completed."
        raise ApiError("assertuserfailed", text, module="main")
    if wanted == "anon" and call.user is not None:
        text = "You are no longer logged out, so the action could not be completed."
        raise ApiError("assertanonfailed", text, module="main")
    if wanted == "bot" and "bot" not in call.rights:
        text = 'You do not have the "bot" right, so the action could not be completed.'
        raise ApiError("assertbotfailed", text, module="main")
    name = call.values.get("assertuser")
    if name is not None and name != call.user_name:
        text = f'You are no longer logged in as "{name}", so the action could not be completed.'
        raise ApiError("assertnameduserfailed", text, module="main")


def check_tags(call: Call) -> list[str]:
    """The change tags a client asked for. Raises badtags when one may not be set by hand."""
    asked = [tag for tag in call.params(call.module).text("tags").split("|") if tag]
    allowed = json.loads(call.world.setting("tags", "[]"))
    unknown = [tag for tag in asked if tag not in allowed]
    if unknown:
        if len(unknown) == 1:
            text = f'The tag "{unknown[0]}" is not allowed to be manually applied.'
        else:
            text = f"The following tags are not allowed to be manually applied: {unknown}"
        raise ApiError("badtags", text, {"disallowedtags": unknown})
    return asked


def own_tags(call: Call) -> list[str]:
    """The tag that an edit by OAuth carries without being asked."""
    if not call.bearer:
        return []
    number = call.world.store.value(
        "SELECT number FROM oauth_client JOIN oauth_token ON oauth_client.id = client_id"
        " WHERE access = ?",
        (call.bearer,),
    )
    return [f"OAuth CID: {number or 1}"]


def edit_limit(call: Call) -> tuple[int, int] | None:
    """(hits, seconds) that bound this user's edits, or None."""
    if "noratelimit" in call.rights:
        return None
    own = call.world.setting(f"ratelimit:{call.user_name}", "")
    if own:
        hits, seconds = own.split("/")
        return int(hits), int(seconds)
    if call.user is None:
        return 8, 60
    grown = "autoconfirmed" in groups_of(call.user)
    return _EDIT_LIMITS["user" if grown else "newcomer"]


def within_limit(call: Call) -> bool:
    """Counts one edit and says whether it is still within the user's limit."""
    limit = edit_limit(call)
    if limit is None:
        return True
    hits, seconds = limit
    now = time.monotonic()
    with call.world.edit_times_lock:
        seen = call.world.edit_times.setdefault(call.user_name, deque())
        while seen and seen[0] < now - seconds:
            seen.popleft()
        if len(seen) >= hits:
            return False
        seen.append(now)
    return True


def block_info(block: Block) -> Json:
    """A block as userinfo and `blockinfo` show it."""
    return {
        "blockid": block.id,
        "blockedby": block.by,
        "blockedbyid": block.by_id,
        "blockreason": block.reason,
        "blockedtimestamp": block.timestamp,
        "blockexpiry": block.expiry,
        "blockpartial": block.pages is not None,
        "blocknocreate": True,
        "blockanononly": False,
        "blockemail": False,
        "blockowntalk": False,
        "blockedtimestampformatted": _clock(block.timestamp),
        "blockexpiryformatted": _clock(block.expiry),
        "blockexpiryrelative": _clock(block.expiry),
    }


def _clock(stamp: str) -> str:
    if stamp == "infinite":
        return stamp
    moment = datetime.fromisoformat(stamp)
    return f"{moment:%H:%M}, {moment.day} {moment:%B %Y}"


def block_on(call: Call, title: str) -> Block | None:
    """The block that keeps this user from editing a title."""
    if call.fault("blocked", title):
        return FAULT_BLOCK
    block = call.user.blocked if call.user else None
    if block is None or (block.pages is not None and title not in block.pages):
        return None
    return block


def _denied(call: Call) -> Message:
    allowed = ["[[Commons:Users|Users]]"] if call.user is None else ["*", "[[Commons:Users|Users]]"]
    text = "The action you have requested is limited to users in one of the groups: "
    if len(allowed) == 1:
        text = "The action you have requested is limited to users in the group: "
    listed: list[Any] = [{"list": allowed, "type": "comma"}, len(allowed)]
    return Message("badaccess-groups", listed, text + ", ".join(allowed) + ".")


def permission_problem(call: Call, page: Page) -> tuple[Entry, Message] | None:
    """Why this user may not edit a page: block, protection, or a right that is missing."""
    anonymous = call.user is None and call.world.setting("anonymous_edits", "1") != "1"
    if "edit" not in call.rights or anonymous:
        message = _denied(call)
        return Entry("permissiondenied", message.html), message
    block = block_on(call, page.title)
    if block:
        return _blocked(call, block)
    level = page.protection.get("edit")
    if call.fault("protected", page.title):
        level = "sysop"
    right = _LEVEL_RIGHTS.get(level or "", level)
    if right and right not in call.rights:
        text = "This page has been protected to prevent editing or other actions."
        message = Message("protectedpagetext", [right, "edit"], text)
        return Entry("protectedpage", text), message
    return None


def _blocked(call: Call, block: Block) -> tuple[Entry, Message]:
    by = f"[[User:{block.by}|\u202a{block.by}\u202c]]"
    begun, ends = _clock(block.timestamp), _clock(block.expiry)
    who = f"\u202a{call.user_name}\u202c"
    text = (
        f"Your username or IP address has been blocked. The block was made by {by}. The reason"
        f" given is {block.reason}. *Start of block: {begun} *Expiration of block: {ends}"
        f" *Intended blockee: {who} Your current IP address is {call.address}."
        f" Block ID #{block.id}. Please include all above details in any queries you make."
    )
    parameters: list[Any] = [
        by, block.reason, call.address, f"\u202a{block.by}\u202c", block.id, ends, who, begun,
    ]  # fmt: skip
    code, name = ("autoblocked", "autoblockedtext") if block.auto else ("blocked", "blockedtext")
    if block.pages is not None:
        name = "blockedtext-partial"
    entry = Entry(code, text, {"blockinfo": block_info(block)})
    return entry, Message(name, parameters, text)


def rate_problem(call: Call, title: str) -> tuple[Entry, Message] | None:
    """The refusal of an edit that comes too soon, or None; counts the edit."""
    if within_limit(call) and not call.fault("ratelimited", title):
        return None
    text = (
        "As an anti-abuse measure, you are limited from performing this action too many times in"
        " a short space of time, and you have exceeded this limit. Please try again in a few"
        " minutes."
    )
    short = "You've exceeded your rate limit. Please wait some time and try again."
    return Entry("ratelimited", short), Message("actionthrottledtext", [], text)


def hook_problem(call: Call, title: str) -> tuple[Entry, Message] | None:
    """The refusal by AbuseFilter or another extension, when a fault asks for it."""
    if rule := call.fault("abusefilter", title):
        return _filter_problem((rule.codes or ["abusefilter-disallowed"])[0])
    if not call.fault("hook", title):
        return None
    text = "The modification you tried to make was aborted by an extension."
    return Entry("hookaborted", text), Message("hookaborted", [], text)


def _filter_problem(code: str) -> tuple[Entry, Message]:
    """One of the sandbox's only filter, which warns or disallows."""
    what, number = "Statements by machines", "1"
    action = "warn" if code == "abusefilter-warning" else "disallow"
    text = (
        "This action has been automatically identified as harmful, and therefore disallowed."
        f" A brief description of the abuse rule which your action matched is: {what}"
    )
    data = {"abusefilter": {"id": number, "description": what, "actions": [action]}}
    return Entry(code, text, data), Message(code, [what, number], text)


def refuse_wikibase_save(call: Call, page: Page) -> None:
    """Raises `failed-save` with its cause when this user may not edit the page now."""
    problem = permission_problem(call, page)
    if problem:
        raise save_refused([problem[0]], [problem[1]], permission=True)
    problem = rate_problem(call, page.title) or hook_problem(call, page.title)
    if problem:
        raise save_refused([problem[0]], [problem[1]], permission=False)


def refuse_edit(call: Call, page: Page) -> None:
    """Raises the plain refusal of `action=edit`."""
    problem = (
        permission_problem(call, page)
        or rate_problem(call, page.title)
        or hook_problem(call, page.title)
    )
    if problem:
        raise ApiError(problem[0].code, problem[0].text, problem[0].data)
