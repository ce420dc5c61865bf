"""The world of the sandbox is whole, credited, and true to the manifest."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from sandbox import RunningSandbox, seed
from sandbox.pages.show import licences
from sandbox.wikitext import normalize_title
from sandbox.world import World

TARGETS = {"Q937": 14, "Q76": 12, "Q7186": 9, "Q6279": 6, "Q1615": 3, "Q2252": 3}

BARE = "bare.jpg"  # its page has no template


def titles_below(world: World, category: str, depth: int = 5) -> set[str]:
    found: set[str] = set()
    if depth < 0:
        return found
    for row in world.store.rows(
        "SELECT title, ns FROM category_member JOIN page ON page.id = page_id"
        " AND page.wiki = category_member.wiki WHERE category_title = ?",
        (category,),
    ):
        if row["ns"] == 14:
            found |= titles_below(world, row["title"], depth - 1)
        else:
            found.add(row["title"])
    return found


def test_an_empty_world_is_filled_in_two_seconds(tmp_path: Path) -> None:
    world, started = World(tmp_path), time.process_time()
    seed.seed(world)
    assert time.process_time() - started < 2
    world.close()


def test_every_file_of_the_manifests_is_there_under_its_title(wiki: RunningSandbox) -> None:
    for row in seed.manifest().values():
        page = wiki.world.page("commons", row["title"])
        assert page, row["title"]
        assert wiki.world.file(page)
        assert normalize_title("commons", row["title"]) == (6, row["title"])


def test_every_file_page_names_author_source_and_licence(wiki: RunningSandbox) -> None:
    for file, row in seed.manifest().items():
        if file == BARE:
            continue  # awkward.csv alone says whose it is
        page = wiki.world.page("commons", row["title"])
        assert page
        text = wiki.world.current(page).wikitext
        assert f"|author={row['author']}\n" in text
        assert f"|source={row['source']}\n" in text
        assert licences(text), row["title"]


def test_existing_statements_are_true(wiki: RunningSandbox) -> None:
    truth, seen = seed.truth(), 0
    for row in wiki.world.store.rows("SELECT page_id, key FROM statement WHERE key LIKE 'P180=%'"):
        page = wiki.world.page_by_id("commons", row["page_id"])
        assert page
        qid = row["key"].removeprefix("P180=")
        if truth[page.title]:  # a cat and a painting show nobody
            assert qid in truth[page.title], page.title
            seen += 1
    assert seen > 15


def test_most_files_have_no_structured_data(wiki: RunningSandbox) -> None:
    entities = wiki.world.store.rows(
        "SELECT entity FROM page JOIN revision ON revision.wiki = page.wiki AND"
        " revision.id = page.latest WHERE page.wiki = 'commons' AND ns = 6 AND redirect_to IS NULL"
    )
    without = [row for row in entities if row["entity"] is None]
    assert len(without) > len(entities) / 2


def test_statements_carry_a_region_and_a_preferred_rank_somewhere(wiki: RunningSandbox) -> None:
    page = wiki.world.page("commons", "File:Solvay conference 1927.jpg")
    assert page
    entity = wiki.world.current(page).entity
    assert entity
    einstein = entity["statements"]["P180"][0]
    assert einstein["qualifiers"]["P2677"][0]["datavalue"]["value"].startswith("pct:")
    page = wiki.world.page("commons", "File:Niels Bohr Albert Einstein4 by Ehrenfest cr.jpg")
    assert page
    entity = wiki.world.current(page).entity
    assert entity
    assert entity["statements"]["P180"][0]["rank"] == "preferred"


@pytest.mark.parametrize(("qid", "least"), TARGETS.items())
def test_a_person_s_category_holds_them_and_others(
    wiki: RunningSandbox, qid: str, least: int
) -> None:
    item = wiki.world.entity("wikidata", qid)
    assert item
    category = item["claims"]["P373"][0]["mainsnak"]["datavalue"]["value"]
    shown = titles_below(wiki.world, f"Category:{category}")
    truth = seed.truth()
    assert len([title for title in shown if qid in truth.get(title, ())]) >= least
    assert any(truth.get(title, set()) - {qid} for title in shown)


def test_a_portrait_shows_its_person_and_one_face(wiki: RunningSandbox) -> None:
    faces = {row["title"]: json.loads(row["faces"]) for row in seed.manifest().values()}
    portraits = 0
    for row in wiki.world.store.rows("SELECT title FROM page WHERE wiki = 'wikidata' AND ns = 0"):
        item = wiki.world.entity("wikidata", row["title"]) or {"claims": {}}
        human = _values(item, "P31") == [{"entity-type": "item", "numeric-id": 5, "id": "Q5"}]
        for name in _values(item, "P18") if human and row["title"] != "Q762" else []:
            assert [face["qid"] for face in faces[f"File:{name}"]] == [row["title"]]
            portraits += 1
    assert portraits > 15


def _values(
    item: dict[str, dict[str, list[dict[str, dict[str, object]]]]], prop: str
) -> list[object]:
    snaks = [one["mainsnak"] for one in item["claims"].get(prop, [])]
    return [snak["datavalue"]["value"] for snak in snaks if "datavalue" in snak]  # type: ignore[index]


def test_categories_hold_the_awkward_cases(wiki: RunningSandbox) -> None:
    world = wiki.world
    assert "Category:Einstein family" in _parents(world, "Category:Albert Einstein")
    assert "Category:Albert Einstein" in _parents(world, "Category:Einstein family")
    redirect = world.page("commons", "Category:Einstein")
    assert redirect
    assert redirect.redirect_to == "Category:Albert Einstein"
    assert world.page("commons", "Category:Albert Einstein in 1933")
    assert not titles_below(world, "Category:Albert Einstein in 1933")
    assert titles_below(world, "Category:Photographs by Benjamin Couprie")
    assert world.page("commons", "Category:Photographs by Benjamin Couprie") is None
    assert len(_parents(world, "File:Solvay conference 1927.jpg")) > 4


def _parents(world: World, title: str) -> list[str]:
    page = world.page("commons", title)
    assert page
    rows = world.store.rows(
        "SELECT category_title FROM category_member WHERE wiki = 'commons' AND page_id = ?",
        (page.id,),
    )
    return [row["category_title"] for row in rows]


def test_accounts_are_what_their_names_say(wiki: RunningSandbox) -> None:
    users = {user.name: user for user in wiki.world.users.all()}
    assert users["Blocked"].blocked
    assert "sysop" in users["Mona"].groups
    assert users["Newcomer"].editcount < 10
    assert all(user.sub != str(user.id) for user in users.values())


def test_the_state_names_no_place_on_this_machine(wiki: RunningSandbox) -> None:
    """So that the repository can be moved, and its data with it."""
    rows = wiki.world.store.rows("SELECT path FROM file WHERE id <= ?", (len(seed.manifest()),))
    assert len(rows) == len(seed.manifest())
    assert not [row["path"] for row in rows if Path(row["path"]).is_absolute()]
    page = wiki.world.page("commons", "File:Solvay conference 1927.jpg")
    assert page
    file = wiki.world.file(page)
    assert file
    assert Path(file.path).is_file()
