"""The surprises of INDEX.md about errors, statements and undo, one test each, effect included."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.contract.recorded_world import page
from tests.contract.replay import Player
from tests.contract.scenes import put, statement
from tests.contract.wiki import Wiki, codes, warned

BOX = {
    "P2677": [
        {
            "snaktype": "value",
            "property": "P2677",
            "datavalue": {"type": "string", "value": "pct:1,2,3,4"},
        }
    ]
}


# ------------------------------------------------------------------------------ errors in general


def test_01_every_refusal_is_http_200(wiki: Wiki, player: Player) -> None:
    for kind in ("readonly", "ratelimited", "blocked", "maxlag", "expired-token"):
        player.running.faults.add(kind, {"action": "wbsetclaim"}, times=1)
        claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
        answer = wiki.post(action="wbsetclaim", claim=json.dumps(claim), maxlag=5)
        assert answer.status_code == 200
        assert answer.headers["MediaWiki-API-Error"]
    assert wiki.depicts(13) == []


def test_02_the_reason_stands_behind_failed_save(wiki: Wiki, player: Player) -> None:
    cases = {"ratelimited": "ratelimited", "blocked": "blocked", "protected": "protectedpage"}
    for kind, code in cases.items():
        player.running.faults.add(kind, {"action": "wbsetclaim"}, times=1)
        body = wiki.set_claim(statement("M13$12345678-0000-4000-8000-000000000001", "Q42"))
        assert body["errors"][0]["code"] == "failed-save"
        assert code in codes(body)[1:]


def test_03_in_formatversion_1_only_a_message_name_tells_the_reason(
    wiki: Wiki, player: Player
) -> None:
    player.running.faults.add("protected", times=2)
    claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
    old = {"formatversion": None, "errorformat": None}
    error = wiki.set_claim(claim, **old)["error"]
    assert error["code"] == "failed-save"
    assert "protectedpagetext" in [message["name"] for message in error["messages"]]
    edit = wiki.write(action="edit", title="File:Series 08.jpg", appendtext="x", **old)
    assert edit["error"]["code"] == "protectedpage"


def test_04_message_html_differs_by_formatversion(wiki: Wiki) -> None:
    parameters: dict[str, Any] = {"action": "wbgetclaims", "entity": "M999999"}
    new = wiki.get(**parameters)
    old = wiki.get(**parameters, formatversion=None, errorformat=None)
    assert isinstance(new["errors"][0]["data"]["messages"][0]["html"], str)
    assert "*" in old["error"]["messages"][0]["html"]
    assert "&lt;" in new["docref"]


@pytest.mark.parametrize(
    "claim",
    [
        [],
        {"id": "M13$12345678-0000-4000-8000-000000000001", "type": "statement", "rank": "normal"},
        {**statement("M13$12345678-0000-4000-8000-000000000001", "Q42"), "rank": "best"},
        {"mainsnak": {"snaktype": "novalue", "property": "P180"}},
    ],
)
def test_05_malformed_claims_look_like_a_fault_of_the_server(wiki: Wiki, claim: Any) -> None:
    [code] = codes(wiki.set_claim(claim))
    assert code.startswith("internal_api_error_Deserializers\\Exceptions\\")
    assert wiki.depicts(13) == []


def test_06_some_texts_are_broken_by_nature(wiki: Wiki) -> None:
    assert wiki.get(action="wbgetclaims", entity="M999999")["errors"][0]["text"].startswith("⧼")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"entity-type": "item", "id": "Q99999999"}, "modification-failed"),
        ({"entity-type": "item", "id": "Q502"}, "modification-failed"),
        ("Q42", "invalid-snak"),
        ({"x": 1}, "invalid-snak"),
    ],
)
def test_07_which_code_for_a_bad_value(wiki: Wiki, value: Any, code: str) -> None:
    body = wiki.write(action="wbcreateclaim", entity="M13", property="P180", snaktype="value",
                      value=json.dumps(value))  # fmt: skip
    assert codes(body) == [code]
    assert wiki.depicts(13) == []


def test_07_a_missing_property_has_two_codes(wiki: Wiki) -> None:
    body = wiki.write(action="wbcreateclaim", entity="M13", property="P99999", snaktype="novalue")
    assert codes(body) == ["no-such-entity"]
    claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
    claim["mainsnak"]["property"] = "P99999"
    assert codes(wiki.set_claim(claim)) == ["modification-failed"]


def test_09_a_token_in_the_query_string_is_refused(wiki: Wiki, player: Player) -> None:
    claim = json.dumps(statement("M13$12345678-0000-4000-8000-000000000001", "Q42"))
    asked = {"action": "wbsetclaim", "claim": claim, "token": player.token("ExampleUser")}
    assert codes(wiki.ask("GET", asked).json()) == ["mustpostparams"]
    assert wiki.depicts(13) == []


def test_09_json_bodies_are_ignored(wiki: Wiki) -> None:
    answer = wiki.player.http.post(wiki.url, json={"action": "query", "format": "json"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


# ------------------------------------------------------------------------------ limits and waiting


def test_10_only_maxlag_says_how_long_to_wait(wiki: Wiki, player: Player) -> None:
    claim = json.dumps(statement("M13$12345678-0000-4000-8000-000000000001", "Q42"))
    told = {}
    for kind in ("maxlag", "ratelimited", "readonly"):
        player.running.faults.add(kind, {"action": "wbsetclaim"}, times=1)
        told[kind] = wiki.post(action="wbsetclaim", claim=claim, maxlag=5)
    assert told["maxlag"].headers["Retry-After"] == "5"
    assert told["maxlag"].headers["X-Database-Lag"] == "7"
    assert told["maxlag"].json()["errors"][0]["data"]["lag"] == 7.3
    assert "Retry-After" not in told["ratelimited"].headers
    assert "Retry-After" not in told["readonly"].headers
    assert wiki.depicts(13) == []


def test_11_the_rate_limit_hits_what_changes_nothing_but_not_what_is_invalid(
    player: Player,
) -> None:
    limited = Wiki(player, "LimitedUser")
    player.running.world.set("ratelimit:LimitedUser", "2/60")
    guid = limited.add(13, "Q42")
    limited.add(13, "Q5", 2)
    assert "ratelimited" in codes(limited.set_claim(statement(guid, "Q42")))
    assert "ratelimited" in codes(limited.write(action="wbremoveclaims", claim=guid))
    bad = statement("M13$12345678-0000-4000-8000-000000000003", "Q99999999")
    assert codes(limited.set_claim(bad)) == ["modification-failed"]
    assert len(limited.depicts(13)) == 2
    assert limited.player.token("LimitedUser").endswith("+\\")


@pytest.mark.waits
def test_12_parallel_writes_to_one_file_conflict(wiki: Wiki, player: Player) -> None:
    player.running.faults.add("slow-save", seconds=0.3, times=1)
    bodies = []
    claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
    slow = threading.Thread(target=lambda: bodies.append(wiki.set_claim(claim)))
    slow.start()
    threading.Event().wait(0.1)
    put(player.running.world, 13, statement("M13$12345678-0000-4000-8000-000000000002", "Q5"))
    slow.join()
    assert codes(bodies[0]) == ["failed-save", "editconflict"]
    assert [item for _, item in wiki.depicts(13)] == ["Q5"]
    assert wiki.set_claim(claim)["success"] == 1


# -------------------------------------------------------------------------------------- statements


def test_14_the_key_statements_is_ignored_in_the_input(wiki: Wiki) -> None:
    data = {"statements": [statement("M13$12345678-0000-4000-8000-000000000001", "Q42")]}
    assert wiki.write(action="wbeditentity", id="M13", data=json.dumps(data))["success"] == 1
    assert wiki.depicts(13) == []
    data = {"claims": data["statements"]}
    entity = wiki.write(action="wbeditentity", id="M13", data=json.dumps(data))["entity"]
    assert "statements" in entity
    assert len(wiki.depicts(13)) == 1


def test_16_after_the_last_statement_the_entity_is_no_longer_missing(wiki: Wiki) -> None:
    guid = wiki.add(13, "Q42")
    assert wiki.write(action="wbremoveclaims", claim=guid)["success"] == 1
    entity = wiki.get(action="wbgetentities", ids="M13")["entities"]["M13"]
    assert "missing" not in entity
    assert entity["statements"] == []


def test_19_createclaim_duplicates_and_setclaim_with_a_guid_does_not(wiki: Wiki) -> None:
    value = json.dumps({"entity-type": "item", "id": "Q42"})
    new = {"entity": "M13", "property": "P180", "snaktype": "value", "value": value}
    for _ in range(2):
        assert wiki.write(action="wbcreateclaim", **new)["success"] == 1
    assert len(wiki.depicts(13)) == 2
    claim = statement("M16$12345678-0000-4000-8000-000000000001", "Q42")
    first, second = wiki.set_claim(claim), wiki.set_claim(claim)
    assert first["pageinfo"]["lastrevid"] == second["pageinfo"]["lastrevid"]
    assert "nochange" not in second
    assert len(wiki.depicts(16)) == 1


def test_20_setclaim_replaces_the_whole_statement(wiki: Wiki) -> None:
    guid = "M13$12345678-0000-4000-8000-000000000001"
    with_box = wiki.set_claim(statement(guid, "Q42", qualifiers=BOX))
    assert with_box["claim"]["qualifiers"]
    assert "qualifiers" not in wiki.set_claim(statement(guid, "Q42"))["claim"]
    changed = statement(guid, "Q42")
    changed["mainsnak"]["property"] = "P31"
    assert codes(wiki.set_claim(changed)) == ["modification-failed"]


def test_21_a_duplicate_main_snak_is_answered_by_a_warning_alone(wiki: Wiki) -> None:
    guid = wiki.add(13, "Q42")
    revision = wiki.latest(13)
    for other_guid in ("M13$12345678-0000-4000-8000-000000000002", guid):
        claim = statement(other_guid, "Q42", qualifiers=BOX)
        body = wiki.set_claim(claim, ignoreduplicatemainsnak=1)
        assert list(body) == ["warnings"]
        assert warned(body) == ["wikibase-setclaim-warning-duplicatemainsnak"]
    assert wiki.latest(13) == revision
    assert wiki.depicts(13) == [(guid, "Q42")]


def test_22_a_stale_baserevid_lets_the_duplicate_through(wiki: Wiki, other: Wiki) -> None:
    wiki.add(13, "Q5")
    stale = wiki.latest(13)
    other.add(13, "Q42", 2)
    claim = statement("M13$12345678-0000-4000-8000-000000000003", "Q42")
    body = wiki.set_claim(claim, ignoreduplicatemainsnak=1, baserevid=stale)
    assert warned(body) == ["wikibase-conflict-patched"]
    assert [item for _, item in wiki.depicts(13)] == ["Q5", "Q42", "Q42"]


def test_23_a_stale_baserevid_does_not_protect(wiki: Wiki, other: Wiki) -> None:
    guid = wiki.add(13, "Q42")
    stale = wiki.latest(13)
    other.set_claim(statement(guid, "Q42", qualifiers=BOX))
    body = wiki.set_claim(statement(guid, "Q42", rank="preferred"), baserevid=stale)
    assert warned(body) == ["wikibase-conflict-patched"]
    claims = wiki.get(action="wbgetclaims", entity="M13")["claims"]["P180"]
    assert claims[0]["rank"] == "preferred"
    assert "qualifiers" not in claims[0]
    stale = wiki.latest(13)
    other.set_claim(statement(guid, "Q42", qualifiers=BOX))
    body = wiki.write(action="wbremoveclaims", claim=guid, baserevid=stale)
    assert warned(body) == ["wikibase-conflict-patched"]
    assert wiki.depicts(13) == []


def test_24_an_edit_conflict_is_what_was_removed_or_already_made(wiki: Wiki, other: Wiki) -> None:
    guid = wiki.add(13, "Q42")
    stale = wiki.latest(13)
    other.set_claim(statement(guid, "Q5"))
    assert codes(wiki.set_claim(statement(guid, "Q5"), baserevid=stale)) == ["editconflict"]
    assert wiki.set_claim(statement(guid, "Q5"))["success"] == 1
    stale = wiki.latest(13)
    other.write(action="wbremoveclaims", claim=guid)
    assert codes(wiki.set_claim(statement(guid, "Q84"), baserevid=stale)) == ["editconflict"]
    removal = wiki.write(action="wbremoveclaims", claim=guid, baserevid=stale)
    assert codes(removal) == ["editconflict"]
    assert wiki.depicts(13) == []
    assert wiki.set_claim(statement(guid, "Q84"))["success"] == 1
    assert wiki.depicts(13) == [(guid, "Q84")]


def test_25_baserevid_is_the_revision_of_the_page(wiki: Wiki, other: Wiki) -> None:
    first = wiki.latest(13)
    claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
    assert "warnings" not in wiki.set_claim(claim, baserevid=first)
    stale = wiki.latest(13)
    other.write(action="edit", title="File:Series 08.jpg", appendtext="\nhello")
    second = statement("M13$12345678-0000-4000-8000-000000000002", "Q5")
    assert warned(wiki.set_claim(second, baserevid=stale)) == ["wikibase-conflict-patched"]
    third = statement("M13$12345678-0000-4000-8000-000000000003", "Q84")
    assert codes(wiki.set_claim(third, baserevid=2)) == ["nosuchrevid"]
    assert wiki.set_claim(third, baserevid=0)["success"] == 1
    assert len(wiki.depicts(13)) == 3


def test_25_somebody_elses_first_statement_breaks_the_server(wiki: Wiki, other: Wiki) -> None:
    stale = wiki.latest(13)
    other.add(13, "Q42")
    claim = statement("M13$12345678-0000-4000-8000-000000000002", "Q5")
    [code] = codes(wiki.set_claim(claim, baserevid=stale))
    assert code == "internal_api_error_Wikibase\\Lib\\Store\\BadRevisionException"
    assert wiki.set_claim(claim)["success"] == 1


def test_26_a_guid_that_is_gone_is_an_invalid_guid(wiki: Wiki) -> None:
    guids = [wiki.add(13, item, number) for number, item in enumerate(("Q42", "Q5"), 1)]
    far = wiki.add(16, "Q42")
    upper = guids[0].replace("12345678", "1234567A")
    for wrong in ("garbage", "|".join([guids[0], far]), "|".join([guids[0], upper])):
        assert codes(wiki.write(action="wbremoveclaims", claim=wrong)) == ["invalid-guid"]
    assert len(wiki.depicts(13)) == 2
    assert wiki.write(action="wbremoveclaims", claim=guids[0])["claims"] == [guids[0]]
    assert codes(wiki.write(action="wbremoveclaims", claim=guids[0])) == ["invalid-guid"]
    assert wiki.depicts(13) == [(guids[1], "Q5")]


def test_26_a_lower_case_m_is_stored_so(wiki: Wiki) -> None:
    guid = "m13$12345678-0000-4000-8000-000000000001"
    assert wiki.set_claim(statement(guid, "Q42"))["claim"]["id"] == guid
    assert wiki.depicts(13) == [(guid, "Q42")]


def test_28_nothing_resolves_a_redirected_item(wiki: Wiki) -> None:
    wiki.add(13, "Q501")
    assert [item for _, item in wiki.depicts(13)] == ["Q501"]
    claim = statement("M13$12345678-0000-4000-8000-000000000002", "Q42")
    claim["mainsnak"]["datavalue"]["value"] = {"entity-type": "item", "numeric-id": 146}
    wiki.set_claim(claim)
    claim = statement("M13$12345678-0000-4000-8000-000000000003", "Q42")
    claim["mainsnak"]["datavalue"]["value"] = {"entity-type": "item", "numeric-id": 5, "id": "Q84"}
    wiki.set_claim(claim)
    assert [item for _, item in wiki.depicts(13)] == ["Q501", "Q146", "Q84"]


def test_29_statements_land_on_a_redirect_when_asked_to(wiki: Wiki) -> None:
    asked = {"action": "query", "titles": "File:Old name.jpg", "prop": "imageinfo"}
    [plain] = wiki.get(**asked)["query"]["pages"]
    [followed] = wiki.get(**asked, redirects=1)["query"]["pages"]
    assert (plain["pageid"], followed["pageid"]) == (53, 32)
    assert plain["imageinfo"] == followed["imageinfo"]
    wiki.add(53, "Q42")
    assert len(wiki.depicts(53)) == 1
    assert wiki.depicts(32) == []


def test_29_a_move_and_an_undeletion_keep_the_m_id(wiki: Wiki, player: Player) -> None:
    world = player.running.world
    guid = wiki.add(13, "Q42")
    world.move(page(world, 13), "File:Renamed.jpg", user="Admin")
    assert wiki.depicts(13) == [(guid, "Q42")]
    world.delete(page(world, 13), user="Admin")
    assert "missing" in wiki.get(action="wbgetentities", ids="M13")["entities"]["M13"]
    gone = world.deleted_page("commons", "File:Renamed.jpg")
    assert gone
    world.undelete(gone, user="Admin")
    assert wiki.depicts(13) == [(guid, "Q42")]


def test_30_the_summary_and_the_tag_come_by_themselves(wiki: Wiki) -> None:
    wiki.add(13, "Q42", summary="my summary")
    asked = {"action": "query", "list": "recentchanges", "rctitle": "File:Series 08.jpg"}
    body = wiki.get(**asked, rcprop="comment|tags", rctype="edit")
    [change] = body["query"]["recentchanges"]
    assert change["comment"] == (
        "/* wbsetclaim-create:2||1 */ [[d:Special:EntityPage/P180]]:"
        " [[d:Special:EntityPage/Q42]], my summary"
    )
    assert change["tags"] == ["OAuth CID: 1"]


def test_30_an_unknown_tag_fails_the_whole_edit(wiki: Wiki) -> None:
    claim = statement("M13$12345678-0000-4000-8000-000000000001", "Q42")
    assert codes(wiki.set_claim(claim, tags="example-tool|nosuchtag")) == ["badtags"]
    assert wiki.depicts(13) == []
    wiki.set_claim(claim, tags="example-tool")
    tagged = wiki.get(action="query", list="usercontribs", ucuser="ExampleUser",
                      uctag="example-tool", ucprop="title")["query"]["usercontribs"]  # fmt: skip
    assert [edit["title"] for edit in tagged] == ["File:Series 08.jpg"]


# -------------------------------------------------------------------------------------------- undo


def test_31_undo_says_success_and_leaves_the_statement(wiki: Wiki) -> None:
    guid = wiki.add(13, "Q42")
    edit = wiki.latest(13)
    answer = wiki.write(action="edit", title="File:Series 08.jpg", undo=edit)["edit"]
    assert answer["result"] == "Success"
    assert answer["nochange"] is True
    assert wiki.depicts(13) == [(guid, "Q42")]
    assert wiki.latest(13) == edit


def test_32_the_mediainfo_slot_can_be_read_and_not_be_edited(wiki: Wiki) -> None:
    body = wiki.write(action="edit", title="File:Series 08.jpg", text="{}",
                      contentmodel="wikibase-mediainfo")  # fmt: skip
    assert codes(body) == ["no-direct-editing"]
    wiki.write(action="wbremoveclaims", claim=wiki.add(13, "Q42"))
    [told] = wiki.get(action="query", prop="revisions", titles="File:Series 08.jpg", rvlimit=5,
                      rvprop="ids|content|roles", rvslots="*")["query"]["pages"]  # fmt: skip
    *new, old = told["revisions"]
    assert old["roles"] == ["main"]
    empty, full = (json.loads(one["slots"]["mediainfo"]["content"]) for one in new)
    assert (full["labels"], list(full["statements"]), empty["statements"]) == ([], ["P180"], [])


def test_33_an_unknown_tag_gives_an_empty_list(wiki: Wiki) -> None:
    body = wiki.get(action="query", list="recentchanges", rctag="nosuchtag")
    assert body["query"]["recentchanges"] == []
    assert "warnings" not in body
