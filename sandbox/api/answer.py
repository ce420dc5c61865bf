"""Turns a module's result into the bytes that MediaWiki would send.

Results are built in the shapes of formatversion 2; here they become those of formatversion 1
where a client asked for it, and errors and warnings take the shape of `errorformat`.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import Any

from flask import Response

from sandbox.api.call import Call, Warning_
from sandbox.api.errors import ApiError, Entry, Message

Json = dict[str, Any]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, must-revalidate, max-age=0",
}


class PageList(dict[int, Json]):
    """Pages of a query by id, those without one under negative numbers."""


class Content(dict[str, Any]):
    """A dict whose key `content` is called `*` in formatversion 1."""


class Named(dict[str, Any]):
    """A dict whose first key is called `*` in formatversion 1."""


def result(call: Call, body: Json, version: int, error_format: str) -> Response:
    """The answer to a request that was not refused."""
    told = _warnings(call.warnings, version, error_format)
    full = {**({"warnings": told} if told else {}), **body}
    return _respond(_shape(full, 1) if version == 1 else _with_page_list(full), {})


def refusal(call: Call, error: ApiError, version: int, error_format: str) -> Response:
    """The answer to a request that was refused: HTTP 200, the codes in a header."""
    docref = (
        f"See {call.base}/w/api.php for API usage. Subscribe to the mediawiki-api-announce mailing"
        " list at &lt;https://lists.wikimedia.org/postorius/lists/mediawiki-api-announce.lists."
        "wikimedia.org/&gt; for notice of API deprecations and breaking changes."
    )
    body: Json = {}
    if error_format == "bc":
        body["error"] = _old_error(error.bc, version)
        if error.docref:
            body["error"]["docref" if version == 2 else "*"] = docref
    else:
        body["errors"] = [_error(entry, call, version, error_format) for entry in error.entries]
        if error.docref:
            body["docref"] = docref
    told = _warnings(call.warnings, version, error_format)
    if told:
        body["warnings"] = told
    return _respond(body, {"MediaWiki-API-Error": ", ".join(error.codes), **error.headers})


def plain(body: Any) -> Response:
    """JSON that is the same in every format version."""
    return _respond(body, {"Cache-Control": "private, must-revalidate, max-age=1200"})


def html_page(call: Call) -> Response:
    """The HTML that a client gets who forgot `format=json`; the help page without an action."""
    kind, charset = ("result", "UTF-8") if call.action else ("help", "utf-8")
    page = (
        '<!DOCTYPE html>\n<html class="client-nojs" lang="en" dir="ltr">\n<head>\n'
        f'<meta charset="UTF-8">\n<title>MediaWiki API {kind} - Sandbox wiki</title></head>\n'
        f"<body><p>This is the HTML representation of the answer of {escape(call.base)}. HTML is"
        " good for debugging, but is unsuitable for application use. Specify <var>format</var>."
        "</p></body></html>\n"
    )
    headers = {**_HEADERS, "Content-Disposition": f"inline; filename=api-{kind}.html"}
    return Response(page, content_type=f"text/html; charset={charset}", headers=headers)


def _respond(body: Any, headers: dict[str, str]) -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        content_type="application/json; charset=utf-8",
        headers={
            **_HEADERS,
            "Content-Disposition": "inline; filename=api-result.json",
            **headers,
        },
    )


def _messages(messages: list[Message], version: int) -> list[Json]:
    return [
        {
            "name": message.name,
            "parameters": message.parameters,
            "html": message.html if version == 2 else {"*": message.html},
        }
        for message in messages
    ]


def _old_error(entry: Entry, version: int) -> Json:
    body: Json = {"code": entry.code, "info": entry.text, **_shape(entry.data or {}, version)}
    if entry.messages:
        body["messages"] = _messages(entry.messages, version)
    return body


def _error(entry: Entry, call: Call, version: int, error_format: str) -> Json:
    module = call.module if entry.module is None else entry.module
    body: Json = {"code": entry.code, **_text(entry.text, error_format)}
    data = dict(_shape(entry.data or {}, version))
    if entry.messages:
        data["messages"] = _messages(entry.messages, version)
    if data:
        body["data"] = data
    if module:
        body["module"] = module
    return body


def _text(text: str, error_format: str) -> Json:
    if error_format == "html":
        return {"html": re.sub(r"&quot;(.*?)&quot;", r"<var>\1</var>", escape(text))}
    return {"text": text}


def _warnings(warnings: list[Warning_], version: int, error_format: str) -> Any:
    if error_format == "bc":
        told: dict[str, Json] = {}
        key = "warnings" if version == 2 else "*"
        for warning in warnings:
            module = warning.module.rsplit("+", 1)[-1]
            text = told.get(module, {}).get(key)
            told[module] = {key: f"{text}\n{warning.text}" if text else warning.text}
        return told
    return [
        {
            "code": warning.code,
            **_text(warning.text, error_format),
            **({"data": warning.data} if warning.data else {}),
            "module": warning.module,
        }
        for warning in warnings
    ]


def _with_page_list(body: Json) -> Json:
    """Results are built for formatversion 2; there only the pages of a query become a list."""
    query = body.get("query", {})
    if not isinstance(query, dict) or not isinstance(query.get("pages"), PageList):
        return body
    pages: PageList = query["pages"]
    return {**body, "query": {**query, "pages": [pages[key] for key in sorted(pages)]}}


def _shape(value: Any, version: int) -> Any:
    if version == 2:
        return value
    if isinstance(value, PageList):
        return {str(key): _shape(value[key], 1) for key in sorted(value)}
    if isinstance(value, dict):
        return _shape_dict(value)
    if isinstance(value, list):
        return [_shape(item, 1) for item in value]
    return value


def _shape_dict(value: Json) -> Json:
    shaped: Json = {}
    for position, (key, item) in enumerate(value.items()):
        name = key
        if (isinstance(value, Content) and key == "content") or (
            isinstance(value, Named) and position == 0
        ):
            name = "*"
        if isinstance(item, bool):
            if item:
                shaped[name] = ""
        else:
            shaped[name] = _shape(item, 1)
    return shaped
