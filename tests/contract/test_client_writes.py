"""The recorded answers to writes, byte for byte, through our own client to our own table."""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Any

import pytest

from projects.models import User
from sdc.writing.reasons import Reason
from sdc.writing.responses import Next, Outcome, judge, judge_failure
from sdc.writing.session import Account, Session
from tests.contract.replayed import Recorded, names_of, parameters, recording, replaying
from wiki import pywikibot_client, sites
from wiki.http import WikiError
from wiki.json_tree import Node

WRITES = names_of("wbsetclaim", "wbremoveclaims", folders=("wikibase", "refusals", "undo"))
USERINFO = "query/userinfo-user"

# What each recording that is not a plain success means. Written by reading the recordings.
EXPECTED: list[tuple[str, Next, Reason]] = [
    ("refusals/anonymous-may-not-edit-*", Next.STOP, Reason.NOT_PERMITTED),
    ("refusals/anonymous-token-while-logged-in-*", Next.TOKEN, Reason.TOKEN),
    ("refusals/bad-token-*", Next.TOKEN, Reason.TOKEN),
    ("refusals/token-of-another-session", Next.TOKEN, Reason.TOKEN),
    ("refusals/assert-bot-*", Next.STOP, Reason.NOT_PERMITTED),
    ("refusals/assert-user-*", Next.LOGIN, Reason.LOGIN),
    ("refusals/assertuser-wrong-name-*", Next.LOGIN, Reason.LOGIN),
    ("refusals/autoblocked-*", Next.STOP, Reason.BLOCKED),
    ("refusals/blocked-*", Next.STOP, Reason.BLOCKED),
    ("refusals/partially-blocked-on-this-page-*", Next.REFUSE, Reason.PARTLY_BLOCKED),
    ("refusals/protected-page-*", Next.REFUSE, Reason.PROTECTED),
    ("refusals/semi-protected-page-anonymous", Next.REFUSE, Reason.PROTECTED),
    ("refusals/edit-refused-by-a-hook-*", Next.REFUSE, Reason.FILTERED),
    ("refusals/maxlag-5-*", Next.LATER, Reason.MAXLAG),
    ("refusals/maxlag-minus-one-*", Next.LATER, Reason.MAXLAG),
    ("refusals/no-token-*", Next.REFUSE, Reason.BAD_STATEMENT),
    ("refusals/race-parallel-*", Next.LATER, Reason.CONFLICT),
    ("refusals/ratelimit-bad-item-*", Next.REFUSE, Reason.NO_SUCH_ITEM),
    ("refusals/ratelimit-[34w]*", Next.LATER, Reason.RATELIMITED),
    ("refusals/ratelimit-no-op-*", Next.LATER, Reason.RATELIMITED),
    ("refusals/readonly-*", Next.PAUSE, Reason.READONLY),
    ("refusals/tags-not-allowed", Next.STOP, Reason.BAD_TAGS),
    ("undo/tag-two-one-unknown", Next.STOP, Reason.BAD_TAGS),
    ("refusals/token-in-query-string", Next.REFUSE, Reason.BAD_STATEMENT),
    ("refusals/write-with-get", Next.REFUSE, Reason.BAD_STATEMENT),
    ("wikibase/conflict-3-*", Next.LATER, Reason.CONFLICT),
    ("wikibase/conflict-6-*", Next.LATER, Reason.CONFLICT),
    ("wikibase/conflict-9-equal-*", Next.THERE, Reason.ALREADY_THERE),
    ("wikibase/conflict-9-f*", Next.LATER, Reason.CONFLICT),
    ("wikibase/conflict-*-stale-baserevid*", Next.LOOK, Reason.CONFLICT),
    ("wikibase/conflict-8-*", Next.LOOK, Reason.CONFLICT),
    ("wikibase/removeclaims-changed-since-baserevid", Next.LOOK, Reason.CONFLICT),
    ("undo/wbremoveclaims-statement-got-*", Next.LOOK, Reason.CONFLICT),
    ("undo/wbremoveclaims-as-undo-again", Next.LOOK, Reason.GONE_ALREADY),
    ("wikibase/removeclaims-entity-missing", Next.LOOK, Reason.DELETED),
    ("wikibase/removeclaims-*", Next.LOOK, Reason.GONE_ALREADY),
    ("wikibase/setclaim-ignoreduplicatemainsnak-*", Next.THERE, Reason.ALREADY_THERE),
    ("wikibase/setclaim-error-guid-entity-*", Next.REFUSE, Reason.GONE),
    ("wikibase/setclaim-error-*item-does-not-exist", Next.REFUSE, Reason.NO_SUCH_ITEM),
    ("wikibase/setclaim-error-item-deleted", Next.REFUSE, Reason.NO_SUCH_ITEM),
    ("wikibase/setclaim-error-*", Next.REFUSE, Reason.BAD_STATEMENT),
    ("wikibase/setclaim-minimal-*", Next.REFUSE, Reason.BAD_STATEMENT),
    ("wikibase/setclaim-same-guid-changes-property", Next.REFUSE, Reason.BAD_STATEMENT),
]


def send_and_judge(recorded: Recorded, settings: Any) -> Outcome:
    """Post the recorded request's parameters with our transport; our table judges the replay."""

    def choose(given: dict[str, str]) -> Recorded:
        asks_who = "userinfo" in given.get("meta", "")
        return recording(USERINFO) if asks_who else recorded

    with replaying(choose) as url:
        settings.WIKI = sites.sandbox(url)
        with pywikibot_client.wiki_site("ExampleUser", "ACCESS_TOKEN") as site:
            try:
                sent = {
                    key: value
                    for key, value in parameters(recorded).items()
                    if key not in ("format", "formatversion", "errorformat", "assert")
                }
                body, wait = pywikibot_client.submit(site, post=True, **sent)
            except WikiError as error:
                return judge_failure(error)
    return judge(body, wait, action=sent["action"])


def is_plain_success(recorded: Recorded) -> bool:
    body = recorded["response"]["body"]
    return isinstance(body, dict) and body.get("success") == 1 and "warnings" not in body


@pytest.fixture(autouse=True)
def database(db: None) -> None:
    """The pace of requests is kept there."""


@pytest.mark.parametrize("name", WRITES)
def test_each_recorded_answer_to_a_write_is_understood(name: str, settings: Any) -> None:
    recorded = recording(name)
    outcome = send_and_judge(recorded, settings)
    if is_plain_success(recorded):
        assert outcome.next is Next.SAVED
        assert outcome.revision == recorded["response"]["body"]["pageinfo"]["lastrevid"]
        return
    wanted = next((row for row in EXPECTED if fnmatch(name, row[0])), None)
    assert wanted, f"no meaning written down for {name}"
    assert (outcome.next, outcome.reason) == wanted[1:]


def test_every_meaning_written_down_is_about_a_recording() -> None:
    refusals = [name for name in WRITES if not is_plain_success(recording(name))]
    used = [next(row for row in EXPECTED if fnmatch(name, row[0]))[0] for name in refusals]
    assert set(used) == {pattern for pattern, _next, _reason in EXPECTED}


def test_lag_names_its_seconds(settings: Any) -> None:
    outcome = send_and_judge(recording("refusals/maxlag-5-replica-7s-behind-wbsetclaim"), settings)
    assert (outcome.wait, outcome.patient, outcome.doubtful) == (5.0, True, False)


def test_the_rate_limit_names_none(settings: Any) -> None:
    outcome = send_and_judge(recording("refusals/ratelimit-3-wbsetclaim"), settings)
    assert (outcome.wait, outcome.patient, outcome.doubtful) == (None, True, False)


@pytest.mark.parametrize("name", ["oauth/api-post-expired-bearer", "oauth/api-post-invalid-bearer"])
def test_a_bad_bearer_means_a_new_login(name: str, settings: Any) -> None:
    assert send_and_judge(recording(name), settings).next is Next.LOGIN


@pytest.mark.parametrize(
    ("status", "headers", "body", "follows", "reason", "doubtful"),
    [
        (200, {}, "<!DOCTYPE html><title>API help</title>", Next.LATER, Reason.TROUBLE, True),
        (200, {}, [], Next.LATER, Reason.TROUBLE, True),
        (200, {}, {}, Next.LATER, Reason.TROUBLE, True),
        (200, {}, {"success": 0}, Next.LATER, Reason.TROUBLE, True),
        (200, {}, {"errors": []}, Next.LATER, Reason.TROUBLE, True),
        (200, {}, {"errors": [{"code": "new-one"}]}, Next.REFUSE, Reason.UNKNOWN, False),
        (429, {"Retry-After": "7"}, "Too many requests", Next.LATER, Reason.RATELIMITED, False),
        (503, {"Retry-After": "7"}, "Down", Next.LATER, Reason.TROUBLE, True),
        (502, {}, "", Next.LATER, Reason.TROUBLE, True),
        (403, {}, "Forbidden", Next.PAUSE, Reason.TURNED_AWAY, False),
    ],
)
def test_what_is_not_an_answer_of_the_api_at_all(
    status: int,
    headers: dict[str, str],
    body: Any,
    follows: Next,
    reason: Reason,
    doubtful: bool,
    settings: Any,
) -> None:
    recorded = {
        "request": {"query": {}, "form": {"action": "wbsetclaim", "token": "T", "claim": "{}"}},
        "response": {"status": status, "headers": headers, "body": body},
    }
    outcome = send_and_judge(recorded, settings)
    assert (outcome.next, outcome.reason, outcome.doubtful) == (follows, reason, doubtful)
    if "Retry-After" in headers:
        assert outcome.wait == 7.0


def test_all_codes_count_and_the_gravest_decides() -> None:
    errors = [{"code": code} for code in ("failed-save", "ratelimited", "new-one", "blocked")]
    assert judge(Node({"errors": errors})).next is Next.STOP
    assert judge(Node({"errors": errors[:3]})).next is Next.LATER


@pytest.mark.parametrize(
    ("name", "follows", "reason"),
    [
        ("undo/wbremoveclaims-as-undo", Next.SAVED, None),
        ("undo/wbremoveclaims-as-undo-again", Next.LOOK, Reason.GONE_ALREADY),
        ("refusals/blocked-wbremoveclaims", Next.STOP, Reason.BLOCKED),
    ],
)
def test_a_removal_asks_for_what_was_recorded_and_for_nothing_that_it_must_not(
    name: str, follows: Next, reason: Reason | None, settings: Any
) -> None:
    recorded, sent = recording(name), list[dict[str, str]]()
    guid = parameters(recording("undo/wbremoveclaims-as-undo"))["claim"]

    def choose(given: dict[str, str]) -> Recorded:
        if given.get("action") == "wbremoveclaims":
            sent.append(given)
            return recorded
        who = recording(USERINFO)["response"]
        query = who["body"]["query"] | {"tokens": {"csrftoken": "TOKEN+\\"}}
        return {"response": who | {"body": {"query": query}}}

    with replaying(choose) as url:
        settings.WIKI = sites.sandbox(url)
        account = Account(User(wiki_username="ExampleUser"))
        with pywikibot_client.wiki_site("ExampleUser", "ACCESS_TOKEN") as site:
            account._site = site
            outcome = Session(account, site).remove_statement(guid, "Marie Curie: taking back")
    assert (outcome.next, outcome.reason) == (follows, reason)
    [given] = sent
    assert {key: given[key] for key in ("claim", "summary", "token", "maxlag")} == {
        "claim": guid,
        "summary": "Marie Curie: taking back",
        "token": "TOKEN+\\",
        "maxlag": "5",
    }
    assert (given["assert"], given["assertuser"]) == ("user", "ExampleUser")
    assert not {"bot", "baserevid"} & set(given)
