"""Every recorded OAuth request, sent to the sandbox: status, headers, bodies are compared.

Which token a placeholder stands for follows from the recording's name; `PREPARED` says so.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import sandbox
from sandbox import RunningSandbox, entities, files
from sandbox.oauth import store
from sandbox.oauth.approval import COOKIE, cookie_of, form_token
from sandbox.records import Block, User

HERE = Path(__file__).parent
PICTURE = Path(sandbox.__file__).parent / "data" / "photos" / "nasa_aldrin.jpg"
RECORDINGS = HERE / "recordings" / "oauth"
GAPS: dict[str, str] = tomllib.loads((HERE / "known_gaps.toml").read_text())["oauth"]
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))

CALLBACK = "https://tool.example.org/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ALL = ["basic", "editpage", "createeditmovepage", "highvolume"]
HEADERS = (
    "content-type", "location", "allow", "pragma", "cache-control", "x-frame-options",
    "mediawiki-api-error", "mediawiki-login-suppressed", "mediawiki-cors-rejection",
    "access-control-allow-origin", "access-control-allow-methods", "access-control-allow-headers",
    "access-control-allow-credentials",
)  # fmt: skip
# Compared by their type only: facts that the sandbox does not keep, and texts for people.
BY_TYPE = ("email_verified", "confirmed_email", "text", "html", "info")


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox with the accounts, clients and pages of the recordings."""
    with sandbox.serve(tmp_path_factory.mktemp("oauth"), seed=False) as running:
        world = running.world
        accounts = (("ExampleUser", 3, 1, "11"), ("Uploader", 4, 60, "12"),
                    ("BlockedUser", 5, 0, "12"), ("OtherUser", 7, 20, "12"))  # fmt: skip
        for name, number, edits, second in accounts:
            world.users.add(
                name, user_id=number, editcount=edits, groups=["autoconfirmed"],
                registered=f"2026-11-24T06:35:{second}Z",
            )  # fmt: skip
        block = Block(3, "Admin", 1, "Disruptive editing", "2026-11-24T06:48:11Z",
                      "2030-01-01T00:00:00Z")  # fmt: skip
        world.users.block("BlockedUser", block)
        depicts = entities.property_entity("P180", "depicts", "wikibase-item")
        world.add_page("wikidata", "Property:P180", entity=depicts)
        for qid in ("Q5", "Q42", "Q146"):
            world.add_page("wikidata", qid, entity=entities.item(qid, {"name": qid}))
        world.upload("File:Something.jpg", PICTURE, files.describe(PICTURE), user="Uploader",
                     page_id=18)  # fmt: skip
        for client in clients():
            store.add_client(world, client)
        yield running


def clients() -> list[store.Client]:
    def made(client_id: str, grants: list[str], **more: Any) -> store.Client:
        secret = client_id.replace("_ID", "_SECRET")
        facts = {"confidential": True, "approved": True, "owner_only": False, **more}
        return store.Client(client_id, secret, "Example depicts tool", redirect_uris=[CALLBACK],
                            grants=grants, **facts)  # fmt: skip

    return [
        made("CLIENT_ID", ALL),
        made("PUB_CLIENT_ID", ["basic", "editpage"], confidential=False),
        made("BASIC_CLIENT_ID", ["basic"]),
        made("UNAPPROVED_CLIENT_ID", ALL, approved=False),
        made("OWNER_CLIENT_ID", ALL, owner_only=True),
    ]


class Stage:
    """Makes the codes and tokens that one recording needs."""

    def __init__(self, wiki: RunningSandbox, name: str) -> None:
        self.wiki, self.world, self.name = wiki, wiki.world, name
        self.client_id = "PUB_CLIENT_ID" if name.startswith("public-") else "CLIENT_ID"

    def user(self) -> User:
        who = "ExampleUser"
        if "blocked-user" in self.name or "of-a-blocked-user" in self.name:
            who = "BlockedUser"
        elif self.name.startswith(("two-sessions", "api-userinfo-after-refresh")):
            who = "Uploader"
        elif "-revokes" in self.name:
            who = "OtherUser"
        found = self.world.users.by_name(who)
        assert found
        return found

    def code(self) -> str:
        challenge, method, redirect = CHALLENGE, "S256", CALLBACK
        if "pkce-plain" in self.name:
            challenge, method = VERIFIER, "plain"
        if "without-pkce" in self.name:
            challenge = method = ""
        if "redirect-uri-left-out" in self.name:
            redirect = ""
        lifetime = 1 if "short-lifetime" in self.name else store.ACCESS_SECONDS
        self.world.set("access_token_seconds", str(lifetime))
        code = store.issue_code(self.world, self.client_id, self.user(), redirect, ALL, challenge,
                                method)  # fmt: skip
        if "used-twice" in self.name:
            store.spend_code(self.world, code)
        return code

    def token(self) -> store.Token:
        """A live token pair, or a dead one where the name says so."""
        late = "expired" in self.name or "after-expiry" in self.name
        self.world.set("access_token_seconds", "-1" if late else str(store.ACCESS_SECONDS))
        token = store.issue(self.world, self.client_id, self.user(), self.scopes())
        self.world.set("access_token_seconds", str(store.ACCESS_SECONDS))
        dead = ("superseded", "after-the-user-revoked", "reused", "old-bearer")
        live = ("two-sessions-old-bearer-right-after-one-refresh",)
        if any(word in self.name for word in dead) and self.name not in live:
            store.revoke(self.world, token)
        return token

    def scopes(self) -> list[str]:
        if "basic-grant-only" in self.name or "without-edit-grant" in self.name:
            return ["basic"]
        if self.name in ("resource-profile", "api-userinfo-bearer",
                         "api-userinfo-bearer-assert-user"):  # fmt: skip
            return ["basic", "editpage"]
        return ALL

    def session_cookie(self) -> str:
        with self.wiki.app.test_request_context():
            return cookie_of(self.user())

    def form_token(self) -> str:
        with self.wiki.app.test_request_context():
            return form_token(self.client_id)


def send(wiki: RunningSandbox, recording: dict[str, Any]) -> requests.Response:
    """The recorded request, with placeholders filled in."""
    asked, stage = recording["request"], Stage(wiki, recording["name"].split("/")[1])
    headers = dict(asked["headers"])
    form = asked["form"]
    if "UserName=COOKIE" in headers.pop("Cookie", ""):
        headers["Cookie"] = f"{COOKIE}={stage.session_cookie()}"
    bearer = ""
    if "ACCESS_TOKEN" in headers.get("Authorization", ""):
        bearer = stage.token().access
        headers["Authorization"] = re.sub("(OWNER_ONLY_)?ACCESS_TOKEN", bearer,
                                          headers["Authorization"])  # fmt: skip
        if "bad-signature" in stage.name:
            headers["Authorization"] = headers["Authorization"][:-3] + "abc"
    if headers.get("Authorization", "").startswith("Basic "):
        pair = base64.b64encode(b"CLIENT_ID:CLIENT_SECRET").decode()
        headers["Authorization"] = f"Basic {pair}"
    if isinstance(form, dict):
        form = {key: _filled(wiki, stage, key, value, bearer) for key, value in form.items()}
    return requests.request(
        asked["method"], f"{wiki.url}/commons{asked['path']}", params=_query(asked["query"]),
        data=form, headers=headers, allow_redirects=False, timeout=10,
    )  # fmt: skip


def _query(query: dict[str, str]) -> dict[str, str]:
    if "returnto" in query:
        query = {**query, "returnto": "/commons" + query["returnto"]}
    return query


def _filled(wiki: RunningSandbox, stage: Stage, key: str, value: str, bearer: str) -> str:
    if value == "AUTH_CODE":
        return stage.code()
    if value == "REFRESH_TOKEN":
        return stage.token().refresh
    if key == "wpEditToken":
        return stage.form_token()
    if key == "token" and value.startswith("TOKEN"):
        answer = requests.get(
            f"{wiki.url}/commons/w/api.php",
            {"action": "query", "meta": "tokens", "format": "json", "formatversion": "2"},
            headers={"Authorization": f"Bearer {bearer}", "User-Agent": "Contract/1 (tests)"},
            timeout=10,
        )  # fmt: skip
        return str(answer.json()["query"]["tokens"]["csrftoken"])
    return value


def masked(wiki: RunningSandbox, text: str) -> str:
    """An answer of the sandbox with the recordings' hosts and placeholders."""
    text = text.replace(f"{wiki.url}/commons", "https://commons.test")
    text = text.replace("%2Fcommons%2Fw%2F", "%2Fw%2F").replace('"/commons/', '"/')
    text = text.replace("%252Fcommons%252Fw%252F", "%252Fw%252F")
    text = re.sub(r"\bcode=def50200[0-9a-f]+", "code=AUTH_CODE", text)
    text = re.sub(r'("access_token": ?)"[^"]+"', r'\1"ACCESS_TOKEN"', text)
    text = re.sub(r'("refresh_token": ?)"[^"]+"', r'\1"REFRESH_TOKEN"', text)
    text = re.sub(r'("csrftoken": ?)"[^"]+"', r'\1"TOKEN+\\\\"', text)
    return text.replace("127.0.0.1", "192.0.2.1")


def differences(wiki: RunningSandbox, recording: dict[str, Any]) -> list[str]:
    """What the sandbox answers otherwise, one line a difference."""
    expected, actual = recording["response"], send(wiki, recording)
    found = []
    if actual.status_code != expected["status"]:
        found.append(f"status {actual.status_code} instead of {expected['status']}")
    wanted = {key.lower(): value for key, value in expected["headers"].items()}
    for name in HEADERS:
        told = wanted.get(name)
        given = masked(wiki, actual.headers.get(name, ""))
        if told is not None and _tidy(given) != _tidy(told):
            found.append(f"{name}: {given!r} instead of {told!r}")
    text = masked(wiki, actual.text)
    if isinstance(expected["body"], (dict, list)):
        try:
            found += compare("body", expected["body"], json.loads(text))
        except ValueError:
            found.append("body is no JSON")
    else:
        found += missing_words(expected["body"], text)
    return found


def _tidy(header: str | None) -> str | None:
    return (
        None if header is None else re.sub(r"([;,]) ?", r"\1", header).lower().replace("+", "%20")
    )


def compare(where: str, expected: Any, actual: Any) -> list[str]:
    """Differences of two JSON values; some keys by their type only."""
    if type(expected) is not type(actual):
        return [f"{where}: {actual!r} instead of {expected!r}"]
    if isinstance(expected, dict):
        found = [f"{where}.{key} is missing" for key in expected.keys() - actual.keys()]
        found += [f"{where}.{key} is too much" for key in actual.keys() - expected.keys()]
        for key in expected.keys() & actual.keys():
            found += compare(f"{where}.{key}", expected[key], actual[key])
        return found
    if isinstance(expected, list):
        if len(expected) != len(actual):
            return [f"{where}: {actual!r} instead of {expected!r}"]
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for n, (one, two) in pairs for line in compare(f"{where}[{n}]", one, two)]
    if expected == actual or where.rsplit(".", 1)[-1] in BY_TYPE:
        return []
    return [f"{where}: {actual!r} instead of {expected!r}"]


def missing_words(expected: str, actual: str) -> list[str]:
    """What a page must say: the sentences of an error page, the fields of a form."""
    page = html.unescape(actual)
    plain = re.sub(r"\s+", " ", page)
    sentences = [
        re.sub(r"\s+", " ", html.unescape(line)).strip()
        for line in re.findall(r"<p>([^<]+)", expected)
        if "needs permission" not in line and not line.startswith("Hi ")
        and "In order to complete" not in line
    ]  # fmt: skip
    names = set(re.findall(r'name=["\'](\w+)["\']', expected)) - {"wpignorewarnings"}
    found = [f"does not say {line!r}" for line in sentences if line and line not in plain]
    return found + [f"has no field {name}" for name in names if f'name="{name}"' not in page]


@pytest.mark.parametrize("name", NAMES)
def test_recording(wiki: RunningSandbox, name: str) -> None:
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    found = differences(wiki, recording)
    if name in GAPS:
        assert found, f"{name} holds now: take it off known_gaps.toml"
    else:
        assert not found, "\n".join(found)


def test_the_list_of_gaps_only_shrinks() -> None:
    assert set(GAPS) <= set(NAMES)
    assert len(GAPS) <= 6


def test_challenge_of_the_recordings_is_what_rfc_7636_says() -> None:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == CHALLENGE


def test_time_is_on_our_side(wiki: RunningSandbox) -> None:
    """An access token is good until the second it says, and dead after it."""
    user = wiki.world.users.by_name("ExampleUser")
    assert user
    wiki.world.set("access_token_seconds", str(store.ACCESS_SECONDS))
    before = time.time()
    token = store.issue(wiki.world, "CLIENT_ID", user, ALL)
    assert before - 1 <= token.access_expires - 4 * 3600 <= time.time()
