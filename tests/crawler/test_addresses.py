"""Pictures are found wherever their wiki is now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as now
from pytest_django import Settings

import sandbox as sandbox_package
from crawler.listing.file_info import read_files
from crawler.models import Photo
from crawler.pictures import fetch as pictures_fetch
from projects.models import User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import CURIE, add_files, crawl, photo
from wiki import sites
from wiki.json_tree import Node


def test_a_sandbox_at_another_port_shows_what_was_crawled_before(
    sandbox: RunningSandbox,
    alice: User,
    make_project: MakeProject,
    settings: Settings,
    tmp_path: Path,
) -> None:
    add_files(make_project(alice, "Q7186", []), CURIE)
    crawl()
    with sandbox_package.serve(tmp_path) as moved:
        assert moved.url != sandbox.url
        settings.WIKI = sites.sandbox(moved.url)
        kept = photo(CURIE)
        assert kept.thumb_url.startswith(f"{moved.url}/")
        assert pictures_fetch.load(kept.thumb_url).shape[1] == 960


def thumbnail(url: str) -> Photo:
    """What is kept of a file whose thumbnail is at `url`."""
    info: dict[str, Any] = {"mime": "image/jpeg", "sha1": "0" * 40, "thumburl": url}
    page = {"ns": 6, "pageid": 1, "title": "File:A.jpg", "imageinfo": [info]}
    [file], _others = read_files(Node([page]))
    return Photo(title=file.title, thumb_path=file.thumb_path)


@pytest.mark.parametrize("wiki", [sites.commons(), sites.sandbox("http://127.0.0.1:1")])
def test_the_address_is_the_one_that_the_wiki_gave(settings: Settings, wiki: sites.Wiki) -> None:
    settings.WIKI = wiki
    ours = f"{now.WIKI.image_hosts[0]}/wikipedia/commons/thumb/a/aa/A%2F%3F.jpg/960px-A.jpg"
    kept = thumbnail(ours)
    assert kept.thumb_url == ours
    assert kept.thumb_path.startswith("/wikipedia/")
    elsewhere = "https://upload.example.org/a.jpg"
    assert thumbnail(elsewhere).thumb_url == elsewhere
    assert thumbnail("").thumb_url == ""
