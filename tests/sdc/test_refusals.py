"""The refusal table, row by row: what the wiki's answer means, and what the writer does then.

What a person sees of lag, blocks, logins and cut connections is told in test_trouble.py. The
meanings here are written down by hand, from the recordings and the wiki's own sources.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies

from core.work import WorkState
from projects.models import Project, User, WikiCredential
from sandbox.api import access
from sdc.batches import services as batches
from sdc.models import Claim, ClaimAttempt, Edit, EditBatch, Writer
from sdc.writing import attempt as writing_attempt
from sdc.writing import responses
from sdc.writing.rate_buckets import EVERYBODY
from sdc.writing.reasons import Reason
from sdc.writing.responses import Next, judge, judge_failure
from tests.contract.replayed import FOLDER, Recorded, parameters
from tests.sdc.conftest import (
    Make,
    WikiItself,
    claim_of,
    confirmed,
    send,
    send_to_the_end,
    the_attempt,
    time_passes,
)
from wiki import pace
from wiki.http import WikiError
from wiki.json_tree import Node

Outcome = ClaimAttempt.Outcome
State = EditBatch.State
WRITE = {"action": "wbsetclaim"}
USED = ("wbsetclaim", "wbremoveclaims", "wbgetentities", "query")  # actions of the product


@dataclass(frozen=True)
class Row:
    """A code and its meaning. `alone`: it comes by itself, not behind `failed-save`."""

    code: str
    next: Next
    reason: Reason
    alone: bool = False

    @property
    def codes(self) -> list[str]:
        """As the wiki's header lists them."""
        return [self.code] if self.alone else ["failed-save", self.code]

    def __str__(self) -> str:
        return self.code


def rows(follows: Next, reason: Reason, *codes: str, alone: bool = False) -> list[Row]:
    return [Row(code, follows, reason, alone) for code in codes]


LATER = [
    *rows(Next.LATER, Reason.MAXLAG, "maxlag", alone=True),
    *rows(Next.LATER, Reason.RATELIMITED, "ratelimited", "actionthrottledtext"),
    *rows(
        Next.LATER,
        Reason.CONFLICT,
        "editconflict",
        "edit-conflict",
        "lockmanager-fail-conflict",
    ),
    *rows(
        Next.LATER,
        Reason.CONFLICT,
        r"internal_api_error_Wikibase\Lib\Store\BadRevisionException",
        alone=True,
    ),
    *rows(
        Next.LATER,
        Reason.TROUBLE,
        "internal_api_error_DBQueryTimeoutError",
        r"internal_api_error_Wikimedia\Rdbms\DBQueryError",
        alone=True,
    ),
]
REFUSE = [
    *rows(
        Next.REFUSE,
        Reason.PROTECTED,
        "protectedpage",
        "protectedpagetext",
        "cascadeprotected",
        "protectednamespace",
    ),
    *rows(
        Next.REFUSE,
        Reason.FILTERED,
        "hookaborted",
        "abusefilter-disallowed",
        "abusefilter-warning",
        "abusefilter-warning-something-local",
        "spamblacklist",
        "spam-blacklisted-link",
        "titleblacklist-forbidden",
        "titleblacklist-forbidden-edit",
        "captcha-edit",
    ),
    *rows(Next.REFUSE, Reason.GONE, "wikibase-error-entity-not-local"),
    *rows(Next.REFUSE, Reason.GONE, "no-such-entity", alone=True),
    *rows(Next.REFUSE, Reason.NO_SUCH_ITEM, "wikibase-validator-no-such-entity"),
    *rows(
        Next.REFUSE,
        Reason.BAD_STATEMENT,
        "invalid-claim",
        "invalid-snak",
        "invalid-guid",
        "invalid-entity-id",
        "missingparam",
        "mustpostparams",
        "modification-failed",
        r"internal_api_error_Deserializers\Exceptions\DeserializationException",
        alone=True,
    ),
    *rows(Next.REFUSE, Reason.PARTLY_BLOCKED, "blockedtext-partial"),
    *rows(Next.REFUSE, Reason.UNKNOWN, "one-that-nobody-knows"),
    *rows(
        Next.REFUSE,
        Reason.UNKNOWN,
        "another-that-nobody-knows",
        "failed-save",
        "wikibase-api-failed-save",
        "permissionserrors",
        "wikibase-api-editconflict",
        alone=True,
    ),
]
STOP = [
    *rows(
        Next.STOP,
        Reason.BLOCKED,
        "blocked",
        "blockedtext",
        "blockedtext-composite",
        "autoblocked",
        "autoblockedtext",
        "systemblocked",
        "globalblocking-blockedtext-user",
        "globalblocking-blockedtext-xff",
    ),
    *rows(
        Next.STOP,
        Reason.NOT_PERMITTED,
        "permissiondenied",
        "badaccess-groups",
        "badaccess-group0",
    ),
    *rows(
        Next.STOP,
        Reason.NOT_PERMITTED,
        "readapidenied",
        "assertbotfailed",
        "mwoauth-unauthorized-user",
        alone=True,
    ),
    *rows(Next.STOP, Reason.BLOCKED, "mwoauth-invalid-authorization-blocked-user", alone=True),
    *rows(
        Next.STOP,
        Reason.TOOL_OFF,
        "mwoauth-invalid-authorization-not-approved",  # the consumer was disabled
        "mwoauth-invalid-authorization-wrong-wiki",
        alone=True,
    ),
    *rows(Next.STOP, Reason.BAD_TAGS, "badtags", alone=True),
]
LOGIN = rows(
    Next.LOGIN,
    Reason.LOGIN,
    "mwoauth-invalid-authorization",
    "mwoauth-invalid-authorization-invalid-user",
    "assertuserfailed",
    "assertnameduserfailed",
    "notloggedin",
    alone=True,
)
PAUSE = rows(Next.PAUSE, Reason.READONLY, "readonly", "readonlytext", alone=True)
TOKEN = rows(Next.TOKEN, Reason.TOKEN, "badtoken", alone=True)
# What the transport says instead of the wiki.
FAILURES = [
    *rows(Next.LATER, Reason.RATELIMITED, "http-429"),
    *rows(Next.LATER, Reason.TROUBLE, "http-500", "http-502", "http-503", "http-504", "unreadable"),
    *rows(Next.LATER, Reason.NETWORK, "network"),
    *rows(Next.PAUSE, Reason.TURNED_AWAY, "http-401", "http-403"),
    *rows(Next.PAUSE, Reason.MISCONFIGURED, "invalid-client"),
]
ROWS = [*LATER, *REFUSE, *STOP, *LOGIN, *PAUSE, *TOKEN]

# Recorded refusals that say nothing known, and why that is right.
WITHOUT_A_MEANING = {
    "assertanonfailed": "we never ask to be nobody",
    "badcontinue": "we pass on what the wiki gave",
    "invalidcategory": "of reading categories; the crawler judges it",
    "invalidparammix": "of a list that we don't read",
    "invalidtitle": "of reading categories; the crawler judges it",
    "param-missing": "we ask for entities by id only",
    "toomanyvalues": "we ask for fifty at most",
}


# What an answer means -----------------------------------------------------------------------


@cache
def recorded_refusals() -> list[tuple[str, Recorded]]:
    """Every recorded refusal of an action that the product uses, and those of every write."""
    found = []
    for path in sorted(FOLDER.glob("*/*.json")):
        recorded: Recorded = json.loads(path.read_text())
        body = recorded["response"]["body"]
        if parameters(recorded).get("action") not in USED or not isinstance(body, dict):
            continue
        if "errors" in body or isinstance(body.get("error"), dict):
            found.append((f"{path.parent.name}/{path.stem}", recorded))
    return found


def words_in(value: object) -> Iterator[str]:
    """Every code and name of a message in an answer, by looking everywhere."""
    if isinstance(value, dict):
        yield from (str(value[key]) for key in ("code", "name") if key in value)
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from words_in(each)


def shapes_of(row: Row) -> list[dict[str, Any]]:
    """The code as the wiki may wrap it: in a list, or behind `failed-save`, new and old."""
    told = {"messages": [{"name": "wikibase-api-failed-save"}, {"name": row.code}]}
    dull = {"code": "failed-save", "text": "The save has failed."}
    return [
        {"errors": [{"code": row.code, "text": "blocked, ratelimited"}]},
        {"error": {"code": row.code, "info": "readonly"}},
        {"errors": [dull, {"code": row.code}, {**dull, "data": told}]},
        {"errors": [dull, {"code": row.code}, {"code": "permissionserrors"}, dull]},
    ]


def test_each_code_means_this_in_every_shape(subtests: pytest.Subtests) -> None:
    for row in ROWS:
        with subtests.test(code=row.code):
            for body in shapes_of(row):
                outcome = judge(Node(body))
                assert (outcome.next, outcome.reason) == (row.next, row.reason), body
                assert outcome.wait is None


def test_each_code_means_this_where_it_was_recorded(subtests: pytest.Subtests) -> None:
    for row in ROWS:
        with subtests.test(code=row.code):
            judge_where_recorded(row)


def judge_where_recorded(row: Row) -> None:
    """Dull codes come along with many others, so they say nothing here."""
    for name, recorded in recorded_refusals():
        body = recorded["response"]["body"]
        words = set(words_in(body))
        if row.code not in words or row.code in responses._DULL:
            continue
        outcome = judge(Node(body))
        if "blockedtext-partial" in words:  # the wiki calls it `blocked` as well
            assert (outcome.next, outcome.reason) == (Next.REFUSE, Reason.PARTLY_BLOCKED), name
        else:
            assert (outcome.next, outcome.reason) == (row.next, row.reason), name


def test_each_failure_of_the_transport_means_this(subtests: pytest.Subtests) -> None:
    for row in FAILURES:
        with subtests.test(code=row.code):
            outcome = judge_failure(WikiError(row.code, retry_after=3))
            assert (outcome.next, outcome.reason, outcome.wait) == (row.next, row.reason, 3)
            assert outcome.doubtful == (row.reason in (Reason.TROUBLE, Reason.NETWORK))


def test_every_code_of_the_table_has_its_row_here() -> None:
    table = responses._TABLE
    ours = {row.code: (row.next, row.reason) for row in [*ROWS, *FAILURES]}
    assert {code: ours.get(code) for code in table} == table
    assert set(responses._DULL) <= set(ours)


def test_every_recorded_refusal_of_what_we_ask_has_a_meaning() -> None:
    seen, unknown = 0, {}
    for name, recorded in recorded_refusals():
        outcome = judge(Node(recorded["response"]["body"]))
        seen += 1
        if outcome.reason is Reason.UNKNOWN:
            unknown[outcome.detail] = name
    assert seen > 90
    assert {code: name for code, name in unknown.items() if code not in WITHOUT_A_MEANING} == {}
    assert set(unknown) == set(WITHOUT_A_MEANING)


QUICK = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUICK
@given(strategies.lists(strategies.sampled_from(ROWS), min_size=1, max_size=5), strategies.data())
def test_all_entries_count_in_any_order(told: list[Row], data: strategies.DataObject) -> None:
    """The gravest decides wherever it stands; dull and unknown codes beside it change nothing."""
    codes = [row.code for row in told]
    shuffled = data.draw(strategies.permutations([*codes, "failed-save", "a-new-one"]))
    errors = [{"code": code} for code in shuffled]
    known = [row for row in told if row.reason is not Reason.UNKNOWN]
    telling = [row for row in known if row.code not in responses._DULL]
    outcome = judge(Node({"errors": errors}))
    if "blockedtext-partial" in codes:
        assert outcome.reason is Reason.PARTLY_BLOCKED
    elif telling:
        gravest = min(telling, key=lambda row: list(Next).index(row.next))
        assert outcome.next is gravest.next
        reasons = {row.reason for row in telling if row.next is gravest.next}
        assert outcome.reason in reasons
    else:
        assert outcome.next is Next.REFUSE


@QUICK
@given(
    strategies.recursive(
        strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
        lambda inner: (
            strategies.lists(inner, max_size=3)
            | strategies.dictionaries(
                strategies.sampled_from(
                    ["errors", "error", "code", "data", "messages", "name", "warnings", "success"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_answer_however_odd_is_taken_for_a_success_or_breaks_the_table(body: object) -> None:
    outcome = judge(Node(body))
    if outcome.next is Next.SAVED:
        assert isinstance(body, dict)
        assert body["success"]
        assert not {"errors", "error"} & set(body)


# What the writer does -----------------------------------------------------------------------
# It acts on the meaning and not on the code, so each kind of outcome is walked once.


def one_for_each_reason(rows: list[Row]) -> list[Row]:
    """Return the first row of each reason."""
    return list({row.reason: row for row in reversed(rows)}.values())


def refuse(wiki: WikiItself, row: Row, times: int | None = None, **match: str) -> None:
    wiki.running.faults.add("refuse", {**WRITE, **match}, times=times, codes=row.codes)


def test_each_refusal_of_one_statement_fails_that_one_alone(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, caplog: Any
) -> None:
    chosen = one_for_each_reason(REFUSE)
    *refused, good = said_yes(project, len(chosen) + 1)
    batch = confirmed(project, alice)
    for label, row in zip(refused, chosen, strict=True):
        refuse(wiki, row, title=label.photo.title)
    assert send_to_the_end(batch).state == State.DONE
    for label, row in zip(refused, chosen, strict=True):
        attempt = batch.attempts.get(claim__page_id=label.photo.page_id)
        assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, row.reason), row
        assert attempt.error_detail in row.codes
        assert attempt.why
        assert attempt.tries == 1
        assert attempt.claim.state == Claim.State.FREE
    assert [edit.page_id for edit in wiki.edits()] == [good.photo.page_id]
    unknown = [record for record in caplog.records if "unknown code" in record.message]
    assert len(unknown) == len([row for row in chosen if row.reason is Reason.UNKNOWN])
    assert Edit.objects.count() == 1
    wiki.running.faults.clear()  # nothing is held against them: another batch may try again
    again = batches.prepare_batch(project, alice)
    assert again.attempts.filter(outcome=Outcome.PLANNED).count() == len(refused)


@pytest.mark.parametrize("row", one_for_each_reason(STOP), ids=str)
def test_each_refusal_of_a_user_or_of_the_tool_stops_the_batch_and_says_why(
    row: Row, project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    refuse(wiki, row)
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, row.reason)
    assert batch.why
    assert batch.finished_at
    assert set(batch.attempts.values_list("state", "outcome", "reason")) == {
        (WorkState.STOPPED, Outcome.SKIPPED, row.reason)
    }
    assert not Claim.objects.exclude(state=Claim.State.FREE).exists()
    [rule] = wiki.running.faults.as_json()
    assert rule["hits"] == 1, "it asked again although it was told no"
    assert not wiki.edits()


def test_each_trouble_that_passes_is_waited_out_and_written_once(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    chosen = one_for_each_reason(LATER)
    labels = said_yes(project, len(chosen))
    batch = confirmed(project, alice)
    for label, row in zip(labels, chosen, strict=True):
        refuse(wiki, row, times=1, title=label.photo.title)
    seen: dict[int, str] = {}
    for _round in range(3 * len(chosen)):
        send(budget=0.1)
        waiting = batch.attempts.exclude(error="").filter(outcome=Outcome.PLANNED)
        seen.update(waiting.values_list("claim__page_id", "error"))
        batch.refresh_from_db()
        if batch.state == State.DONE:
            break
        assert batch.state == State.RUNNING
        time_passes()
    assert seen == {
        label.photo.page_id: row.reason for label, row in zip(labels, chosen, strict=True)
    }
    for label in labels:
        assert len(wiki.edits(label.photo.page_id)) == 1
        assert len(wiki.depicts(label.photo.page_id)) == 1
    assert set(batch.attempts.values_list("outcome", flat=True)) == {Outcome.WRITTEN}


def test_a_wiki_that_is_read_only_names_no_time_so_we_come_back_by_ourselves(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    refuse(wiki, PAUSE[0], times=2)
    for _pause in range(2):
        send()
        batch.refresh_from_db()
        assert (batch.state, batch.reason) == (State.PAUSED, Reason.READONLY)
        assert batch.resume_at
        wait = (batch.resume_at - timezone.now()).total_seconds()
        assert 0 < wait <= writing_attempt.REST[Reason.READONLY].total_seconds()
        assert not batch.attempts.exclude(tries=0).exists()
        time_passes()
    assert pace.paused_until(EVERYBODY) is None
    assert send_to_the_end(batch).state == State.DONE
    assert len(wiki.edits()) == 2


def test_servers_that_turn_the_tool_away_are_left_alone_for_a_while(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("http", WRITE, times=1, status=403)
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.TURNED_AWAY)
    assert batch.resume_at
    assert (batch.resume_at - timezone.now()).total_seconds() > 600
    assert send_to_the_end(batch).state == State.DONE
    assert len(wiki.edits()) == 1


def test_a_bad_edit_token_is_fetched_anew_and_the_edit_repeated_at_once(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.world.reset_request_counts()
    refuse(wiki, TOKEN[0], times=1)
    send()
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.tries) == (Outcome.WRITTEN, 1)
    [edit] = wiki.edits()
    assert attempt.revision == edit.id
    counts = wiki.running.world.request_counts
    assert sum(n for key, n in counts.items() if "wbsetclaim" in key) == 2


def test_an_edit_token_that_is_always_refused_fails_that_claim_alone(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    bad, good = said_yes(project, 2)
    batch = confirmed(project, alice)
    refuse(wiki, TOKEN[0], title=bad.photo.title)
    assert send_to_the_end(batch, rounds=30).state == State.DONE
    attempt = batch.attempts.get(claim__page_id=bad.photo.page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.TOKEN)
    assert attempt.claim.state == Claim.State.FREE
    assert [edit.page_id for edit in wiki.edits()] == [good.photo.page_id]


def test_a_conflict_that_stays_fails_that_claim_alone_when_its_tries_are_spent(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    crowded, good = said_yes(project, 2)
    batch = confirmed(project, alice)
    refuse(wiki, Row("editconflict", Next.LATER, Reason.CONFLICT), title=crowded.photo.title)
    assert send_to_the_end(batch, rounds=30).state == State.DONE
    attempt = batch.attempts.get(claim__page_id=crowded.photo.page_id)
    assert (attempt.outcome, attempt.reason) == (Outcome.REFUSED, Reason.CONFLICT)
    assert attempt.tries >= ClaimAttempt.max_tries
    assert claim_of(crowded).state == Claim.State.FREE
    [rule] = wiki.running.faults.as_json()
    assert rule["hits"] == ClaimAttempt.max_tries
    assert claim_of(good).state == Claim.State.WRITTEN
    assert [edit.page_id for edit in wiki.edits()] == [good.photo.page_id]


def test_an_edit_at_the_very_same_moment_is_a_conflict_and_then_goes_through(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: Any
) -> None:
    """The wiki's own conflict: somebody saves between its reading and its saving."""
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    refuse_or_not = access.refuse_wikibase_save
    meanwhile = iter([lambda: wiki.somebody_adds(label.photo.page_id, "Q937")])

    def checked(call: Any, page: Any) -> None:  # the wiki has read the file by now
        refuse_or_not(call, page)
        next(meanwhile, lambda: None)()

    monkeypatch.setattr(access, "refuse_wikibase_save", checked)
    send(budget=0.5)
    attempt = the_attempt(batch)
    assert (attempt.state, attempt.error) == (WorkState.QUEUED, Reason.CONFLICT)
    send_to_the_end(batch)
    assert the_attempt(batch).outcome == Outcome.WRITTEN
    assert len(wiki.depicts(label.photo.page_id)) == 1
    assert len(wiki.depicts(label.photo.page_id, "Q937")) == 1


def test_an_edit_that_the_wiki_patched_in_is_looked_at_again(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("patched", WRITE, times=1)
    wiki.running.world.reset_request_counts()
    send()
    attempt = the_attempt(batch)
    [edit] = wiki.edits()
    assert (attempt.outcome, attempt.revision) == (Outcome.WRITTEN, edit.id)
    assert claim_of(label).state == Claim.State.WRITTEN
    counts = wiki.running.world.request_counts
    assert sum(n for key, n in counts.items() if "wbgetentities" in key) == 2
    assert Edit.objects.get().answer == {"found": "by reading, after the answer was lost"}


def test_a_patched_edit_that_somebody_took_out_at_once_is_known_as_removed(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself, monkeypatch: Any
) -> None:
    [label] = said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("patched", WRITE, times=1)
    look = writing_attempt.Turn._look_again

    def meanwhile(self: writing_attempt.Turn, *told: Any) -> None:
        wiki.somebody_removes(label.photo.page_id)
        look(self, *told)

    monkeypatch.setattr(writing_attempt.Turn, "_look_again", meanwhile)
    send()
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.WRITTEN, Reason.REMOVED)
    assert claim_of(label).state == Claim.State.REMOVED
    send_to_the_end(batch)
    assert not wiki.depicts(label.photo.page_id)
    assert len(wiki.edits()) == 1


def test_a_doubt_about_who_we_are_refreshes_the_login_once(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    before = WikiCredential.objects.get(user=alice).generation
    refuse(wiki, LOGIN[0], times=1)
    send()
    batch.refresh_from_db()
    assert batch.state == State.DONE
    assert WikiCredential.objects.get(user=alice).generation == before + 1
    assert len(wiki.edits()) == 2


def test_a_user_whom_the_wiki_does_not_know_with_a_new_login_either_is_asked_to_log_in(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    refuse(wiki, LOGIN[2])
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.PAUSED, Reason.LOGIN)
    assert batch.resume_at is None
    assert WikiCredential.objects.get(user=alice).needs_login
    assert not wiki.edits()


def test_a_consumer_refused_while_reading_stops_the_batch_as_well(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    wiki.running.faults.add(
        "refuse", {"user": "Alice"}, codes=["mwoauth-invalid-authorization-not-approved"]
    )
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.TOOL_OFF)
    assert not Claim.objects.exclude(state=Claim.State.FREE).exists()


def test_the_gravest_of_several_codes_is_acted_on(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    said_yes(project, 2)
    batch = confirmed(project, alice)
    codes = ["failed-save", "ratelimited", "one-that-nobody-knows", "blocked", "permissionserrors"]
    wiki.running.faults.add("refuse", WRITE, codes=codes)
    send()
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.BLOCKED)


SIDE_BY_SIDE = {
    "blocked": ({"codes": ["failed-save", "blocked"]}, State.STOPPED, Reason.BLOCKED),
    "not permitted": (
        {"codes": ["failed-save", "permissiondenied"]},
        State.STOPPED,
        Reason.NOT_PERMITTED,
    ),
    "unknown to the wiki": ({"codes": ["assertuserfailed"]}, State.PAUSED, Reason.LOGIN),
    "read-only": ({"codes": ["readonly"]}, State.PAUSED, Reason.READONLY),
    "too fast": ({"codes": ["failed-save", "ratelimited"]}, State.RUNNING, ""),
    "trouble": ({"codes": ["internal_api_error_DBQueryError"]}, State.RUNNING, ""),
    "conflicts": ({"codes": ["failed-save", "editconflict"]}, State.RUNNING, ""),
    "refused": ({"codes": ["failed-save", "hookaborted"]}, State.DONE, ""),
}


@pytest.mark.parametrize("trouble", SIDE_BY_SIDE)
def test_one_users_trouble_lets_the_batches_of_others_go_on(
    trouble: str,
    project: Project,
    alice: User,
    bob: User,
    make_project: Any,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    fault, state, reason = SIDE_BY_SIDE[trouble]
    other = make_project(bob, "Q937")
    said_yes(project, 2)
    said_yes(other, 2, by=bob, skip=2)
    hers, his = confirmed(project, alice), confirmed(other, bob)
    wiki.running.faults.add("refuse", {**WRITE, "user": "Alice"}, **fault)
    send()
    hers.refresh_from_db()
    his.refresh_from_db()
    assert (hers.state, hers.reason) == (state, reason)
    assert his.state == State.DONE
    assert {edit.user for edit in wiki.edits()} == {"Bob"}


@pytest.mark.parametrize("kind", ["maxlag", "http"])
def test_a_wait_that_the_wiki_orders_is_kept_by_all_users_and_workers(
    kind: str,
    project: Project,
    alice: User,
    bob: User,
    make_project: Any,
    said_yes: Make,
    wiki: WikiItself,
) -> None:
    other = make_project(bob, "Q937")
    said_yes(project, 1)
    said_yes(other, 1, by=bob, skip=2)
    hers, his = confirmed(project, alice), confirmed(other, bob)
    wiki.running.faults.add(kind, WRITE, times=1, status=429, retry_after=30)
    send()
    before = dict(wiki.running.world.request_counts)
    send(budget=0.3)  # another worker, with a memory of its own
    assert dict(wiki.running.world.request_counts) == before
    assert not wiki.edits()
    assert Writer.objects.filter(state=WorkState.QUEUED, due_at__gt=timezone.now()).count() == 2
    time_passes()
    send()
    for batch in (hers, his):
        batch.refresh_from_db()
        assert batch.state == State.DONE


def test_a_doubt_in_a_batch_that_the_wiki_stopped_ends_for_the_same_reason(
    project: Project, alice: User, said_yes: Make, wiki: WikiItself
) -> None:
    """Not as if a person had stopped it."""
    said_yes(project)
    batch = confirmed(project, alice)
    wiki.running.faults.add("cut-before", WRITE, times=1)
    refuse(wiki, STOP[0])
    send_to_the_end(batch)
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == (State.STOPPED, Reason.BLOCKED)
    time_passes()
    send()
    attempt = the_attempt(batch)
    assert (attempt.outcome, attempt.reason) == (Outcome.SKIPPED, Reason.BLOCKED)
    assert attempt.claim.state == Claim.State.FREE
