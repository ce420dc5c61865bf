"""list= modules about pages: categorymembers, allcategories, allimages, prefixsearch, users,
allusers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.api.access import block_info, groups_of, rights_of
from sandbox.api.answer import Named
from sandbox.api.call import Call, Json, Params
from sandbox.api.errors import ApiError
from sandbox.api.query.imageinfo import file_facts
from sandbox.api.query.select import Select
from sandbox.indexes import TYPE_NAMES
from sandbox.reading import page_of_row
from sandbox.records import NAMESPACES, Page
from sandbox.wikitext import InvalidTitle, normalize_title


@dataclass
class Listing:
    """What a list gives: items for `list=`, pages for `generator=`, where to go on."""

    name: str
    items: list[Any]
    pages: list[Page] = field(default_factory=list)
    next: Json | None = None
    extra: Json = field(default_factory=dict)
    indexed: bool = False
    first_index: int = 1


def bad_continue(params: Params) -> ApiError:
    """A continuation that this module did not give."""
    text = "Invalid continue param. You should pass the original value returned by the previous"
    return ApiError("badcontinue", f"{text} query.", module=params.module)


def compact(stamp: str) -> str:
    """A timestamp as continuations write it: digits only."""
    return "".join(char for char in stamp if char.isdigit())


def spread(digits: str) -> str:
    """The opposite of `compact`."""
    d = digits
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}Z"


def _category_title(params: Params) -> str:
    text, number = params.text("title"), params.integer("pageid")
    if number:
        page = params.call.world.page_by_id(params.call.wiki, number)
        if page is None:
            raise ApiError(
                "nosuchpageid", f"There is no page with ID {number}.", module=params.module
            )
        text = page.title
    if not text:
        p = params.prefix
        told = f'One of the parameters "{p}title" and "{p}pageid" is required.'
        raise ApiError("missingparam", told, module=params.module)
    try:
        ns, title = normalize_title(params.call.wiki, text)
    except InvalidTitle:
        raise ApiError("invalidtitle", f'Bad title "{text}".', module=params.module) from None
    if ns != 14:
        text = "The category name you entered is not valid."
        raise ApiError("invalidcategory", text, module=params.module)
    return title


def categorymembers(params: Params) -> Listing:
    """Members of a category, page or no page."""
    title = _category_title(params)
    prop = params.options(
        "prop", ("ids", "title", "sortkey", "sortkeyprefix", "type", "timestamp"), "ids|title"
    )
    kinds = params.options("type", TYPE_NAMES, "page|subcat|file")
    by_time = params.choice("sort", ("sortkey", "timestamp"), "sortkey") == "timestamp"
    down = params.text("dir") in ("desc", "descending", "older")
    limit = params.limit()
    select = Select(
        "SELECT category_member.type AS kind, sortkey, prefix, timestamp, page.*"
        " FROM category_member JOIN page ON page.wiki = category_member.wiki AND page.id = page_id"
        " WHERE category_member.wiki = ? AND category_title = ? AND deleted = 0",
        [params.call.wiki, title],
    )
    select.among("ns", params.namespaces())
    keys = ["category_member.type", "sortkey", "page_id"]
    if by_time:
        keys = ["timestamp", "page_id"]
        select.between("timestamp", params.text("start"), params.text("end"), down=down)
    elif len(kinds) < len(TYPE_NAMES):
        select.among("category_member.type", [TYPE_NAMES.index(kind) for kind in kinds])
    if params.text("continue"):
        select.onward(keys, _member_start(params, params.text("continue"), by_time), down=down)
    rows, rest = select.rows(params.call, keys, limit, down=down)
    following = {"cmcontinue": _member_place(rest, by_time)} if rest else None
    items = [_member(row, prop) for row in rows]
    return Listing("categorymembers", items, [page_of_row(row) for row in rows], following)


def _member_place(row: Any, by_time: bool) -> str:
    if by_time:
        return f"{compact(row['timestamp'])}|{row['id']}"
    return f"{TYPE_NAMES[row['kind']]}|{row['sortkey'].encode().hex()}|{row['id']}"


def _member_start(params: Params, text: str, by_time: bool) -> list[Any]:
    parts = text.split("|")
    try:
        if by_time:
            stamp, number = parts
            return [spread(stamp), int(number)]
        kind, key, number = parts
        return [TYPE_NAMES.index(kind), bytes.fromhex(key).decode(), int(number)]
    except ValueError:
        raise bad_continue(params) from None


def _member(row: Any, prop: list[str]) -> Json:
    item: Json = {}
    if "ids" in prop:
        item["pageid"] = row["id"]
    if "title" in prop:
        item.update(ns=row["ns"], title=row["title"])
    if "sortkey" in prop:
        item["sortkey"] = row["sortkey"].encode().hex()
    if "sortkeyprefix" in prop:
        item["sortkeyprefix"] = row["prefix"]
    if "type" in prop:
        item["type"] = TYPE_NAMES[row["kind"]]
    if "timestamp" in prop:
        item["timestamp"] = row["timestamp"]
    return item


def category_sizes(call: Call, titles: list[str]) -> dict[str, Json]:
    """size, pages, files, subcats and hidden of categories that have members or a page."""
    marks = ",".join("?" * len(titles))
    found: dict[str, Json] = {}
    rows = call.world.store.rows(
        f"SELECT category_title, type, count(*) AS n FROM category_member WHERE wiki = ?"
        f" AND category_title IN ({marks}) GROUP BY category_title, type",
        (call.wiki, *titles),
    )
    for row in rows:
        sizes = found.setdefault(row["category_title"], {"pages": 0, "files": 0, "subcats": 0})
        sizes[("pages", "subcats", "files")[row["type"]]] = row["n"]
    hidden: dict[str, bool] = {}
    for row in call.world.store.rows(
        f"SELECT title, wikitext FROM page JOIN revision ON revision.wiki = page.wiki"
        f" AND revision.id = latest WHERE page.wiki = ? AND deleted = 0 AND title IN ({marks})",
        (call.wiki, *titles),
    ):
        hidden[row["title"]] = "__HIDDENCAT__" in row["wikitext"]
    result: dict[str, Json] = {}
    for title in titles:
        if title in found or title in hidden:
            sizes = found.get(title, {"pages": 0, "files": 0, "subcats": 0})
            result[title] = {
                "size": sum(sizes.values()),
                "pages": sizes["pages"],
                "files": sizes["files"],
                "subcats": sizes["subcats"],
                "hidden": hidden.get(title, False),
            }
    return result


def allcategories(params: Params) -> Listing:
    """All categories by title, with or without a page."""
    call = params.call
    prop = params.options("prop", ("size", "hidden"))
    limit = params.limit()
    prefix = params.text("prefix")
    prefix = prefix[:1].upper() + prefix[1:]
    start = max(params.text("continue"), params.text("from"), prefix).replace("_", " ")
    rows = call.world.store.rows(
        "SELECT title FROM (SELECT DISTINCT category_title AS title FROM category_member"
        " WHERE wiki = ? UNION SELECT title FROM page WHERE wiki = ? AND ns = 14 AND deleted = 0)"
        " WHERE title >= ? AND title < ? ORDER BY title LIMIT ?",
        (
            call.wiki,
            call.wiki,
            f"Category:{start}",
            f"Category:{prefix.replace('_', ' ')}\U0010ffff",
            limit + 1,
        ),
    )
    titles = [row["title"] for row in rows]
    following = None
    if len(titles) > limit:
        following = {"accontinue": titles[limit].removeprefix("Category:").replace(" ", "_")}
    titles = titles[:limit]
    sizes = category_sizes(call, titles)
    items: list[Json] = []
    for title in titles:
        item = Named(category=title.removeprefix("Category:"))
        facts = sizes[title]
        if "size" in prop:
            item.update({key: facts[key] for key in ("size", "pages", "files", "subcats")})
        if "hidden" in prop:
            item["hidden"] = facts["hidden"]
        items.append(item)
    found = [call.world.page(call.wiki, title) for title in titles]
    return Listing("allcategories", items, [page for page in found if page], following)


def allimages(params: Params) -> Listing:
    """Files by name, or by time of upload (then of one user, if wanted)."""
    call = params.call
    prop = params.options(
        "prop",
        ("timestamp", "user", "userid", "comment", "canonicaltitle", "url", "size", "dimensions",
         "sha1", "mime", "mediatype", "extmetadata"),
        "timestamp|url",
    )  # fmt: skip
    by_time = params.choice("sort", ("name", "timestamp"), "name") == "timestamp"
    down = params.text("dir") in ("descending", "older")
    limit = params.limit()
    if params.text("user") and not by_time:
        p = params.prefix
        text = f'The "{p}user" parameter may only be used with "{p}sort=timestamp".'
        raise ApiError("invalidparammix", text, module=params.module)
    select = _uploads(params, down)
    keys = ["file.timestamp", "title"] if by_time else ["title"]
    if params.text("continue"):
        select.onward(keys, _image_start(params, params.text("continue"), by_time), down=down)
    rows, rest = select.rows(call, keys, limit, down=down)
    following = None
    if rest:
        name = rest["title"].removeprefix("File:").replace(" ", "_")
        following = {"aicontinue": f"{compact(rest['uploaded'])}|{name}" if by_time else name}
    pages = [page_of_row(row) for row in rows]
    files = call.world.current_files(call.wiki, [page.id for page in pages])
    items = [
        {
            "name": page.name.replace(" ", "_"),
            **file_facts(call, page, files[page.id], prop, {}),
            "ns": 6,
            "title": page.title,
        }
        for page in pages
    ]
    return Listing("allimages", items, pages, following)


def _uploads(params: Params, down: bool) -> Select:
    select = Select(
        "SELECT page.*, file.timestamp AS uploaded FROM page JOIN file ON file.wiki = page.wiki"
        " AND file.id = (SELECT max(id) FROM file WHERE wiki = page.wiki AND page_id = page.id)"
        " WHERE page.wiki = ? AND ns = 6 AND deleted = 0",
        [params.call.wiki],
    )
    for name in ("user", "sha1"):
        if params.text(name):
            select.where(f"file.{name} = ?", params.text(name))
    select.between("file.timestamp", params.text("start"), params.text("end"), down=down)
    if params.text("prefix"):
        first = params.text("prefix").replace("_", " ")
        first = f"File:{first[0].upper()}{first[1:]}"
        select.where("title >= ? AND title < ?", first, first + "\U0010ffff")
    if params.text("from"):
        select.where("title >= ?", f"File:{params.text('from')}".replace("_", " "))
    return select


def _image_start(params: Params, text: str, by_time: bool) -> list[str]:
    if not by_time:
        return [f"File:{text.replace('_', ' ')}"]
    stamp, _, name = text.partition("|")
    if len(stamp) != 14 or not name:
        raise bad_continue(params)
    return [spread(stamp), f"File:{name.replace('_', ' ')}"]


def prefix_pages(
    call: Call, text: str, namespaces: list[int], limit: int, offset: int = 0
) -> list[Page]:
    """Pages whose title begins with a text; a namespace in the text outranks `namespaces`."""
    prefix, colon, rest = text.partition(":")
    for number, name in NAMESPACES[call.wiki].items():
        if colon and name and name.casefold() == prefix.strip().casefold():
            namespaces, text = [number], rest
    text = text.strip().replace("_", " ")
    text = text[:1].upper() + text[1:]
    found: list[Page] = []
    for number in namespaces:
        name = NAMESPACES[call.wiki].get(number, "")
        first = f"{name}:{text}" if name else text
        rows = call.world.store.rows(
            "SELECT * FROM page WHERE wiki = ? AND ns = ? AND deleted = 0 AND title >= ?"
            " AND title < ? AND redirect_to IS NULL ORDER BY title LIMIT ? OFFSET ?",
            (call.wiki, number, first, first + "\U0010ffff", limit, offset),
        )
        found += [page_of_row(row) for row in rows]
    return found[:limit]


def prefixsearch(params: Params) -> Listing:
    """Titles by prefix."""
    text = params.required("search")
    limit, offset = params.limit(), params.integer("offset")
    params.known("profile")
    spaces = params.namespaces("0")
    pages = prefix_pages(params.call, text, spaces, limit + 1, offset)
    following = {"psoffset": offset + limit} if len(pages) > limit else None
    pages = pages[:limit]
    items = [{"ns": page.ns, "title": page.title, "pageid": page.id} for page in pages]
    return Listing("prefixsearch", items, pages, following, indexed=True, first_index=offset + 1)


def allusers(params: Params) -> Listing:
    """Accounts by the beginning of their names, whose first letter is made a capital."""
    call, limit = params.call, params.limit()
    prop = params.options("prop", ("groups", "editcount", "registration", "blockinfo", "rights"))
    params.known("dir", "group", "excludegroup", "attachedwiki", "activeusers")
    first, prefix = (_canonical(params.text(name)) for name in ("from", "prefix"))
    start = max(first, prefix, _canonical(params.text("continue")))
    edits = int(params.given("witheditsonly"))
    rows = call.world.store.rows(
        "SELECT * FROM user WHERE name >= ? AND name < ? AND editcount >= ? ORDER BY name LIMIT ?",
        (start, f"{prefix}\U0010ffff", edits, limit + 1),
    )
    following = {"aucontinue": rows[limit]["name"]} if len(rows) > limit else None
    items: list[Json] = []
    for row in rows[:limit]:
        item: Json = {"userid": row["id"], "name": row["name"]}
        if "editcount" in prop:
            item["editcount"] = row["editcount"]
        if "registration" in prop:
            item["registration"] = row["registered"]
        items.append(item)
    return Listing("allusers", items, next=following)


def _canonical(name: str) -> str:
    return (name[:1].upper() + name[1:]).replace("_", " ")


def users(params: Params) -> Listing:
    """Accounts by name."""
    call = params.call
    prop = params.options(
        "prop", ("groups", "editcount", "registration", "blockinfo", "gender", "rights")
    )
    params.known("attachedwiki")
    items: list[Json] = []
    for name in params.values("users"):
        user = call.world.users.by_name(name)
        if user is None:
            digits = name.replace(".", "").isdigit()
            items.append({"name": name, **({"invalid": True} if digits else {"missing": True})})
            continue
        item: Json = {"userid": user.id, "name": user.name}
        if "editcount" in prop:
            item["editcount"] = user.editcount
        if "registration" in prop:
            item["registration"] = user.registered
        if "groups" in prop:
            item["groups"] = groups_of(user)
        if "rights" in prop:  # to a bearer no more of them than its grants allow, of anybody
            item["rights"] = rights_of(call.world, user, call.bearer)
        if "blockinfo" in prop and user.blocked:
            item.update(block_info(user.blocked))
        if "gender" in prop:
            item["gender"] = "unknown"
        items.append(item)
    items.sort(key=lambda item: "invalid" not in item)
    return Listing("users", items)
