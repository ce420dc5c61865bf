"""A seeded sandbox for these tests, a polite HTTP session, and a browser-less login."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

import sandbox as sandbox_package
from sandbox import RunningSandbox

AGENT = "SandboxTests/1.0 (https://example.org/tests; tests@example.org)"
CALLBACK = "http://127.0.0.1:5123/accounts/mediawiki/login/callback/"
CLIENT, SECRET = "wikivisage-sandbox", "sandbox-secret"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.fixture(scope="session")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """One seeded sandbox for all tests of this folder."""
    with sandbox_package.serve(tmp_path_factory.mktemp("wiki")) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A session with a good User-Agent."""
    with requests.Session() as session:
        session.headers["User-Agent"] = AGENT
        yield session


def hidden(page: requests.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


@dataclass
class OAuth:
    """Walks through the login as a browser and a client would."""

    wiki: RunningSandbox
    http: requests.Session

    @property
    def rest(self) -> str:
        return f"{self.wiki.url}/commons/w/rest.php/oauth2"

    def authorize(self, **extra: str) -> requests.Response:
        query = {
            "response_type": "code",
            "client_id": CLIENT,
            "redirect_uri": CALLBACK,
            "state": "S",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **extra,
        }
        return self.http.get(f"{self.rest}/authorize", params=query, allow_redirects=False)

    def log_in(self, asked: requests.Response, user: str) -> requests.Response:
        """Picks an account on the login page and follows to where /authorize sends one then."""
        page = self.http.get(asked.headers["Location"])
        action = f"{self.wiki.url}/commons/wiki/Special:UserLogin"
        form = {**hidden(page), "user": user}
        answer = self.http.post(action, data=form, allow_redirects=False)
        while "/authorize" not in answer.headers["Location"]:
            answer = self.http.get(answer.headers["Location"], allow_redirects=False)
        return self.http.get(answer.headers["Location"], allow_redirects=False)

    def authorize_as(self, user: str, **extra: str) -> requests.Response:
        """What /authorize says to somebody who is logged in."""
        self.http.cookies.clear()
        return self.log_in(self.authorize(**extra), user)

    def answer(self, asked: requests.Response, **pressed: str) -> dict[str, str]:
        """Sends the approval form and follows to the client; its query comes back."""
        page = self.http.get(asked.headers["Location"])
        action = f"{self.wiki.url}/commons/wiki/Special:OAuth/approve"
        sent = self.http.post(action, data={**hidden(page), **pressed}, allow_redirects=False)
        last = self.http.get(sent.headers["Location"], allow_redirects=False)
        assert last.headers["Location"].startswith(CALLBACK)
        query = parse_qs(urlsplit(last.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}

    def code(self, user: str) -> str:
        return self.answer(self.authorize_as(user), accept="Allow")["code"]

    def token(self, **form: str) -> requests.Response:
        data = {"client_id": CLIENT, "client_secret": SECRET, **form}
        return self.http.post(f"{self.rest}/access_token", data=data)

    def login(self, user: str) -> dict[str, str]:
        """The tokens of a whole login."""
        answer = self.token(
            grant_type="authorization_code", code=self.code(user), redirect_uri=CALLBACK,
            code_verifier=VERIFIER,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens

    def refresh(self, tokens: dict[str, str], **form: str) -> requests.Response:
        refresh = tokens["refresh_token"]
        return self.token(grant_type="refresh_token", refresh_token=refresh, **form)

    def profile(self, access: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access}"}
        return self.http.get(f"{self.rest}/resource/profile", headers=headers)

    def userinfo(self, authorization: str, **extra: str) -> dict[str, object]:
        """meta=userinfo with that Authorization header: the whole answer."""
        query = {"action": "query", "meta": "userinfo", "format": "json", "formatversion": "2",
                 "errorformat": "plaintext", **extra}  # fmt: skip
        answer = self.http.get(
            f"{self.wiki.url}/commons/w/api.php",
            params=query,
            headers={"Authorization": authorization},
        )
        assert answer.status_code == 200
        body: dict[str, object] = answer.json()
        return body


@pytest.fixture
def oauth(wiki: RunningSandbox, http: requests.Session) -> OAuth:
    """The login, step by step."""
    return OAuth(wiki, http)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A seeded sandbox of one test's own, for what changes pages or accounts."""
    with sandbox_package.serve(tmp_path) as running:
        yield running
