"""prop= modules about pages: info, categories, categoryinfo, redirects, pageprops."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.api.access import permission_problem
from sandbox.api.call import Call, Json, Params
from sandbox.api.query.lists import bad_continue, category_sizes
from sandbox.api.query.pageset import PageSet
from sandbox.records import Page, Revision

_LANGUAGE = {"pagelanguage": "en", "pagelanguagehtmlcode": "en", "pagelanguagedir": "ltr"}


def info(params: Params, pages: PageSet) -> None:
    """Model, language, latest revision, length, redirect and new; protection, urls, permissions."""
    call = params.call
    prop = params.options(
        "prop", ("protection", "talkid", "watched", "url", "displaytitle", "subjectid", "preload",
                 "notificationtimestamp", "watchers", "visitingwatchers", "varianttitles",
                 "linkclasses", "associatedpage", "editintro"),
    )  # fmt: skip
    actions = params.values("testactions")
    detail = params.choice("testactionsdetail", ("boolean", "full", "quick"), "boolean")
    params.known("linkcontext", "token", "editintrostyle", "editintroskip", "editintrocustom")
    latest = call.world.current_revisions(list(pages.pages.values()))
    for entry in pages.missing():
        entry.update(contentmodel="wikitext", **_LANGUAGE)
        _extras(call, entry, prop, None)
    for number, page in pages.pages.items():
        entry = pages.out[number]
        revision = latest[number]
        entry.update(_facts(page, revision))
        _extras(call, entry, prop, page)
        if actions:
            entry["actions"] = {name: _may(call, page, name, detail) for name in actions}


def _facts(page: Page, revision: Revision) -> Json:
    facts: Json = {
        "contentmodel": page.content_model,
        **_LANGUAGE,
        "touched": page.touched,
        "lastrevid": page.latest,
        "length": len(revision.wikitext.encode()),
    }
    if page.redirect_to:
        facts["redirect"] = True
    if revision.parent == 0:
        facts["new"] = True
    return facts


def _extras(call: Call, entry: Json, prop: list[str], page: Page | None) -> None:
    if "protection" in prop:
        levels = page.protection if page else {}
        entry["protection"] = [
            {"type": action, "level": level, "expiry": "infinity"}
            for action, level in levels.items()
        ]
        entry["restrictiontypes"] = ["edit", "move", "upload"] if page else ["create"]
    if "watched" in prop:
        entry["watched"] = False
    if "url" in prop:
        path = quote(entry["title"].replace(" ", "_"), safe=":/!,;()@*'")
        entry["fullurl"] = f"{call.base}/wiki/{path}"
        entry["editurl"] = f"{call.base}/w/index.php?title={path}&action=edit"
        entry["canonicalurl"] = entry["fullurl"]
    if "displaytitle" in prop:
        entry["displaytitle"] = entry["title"]


def _may(call: Call, page: Page, action: str, detail: str) -> Any:
    errors: list[Json] = []
    if action == "move" and page.ns == 6 and "movefile" not in call.rights:
        text = "You do not have permission to move files."
        errors.append({"code": "cantmovefile", "text": text})
    problem = permission_problem(call, page)
    if problem:
        data = {"data": problem[0].data} if problem[0].data else {}
        errors.append({"code": problem[0].code, "text": problem[0].text, **data})
    return not errors if detail == "boolean" else errors


def categories(params: Params, pages: PageSet) -> Json | None:
    """Categories of pages, over all pages by page id and title."""
    call = params.call
    prop = params.options("prop", ("sortkey", "timestamp", "hidden"))
    show = params.values("show")
    limit = params.limit()
    params.known("dir")
    wanted = [f"Category:{title.split(':', 1)[-1]}" for title in params.values("categories")]
    ids = sorted(pages.pages)
    if not ids:
        return None
    rows = call.world.store.rows(
        "SELECT * FROM category_member WHERE wiki = ?"
        f" AND page_id IN ({','.join('?' * len(ids))}) ORDER BY page_id, category_title",
        (call.wiki, *ids),
    )
    sizes = category_sizes(call, list({row["category_title"] for row in rows}))
    start = _category_start(params)
    count = 0
    for row in rows:
        title, number = row["category_title"], row["page_id"]
        hidden = sizes[title]["hidden"]
        if (wanted and title not in wanted) or ("hidden" if not hidden else "!hidden") in show:
            continue
        if (number, title) < start:
            continue
        if count == limit:
            name = title.removeprefix("Category:").replace(" ", "_")
            return {"clcontinue": f"{number}|{name}"}
        count += 1
        item: Json = {"ns": 14, "title": title}
        if "sortkey" in prop:
            item.update(sortkey=row["sortkey"].encode().hex(), sortkeyprefix=row["prefix"])
        if "timestamp" in prop:
            item["timestamp"] = row["timestamp"]
        if "hidden" in prop:
            item["hidden"] = hidden
        pages.out[number].setdefault("categories", []).append(item)
    return None


def _category_start(params: Params) -> tuple[int, str]:
    text = params.text("continue")
    if not text:
        return 0, ""
    number, bar, name = text.partition("|")
    if not bar or not number.isdigit():
        raise bad_continue(params)
    return int(number), f"Category:{name.replace('_', ' ')}"


def categoryinfo(params: Params, pages: PageSet) -> None:
    """Sizes of categories, those without a page too."""
    entries = {entry["title"]: entry for entry in pages.out.values() if entry.get("ns") == 14}
    for title, facts in category_sizes(params.call, list(entries)).items():
        entries[title]["categoryinfo"] = facts


def redirects(params: Params, pages: PageSet) -> None:
    """Redirects that lead to the pages."""
    params.known("prop", "namespace", "show", "limit", "continue")
    for number, page in pages.pages.items():
        rows = params.call.world.store.rows(
            "SELECT id, ns, title FROM page WHERE wiki = ? AND redirect_to = ? AND deleted = 0"
            " ORDER BY id",
            (page.wiki, page.title),
        )
        if rows:
            pages.out[number]["redirects"] = [
                {"pageid": row["id"], "ns": row["ns"], "title": row["title"]} for row in rows
            ]


def pageprops(params: Params, pages: PageSet) -> None:
    """The few page properties that the sandbox knows."""
    params.known("prop", "continue")
    latest = params.call.world.current_revisions(list(pages.pages.values()))
    for number, page in pages.pages.items():
        if page.ns == 14 and "__HIDDENCAT__" in latest[number].wikitext:
            pages.out[number]["pageprops"] = {"hiddencat": ""}
        elif page.ns == 6:
            pages.out[number]["pageprops"] = {"unexpectedUnconnectedPage": "-6"}
