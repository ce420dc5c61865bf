"""Recorded requests: reading them, sending them to a sandbox, judging what comes back."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import requests

from sandbox import RunningSandbox
from sandbox.api import access
from sandbox.records import User
from tests.contract.recorded_world import RECORDINGS

HOSTS = {"commons.test": "commons", "wikidata.test": "wikidata"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Recording:
    """One recorded pair. `name` is folder/file without its ending."""

    name: str
    request: Json
    response: Json

    @property
    def wiki(self) -> str:
        """commons or wikidata."""
        return next(wiki for host, wiki in HOSTS.items() if host in self.request["url"])

    @property
    def form(self) -> Json | str:
        """The posted form, or the raw text of a post that is none."""
        form: Json | str | None = self.request["form"]
        return {} if form is None else form

    @property
    def parameters(self) -> Json:
        """Query and form together."""
        return {
            **(self.request["query"] or {}),
            **(self.form if isinstance(self.form, dict) else {}),
        }

    @property
    def action(self) -> str:
        """The API action, empty for other addresses."""
        return str(self.parameters.get("action", ""))

    @property
    def revision(self) -> int | None:
        """The revision that a recorded edit made."""
        body = self.response["body"]
        if not isinstance(body, dict):
            return None
        for part in (body.get("pageinfo"), body.get("entity")):
            if part:
                return int(part["lastrevid"])
        edit = body.get("edit", {})
        return int(edit["newrevid"]) if "newrevid" in edit else None


@cache
def load(name: str) -> Recording:
    """One recording by name."""
    data = json.loads((RECORDINGS / f"{name}.json").read_text())
    return Recording(name, data["request"], data["response"])


@cache
def gaps() -> Json:
    """known_gaps.toml."""
    return tomllib.loads((Path(__file__).parent / "known_gaps.toml").read_text())


def names() -> list[str]:
    """The names of all recordings but those of OAuth, which test_oauth_recordings.py sends."""
    folders = ("query", "wikibase", "refusals", "undo")
    paths = [path for folder in folders for path in sorted((RECORDINGS / folder).glob("*.json"))]
    return [f"{path.parent.name}/{path.stem}" for path in paths]


@cache
def replayable() -> list[str]:
    """The names of all recordings of modules that the product uses."""
    left_out = [row["recordings"] for row in gaps()["left_out"]]
    return [name for name in names() if not any(fnmatch(name, one) for one in left_out)]


def user_of(recording: Recording) -> str:
    """Whose session the recording was made in; an empty name is an anonymous one."""
    name = recording.name.split("/")[1]
    headers = recording.request["headers"]
    if "Authorization" in headers:
        return "ExampleUser"
    if "commonsUserID" not in headers.get("Cookie", ""):
        return ""
    for part, user in _SESSIONS:
        if part in name:
            return user
    return "OtherUser"


_SESSIONS = (
    ("userinfo-admin", "Admin"), ("userinfo-bot", "ExampleBot"),
    ("partially-blocked", "PartialBlocked"), ("blocked", "BlockedUser"),
    ("ratelimit", "LimitedUser"), ("wikitext-edit-keeps", "Uploader"),
)  # fmt: skip


class Player:
    """Sends recorded requests to a sandbox, each in its user's session."""

    def __init__(self, running: RunningSandbox) -> None:
        self.running = running
        self.http = requests.Session()
        self.http.trust_env = False  # no proxies to look for
        self._bearers: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def bearer(self, name: str) -> str:
        """A live access token of that user with all grants the product asks for, and more."""
        if name not in self._bearers:
            user = self.running.world.users.by_name(name)
            assert isinstance(user, User)
            self._bearers[name] = self.running.world.users.issue_token(user)
            with self.running.world.store.transaction() as db:
                db.execute(
                    "UPDATE oauth_token SET scopes = ? WHERE access = ?",
                    (json.dumps(_ALL_GRANTS), self._bearers[name]),
                )
        return self._bearers[name]

    def token(self, name: str) -> str:
        """The csrf token of that user's session; it stays the same as long as the bearer."""
        if name not in self._tokens:
            headers = {"Authorization": f"Bearer {self.bearer(name)}"} if name else {}
            asked = {"action": "query", "meta": "tokens", "format": "json", "formatversion": "2"}
            answer = self.http.get(
                f"{self.running.url}/commons/w/api.php", params=asked, headers=headers, timeout=20
            )
            self._tokens[name] = str(answer.json()["query"]["tokens"]["csrftoken"])
        return self._tokens[name]

    def play(self, recording: Recording) -> requests.Response:
        """Sends a recorded request, with live tokens in place of its placeholders."""
        user = user_of(recording)
        headers = {
            key: value
            for key, value in recording.request["headers"].items()
            if key in ("User-Agent", "Content-Type", "Origin")
        }
        if user:
            headers["Authorization"] = f"Bearer {self.bearer(user)}"
        query, form = self._filled(recording.request["query"], recording), recording.form
        if isinstance(form, str):
            data: Any = form.encode()
        else:
            data = self._filled(form, recording)
        return self.http.request(
            recording.request["method"],
            f"{self.running.url}/{recording.wiki}{recording.request['path']}",
            params=query,
            data=data or None,
            headers=headers,
            timeout=20,
        )

    def _filled(self, values: Json | None, recording: Recording) -> Json:
        filled = dict(values or {})
        if filled.get("token") == "TOKEN+\\":
            stranger = "token-of-another-session" in recording.name
            filled["token"] = self.token("OtherUser" if stranger else user_of(recording))
        return filled


_ALL_GRANTS = [*access.GRANT_RIGHTS]
