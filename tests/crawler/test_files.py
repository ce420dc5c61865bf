"""Reading what the wiki says of file pages."""

from __future__ import annotations

import html
from typing import Any

import pytest

from crawler.listing.file_info import read_files
from projects.privacy import denylist
from wiki.json_tree import Node


def page(page_id: int, **info: Any) -> dict[str, Any]:
    """A file page as `prop=imageinfo` gives it."""
    known = {"mime": "image/jpeg", "sha1": f"{page_id:040}", "extmetadata": {}, **info}
    return {"pageid": page_id, "ns": 6, "title": f"File:{page_id}.jpg", "imageinfo": [known]}


def test_a_file_without_author_licence_and_date_costs_nobody_anything() -> None:
    """The wiki writes an empty object as a list when the file has none of the keys asked for."""
    author = {"Artist": {"value": "<b>Ada</b>"}}
    files, others = read_files(Node([page(1, extmetadata=[]), page(2, extmetadata=author)]))
    assert [(file.page_id, file.author) for file in files] == [(1, ""), (2, "Ada")]
    assert others == 0


@pytest.mark.parametrize("line", ["a" * 254 + " b" * 20, "Jo&#776;rg  Ha&#776;ger"])
def test_an_author_is_kept_as_the_deny_list_writes_one(line: str) -> None:
    [file], _others = read_files(Node([page(1, extmetadata={"Artist": {"value": line}})]))
    assert file.author == denylist.normal("author", html.unescape(line))
