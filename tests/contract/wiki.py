"""A plain client of the recorded sandbox, for tests that tell a story of several requests."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.contract.replay import Player
from tests.contract.scenes import statement

Json = dict[str, Any]


class Wiki:
    """Asks the API as one user (an empty name: nobody), in formatversion 2 and plaintext."""

    def __init__(self, player: Player, user: str = "ExampleUser", wiki: str = "commons") -> None:
        self.player, self.user = player, user
        self.url = f"{player.running.url}/{wiki}/w/api.php"
        self.headers = {"Authorization": f"Bearer {player.bearer(user)}"} if user else {}

    def ask(self, method: str, parameters: Json) -> requests.Response:
        """Sends a request; a parameter of None is left out."""
        full = {"format": "json", "formatversion": "2", "errorformat": "plaintext", **parameters}
        full = {key: value for key, value in full.items() if value is not None}
        return self.player.http.request(
            method,
            self.url,
            params=full if method == "GET" else None,
            data=None if method == "GET" else full,
            headers=self.headers,
            timeout=20,
        )

    def get(self, **parameters: Any) -> Json:
        """The body of a read."""
        body: Json = self.ask("GET", parameters).json()
        return body

    def post(self, **parameters: Any) -> requests.Response:
        """A write with a good token."""
        return self.ask("POST", {"token": self.player.token(self.user), **parameters})

    def write(self, **parameters: Any) -> Json:
        """The body of a write."""
        body: Json = self.post(**parameters).json()
        return body

    def set_claim(self, claim: Json, **more: Any) -> Json:
        """wbsetclaim."""
        return self.write(action="wbsetclaim", claim=json.dumps(claim), **more)

    def add(self, page_id: int, item: str, number: int = 1, **more: Any) -> str:
        """Sets a new depicts statement and returns its GUID."""
        guid = f"M{page_id}$12345678-0000-4000-8000-{number:012}"
        assert self.set_claim(statement(guid, item), **more)["success"] == 1
        return guid

    def depicts(self, page_id: int) -> list[tuple[str, str]]:
        """(GUID, item) of a file's depicts statements, read anew."""
        entity = self.get(action="wbgetentities", ids=f"M{page_id}")["entities"][f"M{page_id}"]
        groups = entity.get("statements") or {}
        return [
            (one["id"], one["mainsnak"]["datavalue"]["value"]["id"])
            for one in groups.get("P180", [])
        ]

    def latest(self, page_id: int) -> int:
        """The latest revision of a page."""
        page = self.get(action="query", pageids=page_id, prop="info")["query"]["pages"][0]
        return int(page["lastrevid"])


def codes(body: Json) -> list[str]:
    """The codes of an answer's errors, each once, in order."""
    return list(dict.fromkeys(error["code"] for error in body["errors"]))


def warned(body: Json) -> list[str]:
    """The codes of an answer's warnings."""
    return [warning["code"] for warning in body.get("warnings", [])]
