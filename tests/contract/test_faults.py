"""The sandbox misbehaves when told to, and only as far as it was told."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from sandbox import RunningSandbox
from tests.contract.replay import Player, load
from tests.contract.scenes import statement
from tests.contract.wiki import Wiki, codes, warned

GUID = "M13$12345678-0000-4000-8000-000000000001"


def test_a_cut_after_the_effect_leaves_the_effect(wiki: Wiki, recorded: RunningSandbox) -> None:
    recorded.faults.add("cut-after-effect", {"action": "wbsetclaim"}, times=1)
    with pytest.raises(requests.ConnectionError):
        wiki.set_claim(statement(GUID, "Q42"))
    assert wiki.depicts(13) == [(GUID, "Q42")]
    assert wiki.set_claim(statement(GUID, "Q42"))["pageinfo"]["lastrevid"] == wiki.latest(13)


def test_a_cut_before_has_no_effect(wiki: Wiki, recorded: RunningSandbox) -> None:
    recorded.faults.add("cut-before", {"action": "wbsetclaim"}, times=1)
    with pytest.raises(requests.ConnectionError):
        wiki.set_claim(statement(GUID, "Q42"))
    assert wiki.depicts(13) == []


def test_http_errors_carry_retry_after(wiki: Wiki, recorded: RunningSandbox) -> None:
    recorded.faults.add("http", {"path": "/commons"}, times=1, status=429, retry_after=2)
    answer = wiki.ask("GET", {"action": "query", "meta": "userinfo"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert wiki.ask("GET", {"action": "query", "meta": "userinfo"}).status_code == 200


@pytest.mark.waits
def test_latency_is_waited_out(wiki: Wiki, recorded: RunningSandbox) -> None:
    recorded.faults.add("latency", seconds=0.2, times=1)
    begun = time.monotonic()
    wiki.get(action="query", meta="userinfo")
    assert time.monotonic() - begun >= 0.2


def test_a_rule_hits_what_it_matches_alone(player: Player, recorded: RunningSandbox) -> None:
    one, other = Wiki(player), Wiki(player, "OtherUser")
    match = {"action": "wbsetclaim", "title": "File:Series 08.jpg", "user": "OtherUser"}
    recorded.faults.add("blocked", match)
    assert "blocked" in codes(other.set_claim(statement(GUID, "Q42")))
    assert one.add(13, "Q42") == GUID
    assert other.add(16, "Q42")


@pytest.mark.parametrize(
    "name",
    [
        "refusals/anonymous-may-not-edit-wbsetclaim",
        "refusals/edit-refused-by-a-hook-wbsetclaim",
        "refusals/protected-page-wbsetclaim",
        "refusals/race-parallel-statements-on-one-file-1",
        "refusals/ratelimit-3-wbsetclaim",
        "refusals/assertuser-wrong-name-wbsetclaim",
        "wikibase/conflict-9-first-statement-made-by-someone-else-since-baserevid",
        "wikibase/setclaim-error-guid-entity-is-item",
    ],
)
def test_a_refusal_on_demand_has_the_shape_of_the_recorded_one(name: str, player: Player) -> None:
    recording = load(name)
    told = recording.response["headers"]["MediaWiki-API-Error"].split(", ")
    player.running.faults.add("refuse", {"action": "wbsetclaim"}, codes=told)
    assert _shape(player.play(recording).json()) == _shape(recording.response["body"])


def _shape(body: Any) -> list[tuple[str, str, list[str]]]:
    """Code, module and names of messages of each entry; texts and their parameters are free."""
    return [
        (
            entry["code"],
            entry.get("module", ""),
            [message["name"] for message in entry.get("data", {}).get("messages", [])],
        )
        for entry in body["errors"]
    ]


def test_a_patched_edit_is_saved_and_says_so(wiki: Wiki, recorded: RunningSandbox) -> None:
    recorded.faults.add("patched", {"action": "wbsetclaim"}, times=1)
    answer = wiki.set_claim(statement(GUID, "Q42"))
    assert (answer["success"], warned(answer)) == (1, ["wikibase-conflict-patched"])
    assert wiki.depicts(13) == [(GUID, "Q42")]


JSON = {"Content-Type": "application/json"}


def test_faults_can_be_set_over_http(recorded: RunningSandbox) -> None:
    url = f"{recorded.url}/_sandbox/fault"
    rule = {"kind": "readonly", "match": {"action": "wbsetclaim"}, "times": 2}
    assert requests.post(url, json=rule, timeout=5).json()[0]["kind"] == "readonly"
    assert requests.post(url, json={"kind": "nonsense"}, timeout=5).status_code == 400
    assert requests.post(url, json={"kind": "refuse"}, timeout=5).status_code == 400
    broken = requests.post(url, data="{", headers=JSON, timeout=5)
    assert (broken.status_code, list(broken.json())) == (400, ["error"])
    assert requests.delete(url, timeout=5).json() == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "{url}", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil.example.org"}, 403),
    ],
    ids=str,
)
def test_only_its_own_pages_and_no_page_at_all_steer_it(
    recorded: RunningSandbox, headers: dict[str, str], status: int
) -> None:
    """Any page that somebody has open meanwhile could otherwise block users."""
    sent = JSON | {name: value.replace("{url}", recorded.url) for name, value in headers.items()}
    body = '{"user": "ExampleUser", "action": "unblock"}'
    answer = requests.post(f"{recorded.url}/_sandbox/user", body, headers=sent, timeout=5)
    assert answer.status_code == status
    if status == 403:
        url = f"{recorded.url}/_sandbox/fault"
        assert requests.delete(url, headers=sent, timeout=5).status_code == 403


@pytest.mark.parametrize(("kind", "status"), [("text/plain", 415), ("application/json", 200)])
def test_a_body_in_chunks_is_json_too(recorded: RunningSandbox, kind: str, status: int) -> None:
    """It has no length, and a form of another site may send text."""
    chunks = iter([b'{"user": "ExampleUser", ', b'"action": "unblock"}'])
    url, sent = f"{recorded.url}/_sandbox/user", {"Content-Type": kind}
    assert requests.post(url, data=chunks, headers=sent, timeout=5).status_code == status


OTHER = "File:Series 09.jpg"


def test_pages_can_be_moved_deleted_protected_and_uploaded_anew(
    wiki: Wiki, recorded: RunningSandbox
) -> None:
    url = f"{recorded.url}/_sandbox/page"

    def change(**data: str) -> requests.Response:
        return requests.post(url, json=data, timeout=5)

    change(action="move", title="File:Series 08.jpg", to="File:Moved.jpg")
    moved = wiki.get(action="query", titles="File:Series 08.jpg", redirects=1)
    assert moved["query"]["pages"][0]["pageid"] == 13
    change(action="protect", title="File:Moved.jpg")
    assert "protectedpage" in codes(wiki.set_claim(statement(GUID, "Q42")))
    change(action="unprotect", title="File:Moved.jpg")
    assert wiki.add(13, "Q42")
    assert change(action="reupload", title="File:Moved.jpg", of="/etc/passwd").status_code == 400
    other = wiki.get(action="query", prop="imageinfo", titles=OTHER, iiprop="size|sha1|mime")
    change(action="reupload", title="File:Moved.jpg", of=OTHER)
    asked = {"action": "query", "prop": "imageinfo", "pageids": 13, "iiprop": "size|sha1|mime"}
    [page] = wiki.get(**asked)["query"]["pages"]
    [facts] = page["imageinfo"]
    assert facts == other["query"]["pages"][0]["imageinfo"][0]
    members = {"action": "query", "titles": "Category:Series", "prop": "categoryinfo"}
    assert wiki.get(**members)["query"]["pages"][0]["categoryinfo"]["files"] == 14
    change(action="delete", title="File:Moved.jpg")
    assert wiki.get(**members)["query"]["pages"][0]["categoryinfo"]["files"] == 13
    assert wiki.get(**asked)["query"]["pages"][0]["missing"] is True
    change(action="undelete", title="File:Moved.jpg")
    assert wiki.depicts(13) == [(GUID, "Q42")]
    assert change(action="delete", title="File:Nothing.jpg").status_code == 400


def test_a_user_can_be_blocked_and_lose_the_tokens(
    player: Player, recorded: RunningSandbox
) -> None:
    url, wiki = f"{recorded.url}/_sandbox/user", Wiki(player)
    requests.post(url, json={"user": "ExampleUser", "action": "block"}, timeout=5)
    assert "blocked" in codes(wiki.set_claim(statement(GUID, "Q42")))
    requests.post(url, json={"user": "ExampleUser", "action": "unblock"}, timeout=5)
    assert wiki.add(13, "Q42")
    requests.post(url, json={"user": "ExampleUser", "action": "expire-tokens"}, timeout=5)
    told = wiki.get(action="query", meta="userinfo")
    assert codes(told) == ["mwoauth-invalid-authorization"]


def test_edits_and_requests_can_be_counted(wiki: Wiki, recorded: RunningSandbox) -> None:
    before = wiki.latest(25)
    wiki.add(13, "Q42")
    edits = requests.get(f"{recorded.url}/_sandbox/edits?since={before}", timeout=5).json()
    assert [(edit["title"], edit["user"], edit["tags"]) for edit in edits] == [
        ("File:Series 08.jpg", "ExampleUser", ["OAuth CID: 1"])
    ]
    counts = requests.get(f"{recorded.url}/_sandbox/requests", timeout=5).json()
    assert counts["/commons/w/api.php wbsetclaim"] >= 1


def test_a_page_says_who_there_is_and_what_is_wrong(recorded: RunningSandbox) -> None:
    recorded.faults.add("readonly", {"action": "wbsetclaim"}, times=2)
    page = requests.get(f"{recorded.url}/_sandbox/", timeout=5).text
    assert "ExampleUser" in page
    assert "Disruptive editing" in page
    assert "readonly, action = wbsetclaim" in page
