"""What the templates of files, categories, items and other pages are given."""

from __future__ import annotations

import re
from typing import Any

from sandbox import thumbs, wikitext
from sandbox.api.query.extmetadata import template
from sandbox.pages.text import statements, terms
from sandbox.records import FileVersion, Page, Wiki
from sandbox.world import World

Context = dict[str, Any]
_PICTURE = 500  # pixels, a step of the thumbnailer
_SMALL = 120
_REGION = re.compile(r"pct:([\d.]+),([\d.]+),([\d.]+),([\d.]+)")
_LICENCES = (
    (r"cc-zero|cc0.*", "Creative Commons CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    (r"cc-by-2\.0", "Creative Commons BY 2.0", "https://creativecommons.org/licenses/by/2.0/"),
    (r"cc-by-sa-2\.0", "Creative Commons BY-SA 2.0", "https://creativecommons.org/licenses/by-sa/2.0/"),
    (r"pd.*", "Public domain", ""),
)  # fmt: skip


def file(world: World, page: Page, version: FileVersion) -> Context:
    """A file: picture, credit, categories, structured data, uploads, last edits."""
    revision = world.current(page)
    data = statements(world, revision.entity)
    fields = template(revision.wikitext, "Information") or {}
    return {
        "page": page,
        "file": version,
        "picture": picture(version, _PICTURE),
        "original": _path(thumbs.file_url(version)),
        "regions": [region for one in data for region in _regions(one)],
        "captions": terms(revision.entity, "labels"),
        "depicts": [one for one in data if one["property"] == "P180"],
        "others": [one for one in data if one["property"] != "P180"],
        "fields": {
            "Description": _plain(fields.get("description", "")),
            "Date": fields.get("date", ""),
            "Source": fields.get("source", ""),
            "Author": fields.get("author", ""),
        },
        "licences": licences(revision.wikitext),
        "categories": list(wikitext.categories(revision.wikitext)),
        "versions": [(one, _path(thumbs.file_url(one))) for one in world.files(page)],
        "revisions": world.history(page, 10),
    }


def _regions(statement: Context) -> list[Context]:
    found = []
    for qualifier in statement["qualifiers"]:
        match = _REGION.fullmatch(qualifier["value"])
        if qualifier["property"] == "P2677" and match:
            box = dict(zip(("x", "y", "width", "height"), match.groups(), strict=True))
            found.append({**box, "name": statement["value"]})
    return found


def picture(version: FileVersion, width: int) -> Context:
    """`src`, `width`, `height` of what a page shows of a file; no larger than asked."""
    broken = not thumbs.renderable(version) or thumbs.too_large(version)
    icon = (thumbs.ICON, thumbs.ICON_SIZE, thumbs.ICON_SIZE)
    url, shown_width, shown_height = icon if broken else thumbs.thumb_url(version, width)
    scale = min(1.0, width / shown_width)
    return {
        "src": url if broken else _path(url),
        "width": round(shown_width * scale),
        "height": round(shown_height * scale),
        "broken": broken,
    }


def _path(url: str) -> str:
    """The path of one of our own URLs, so that a page works behind any host name."""
    return "/" + url.split("/", 3)[3]


def _plain(text: str) -> str:
    return re.sub(r"\{\{\w{2,3}\|(?:1=)?(.*?)\}\}", r"\1", text)


def licences(text: str) -> list[tuple[str, str, str]]:
    """(template, name, URL) of the licence templates of a page."""
    found = []
    for name in re.findall(r"\{\{((?:cc|pd)[^{}|]*)\}\}", text, re.IGNORECASE):
        for pattern, words, url in _LICENCES:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                found.append((name, words, url))
                break
    return found


def members(world: World, wiki: Wiki, title: str) -> list[Page]:
    """Members of a category in its order: pages, subcategories, files."""
    rows = world.store.rows(
        "SELECT page_id FROM category_member WHERE wiki = ? AND category_title = ?"
        " ORDER BY type, sortkey, page_id",
        (wiki, title),
    )
    pages = world.pages(wiki, [row["page_id"] for row in rows]) if rows else {}
    return [pages[row["page_id"]] for row in rows if row["page_id"] in pages]


def category(world: World, wiki: Wiki, title: str, page: Page | None) -> Context:
    """A category: parents, subcategories with counts, files as a gallery."""
    found = members(world, wiki, title)
    text = world.current(page).wikitext if page else ""
    files = [(one, world.file(one)) for one in found if one.ns == 6]
    return {
        "wiki": wiki,
        "title": title,
        "page": page,
        "parents": list(wikitext.categories(text)),
        "hidden": "__HIDDENCAT__" in text,
        "moved_to": _soft_target(text),
        "subcategories": [
            (one, len(members(world, wiki, one.title))) for one in found if one.ns == 14
        ],
        "files": [(one, picture(version, _SMALL)) for one, version in files if version],
    }


def _soft_target(text: str) -> str:
    found = re.search(r"\{\{[Cc]ategory redirect\|([^}|]+)\}\}", text)
    return f"Category:{found[1]}" if found else ""


def item(world: World, page: Page) -> Context:
    """An item or a property."""
    entity = world.current(page).entity or {}
    labels = dict(terms(entity, "labels"))
    return {
        "page": page,
        "entity": entity,
        "name": labels["en"]["value"] if "en" in labels else page.title,
        "labels": list(labels.items()),
        "descriptions": dict(terms(entity, "descriptions")),
        "aliases": entity.get("aliases") or {},
        "statements": statements(world, entity),
        "used_on": _depicting(world, page.title),
        "revisions": world.history(page, 10),
        "site": "Wikidata",
    }


def _depicting(world: World, qid: str) -> list[Page]:
    rows = world.store.rows(
        "SELECT page_id FROM statement WHERE wiki = 'commons' AND key = ?", (f"P180={qid}",)
    )
    found = world.pages("commons", [row["page_id"] for row in rows]) if rows else {}
    return sorted(found.values(), key=lambda page: page.title)


def plain(world: World, page: Page) -> Context:
    """Any other page: its wikitext."""
    return {"page": page, "text": world.current(page).wikitext}


def front(world: World, wiki: Wiki) -> Context:
    """The main page: categories, or items."""
    where = "ns = 14" if wiki == "commons" else "ns = 0"
    rows = world.store.rows(
        f"SELECT title FROM page WHERE wiki = ? AND {where} AND deleted = 0 ORDER BY title", (wiki,)
    )
    titles = [row["title"] for row in rows]
    entries = [
        (title, _entry_label(world, title) if wiki == "wikidata" else title.partition(":")[2])
        for title in titles
    ]
    return {"wiki": wiki, "entries": entries, "site": _site(wiki)}


def _entry_label(world: World, qid: str) -> str:
    labels = dict(terms(world.entity("wikidata", qid), "labels"))
    return f"{labels['en']['value']} ({qid})" if "en" in labels else qid


def _site(wiki: Wiki) -> str:
    return "Wikidata" if wiki == "wikidata" else "Wikimedia Commons"
