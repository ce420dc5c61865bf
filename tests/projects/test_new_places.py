"""Places of a new project: suggested, added by hand, chosen from a tree, counted and added up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.user_errors import Refused
from core.work import WorkState
from crawler.detection import eta
from crawler.models import Picture
from projects.creation import person_lookup, source_lookup, suggestions
from projects.creation.source_lookup import Kind, Place
from projects.models import Project, Source, User
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import make_pictures
from tests.projects.test_categories import depicting, members
from tests.projects.test_new import PAGE, errors, post, started
from wiki import wikidata

CURIE = "Q7186"


@pytest.fixture
def browser(alice: User, client_of: ClientOf) -> Client:
    return client_of(alice)


def ticked(page: str) -> set[str]:
    return set(re.findall(r'name="use" value="([^"]+)"[^>]*checked', page))


def fields(page: str) -> dict[str, Any]:
    """What a browser would post of the places in a page."""
    rows = re.findall(r'name="row" value="([^"]+)"', page)
    return {"row": rows, "use": sorted(ticked(page)), "person": CURIE}


def figure(page: str, name: str) -> int:
    found = re.search(rf'data-sum="{name}">−?([\d,]+)<', page)
    return int(found[1]) if found else 0


# Suggestions ------------------------------------------------------------------------------


def test_events_of_the_person_are_suggested(sandbox: RunningSandbox, browser: Client) -> None:
    page = post(browser, choice=CURIE)
    assert ticked(page) == {
        "category:Marie Curie",
        "depicts:Q7186",
        "category:Solvay Conference 1911",  # by P373
        "category:Solvay Conference 1927",  # by the sitelink
    }
    rows = re.findall(r'name="row" value="([^"]+)"', page)
    assert 'value="category:Nobel laureates in Physics"' in page  # others have the award, too
    assert "category:Curie family" in rows  # photos that depict her are in it
    assert "category:Portrait photographs of Marie Curie" not in rows  # her own tree brings it
    assert "search:&quot;Marie Curie&quot;" in rows
    assert "the person took part in it, 1911" in page
    assert "an event without a category" not in page


@pytest.mark.django_db
def test_years_and_reasons_of_events_are_those_of_wikidata(sandbox: RunningSandbox) -> None:
    events = wikidata.read_events(person_lookup.read_person("Q76"), "en")
    assert [(event.category, event.prop, event.years) for event in events] == [
        ("State visit of Hu Jintao to the United States, 2011", "P1344", "2011")
    ]


@pytest.mark.waits
@pytest.mark.django_db
def test_suggestions_do_without_what_the_wiki_does_not_say(sandbox: RunningSandbox) -> None:
    person = person_lookup.read_person(CURIE)
    sandbox.faults.add("http", {}, status=503)
    found, complete = suggestions.for_person(person, "en")
    assert not complete
    assert [each.place.key for each in found] == [
        "category:Marie Curie",
        "depicts:Q7186",
        'search:"Marie Curie"',
    ]


@pytest.mark.django_db
def test_large_events_and_denied_ones_are_not_ticked(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "SMALL_FILES", 0)
    found, _complete = suggestions.for_person(person_lookup.read_person(CURIE), "en")
    assert not [each for each in found if each.use and each.why == "part"]


# By hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "add", "row"),
    [
        ("uploader", "archivist_Anna", "uploader:Archivist Anna"),
        ("category", "User:Kari N.", "uploader:Kari N."),
        ("search", "Special:ListFiles/Kari N.", "uploader:Kari N."),
        ("uploader", "https://commons.wikimedia.org/wiki/User:Kari_N.", "uploader:Kari N."),
        ("search", "Solvay   conference", "search:Solvay conference"),
        ("category", 'insource:"Curie" -physics', "search:insource:&quot;Curie&quot; -physics"),
        ("uploader", "Category:Pierre Curie", "category:Pierre Curie"),
    ],
)
def test_what_is_typed_or_pasted_becomes_a_place(
    sandbox: RunningSandbox, browser: Client, kind: str, add: str, row: str
) -> None:
    page = post(browser, do="add", add=add, kind=kind, person=CURIE)
    assert row in ticked(page)
    assert 'id="add" value=""' in page


@pytest.mark.parametrize(
    ("kind", "add", "says"),
    [
        ("uploader", "Nobody at all", "There is no user “Nobody at all”"),
        ("uploader", "a|b", "no name of a user"),
        ("search", "insource:/(/", "does not understand this search: Regular expression"),
        ("search", "word " * 55, "no search of more than 250"),
    ],
)
def test_what_the_wiki_does_not_know_is_said(
    sandbox: RunningSandbox, browser: Client, kind: str, add: str, says: str
) -> None:
    page = post(browser, do="add", add=add, kind=kind, person=CURIE)
    assert says in errors(page, "add")
    assert 'name="row"' not in page
    assert f'value="{kind}" checked' in page


def test_sources_of_several_kinds_make_one_project(browser: Client) -> None:
    keys = ["uploader:Kari N.", "search:Curie", "category:Pierre Curie", "depicts:Q7186"]
    assert started(browser, row=keys, use=keys[:3], **{"depth:category:Pierre Curie": "0"})
    rows = Source.objects.exclude(kind="file").order_by("id").values_list("kind", "value", "depth")
    assert list(rows) == [
        ("uploader", "Kari N.", 0),
        ("search", "Curie", 0),
        ("category", "Pierre Curie", 0),
    ]


# The tree ---------------------------------------------------------------------------------


def test_subcategories_are_chosen_one_by_one_by_plain_posts(browser: Client) -> None:
    row = {"row": "category:Marie Curie", "use": "category:Marie Curie", "person": CURIE}
    page = post(browser, unfold="Marie Curie", **row)
    assert "brings them along" in page
    assert re.search(r'disabled checked[^>]*id="use-[^"]*-1"', page)
    assert page.count("data-lacking=") >= 4  # each is counted
    page = post(browser, pick="Marie Curie", opened="Marie Curie", **row)
    below = {
        "category:Marie Curie in World War I",
        "category:Marie Curie in her youth",
        "category:Marie Curie in the 1920s",
        "category:Portrait photographs of Marie Curie",
    }
    assert ticked(page) == {"category:Marie Curie", *below}
    some = {"row": "category:Marie Curie", "depth:category:Marie Curie": "0"}
    use = ["category:Marie Curie", "category:Marie Curie in her youth"]
    depth = {"depth:category:Marie Curie in her youth": "1"}
    page = post(browser, do="show", person=CURIE, opened="Marie Curie", use=use, **some, **depth)
    assert ticked(page) == set(use)
    page = post(browser, fold="Marie Curie", person=CURIE, opened="Marie Curie", use=use, **some)
    assert 'class="tree"' not in page
    started(browser, use=use, **some, **depth)
    found = Source.objects.filter(kind="category").values_list("value", "depth")
    assert list(found) == [("Marie Curie", 0), ("Marie Curie in her youth", 1)]


def test_no_more_subcategories_are_ticked_than_there_is_room_for(
    fresh_sandbox: RunningSandbox, browser: Client
) -> None:
    for number in range(30):
        fresh_sandbox.world.add_page(
            "commons", f"Category:Curie {number}", "[[Category:Marie Curie]]"
        )
    row = {"row": "category:Marie Curie", "use": "category:Marie Curie", "person": CURIE}
    page = post(browser, pick="Marie Curie", **row)
    assert len(ticked(page)) == 20
    assert "category:Portrait photographs of Marie Curie" in ticked(page)  # has most files


# Counts and sums --------------------------------------------------------------------------


def test_a_file_in_two_places_is_counted_once(sandbox: RunningSandbox, browser: Client) -> None:
    one, other = "Marie Curie", "Curie family"
    here, there = members(sandbox, one), members(sandbox, other)
    tagged = depicting(sandbox, CURIE)
    assert here & there
    keys = [f"category:{title}" for title in (one, other)]
    form = {"row": keys, "use": keys, "person": CURIE, **{f"depth:{key}": "0" for key in keys}}
    page = post(browser, do="show", **form)
    assert figure(page, "files") == len(here) + len(there)
    assert figure(page, "twice") == len(here & there)
    assert figure(page, "depicting") == len((here | there) & tagged)
    assert figure(page, "lacking") == len((here | there) - tagged)
    assert "at most" not in page
    alone = browser.post(reverse("new-sum"), form).content.decode()
    assert figure(alone, "lacking") == figure(page, "lacking")


@pytest.mark.django_db
def test_what_is_too_big_to_compare_is_told_as_at_most(
    sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [Place(Kind.CATEGORY, "Marie Curie", 2), Place(Kind.CATEGORY, "Curie family", 0)]
    exact = source_lookup.add_up(chosen, CURIE)
    counts = [source_lookup.count(place, CURIE) for place in chosen]
    assert exact
    assert not exact.at_most
    monkeypatch.setattr(source_lookup, "MOST_IDS", 5)
    monkeypatch.setattr(source_lookup, "A_PAGE", 3)
    cache.clear()
    assert [source_lookup.count(place, CURIE).files for place in chosen] == [
        each.files for each in counts
    ]
    roughly = source_lookup.add_up(chosen, CURIE)
    assert roughly
    assert roughly.at_most
    assert roughly.lacking >= exact.lacking
    many = source_lookup.count(Place(Kind.UPLOADER, "Kari N."), CURIE)
    assert many.at_least


@pytest.mark.django_db
def test_an_uploader_s_files_are_counted(sandbox: RunningSandbox) -> None:
    rows = sandbox.world.store.rows(
        "SELECT DISTINCT page_id FROM file WHERE user = 'Archivist Anna'"
    )
    uploads = {row["page_id"] for row in rows}
    found = source_lookup.count(Place(Kind.UPLOADER, "Archivist Anna"), CURIE)
    assert found.files == len(uploads)
    assert found.lacking == len(uploads - depicting(sandbox, CURIE)) < found.files
    with pytest.raises(Refused, match="no-such-user"):
        source_lookup.count(Place(Kind.UPLOADER, "Nobody at all"), CURIE)


def test_an_estimate_is_by_what_was_measured_lately(alice: User, make_project: MakeProject) -> None:
    guessed = eta.estimate(300)
    assert (guessed.faces, guessed.measured) == (600, False)
    cache.clear()
    start = timezone.now() - timedelta(hours=3)
    for number, picture in enumerate(make_pictures(make_project(alice, CURIE, []), 60)):
        pause = timedelta(hours=1) if number >= 30 else timedelta()  # nobody was looking then
        Picture.objects.filter(pk=picture.pk).update(
            state=WorkState.DONE, faces=3, looked_at=start + timedelta(seconds=6 * number) + pause
        )
    measured = eta.estimate(300)
    assert (measured.faces, measured.minutes, measured.measured) == (900, 30, True)


# Who is there already ---------------------------------------------------------------------


def test_one_may_ask_to_join_or_open_what_one_takes_part_in(
    browser: Client, bob: User, alice: User, make_project: MakeProject
) -> None:
    theirs = make_project(bob, CURIE, joining=Project.Joining.OPEN)
    page = post(browser, choice=CURIE)
    assert f'action="{reverse("project-join", args=[theirs.public_id])}"' in page
    assert "Join it" in page
    assert 'name="row"' not in page
    theirs.memberships.create(user=alice)
    Project.objects.update(visibility="private")
    assert "you take part" in post(browser, choice=CURIE)


def test_enter_without_javascript_does_what_is_next(browser: Client) -> None:
    assert 'name="choice"' in post(browser, do="enter", who="Marie")
    page = post(browser, do="enter", add="Pierre Curie", person=CURIE)
    assert "category:Pierre Curie" in ticked(page)
    first = re.search(r"<button[^>]*>", browser.get(PAGE).content.decode().split("<form id=")[1])
    assert first
    assert 'value="enter"' in first[0]


def test_users_are_offered_while_one_types_an_uploader(
    sandbox: RunningSandbox, browser: Client
) -> None:
    def offered(typed: str) -> list[str]:
        asked = {"kind": "uploader", "add": typed}
        page = browser.get("/projects/new/categories", asked).content.decode()
        return re.findall(r'data-value="([^"]+)"', page)

    assert "Archivist Anna" in offered("archivist")
    assert offered("User:Archivist_A") == ["Archivist Anna"]
    assert offered("Nobody is called so") == offered("[[") == []
    asked = {"kind": "search", "add": "archivist"}
    assert not browser.get("/projects/new/categories", asked).content
