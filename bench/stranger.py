"""Somebody on the wiki who has nothing to do with this tool, and edits without logging in."""

from __future__ import annotations

from typing import Any

import requests

ANONYMOUS = "+\\"  # the edit token of those who are not logged in


def remove_statement(wiki: str, title: str, qid: str, words: str) -> None:
    """Take what says that a file depicts `qid` out of it, by the wiki's own API."""
    [page] = _ask(wiki, action="query", titles=title)["query"]["pages"]
    mid = f"M{page['pageid']}"
    entity = _ask(wiki, action="wbgetentities", ids=mid, props="claims")["entities"][mid]
    [guid] = [
        each["id"]
        for each in entity["statements"]["P180"]
        if each["mainsnak"]["datavalue"]["value"]["id"] == qid
    ]
    removal = {"action": "wbremoveclaims", "claim": guid, "summary": words, "token": ANONYMOUS}
    answer = requests.post(_api(wiki), {"format": "json", **removal}, timeout=30).json()
    assert answer.get("success"), answer


def _ask(wiki: str, **params: str) -> dict[str, Any]:
    how = {"format": "json", "formatversion": "2"}
    answer: dict[str, Any] = requests.get(_api(wiki), how | params, timeout=30).json()
    return answer


def _api(wiki: str) -> str:
    return f"{wiki}/commons/w/api.php"
