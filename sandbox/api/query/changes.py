"""list=recentchanges, logevents, usercontribs, tags."""

from __future__ import annotations

import json
from typing import Any

from sandbox.api.call import Json, Params
from sandbox.api.query.lists import Listing, bad_continue, compact, spread
from sandbox.api.query.revisions import size_of
from sandbox.api.query.select import Select
from sandbox.wikitext import normalize_title

_TYPES = ("edit", "new", "log", "categorize", "external")


def _enumerated(params: Params, select: Select, key: str) -> tuple[list[Any], str | None]:
    """Rows by time and id, newest first unless `dir=newer`, and the continuation."""
    limit, down = params.limit(), params.text("dir") != "newer"
    bounds = [params.text(name) for name in ("start", "end")]
    start, end = (spread(stamp) if stamp.isdigit() else stamp for stamp in bounds)
    select.between("change.timestamp", start, end, down=down)
    keys = ["change.timestamp", f"change.{key}"]
    if params.text("continue"):
        stamp, _, number = params.text("continue").partition("|")
        if not (stamp.isdigit() and number.isdigit()):
            raise bad_continue(params)
        select.onward(keys, [spread(stamp), int(number)], down=down)
    rows, rest = select.rows(params.call, keys, limit, down=down)
    return rows, f"{compact(rest['timestamp'])}|{rest[key]}" if rest else None


def _narrowed(params: Params, select: Select, *names: str) -> None:
    """The conditions that title, user and tag of a request make."""
    for name in names:
        value = params.text(name)
        if not value:
            continue
        if name == "tag":
            select.where("EXISTS (SELECT 1 FROM json_each(change.tags) WHERE value = ?)", value)
        elif name == "title":
            select.where("title = ?", normalize_title(params.call.wiki, value)[1])
        else:
            select.where(f"{name} = ?", value)


def recentchanges(params: Params) -> Listing:
    """Edits, new pages, log events and changes of categories."""
    prop = params.options(
        "prop", ("user", "userid", "comment", "parsedcomment", "flags", "timestamp", "title", "ids",
                 "sizes", "redirect", "patrolled", "loginfo", "tags", "sha1"),
        "title|timestamp|ids",
    )  # fmt: skip
    select = Select("SELECT * FROM change WHERE wiki = ?", [params.call.wiki])
    select.among("type", params.options("type", _TYPES, "edit|new|log|categorize"))
    select.among("ns", params.namespaces())
    _narrowed(params, select, "title", "user", "tag")
    rows, following = _enumerated(params, select, "id")
    items = [_change(params, row, prop) for row in rows]
    return Listing("recentchanges", items, [], {"rccontinue": following} if following else None)


def _change(params: Params, row: Any, prop: list[str]) -> Json:
    item: Json = {"type": row["type"]}
    if "title" in prop:
        item.update(ns=row["ns"], title=row["title"])
    if "ids" in prop:
        item.update(pageid=row["page_id"], revid=row["revid"], old_revid=row["old_revid"])
        item["rcid"] = row["id"]
    if "user" in prop:
        item["user"] = row["user"]
    if "flags" in prop:
        item.update(bot=False, new=row["type"] == "new", minor=bool(row["minor"]))
    if "sizes" in prop:
        item.update(_sizes(params, row))
    if "timestamp" in prop:
        item["timestamp"] = row["timestamp"]
    if "comment" in prop:
        item["comment"] = row["comment"]
    if "loginfo" in prop and row["type"] == "log":
        item.update(logid=row["log_id"], logtype=row["log_type"], logaction=row["log_action"])
        item["logparams"] = json.loads(row["log_params"])
    if "tags" in prop:
        item["tags"] = json.loads(row["tags"])
    return item


def _sizes(params: Params, row: Any) -> Json:
    world, wiki = params.call.world, params.call.wiki
    page = world.page_by_id(wiki, row["page_id"], deleted=True)
    sizes = []
    for number in (row["old_revid"], row["revid"]):
        revision = world.revision(wiki, number) if number else None
        sizes.append(size_of(page, revision) if page and revision else 0)
    return {"oldlen": sizes[0], "newlen": sizes[1]}


def logevents(params: Params) -> Listing:
    """Uploads, moves, deletions, protections."""
    prop = params.options(
        "prop", ("ids", "title", "type", "user", "userid", "timestamp", "comment", "parsedcomment",
                 "details", "tags"),
        "ids|title|type|user|timestamp|comment|details",
    )  # fmt: skip
    select = Select("SELECT * FROM change WHERE wiki = ? AND type = 'log'", [params.call.wiki])
    kind, _, name = (params.text("action") or params.text("type")).partition("/")
    if kind:
        select.where("log_type = ?", kind)
    if name and name != "*":
        select.where("log_action = ?", name)
    _narrowed(params, select, "title", "user", "tag")
    rows, following = _enumerated(params, select, "log_id")
    items = [_event(params, row, prop) for row in rows]
    return Listing("logevents", items, [], {"lecontinue": following} if following else None)


def _event(params: Params, row: Any, prop: list[str]) -> Json:
    item: Json = {}
    if "ids" in prop:
        item["logid"] = row["log_id"]
    if "title" in prop:
        item.update(ns=row["ns"], title=row["title"])
    if "ids" in prop:
        page = params.call.world.page(params.call.wiki, row["title"])
        item.update(pageid=page.id if page else 0, logpage=row["page_id"])
        if row["revid"]:
            item["revid"] = row["revid"]
    if "details" in prop:
        item["params"] = json.loads(row["log_params"])
    if "type" in prop:
        item.update(type=row["log_type"], action=row["log_action"])
    if "user" in prop:
        item["user"] = row["user"]
    if "timestamp" in prop:
        item["timestamp"] = row["timestamp"]
    if "comment" in prop:
        item["comment"] = row["comment"]
    if "tags" in prop:
        item["tags"] = json.loads(row["tags"])
    return item


def usercontribs(params: Params) -> Listing:
    """Edits of users, newest first."""
    prop = params.options(
        "prop", ("ids", "title", "timestamp", "comment", "parsedcomment", "size", "sizediff",
                 "flags", "patrolled", "tags"),
        "ids|title|timestamp|comment|size|flags",
    )  # fmt: skip
    select = Select(
        "SELECT * FROM change WHERE wiki = ? AND type IN ('edit', 'new')", [params.call.wiki]
    )
    params.required("user")
    select.among("user", params.values("user"))
    select.among("ns", params.namespaces())
    _narrowed(params, select, "tag")
    rows, following = _enumerated(params, select, "revid")
    items = [_contribution(params, row, prop) for row in rows]
    return Listing("usercontribs", items, [], {"uccontinue": following} if following else None)


def _contribution(params: Params, row: Any, prop: list[str]) -> Json:
    call = params.call
    user = call.world.users.by_name(row["user"])
    page = call.world.page_by_id(call.wiki, row["page_id"], deleted=True)
    item: Json = {"userid": user.id if user else 0, "user": row["user"]}
    if "ids" in prop:
        item.update(pageid=row["page_id"], revid=row["revid"], parentid=row["old_revid"])
    if "title" in prop:
        title = page.title if page else row["title"]
        item.update(ns=row["ns"], title=title)
    if "timestamp" in prop:
        item["timestamp"] = row["timestamp"]
    if "flags" in prop:
        item.update(new=row["type"] == "new", minor=bool(row["minor"]))
        item["top"] = bool(page and page.latest == row["revid"])
    if "comment" in prop:
        item["comment"] = row["comment"]
    if "size" in prop or "sizediff" in prop:
        sizes = _sizes(params, row)
        if "size" in prop:
            item["size"] = sizes["newlen"]
        if "sizediff" in prop:
            item["sizediff"] = sizes["newlen"] - sizes["oldlen"]
    if "tags" in prop:
        item["tags"] = json.loads(row["tags"])
    return item


def tags(params: Params) -> Listing:
    """The change tags: those that edits carry and those that may be set by hand."""
    call = params.call
    prop = params.options("prop", ("displayname", "description", "hitcount", "defined", "source",
                                   "active"))  # fmt: skip
    params.known("continue", "limit")
    counts = {
        row["value"]: row["n"]
        for row in call.world.store.rows(
            "SELECT value, count(*) AS n FROM revision, json_each(tags) WHERE wiki = ?"
            " GROUP BY value",
            (call.wiki,),
        )
    }
    manual = json.loads(call.world.setting("tags", "[]"))
    items = []
    for name in sorted({*counts, *manual}):
        item: Json = {"name": name}
        if "displayname" in prop:
            item["displayname"] = name
        if "hitcount" in prop:
            item["hitcount"] = counts.get(name, 0)
        if "defined" in prop:
            item["defined"] = True
        if "source" in prop:
            item["source"] = ["manual"] if name in manual else ["software", "extension"]
        if "active" in prop:
            item["active"] = True
        items.append(item)
    return Listing("tags", items)
