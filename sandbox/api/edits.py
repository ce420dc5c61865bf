"""action=edit and action=compare.

`edit` goes as far as the undo surprise needs: wikitext, and an undo that answers Success and
leaves statements alone.
"""

from __future__ import annotations

import difflib
from html import escape
from typing import Any

from sandbox.api import access
from sandbox.api.call import Call, Json, Params
from sandbox.api.errors import ApiError, missing_param
from sandbox.api.query.revisions import size_of, slot_texts
from sandbox.records import Page, Revision
from sandbox.wikitext import InvalidTitle, normalize_title


def _no_revision(number: int | str) -> ApiError:
    return ApiError("nosuchrevid", f"There is no revision with ID {number}.")


def edit(call: Call) -> Json:
    """Changes a page's wikitext, or undoes a change of it."""
    params = call.params(call.module)
    params.known(
        "summary", "tags", "minor", "notminor", "bot", "watchlist", "baserevid", "basetimestamp",
        "starttimestamp", "createonly", "nocreate", "section", "md5", "contentformat", "recreate",
    )  # fmt: skip
    page = _page_to_edit(call, params)
    undo = params.integer("undo")
    if page is None:
        if "createpage" not in call.rights:
            denied = access.permission_problem(call, _unborn(call, params))
            raise ApiError(denied[0].code, denied[0].text) if denied else missing_param("title")
        return _create(call, params)
    model = params.text("contentmodel") or "wikitext"
    if model != "wikitext":
        title = page.title.replace(" ", "_")
        text = f"Direct editing via API is not supported for content model {model} used by {title}."
        raise ApiError("no-direct-editing", text)
    current = call.world.current(page)
    comment = params.text("summary")
    if undo:
        text, comment = _undone(call, page, current, undo, params.integer("undoafter"), comment)
    else:
        text = _new_text(params, current.wikitext)
    access.refuse_edit(call, page)
    result: Json = {
        "result": "Success", "pageid": page.id, "title": page.title, "contentmodel": "wikitext",
    }  # fmt: skip
    if text == current.wikitext:
        return {"edit": {**result, "nochange": True, "watched": True}}
    tags = access.own_tags(call) + access.check_tags(call) + (["mw-undo"] if undo else [])
    saved = call.world.save_text(page, text, user=call.user_name, comment=comment, tags=tags)
    result.update(oldrevid=current.id, newrevid=saved.id, newtimestamp=saved.timestamp)
    return {"edit": {**result, "watched": True}}


def _page_to_edit(call: Call, params: Params) -> Page | None:
    if params.given("pageid"):
        return call.world.page_by_id(call.wiki, params.integer("pageid"))
    return call.world.page(call.wiki, _title(call, params)[1])


def _title(call: Call, params: Params) -> tuple[int, str]:
    text = params.required("title")
    try:
        return normalize_title(call.wiki, text)
    except InvalidTitle:
        raise ApiError("invalidtitle", f'Bad title "{text}".') from None


def _unborn(call: Call, params: Params) -> Page:
    ns, title = _title(call, params)
    return Page(call.wiki, 0, ns, title, 0, None, False, {}, "wikitext", "")


def _create(call: Call, params: Params) -> Json:
    access.refuse_edit(call, _unborn(call, params))
    page = call.world.add_page(
        call.wiki,
        _title(call, params)[1],
        params.text("text"),
        user=call.user_name,
        comment=params.text("summary"),
        tags=access.own_tags(call) + access.check_tags(call),
    )
    return {
        "edit": {
            "new": True, "result": "Success", "pageid": page.id, "title": page.title,
            "contentmodel": "wikitext", "oldrevid": 0, "newrevid": page.latest,
            "newtimestamp": page.touched, "watched": True,
        }
    }  # fmt: skip


def _new_text(params: Params, before: str) -> str:
    names = ("text", "appendtext", "prependtext")
    given = {name: params.text(name) for name in names if params.given(name)}
    if not given:
        listed = ", ".join(f'"{name}"' for name in names)
        raise ApiError("missingparam", f'One of the parameters {listed} and "undo" is required.')
    if "text" in given:
        return given["text"]
    return given.get("prependtext", "") + before + given.get("appendtext", "")


def _undone(
    call: Call, page: Page, current: Revision, undo: int, after: int, summary: str
) -> tuple[str, str]:
    """The wikitext without the change, and the summary. Statements are no part of it."""
    bad = call.world.revision(call.wiki, undo)
    if bad is None:
        raise _no_revision(undo)
    base = call.world.revision(call.wiki, after or bad.parent) if bad.page_id == page.id else None
    if base is None:
        raise _no_revision("")
    if current.wikitext == bad.wikitext:
        text = base.wikitext
    elif bad.wikitext == base.wikitext:
        text = current.wikitext
    else:
        raise ApiError(
            "undofailure", "The edit could not be undone due to conflicting intermediate edits."
        )
    told = (
        f"Undo revision [[Special:Diff/{undo}|{undo}]] by"
        f" [[Special:Contributions/{bad.user}|{bad.user}]] ([[User talk:{bad.user}|talk]])"
    )
    return text, summary or told


def compare(call: Call) -> Json:
    """The difference of two revisions, slot by slot."""
    params = call.params(call.module)
    slots = params.values("slots")
    prop = params.options(
        "prop", ("diff", "diffsize", "rel", "ids", "title", "user", "comment", "parsedcomment",
                 "size", "timestamp"),
        "diff|ids|title",
    )  # fmt: skip
    params.known("difftype", "fromtitle", "totitle", "fromid", "toid")
    old = _revision(call, params.integer("fromrev"))
    if params.text("torelative"):
        old, new = _relative(call, old, params.text("torelative"))
    else:
        new = _revision(call, params.integer("torev"))
    found: Json = {**_side(call, "from", old, prop), **_side(call, "to", new, prop)}
    if "rel" in prop and old.parent:
        found["prev"] = old.parent
    if "diff" in prop:
        found.update(_bodies(call, old, new, slots))
    return {"compare": found}


def _revision(call: Call, number: int) -> Revision:
    found = call.world.revision(call.wiki, number)
    if found is None:
        raise _no_revision(number)
    return found


def _relative(call: Call, revision: Revision, where: str) -> tuple[Revision, Revision]:
    page = _page_of(call, revision)
    if where == "prev":
        return _revision(call, revision.parent), revision
    if where == "cur":
        return revision, call.world.current(page)
    following = call.world.revisions_of(page, "AND parent = ?", [revision.id])
    return revision, following[0] if following else revision


def _page_of(call: Call, revision: Revision) -> Page:
    page = call.world.page_by_id(call.wiki, revision.page_id, deleted=True)
    assert page
    return page


def _side(call: Call, side: str, revision: Revision, prop: list[str]) -> Json:
    page = _page_of(call, revision)
    told: Json = {}
    if "ids" in prop:
        told.update({"id": page.id, "revid": revision.id})
    if "title" in prop:
        told.update(ns=page.ns, title=page.title)
    if "size" in prop:
        told["size"] = size_of(page, revision)
    if "user" in prop:
        user = call.world.users.by_name(revision.user)
        told.update(user=revision.user, userid=user.id if user else 0)
    if "comment" in prop or "parsedcomment" in prop:
        told.update(comment=revision.comment, parsedcomment=escape(revision.comment, quote=False))
    return {f"{side}{key}": value for key, value in told.items()}


def _bodies(call: Call, old: Revision, new: Revision, slots: list[str]) -> Json:
    before, after = slot_texts(_page_of(call, old), old), slot_texts(_page_of(call, new), new)
    roles = list(dict.fromkeys([*before, *after]))
    wanted = roles if not slots or "*" in slots else [slot for slot in slots if slot in roles]
    bodies: dict[str, Any] = {}
    for role in wanted:
        one, other = before.get(role, ("", ""))[0], after.get(role, ("", ""))[0]
        bodies[role] = False if one == other else _rows(one, other)
    return {"bodies": bodies} if slots else {"body": "".join(filter(None, bodies.values()))}


def _rows(one: str, other: str) -> str:
    lines = difflib.ndiff(one.splitlines(), other.splitlines())
    sides = {"-": "deleted", "+": "added"}
    return "".join(
        f'<tr><td class="diff-marker"></td><td class="diff-{sides[line[0]]}line">'
        f"{escape(line[2:])}</td></tr>"
        for line in lines
        if line[0] in sides
    )
