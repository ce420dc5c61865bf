"""list=search: plain words, and the CirrusSearch keywords that the product uses.

The keywords follow CirrusSearch's and WikibaseCirrusSearch's documentation; no recording covers
them, so they count as unverified.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from sandbox.api.call import Json, Params
from sandbox.api.errors import ApiError
from sandbox.api.query.lists import Listing
from sandbox.reading import page_of_row

_TOKEN = re.compile(r'-?[a-z]+:(?:"[^"]*"|[^\s"]+)(?:\|(?:"[^"]*"|[^\s"]+))*|-?"[^"]*"|\S+')
_DEEPCAT = (
    "WITH RECURSIVE tree(title, depth) AS (SELECT ?, 0 UNION SELECT page.title, depth + 1"
    " FROM tree JOIN category_member AS sub ON sub.wiki = 'commons'"
    " AND sub.category_title = tree.title AND sub.type = 1"
    " JOIN page ON page.wiki = sub.wiki AND page.id = sub.page_id WHERE depth < 5)"
    " SELECT page_id FROM category_member WHERE wiki = 'commons'"
    " AND category_title IN (SELECT title FROM tree)"
)
# Newer pages have higher ids.
_ORDER = {
    "relevance": "page.id",
    "create_timestamp_asc": "page.id",
    "create_timestamp_desc": "page.id DESC",
    "last_edit_asc": "page.latest",
    "last_edit_desc": "page.latest DESC",
}
MOST = 300  # characters of a query
Clause = tuple[str, list[Any]]


def search(params: Params) -> Listing:
    """Pages that match `srsearch`, with their number in all."""
    call = params.call
    text = params.required("search")
    limit, offset = params.limit(), params.integer("offset")
    spaces = params.namespaces("0")
    prop = params.options(
        "prop", ("size", "wordcount", "timestamp", "snippet"), "size|wordcount|timestamp|snippet"
    )
    params.known("what", "info", "interwiki", "enablerewrites", "qiprofile")
    sort = params.choice("sort", _ORDER, "relevance")
    _refuse(params, text)
    clauses: list[Clause] = [clause(token) for token in _TOKEN.findall(text)]
    if spaces:
        clauses.append((f"ns IN ({','.join('?' * len(spaces))})", spaces))
    where = " AND ".join(f"({sql})" for sql, _ in clauses)
    args = [call.wiki, *(value for _, values in clauses for value in values)]
    # Hits are counted without their texts where no word has to be looked for in them.
    revisions = " JOIN revision ON revision.wiki = page.wiki AND revision.id = latest"
    where = f" WHERE page.wiki = ? AND deleted = 0 AND redirect_to IS NULL AND {where}"
    counted = f"page{revisions if 'wikitext' in where else ''}{where}"
    total = call.world.store.value(f"SELECT count(*) FROM {counted}", args)
    rows = call.world.store.rows(
        f"SELECT page.*, wikitext, revision.timestamp AS saved FROM page{revisions}{where}"
        f" ORDER BY {_ORDER[sort]} LIMIT ? OFFSET ?",
        [*args, limit, offset],
    )
    words = [token for token in _TOKEN.findall(text) if ":" not in token]
    items = [_hit(row, prop, words) for row in rows]
    following = {"sroffset": offset + limit} if offset + limit < total else None
    return Listing(
        "search",
        items,
        [page_of_row(row) for row in rows],
        following,
        {"searchinfo": {"totalhits": total}},
        indexed=True,
        first_index=offset + 1,
    )


def _refuse(params: Params, text: str) -> None:
    """What CirrusSearch does not take: more than 300 characters, an expression that is none."""
    if len(text) > MOST:
        told = f"Search request is longer than the maximum allowed length. ({len(text)} > {MOST})"
        raise ApiError("cirrussearch-query-too-long", told, module=params.module)
    for pattern in re.findall(r"insource:/(.*?)/", text):
        try:
            re.compile(pattern)
        except re.error:
            told = "Regular expression syntax error."
            raise ApiError("cirrussearch-regex-syntax-error", told, module=params.module) from None


def clause(token: str) -> Clause:
    """One token of a search as SQL on `page` and `revision`; ?1 is the wiki."""
    if token.startswith("-") and len(token) > 1:
        sql, values = clause(token[1:])
        return f"NOT ({sql})", values
    keyword, colon, value = token.partition(":")
    if colon and keyword in _KEYWORDS:
        parts = [part.strip('"') for part in re.findall(r'"[^"]*"|[^|"]+', value)]
        found = [_KEYWORDS[keyword](part) for part in parts]
        return " OR ".join(sql for sql, _ in found), [x for _, values in found for x in values]
    return _word(token.strip('"'))


def _word(text: str) -> Clause:
    """Pages that hold a whole word: "einstein" does not find Feinstein."""
    like = f"% {text} %"
    sql = (
        f"{_spaced('page.title')} LIKE ? OR {_spaced('wikitext')} LIKE ? OR EXISTS"
        " (SELECT 1 FROM term WHERE term.wiki = page.wiki AND term.page_id = page.id"
        f" AND {_spaced('text')} LIKE ?)"
    )
    return sql, [like, like, like]


def _spaced(column: str) -> str:
    """SQL of a text whose every word stands between spaces."""
    for mark in '-–_.,:;()[]{}|=/"\n':
        column = f"replace({column}, char({ord(mark)}), ' ')"
    return f"' ' || {column} || ' '"


def _statement(text: str) -> Clause:
    sql = "page.id IN (SELECT page_id FROM statement WHERE statement.wiki = ?1 AND key = ?)"
    return sql, [text]


def _category(name: str) -> str:
    name = name.replace("_", " ").removeprefix("Category:").strip()
    return f"Category:{name[:1].upper()}{name[1:]}"


def _in_category(name: str) -> Clause:
    sql = (
        "page.id IN (SELECT page_id FROM category_member WHERE category_member.wiki = ?1"
        " AND category_title = ?)"
    )
    return sql, [_category(name)]


def _deep_category(name: str) -> Clause:
    return f"page.id IN ({_DEEPCAT})", [_category(name)]


def _in_source(text: str) -> Clause:
    return "wikitext LIKE ?", [f"%{text.strip('/')}%"]


def _in_title(text: str) -> Clause:
    return "page.title LIKE ?", [f"%{text}%"]


def _file_type(kind: str) -> Clause:
    sql = "page.id IN (SELECT page_id FROM file WHERE file.wiki = ?1 AND lower(mediatype) = ?)"
    return sql, [kind.lower()]


def _custom_match(text: str) -> Clause:
    name, _, item = text.partition("=")
    return _statement(f"P180={item}" if name == "depicts_or_linked_from" else text)


_KEYWORDS = {
    "haswbstatement": _statement,
    "incategory": _in_category,
    "deepcat": _deep_category,
    "deepcategory": _deep_category,
    "insource": _in_source,
    "intitle": _in_title,
    "filetype": _file_type,
    "custommatch": _custom_match,
}


def _hit(row: Any, prop: list[str], words: list[str]) -> Json:
    item: Json = {"ns": row["ns"], "title": row["title"], "pageid": row["id"]}
    text: str = row["wikitext"]
    if "size" in prop:
        item["size"] = len(text.encode())
    if "wordcount" in prop:
        item["wordcount"] = len(re.findall(r"\w+", text))
    if "snippet" in prop:
        item["snippet"] = _snippet(text, words)
    if "timestamp" in prop:
        item["timestamp"] = row["saved"]
    return item


def _snippet(text: str, words: list[str]) -> str:
    snippet = escape(" ".join(text.split())[:200], quote=False)
    for word in words:
        pattern = re.compile(re.escape(escape(word.strip('"'), quote=False)), re.IGNORECASE)
        snippet = pattern.sub(lambda m: f'<span class="searchmatch">{m[0]}</span>', snippet)
    return snippet
