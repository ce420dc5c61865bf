"""The site as an app: what its manifest and its service worker say is there."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib.staticfiles import finders
from PIL import Image

from tests.conftest import ClientOf

pytestmark = pytest.mark.django_db


def test_the_manifest_names_icons_of_their_size_and_ways_that_lead_somewhere(
    client_of: ClientOf,
) -> None:
    answer = client_of(None).get("/manifest.webmanifest")
    manifest = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}
    for icon in manifest["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        assert path, icon["src"]
        assert "x".join(map(str, Image.open(path).size)) == icon["sizes"]
    for way in [manifest["start_url"], *(each["url"] for each in manifest["shortcuts"])]:
        assert client_of(None).get(way).status_code in (200, 302), way


def test_the_service_worker_keeps_only_what_is_there(client_of: ClientOf) -> None:
    answer = client_of(None).get("/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    told = json.loads(re.match(r"const told = (.*);\n", answer.content.decode())[1])  # type: ignore[index]
    for url in told["kept"]:
        assert finders.find(url.removeprefix("/static/")), url
    page = client_of(None).get(told["offline"]).content.decode()
    assert "You are offline" in page
    assert "csrf" not in page, "it is kept for everybody who uses this browser"
