"""action=opensearch."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sandbox.api.call import Call
from sandbox.api.query.lists import prefix_pages


def opensearch(call: Call) -> list[Any]:
    """Titles by prefix, as the search box of a wiki completes them."""
    params = call.params("opensearch")
    text = params.required("search")
    namespaces = [int(value) for value in params.values("namespace") or ["0"]]
    pages = prefix_pages(call, text, namespaces, params.limit(10))
    links = [f"{call.base}/wiki/{quote(page.title.replace(' ', '_'), safe=':/')}" for page in pages]
    return [text, [page.title for page in pages], [""] * len(pages), links]
