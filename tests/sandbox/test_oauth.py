"""OAuth 2.0: the login, and each surprise of the recordings with its effect.

The numbers are those of the surprises listed beside the recordings.
"""

from __future__ import annotations

import base64
import html
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import requests

from sandbox import RunningSandbox
from sandbox.oauth import revoke_all, store, user_of_bearer
from tests.sandbox.conftest import CALLBACK, CLIENT, SECRET, VERIFIER, OAuth

INVALID = "mwoauth-invalid-authorization"


def errors(body: dict[str, object]) -> list[str]:
    found = body.get("errors", [])
    assert isinstance(found, list)
    return [error["code"] for error in found]


def name_of(body: dict[str, object]) -> str:
    query = body["query"]
    assert isinstance(query, dict)
    return str(query["userinfo"]["name"])


def test_a_login_gives_tokens_of_the_picked_account(oauth: OAuth) -> None:
    tokens = oauth.login("Tomás R.")
    assert tokens["token_type"] == "Bearer"
    assert oauth.profile(tokens["access_token"]).json()["username"] == "Tomás R."
    assert name_of(oauth.userinfo(f"Bearer {tokens['access_token']}")) == "Tomás R."


def test_the_login_page_lists_people_with_a_word_about_each(
    oauth: OAuth, wiki: RunningSandbox
) -> None:
    page = oauth.http.get(oauth.authorize().headers["Location"]).text
    for name in ("Alice", "Bob", "Charlie", "Mona", "Ingrid S.", "Newcomer", "Blocked"):
        assert f'value="{name}"' in page
    assert "Gov Mirror" not in page  # a bot does not log in
    assert "not autoconfirmed" in page
    assert "not Wikimedia" in page


def test_42_authorize_redirects_with_307_and_only_the_last_step_is_302(oauth: OAuth) -> None:
    asked = oauth.authorize_as("Alice")
    assert asked.status_code == 307
    assert "Special:OAuth/approve" in asked.headers["Location"]
    refused = oauth.authorize(redirect_uri=CALLBACK + "more")
    assert refused.status_code == 401
    assert refused.headers["Content-Type"].startswith("text/html")
    assert "Location" not in refused.headers


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("http://127.0.0.1:1/accounts/mediawiki/login/callback/", 307),
        ("http://localhost:65535/accounts/mediawiki/login/callback/", 307),
        ("http://localhost/accounts/mediawiki/login/callback/", 307),
        ("http://127.0.0.1:80/accounts/mediawiki/login/callback/?x=1", 401),
        ("https://127.0.0.1:80/accounts/mediawiki/login/callback/", 401),
        ("http://127.0.0.1.example.org:80/accounts/mediawiki/login/callback/", 401),
        ("http://127.0.0.1:80@example.org/accounts/mediawiki/login/callback/", 401),
        ("http://example.org:80/accounts/mediawiki/login/callback/", 401),
    ],
)
def test_the_callback_may_be_at_any_port_of_this_machine(
    oauth: OAuth, uri: str, status: int
) -> None:
    assert oauth.authorize_as("Alice", redirect_uri=uri).status_code == status


def test_43_cancelling_answers_unauthorized_client_without_state(oauth: OAuth) -> None:
    answer = oauth.answer(oauth.authorize_as("Alice"), cancel="Cancel")
    assert answer["error"] == "unauthorized_client"
    assert "state" not in answer
    assert "code" not in answer


def test_43_a_known_grant_that_the_client_lacks_is_trimmed(oauth: OAuth) -> None:
    asked = oauth.authorize_as("Alice", scope="basic editprotected")
    assert "scope=basic" in asked.headers["Location"].rpartition("&")[2]
    assert oauth.authorize(scope="basic nonsense").headers["Location"].startswith(CALLBACK)


def test_44_the_approval_page_comes_every_time(oauth: OAuth) -> None:
    oauth.login("Alice")
    asked = oauth.authorize()
    assert "Special:OAuth/approve" in asked.headers["Location"]
    assert "Hi Alice!" in oauth.http.get(asked.headers["Location"]).text


def test_one_may_log_in_as_somebody_else_before_one_allows(oauth: OAuth) -> None:
    page = oauth.http.get(oauth.authorize_as("Alice").headers["Location"]).text
    [other] = re.findall(r'<a href="([^"]+)">Log in as somebody else', page)
    asked = requests.Response()
    asked.headers["Location"] = oauth.wiki.url + html.unescape(other)
    again = oauth.http.get(oauth.log_in(asked, "Bob").headers["Location"]).text
    assert "Hi Bob!" in again


def test_a_stranger_logs_in_before_the_wiki_looks_at_what_is_asked_for(oauth: OAuth) -> None:
    """So nobody learns without a login whether a client exists."""
    for client in (CLIENT, "nobody"):
        oauth.http.cookies.clear()
        asked = oauth.authorize(client_id=client)
        assert asked.status_code == 307
        assert "title=Special:UserLogin" in asked.headers["Location"]
    assert oauth.log_in(asked, "Alice").status_code == 401


def test_a_refresh_by_an_unknown_client_is_a_fault_of_the_server(oauth: OAuth) -> None:
    tokens = oauth.login("Alice")
    answer = oauth.refresh(tokens, client_id="nobody")
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "Client with identifier nobody does not exist!" in answer.text
    assert oauth.refresh(tokens).status_code == 200


def test_45_a_failed_attempt_does_not_burn_the_code(oauth: OAuth) -> None:
    code = oauth.code("Bob")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    wrong = oauth.token(**form, code_verifier="x" * 43)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert oauth.token(**form, code_verifier=VERIFIER).status_code == 200
    used = oauth.token(**form, code_verifier=VERIFIER)
    assert (used.status_code, used.json()["error"]) == (400, "invalid_request")


def test_45_basic_auth_works_and_json_does_not(oauth: OAuth) -> None:
    tokens = oauth.login("Bob")
    pair = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    url = f"{oauth.rest}/access_token"
    assert oauth.http.post(url, json=form).status_code == 415
    answer = oauth.http.post(url, data=form, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200


def test_46_refreshing_kills_the_old_pair_at_once(oauth: OAuth) -> None:
    old = oauth.login("Alice")
    new = oauth.refresh(old).json()
    assert oauth.profile(old["access_token"]).status_code == 401
    assert errors(oauth.userinfo(f"Bearer {old['access_token']}")) == [INVALID]
    assert name_of(oauth.userinfo(f"Bearer {new['access_token']}")) == "Alice"
    again = oauth.refresh(old)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_request")
    assert again.json()["hint"] == "Token has been revoked"
    assert oauth.refresh(new).status_code == 200  # reuse of the old one harmed nothing


def test_46_of_many_refreshers_one_wins(oauth: OAuth) -> None:
    tokens = oauth.login("Alice")
    data = {"client_id": CLIENT, "client_secret": SECRET, "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"]}  # fmt: skip

    def refresh(_: int) -> int:
        return requests.post(f"{oauth.rest}/access_token", data=data, timeout=10).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(refresh, range(8))) == [200, *[401] * 7]


def test_46_two_logins_live_side_by_side(oauth: OAuth) -> None:
    first, second = oauth.login("Alice"), oauth.login("Alice")
    assert oauth.refresh(first).status_code == 200
    assert name_of(oauth.userinfo(f"Bearer {second['access_token']}")) == "Alice"


def test_46_a_scope_that_shrank_stays_so(oauth: OAuth) -> None:
    small = oauth.refresh(oauth.login("Alice"), scope="basic").json()
    assert oauth.refresh(small, scope="basic editpage").status_code == 400
    after = oauth.refresh(small).json()
    assert oauth.profile(after["access_token"]).json()["grants"] == ["basic"]


def test_46_permission_taken_back_kills_both_tokens(oauth: OAuth, wiki: RunningSandbox) -> None:
    tokens = oauth.login("Charlie")
    user = wiki.world.users.by_name("Charlie")
    assert user
    revoke_all(wiki.world, user, CLIENT)
    assert oauth.profile(tokens["access_token"]).json()["hint"] == "Access token has been revoked"
    assert oauth.refresh(tokens).json()["hint"] == "Token has been revoked"


def test_47_a_public_client_needs_pkce_and_refreshes_with_its_secret_only(
    oauth: OAuth, wiki: RunningSandbox
) -> None:
    client = store.Client("public", "its-secret", "Public tool", False, [CALLBACK], ["basic"],
                          True, False)  # fmt: skip
    store.add_client(wiki.world, client)
    query = {"response_type": "code", "client_id": "public", "redirect_uri": CALLBACK}
    oauth.authorize_as("Bob")
    bare = oauth.http.get(f"{oauth.rest}/authorize", params=query, allow_redirects=False)
    assert bare.status_code == 400
    code = oauth.answer(oauth.authorize(client_id="public"), accept="Allow")["code"]
    url = f"{oauth.rest}/access_token"
    form = {"client_id": "public", "grant_type": "authorization_code", "code": code,
            "redirect_uri": CALLBACK, "code_verifier": VERIFIER}  # fmt: skip
    tokens = oauth.http.post(url, data=form).json()
    form = {"client_id": "public", "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"]}  # fmt: skip
    assert oauth.http.post(url, data=form).json()["error"] == "invalid_client"
    assert oauth.http.post(url, data={**form, "client_secret": "its-secret"}).status_code == 200


def test_48_expired_invalid_and_superseded_bearers_look_the_same(
    oauth: OAuth, wiki: RunningSandbox
) -> None:
    user = wiki.world.users.by_name("Alice")
    assert user
    expired = wiki.world.users.issue_token(user, lifetime=-1)
    superseded = oauth.login("Alice")
    oauth.refresh(superseded)
    for bearer in ("notatoken", expired, superseded["access_token"]):
        body = oauth.userinfo(f"Bearer {bearer}")
        assert errors(body) == [INVALID]
        assert body["errors"][0].get("module") is None  # type: ignore[index]
    hints = {oauth.profile(one).json()["hint"] for one in ("notatoken", superseded["access_token"])}
    assert len(hints) == 2


def test_48_tokens_can_be_expired_by_control(oauth: OAuth, wiki: RunningSandbox) -> None:
    tokens = oauth.login("Charlie")
    sent = oauth.http.post(
        f"{wiki.url}/_sandbox/user", json={"user": "Charlie", "action": "expire-tokens"}
    )
    assert sent.status_code == 200
    assert errors(oauth.userinfo(f"Bearer {tokens['access_token']}")) == [INVALID]
    assert oauth.refresh(tokens).status_code == 200


def test_49_a_scheme_in_lower_case_is_nobody(oauth: OAuth, wiki: RunningSandbox) -> None:
    access = oauth.login("Alice")["access_token"]
    assert name_of(oauth.userinfo(f"bearer {access}")) != "Alice"
    assert errors(oauth.userinfo(f"bearer {access}", **{"assert": "user"})) == ["assertuserfailed"]
    assert user_of_bearer(wiki.world, f"bearer {access}") is None
    assert name_of(oauth.userinfo(f"Bearer {access}", origin="*")) != "Alice"


def test_51_a_blocked_user_logs_in_and_is_told_blocked(oauth: OAuth) -> None:
    tokens = oauth.login("Blocked")
    profile = oauth.profile(tokens["access_token"]).json()
    assert profile["blocked"] is True


def test_51_shapes_of_profile_scopes_and_token(oauth: OAuth, wiki: RunningSandbox) -> None:
    before = time.time()
    access = oauth.login("Ingrid S.")["access_token"]
    after = time.time()
    profile = oauth.profile(access).json()
    user = wiki.world.users.by_name("Ingrid S.")
    assert user
    assert profile["sub"] == user.sub
    assert len(profile["registered"]) == 14
    bearer = {"Authorization": f"Bearer {access}"}
    scopes = oauth.http.get(f"{oauth.rest}/resource/scopes", headers=bearer).json()["scopes"]
    assert list(scopes) == ["0", "2", "3", "4"]
    claims = jwt.decode(access, options={"verify_signature": False})
    assert {"aud", "jti", "iat", "nbf", "exp", "sub", "iss", "scopes"} <= set(claims)
    assert isinstance(claims["exp"], float)
    assert (claims["aud"], claims["sub"]) == (CLIENT, user.sub)
    assert before - 1 <= claims["exp"] - 4 * 3600 <= after


def test_a_bearer_shows_no_more_rights_than_its_grants_allow(oauth: OAuth) -> None:
    """As on the real wiki: of who patrols one learns it without a bearer, by `list=users`."""
    access = oauth.login("Pat")["access_token"]
    body: Any = oauth.userinfo(f"Bearer {access}", uiprop="rights|groups")
    own = body["query"]["userinfo"]
    assert {"patroller", "rollbacker"} < set(own["groups"])
    assert not {"patrol", "rollback"} & set(own["rights"])
    api = f"{oauth.wiki.url}/commons/w/api.php"
    asked = {"action": "query", "list": "users", "ususers": "Pat|Alice", "usprop": "rights"}
    asked |= {"format": "json", "formatversion": "2"}
    pat, alice = oauth.http.get(api, params=asked).json()["query"]["users"]
    assert {"patrol", "rollback", "edit"} < set(pat["rights"])
    assert not {"patrol", "rollback"} & set(alice["rights"])


def test_a_form_from_elsewhere_approves_nothing(oauth: OAuth, wiki: RunningSandbox) -> None:
    """Without the page's own token the page comes again, of the login and of the approval."""
    oauth.authorize_as("Alice")
    login = f"{wiki.url}/commons/wiki/Special:UserLogin"
    forged = oauth.http.post(login, data={"user": "Bob"}, allow_redirects=False)
    assert (forged.status_code, forged.cookies.get_dict()) == (200, {})
    answer = oauth.http.post(
        f"{wiki.url}/commons/wiki/Special:OAuth/approve",
        data={"client_id": CLIENT, "accept": "Allow", "returntoquery": "x=1"},
        allow_redirects=False,
    )
    assert answer.status_code == 200


def test_an_old_code_is_no_code(oauth: OAuth, wiki: RunningSandbox) -> None:
    code = oauth.code("Alice")
    with wiki.world.store.transaction() as db:
        db.execute("UPDATE oauth_code SET expires = ? WHERE code = ?", (time.time() - 1, code))
    answer = oauth.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK,
                         code_verifier=VERIFIER)  # fmt: skip
    assert answer.json()["hint"] == "Authorization code has expired"
