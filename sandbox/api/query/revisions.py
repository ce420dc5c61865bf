"""prop=revisions."""

from __future__ import annotations

import hashlib
import json
from html import escape
from typing import Any

from sandbox.api.answer import Content
from sandbox.api.call import Json, Params
from sandbox.api.errors import ApiError
from sandbox.api.query.lists import compact
from sandbox.api.query.pageset import PageSet
from sandbox.records import Page, Revision

_PROPS = (
    "ids", "flags", "timestamp", "user", "userid", "size", "slotsize", "sha1", "slotsha1",
    "contentmodel", "comment", "parsedcomment", "content", "tags", "roles",
)  # fmt: skip
_ENUMERATION = ("limit", "startid", "endid", "start", "end", "dir", "user", "excludeuser", "tag")


def revisions(params: Params, pages: PageSet) -> Json | None:
    """The latest revision of each page, chosen ones, or the history of one page."""
    prop = params.options("prop", _PROPS, "ids|timestamp|flags|comment|user")
    slots = params.values("slots")
    params.known("section", "expandtemplates", "parse", "diffto", "contentformat", "generatexml")
    if not slots and {"content", "contentmodel", "slotsize", "slotsha1"} & set(prop):
        _warn_legacy(params)
    if pages.revids:
        params.known(*_ENUMERATION, "continue")
        for number in pages.revids:
            _add(params, pages, params.call.world.revision(params.call.wiki, number), prop, slots)
        return None
    if not any(params.given(name) for name in _ENUMERATION):
        params.known("continue")
        for revision in params.call.world.current_revisions(list(pages.pages.values())).values():
            _add(params, pages, revision, prop, slots)
        return None
    if len(pages.pages) > 1:
        text = "titles, pageids or a generator was used to supply multiple pages"
        raise ApiError("invalidparammix", text, module=params.module)
    for page in pages.pages.values():
        return _history(params, pages, page, prop, slots)
    return None


def _history(
    params: Params, pages: PageSet, page: Page, prop: list[str], slots: list[str]
) -> Json | None:
    limit = params.limit(10)
    newer = params.text("dir") == "newer"
    where = ""
    args: list[Any] = []
    for name, condition in (
        ("startid", ">=" if newer else "<="),
        ("endid", "<=" if newer else ">="),
    ):
        if params.text(name):
            where += f" AND id {condition} ?"
            args.append(params.integer(name))
    for name, condition in (("start", ">=" if newer else "<="), ("end", "<=" if newer else ">=")):
        if params.text(name):
            where += f" AND timestamp {condition} ?"
            args.append(params.text(name))
    if params.text("user"):
        where += " AND user = ?"
        args.append(params.text("user"))
    if params.text("excludeuser"):
        where += " AND user != ?"
        args.append(params.text("excludeuser"))
    if params.text("tag"):
        where += " AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)"
        args.append(params.text("tag"))
    if params.text("continue"):
        where += f" AND id {'>=' if newer else '<='} ?"
        args.append(int(params.text("continue").rsplit("|", 1)[-1]))
    where += f" ORDER BY id {'ASC' if newer else 'DESC'} LIMIT ?"
    found = params.call.world.revisions_of(page, where, [*args, limit + 1])
    for revision in found[:limit]:
        _add(params, pages, revision, prop, slots)
    if len(found) > limit:
        rest = found[limit]
        return {"rvcontinue": f"{compact(rest.timestamp)}|{rest.id}"}
    return None


def _add(
    params: Params, pages: PageSet, revision: Revision | None, prop: list[str], slots: list[str]
) -> None:
    if revision is None:
        return
    shown = _shown(params, pages.pages[revision.page_id], revision, prop, slots)
    pages.out[revision.page_id].setdefault("revisions", []).append(shown)


def mediainfo_json(revision: Revision) -> str:
    """The slot's JSON as it is stored: empty maps are lists."""
    entity = revision.entity or {}
    stored = {
        "type": "mediainfo",
        "id": f"M{revision.page_id}",
        "labels": entity.get("labels") or [],
        "descriptions": entity.get("descriptions") or [],
        "statements": entity.get("statements") or [],
    }
    return json.dumps(stored, ensure_ascii=False, separators=(",", ":"))


def slot_texts(page: Page, revision: Revision) -> dict[str, tuple[str, str]]:
    """Role → (content, model). A page without structured data has the slot `main` alone."""
    if page.content_model != "wikitext":
        entity = json.dumps(revision.entity, ensure_ascii=False, separators=(",", ":"))
        return {"main": (entity, page.content_model)}
    found = {"main": (revision.wikitext, "wikitext")}
    if revision.entity is not None:
        found["mediainfo"] = (mediainfo_json(revision), "wikibase-mediainfo")
    return found


def size_of(page: Page, revision: Revision) -> int:
    """Bytes of all slots."""
    return sum(len(text.encode()) for text, _ in slot_texts(page, revision).values())


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _shown(
    params: Params, page: Page, revision: Revision, prop: list[str], slots: list[str]
) -> Json:
    texts = slot_texts(page, revision)
    item: Json = Content()
    if "ids" in prop:
        item.update(revid=revision.id, parentid=revision.parent)
    if "flags" in prop:
        item["minor"] = revision.minor
    if "user" in prop:
        item["user"] = revision.user
    if "userid" in prop:
        user = params.call.world.users.by_name(revision.user)
        item["userid"] = user.id if user else 0
    if "timestamp" in prop:
        item["timestamp"] = revision.timestamp
    if "size" in prop:
        item["size"] = size_of(page, revision)
    if "sha1" in prop:
        item["sha1"] = _sha1("".join(text for text, _ in texts.values()))
    if "roles" in prop:
        item["roles"] = list(texts)
    wanted = list(texts) if "*" in slots else slots
    if slots:
        item["slots"] = {role: _slot(*texts[role], prop) for role in wanted if role in texts}
    elif {"content", "contentmodel"} & set(prop):
        text, model = texts["main"]
        item.update(contentformat=_format(model), contentmodel=model)
        if "content" in prop:
            item["content"] = text
    if "comment" in prop:
        item["comment"] = revision.comment
    if "parsedcomment" in prop:
        item["parsedcomment"] = escape(revision.comment, quote=False)
    if "tags" in prop:
        item["tags"] = revision.tags
    return item


def _format(model: str) -> str:
    return "text/x-wiki" if model == "wikitext" else "application/json"


def _slot(text: str, model: str, prop: list[str]) -> Json:
    slot: Json = Content()
    if "slotsize" in prop:
        slot["size"] = len(text.encode())
    if "slotsha1" in prop:
        slot["sha1"] = _sha1(text)
    slot.update(contentmodel=model, contentformat=_format(model))
    if "content" in prop:
        slot["content"] = text
    return slot


def _warn_legacy(params: Params) -> None:
    address = (
        "https://lists.wikimedia.org/postorius/lists/mediawiki-api-announce.lists.wikimedia.org/"
    )
    told: list[Any] = [
        ("main", f"Subscribe to the mediawiki-api-announce mailing list at <{address}>."),
        (params.module, 'Because "rvslots" was not specified, a legacy format has been used.'),
    ]
    for module, text in told:
        params.call.warn(module, "deprecation", text)
