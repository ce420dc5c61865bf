"""extmetadata as CommonsMetadata reads it from a file page's templates: values are HTML."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from urllib.parse import quote

from sandbox.api.call import Call, Json
from sandbox.records import FileVersion, Page

# Template name → (short name, terms, URL, code, free of copyright).
_LICENSES: list[tuple[str, str, str, str, str, bool]] = [
    (r"cc-by-sa-([\d.]+)", "CC BY-SA {0}", "Creative Commons Attribution-Share Alike {0}",
     "https://creativecommons.org/licenses/by-sa/{0}", "cc-by-sa-{0}", False),
    (r"cc-by-([\d.]+)", "CC BY {0}", "Creative Commons Attribution {0}",
     "https://creativecommons.org/licenses/by/{0}", "cc-by-{0}", False),
    (r"cc-(?:zero|0)", "CC0", "Creative Commons Zero, Public Domain Dedication",
     "http://creativecommons.org/publicdomain/zero/1.0/deed.en", "cc0", False),
    (r"(?:pd|public domain)[\w -]*", "Public domain", "Public domain", "", "pd", True),
]  # fmt: skip


def extmetadata(call: Call, page: Page, file: FileVersion, keys: list[str]) -> Json:
    """What is known of a file for people who reuse it, in CommonsMetadata's shape."""
    revision = call.world.current(page)
    found: Json = {
        "DateTime": _hidden(file.timestamp.replace("T", " ").rstrip("Z"), "mediawiki-metadata"),
        "ObjectName": {"value": page.name.rsplit(".", 1)[0], "source": "mediawiki-metadata"},
        "CommonsMetadataExtension": _hidden(1.2, "extension"),
        "Categories": _hidden(_categories(call, page), "commons-categories"),
        "Assessments": _hidden("", "commons-categories"),
    }
    found.update(_description(revision.wikitext, call.base))
    license_facts = _license(revision.wikitext)
    if license_facts:
        found["License"] = license_facts.pop("License")
        found.update(license_facts)
    found["Restrictions"] = _hidden("", "commons-desc-page")
    if "License" in found:
        found["License"] = found.pop("License")
    return {key: value for key, value in found.items() if not keys or key in keys}


def _hidden(value: str | float, source: str) -> Json:
    return {"value": value, "source": source, "hidden": ""}


def _categories(call: Call, page: Page) -> str:
    rows = call.world.store.rows(
        "SELECT category_title FROM category_member WHERE wiki = ? AND page_id = ?"
        " AND category_title NOT LIKE 'Category:CC-%' AND category_title NOT LIKE 'Category:PD%'"
        " ORDER BY category_title",
        (page.wiki, page.id),
    )
    return "|".join(row["category_title"].removeprefix("Category:") for row in rows)


_FIELDS = (
    ("ImageDescription", "description"),
    ("DateTimeOriginal", "date"),
    ("Credit", "source"),
    ("Artist", "author"),
    ("Permission", "permission"),
)


@lru_cache(maxsize=20_000)
def _description_fields(text: str, base: str) -> tuple[tuple[str, str], ...]:
    fields = template(text, "Information") or template(text, "Photograph") or {}
    fields.setdefault("author", fields.get("photographer", ""))
    return tuple((name, html_of(fields[key], base)) for name, key in _FIELDS if fields.get(key))


def _description(text: str, base: str) -> Json:
    return {
        name: {"value": value, "source": "commons-desc-page"}
        for name, value in _description_fields(text, base)
    }


@lru_cache(maxsize=20_000)
def _license_match(text: str) -> tuple[str, str, str, str, bool] | None:
    for pattern, short, terms, url, code, free in _LICENSES:
        match = re.search(r"\{\{\s*(?:self\|)?" + pattern + r"\s*[|}]", text, re.IGNORECASE)
        if match:
            version = match.group(1) if match.groups() else ""
            filled = [part.format(version) for part in (short, terms, url, code)]
            return filled[0], filled[1], filled[2], filled[3], free
    return None


def _license(text: str) -> Json:
    found = _license_match(text)
    if not found:
        return {}
    short, terms, url, code, free = found
    source = "commons-desc-page"
    facts: Json = {
        "License": _hidden(code, "commons-templates"),
        "LicenseShortName": _hidden(short, source),
        "UsageTerms": {"value": terms, "source": source},
        "AttributionRequired": _hidden("false" if free or code == "cc0" else "true", source),
    }
    if url:
        link = f'<a rel="nofollow" class="external free" href="{url}">{url}</a>'
        facts["LicenseUrl"] = {"value": link, "source": source}
    facts["Copyrighted"] = _hidden("False" if free else "True", source)
    return facts


def template(text: str, name: str) -> dict[str, str] | None:
    """The named arguments (in lower case) of the first use of a template, or None."""
    start = re.search(r"\{\{\s*" + name + r"\s*\|", text, re.IGNORECASE)
    if not start:
        return None
    arguments, depth, current = [], 0, ""
    position = start.end()
    while position < len(text):
        pair = text[position : position + 2]
        if pair in ("{{", "[["):
            depth += 1
        elif pair in ("}}", "]]"):
            if depth == 0:
                break
            depth -= 1
        elif text[position] == "|" and depth == 0:
            arguments.append(current)
            current, position = "", position + 1
            continue
        if pair in ("{{", "[[", "}}", "]]"):
            current, position = current + pair, position + 2
        else:
            current, position = current + text[position], position + 1
    pairs = (argument.partition("=") for argument in [*arguments, current])
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def html_of(text: str, base: str) -> str:
    """Wikitext of a template's argument as HTML: language templates, links, addresses."""
    text = re.sub(r"\{\{\s*own\s*\}\}", "Own work", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\{\{\s*([a-z]{2,3})\s*\|\s*(?:1=)?(.*?)\}\}", r"\2", text, flags=re.IGNORECASE | re.DOTALL
    )
    pieces = re.split(r"(\[\[[^\]]+\]\]|\[https?://[^\]]+\]|https?://[^\s<\]]+)", text)
    return "".join(_piece(piece, base) for piece in pieces).strip()


def _piece(text: str, base: str) -> str:
    if text.startswith("[["):
        target, _, label = text[2:-2].partition("|")
        path = quote(target.strip().lstrip(":").replace(" ", "_"), safe=":/")
        return (
            f'<a href="{base}/wiki/{path}" title="{escape(target.strip())}">'
            f"{escape(label or target, quote=False)}</a>"
        )
    if text.startswith("["):
        url, _, label = text[1:-1].partition(" ")
        shown = escape(label or url, quote=False)
        return f'<a rel="nofollow" class="external text" href="{escape(url)}">{shown}</a>'
    if text.startswith("http"):
        url = escape(text)
        return f'<a rel="nofollow" class="external free" href="{url}">{url}</a>'
    return escape(text, quote=False)
