"""The surprises of INDEX.md about reading and about who one is, one test each."""

from __future__ import annotations

from tests.contract.replay import Player
from tests.contract.wiki import Wiki, codes, warned


def test_08_a_boolean_parameter_is_true_whatever_it_says(wiki: Wiki) -> None:
    body = wiki.get(action="query", titles="File:Old name.jpg", redirects=0)
    assert body["query"]["pages"][0]["title"] == "File:New name.jpg"


def test_13_a_file_without_data_is_missing_like_no_file_at_all(wiki: Wiki) -> None:
    ids = "M23|M999999|M28|M50"
    entities = wiki.get(action="wbgetentities", ids=ids)["entities"]
    for number in ids.split("|"):
        assert entities[number] == {"id": number, "missing": ""}
        assert codes(wiki.get(action="wbgetclaims", entity=number)) == ["no-such-entity"]
    [missing] = wiki.get(action="query", pageids=999999)["query"]["pages"]
    assert missing["missing"] is True


def test_15_data_types_come_with_wbgetclaims_only_and_hashes_are_the_same(wiki: Wiki) -> None:
    entity = wiki.get(action="wbgetentities", ids="M20")["entities"]["M20"]
    by_entity = entity["statements"]["P180"][0]["mainsnak"]
    by_claims = wiki.get(action="wbgetclaims", entity="M20")["claims"]["P180"][0]["mainsnak"]
    assert "datatype" not in by_entity
    assert by_claims["datatype"] == "wikibase-item"
    assert by_entity["hash"] == by_claims["hash"] == "14040aff9a4cdc8d78230561d7fa85923f95e66d"


def test_17_props_claims_drops_page_and_captions_and_languages_drop_no_statement(
    wiki: Wiki,
) -> None:
    entity = wiki.get(action="wbgetentities", ids="M20", props="claims")["entities"]["M20"]
    assert set(entity) == {"type", "id", "statements"}
    asked = {"action": "wbgetentities", "ids": "M20", "props": "labels", "languages": "fr"}
    entity = wiki.get(**asked)["entities"]["M20"]
    assert entity["labels"] == {}
    assert entity["statements"]["P180"]


def test_18_one_id_that_is_none_fails_the_whole_call(wiki: Wiki) -> None:
    body = wiki.get(action="wbgetentities", ids="M20|nonsense")
    assert codes(body) == ["no-such-entity"]
    assert "entities" not in body
    assert len(wiki.get(action="wbgetentities", ids="M20|M999999")["entities"]) == 2


def test_34_an_empty_category_has_no_query_key(wiki: Wiki) -> None:
    empty = {"action": "query", "generator": "categorymembers", "gcmtitle": "Category:Nothing"}
    assert wiki.get(**empty) == {"batchcomplete": True}
    listed = wiki.get(action="query", list="categorymembers", cmtitle="Category:Nothing")
    assert listed["query"]["categorymembers"] == []
    wrong = wiki.get(action="query", list="categorymembers", cmtitle="Series")
    assert codes(wrong) == ["invalidcategory"]
    moved = wiki.get(action="query", list="categorymembers", cmtitle="Category:Moved category")
    assert moved["query"]["categorymembers"] == []


def test_34_a_generator_gives_pages_by_id(wiki: Wiki) -> None:
    asked = {"action": "query", "generator": "categorymembers", "gcmtitle": "Category:Series",
             "gcmtype": "file", "gcmlimit": 10}  # fmt: skip
    numbers = [page["pageid"] for page in wiki.get(**asked)["query"]["pages"]]
    assert numbers == sorted(numbers)


def test_35_pages_are_whole_only_at_batchcomplete(wiki: Wiki) -> None:
    asked = {"action": "query", "generator": "categorymembers", "gcmtitle": "Category:Series",
             "gcmtype": "file", "gcmlimit": 6, "prop": "imageinfo|categories",
             "cllimit": 3}  # fmt: skip
    members: dict[int, set[str]] = {}
    images: set[int] = set()
    batches, following = 0, dict[str, object]()
    while True:
        body = wiki.get(**{**asked, **following})
        for page in body["query"]["pages"]:
            found = members.setdefault(page["pageid"], set())
            found.update(category["title"] for category in page.get("categories", []))
            images.update([page["pageid"]] if page.get("imageinfo") else [])
        batches += "batchcomplete" in body
        if "continue" not in body:
            break
        following = body["continue"]
    assert batches == 3  # of 14 files, six at a time
    assert len(members) == len(images) == 14
    assert all("Category:Series" in found for found in members.values())


def test_36_too_many_titles_are_an_error_and_too_high_a_limit_a_warning(wiki: Wiki) -> None:
    titles = "|".join(f"File:{number}.jpg" for number in range(51))
    assert codes(wiki.get(action="query", titles=titles)) == ["toomanyvalues"]
    body = wiki.get(action="query", list="categorymembers", cmtitle="Category:Series", cmlimit=9999)
    assert warned(body) == ["outofrange"]
    assert len(body["query"]["categorymembers"]) == 16


def test_37_thumbwidth_can_be_wrong(wiki: Wiki) -> None:
    titles = "File:Rotated bridge.jpg|File:Very small.jpg|File:Coat of arms.svg"
    asked = {"action": "query", "prop": "imageinfo", "iiprop": "url|size", "iiurlwidth": 960}
    pages = wiki.get(**asked, titles=titles)["query"]["pages"]
    found = {page["title"]: page["imageinfo"][0] for page in pages}
    turned = found["File:Rotated bridge.jpg"]
    assert (turned["width"], turned["height"]) == (800, 1200)
    assert turned["thumbwidth"] == 960
    assert "/800px-" in turned["thumburl"]
    small = found["File:Very small.jpg"]
    assert small["thumburl"] == small["url"]
    assert small["thumbwidth"] == 16
    assert "/960px-Coat_of_arms.svg.png" in found["File:Coat of arms.svg"]["thumburl"]
    assert "thumbmime" not in turned


def test_38_extmetadata_is_html_and_its_keys_come_and_go(wiki: Wiki) -> None:
    asked = {"action": "query", "prop": "imageinfo", "iiprop": "extmetadata"}
    titles = "File:Rotated bridge.jpg|File:No category.jpg"
    bare, full = (page["imageinfo"][0]["extmetadata"]
                  for page in wiki.get(**asked, titles=titles)["query"]["pages"])  # fmt: skip
    assert full["Artist"]["value"].startswith("<a href=")
    assert isinstance(full["CommonsMetadataExtension"]["value"], float)
    assert "Artist" not in bare


def test_39_missing_pages_have_negative_keys_in_formatversion_1(wiki: Wiki) -> None:
    asked = {"action": "query", "titles": "File:nothing_here.jpg"}
    body = wiki.get(**asked, formatversion=None)
    assert list(body["query"]["pages"]) == ["-1"]
    assert body["query"]["pages"]["-1"]["missing"] == ""
    [change] = wiki.get(**asked)["query"]["normalized"]
    assert (change["from"], change["to"]) == ("File:nothing_here.jpg", "File:Nothing here.jpg")


def test_40_userinfo_tells_limits_and_blocks(player: Player) -> None:
    asked = {"action": "query", "meta": "userinfo", "uiprop": "ratelimits|blockinfo"}
    told = {name: Wiki(player, name).get(**asked)["query"]["userinfo"]
            for name in ("ExampleBot", "BlockedUser", "PartialBlocked")}  # fmt: skip
    assert told["BlockedUser"]["blockpartial"] is False
    assert told["PartialBlocked"]["blockpartial"] is True
    assert told["BlockedUser"]["blockid"] == 3
    # A bearer without the grant for high volume is limited, a bot's own session is not.
    assert told["ExampleBot"]["ratelimits"] == {}


def test_41_searching_entities(player: Player) -> None:
    wiki = Wiki(player, "", "wikidata")
    asked = {"action": "wbsearchentities", "language": "en", "type": "item"}
    kinds = {text: wiki.get(**asked, search=text)["search"][0]["match"]["type"]
             for text in ("DNA", "house", "q42")}  # fmt: skip
    assert kinds == {"DNA": "alias", "house": "label", "q42": "entityId"}
    first = wiki.get(**asked, search="h", limit=1)
    assert first["search-continue"] == 1
    last = wiki.get(**{**asked, "search": "h", "limit": 1, "continue": 1})
    assert "search-continue" not in last
    [redirected] = wiki.get(**asked, search="Q501")["search"]
    assert redirected["id"] == "Q501"
    assert codes(wiki.get(**{**asked, "search": "x", "type": "mediainfo"})) == ["badvalue"]


def test_48_every_bad_bearer_looks_the_same(player: Player, wiki: Wiki) -> None:
    asked = {"action": "query", "meta": "userinfo", "assert": "user"}
    wiki.headers = {"Authorization": "Bearer garbage"}
    bodies = [wiki.get(**asked)]
    wiki.headers = {"Authorization": f"Bearer {player.bearer('ExampleUser')}"}
    player.running.faults.add("expired-token", times=1)
    bodies.append(wiki.get(**asked))
    assert [codes(body) for body in bodies] == [["mwoauth-invalid-authorization"]] * 2
    assert "module" not in bodies[0]["errors"][0]


def test_49_a_lower_case_scheme_is_nobody(player: Player, wiki: Wiki) -> None:
    asked = {"action": "query", "meta": "userinfo"}
    wiki.headers = {"Authorization": f"bearer {player.bearer('ExampleUser')}"}
    assert wiki.get(**asked)["query"]["userinfo"]["anon"] is True
    assert codes(wiki.get(**asked, **{"assert": "user"})) == ["assertuserfailed"]
    wiki.headers = {"Authorization": f"Bearer {player.bearer('ExampleUser')}"}
    assert wiki.get(**asked, origin="*")["query"]["userinfo"]["anon"] is True


def test_50_a_bearer_still_needs_a_csrf_token(wiki: Wiki, player: Player) -> None:
    for token in ("+\\", player.token("OtherUser")):
        body = wiki.ask("POST", {"action": "wbremoveclaims", "claim": "M20$x", "token": token})
        assert codes(body.json()) == ["badtoken"]
