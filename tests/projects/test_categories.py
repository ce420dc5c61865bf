"""Completing, counting and guessing categories on Commons."""

import pytest
from django.conf import settings

from core.user_errors import Refused
from projects.creation import source_lookup
from projects.creation.source_lookup import Counts, Kind, Place
from projects.models import DenyEntry
from sandbox import RunningSandbox
from wiki import categories

pytestmark = pytest.mark.django_db


def count(title: str, qid: str, depth: int = 0) -> Counts:
    return source_lookup.count(Place(Kind.CATEGORY, title, depth), qid)


@pytest.mark.parametrize(
    "text",
    [
        "Marie Curie",
        "marie_Curie",
        " Category:Marie Curie ",
        "category:marie  Curie",
        "[[:Category:Marie Curie]]",
        "https://commons.wikimedia.org/wiki/Category:Marie_Curie",
        "https://commons.m.wikimedia.org/wiki/Category:Marie%20Curie",
        "https://commons.wikimedia.org/w/index.php?title=Category:Marie_Curie&action=edit",
    ],
)
def test_a_title_is_found_in_what_people_paste(text: str) -> None:
    assert categories.clean(text) == "Marie Curie"


@pytest.mark.parametrize("text", ["", "Category:", "a|b", "what <b>", "x" * 300])
def test_what_cannot_be_a_title_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="not-a-category"):
        categories.clean(text)


def test_a_name_is_completed_with_sizes(sandbox: RunningSandbox) -> None:
    found = categories.search("Category:Marie C")
    assert "Marie Curie" in [category.title for category in found]
    assert next(c for c in found if c.title == "Marie Curie").files > 0
    assert categories.search("No such category begins so") == []
    assert categories.search("|") == []


def members(sandbox: RunningSandbox, *titles: str) -> set[int]:
    """Page ids of the files in these very categories, as the sandbox itself has them."""
    marks = ",".join("?" * len(titles))
    rows = sandbox.world.store.rows(
        "SELECT page_id FROM category_member JOIN page ON page.wiki = category_member.wiki"
        f" AND page.id = page_id WHERE ns = 6 AND category_title IN ({marks})",
        [f"Category:{title}" for title in titles],
    )
    return {row["page_id"] for row in rows}


def depicting(sandbox: RunningSandbox, qid: str) -> set[int]:
    rows = sandbox.world.store.rows(
        "SELECT page_id FROM statement WHERE wiki = 'commons' AND key = ?", [f"P180={qid}"]
    )
    return {row["page_id"] for row in rows}


def test_files_without_the_statement_are_counted(sandbox: RunningSandbox) -> None:
    files, tagged = members(sandbox, "Albert Einstein in 1921"), depicting(sandbox, "Q937")
    assert files & tagged, "the sandbox must hold tagged files for this test to mean anything"
    counts = count("Albert Einstein in 1921", "Q937")
    assert (counts.files, counts.lacking) == (len(files), len(files - tagged))
    others = depicting(sandbox, "Q7186")
    assert count("Albert Einstein in 1921", "Q7186").lacking == len(files - others)


def test_subcategories_count_each_file_once_and_survive_cycles(
    fresh_sandbox: RunningSandbox,
) -> None:
    world = fresh_sandbox.world
    world.add_page("commons", "Category:Loop A", "[[Category:Loop B]]")
    world.add_page("commons", "Category:Loop B", "[[Category:Loop A]] [[Category:Loop root]]")
    world.add_page("commons", "Category:Loop root", "")
    for title in ("File:Albert Einstein Head cleaned.jpg", "File:Marie Curie c. 1920s.jpg"):
        page = world.page("commons", title)
        assert page
        text = world.current(page).wikitext
        world.save_text(page, text + "[[Category:Loop A]][[Category:Loop B]]", user="Admin")
    assert count("Loop root", "Q937", 0).files == 0
    deep = count("Loop root", "Q937", 5)
    assert (deep.files, deep.subcategories, deep.at_least) == (2, 2, False)


def test_a_misspelt_name_gets_a_guess(sandbox: RunningSandbox) -> None:
    with pytest.raises(Refused) as refused:
        count("Mari Curie", "Q7186")
    assert refused.value.code == "no-such-category"
    assert refused.value.guesses[0] == "Marie Curie"


def test_nonsense_gets_a_sentence_without_a_guess(sandbox: RunningSandbox) -> None:
    with pytest.raises(Refused) as refused:
        count("Zzyzx qwerty uiop", "Q7186")
    assert "Did you mean" not in refused.value.sentence
    assert not refused.value.guesses


def test_a_moved_category_is_followed(sandbox: RunningSandbox) -> None:
    row = sandbox.world.store.row(
        "SELECT title, redirect_to FROM page WHERE wiki = 'commons' AND ns = 14"
        " AND redirect_to IS NOT NULL"
    )
    assert row
    old = str(row["title"]).removeprefix("Category:")
    assert categories.read(old).title == str(row["redirect_to"]).removeprefix("Category:")


def test_categories_on_the_deny_list_are_refused(sandbox: RunningSandbox) -> None:
    DenyEntry.objects.create(wiki=settings.WIKI.code, kind="category", value="Marie Curie")
    with pytest.raises(Refused, match="denied"):
        count("Marie Curie", "Q7186")


def test_long_lists_of_titles_are_searched_in_pieces() -> None:
    titles = [f"A category with a long name, number {n}" for n in range(30)]
    parts = categories.parts(titles, 200)
    assert all(len(part) <= 200 for part in parts)
    assert "|".join(parts).count("|") == 29
