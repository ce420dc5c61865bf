"""What a task of the product does with pywikibot, in a process of its own.

Arguments: address of the sandbox, a bearer, a category. Prints one JSON line. Run by
test_pywikibot.py, since pywikibot keeps process-wide state.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import uuid
from typing import Any

import requests.auth

os.environ["PYWIKIBOT_NO_USER_CONFIG"] = "2"

from pywikibot import config
from pywikibot.comms import http
from pywikibot.data.api import QueryGenerator
from pywikibot.family import Family
from pywikibot.site import APISite

ADDRESS, BEARER, CATEGORY = sys.argv[1:]


class Bearer(requests.auth.AuthBase):
    """Signs each request."""

    def __call__(self, request: Any) -> Any:
        request.headers["Authorization"] = f"Bearer {BEARER}"
        return request


class Sandbox(Family):
    """The sandbox as a family of pywikibot."""

    name = "sandbox"
    codes = ("commons",)
    langs = {"commons": ADDRESS.split("//")[1]}

    def hostname(self, code: str) -> str:
        return self.langs[code]

    def protocol(self, code: str) -> str:
        return "http"

    def scriptpath(self, code: str) -> str:
        return "/commons/w"


def main() -> None:
    """Reads a category page by page, then writes a statement twice."""
    config.base_dir = tempfile.mkdtemp()
    config.put_throttle = config.minthrottle = config.maxthrottle = 0
    config.max_retries = 1
    http.session.auth = Bearer()
    site = APISite("commons", fam=Sandbox(), user="Alice")
    site.throttle.set_delays(delay=0, writedelay=0, absolute=True)
    asked = {
        "generator": "categorymembers", "gcmtitle": CATEGORY, "gcmtype": "file", "gcmlimit": 3,
        "prop": "imageinfo", "iiprop": "url|size|sha1|mime|mediatype|extmetadata|timestamp|user",
        "iiurlwidth": 960,
    }  # fmt: skip
    pages = list(QueryGenerator(site=site, parameters=asked))
    photo = next(page for page in pages if page["imageinfo"][0]["mime"] == "image/jpeg")
    value = {"entity-type": "item", "id": "Q937"}
    snak = {"snaktype": "value", "property": "P180",
            "datavalue": {"type": "wikibase-entityid", "value": value}}  # fmt: skip
    guid = f"M{photo['pageid']}${uuid.uuid4()}"
    claim = {"type": "statement", "mainsnak": snak, "rank": "normal", "id": guid}
    answers = [
        site.simple_request(
            action="wbsetclaim", claim=json.dumps(claim), token=site.tokens["csrf"],
            ignoreduplicatemainsnak=1, assertuser="Alice", maxlag=5, summary="a test",
        ).submit()
        for _ in range(2)
    ]  # fmt: skip
    told = {
        "titles": [page["title"] for page in pages],
        "pageid": photo["pageid"],
        "guid": guid,
        "answers": answers,
    }
    sys.stdout.write(json.dumps(told) + "\n")


main()
