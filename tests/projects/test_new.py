"""The page of a new project, with and without JavaScript, and every wrong input."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from projects.models import AuditEvent, DenyEntry, Membership, Project, Source, User
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject

PAGE = "/projects/new"
BACKGROUND = ["person-search", "category-search", "place-count"]


@pytest.fixture
def browser(alice: User, client_of: ClientOf) -> Client:
    return client_of(alice)


def post(browser: Client, **fields: Any) -> str:
    answer = browser.post(PAGE, {"public": "on", "anybody": "on", **fields})
    assert answer.status_code == 200
    return answer.content.decode()


def started(browser: Client, **fields: Any) -> HttpResponse:
    data = {"do": "start", "person": "Q7186", "public": "on", "anybody": "on"}
    return browser.post(PAGE, data | fields)  # type: ignore[return-value]


def ticked(title: str, depth: int = 2) -> dict[str, Any]:
    key = f"category:{title}"
    return {"row": key, f"depth:{key}": str(depth), "use": key}


def errors(page: str, field: str) -> str:
    found = re.search(rf'id="{field}-error"[^>]*>(.*?)</p>', page, re.S)
    return found[1].strip() if found else ""


def test_the_page_is_for_those_who_are_logged_in(client_of: ClientOf) -> None:
    answer = client_of(None).get(PAGE)
    assert answer.headers["Location"] == f"{reverse('login')}?next={PAGE}"


@pytest.mark.parametrize("name", BACKGROUND)
def test_what_the_page_asks_for_says_that_the_session_is_over(
    client_of: ClientOf, name: str
) -> None:
    assert client_of(None).get(reverse(name)).status_code == 401


@pytest.mark.parametrize("name", BACKGROUND)
def test_what_the_page_asks_for_changes_nothing(browser: Client, name: str) -> None:
    assert browser.post(reverse(name)).status_code == 405


def test_people_are_found_as_one_types(browser: Client) -> None:
    page = browser.get(reverse("person-search"), {"who": "albert ein"}).content.decode()
    assert 'role="option"' in page
    assert 'data-value="Q937"' in page
    assert "1879–1955" in page
    assert settings.WIKI.file_path("File:Albert Einstein 1921 (re-cropped).jpg", 120) in page
    assert browser.get(reverse("person-search"), {"who": " "}).content == b""


def test_a_person_with_a_project_is_marked(
    browser: Client, bob: User, make_project: MakeProject
) -> None:
    make_project(bob, "Q937")
    make_project(bob, "Q7186", visibility="private")
    search = reverse("person-search")
    assert "Has a project" in browser.get(search, {"who": "Q937"}).content.decode()
    assert "project" not in browser.get(search, {"who": "Q7186"}).content.decode()


@pytest.mark.parametrize(
    ("who", "says"),
    [("Q84", "is not a person"), ("Q99999999", "There is no item"), ("zzzzqqq", "Nobody")],
)
def test_the_list_says_why_nobody_is_in_it(browser: Client, who: str, says: str) -> None:
    assert says in browser.get(reverse("person-search"), {"who": who}).content.decode()


def test_categories_are_completed_and_counted(browser: Client) -> None:
    page = browser.get(reverse("category-search"), {"add": "marie cur"}).content.decode()
    assert 'data-value="Marie Curie"' in page
    asked = {"place": "category:Albert Einstein in 1921", "person": "Q937", "depth": "0"}
    page = browser.get(reverse("place-count"), asked).content.decode()
    found = re.search(r'data-files="(\d+)" data-lacking="(\d+)"', page)
    assert found
    assert int(found[1]) - int(found[2]) == 2


@pytest.mark.waits
def test_a_silent_wiki_is_said_in_the_lists(sandbox: RunningSandbox, browser: Client) -> None:
    sandbox.faults.add("cut-before", {})
    for name, field in [("person-search", "who"), ("category-search", "add")]:
        page = browser.get(reverse(name), {field: "Marie"}).content.decode()
        assert "did not answer" in page
    page = browser.get(reverse("place-count"), {"place": "category:Marie Curie"}).content.decode()
    assert "did not answer" in page


def test_choosing_a_person_offers_their_category_ticked(browser: Client) -> None:
    page = post(browser, choice="Q7186")
    assert 'name="person" value="Q7186"' in page
    assert re.search(r'name="use" value="category:Marie Curie"[^>]*checked', page)
    assert "data-lacking=" in page  # counted at once for a browser without JavaScript
    assert 'data-sum="lacking"' in page


def test_a_typed_name_gives_a_list_that_works_without_javascript(browser: Client) -> None:
    page = post(browser, do="find", who="Albert Einstein")
    assert '<button class="option" name="choice" value="Q937">' in page
    assert '<button class="option" name="choice" value="Q990000002">' in page


def test_a_pasted_address_chooses_at_once(browser: Client) -> None:
    page = post(browser, do="find", who="https://www.wikidata.org/wiki/Q7186")
    assert 'name="person" value="Q7186"' in page
    page = browser.get(PAGE, {"who": "Q7186"}).content.decode()
    assert 'name="person" value="Q7186"' in page


def test_a_person_without_category_and_portrait_is_told_so(browser: Client) -> None:
    page = post(browser, choice="Q990000001")
    assert "names no category" in page
    assert "no portrait" in page


def test_a_category_is_added_and_removed_and_the_rest_stays(browser: Client) -> None:
    row = {**ticked("Marie Curie", 1), "person": "Q7186"}
    page = post(browser, do="add", add="Category:Pierre_Curie", **row)
    assert 'name="row" value="category:Pierre Curie"' in page
    assert 'name="row" value="category:Marie Curie"' in page
    assert '<option value="1" selected>' in page
    page = post(browser, drop="category:Marie Curie", **row)
    assert 'name="row" value="category:Marie Curie"' not in page
    assert 'name="person" value="Q7186"' in page


@pytest.mark.parametrize(
    ("add", "says"),
    [
        ("", "Type the name of a category on Commons"),
        ("a|b", "no name of a category"),
        ("Mari Curie", 'name="guess" value="Marie Curie"'),
        ("Zzyzx qwerty uiop", "There is no category"),
        ("Marie Curie", "in the list already"),
    ],
)
def test_a_wrong_category_gets_a_sentence_and_keeps_the_rest(
    browser: Client, add: str, says: str
) -> None:
    page = post(browser, do="add", add=add, person="Q7186", **ticked("Marie Curie", 3))
    assert says in errors(page, "add")
    assert f'name="add" id="add" value="{add}"' in page
    assert 'name="person" value="Q7186"' in page
    assert '<option value="3" selected>' in page


def test_a_guess_is_one_click(browser: Client) -> None:
    page = post(browser, guess="Marie Curie", add="Mari Curie", person="Q937")
    assert 'name="row" value="category:Marie Curie"' in page
    assert 'name="add" id="add" value=""' in page


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("", "Type the name of a person"),
        ("Q84", "is not a person"),
        ("Q99999999", "There is no item"),
        ("zzzzqqq", "Nobody on Wikidata is called"),
        ("https://www.wikidata.org/wiki/Property:P18", "no item of Wikidata"),
        ("<script>alert(1)</script>", "Nobody on Wikidata is called"),
    ],
)
@pytest.mark.parametrize("button", ["find", "start"])
def test_a_wrong_person_gets_a_sentence_and_keeps_the_rest(
    browser: Client, who: str, says: str, button: str
) -> None:
    page = post(browser, do=button, who=who, **ticked("Marie Curie", 0))
    assert says in errors(page, "who")
    assert 'name="row" value="category:Marie Curie"' in page
    assert "<script>alert" not in page
    assert not Project.objects.exists()


@pytest.mark.waits
def test_a_silent_wiki_keeps_all_that_was_typed(sandbox: RunningSandbox, browser: Client) -> None:
    sandbox.faults.add("http", {}, status=503)
    page = post(browser, do="start", person="Q7186", **ticked("Marie Curie", 4))
    assert "did not answer" in page
    assert 'name="person" value="Q7186"' in page
    assert '<option value="4" selected>' in page
    assert not Project.objects.exists()


def test_start_makes_the_project(browser: Client, alice: User) -> None:
    answer = started(browser, **ticked("Marie Curie", 3))
    project = Project.objects.get()
    assert answer.headers["Location"] == project.get_absolute_url()
    assert (project.owner, str(project)) == (alice, "Marie Curie")
    assert (project.visibility, project.joining) == ("public", "open")
    assert list(project.sources.order_by("id").values_list("kind", "value", "depth")) == [
        ("file", "File:Marie Curie c. 1920s.jpg", 0),
        ("category", "Marie Curie", 3),
    ]
    assert project.memberships.get().role == Membership.Role.OWNER
    assert AuditEvent.objects.get().action == "project.created"


def test_start_takes_what_was_typed_but_not_yet_added(browser: Client) -> None:
    started(browser, person="", who="Q7186", add="Pierre Curie")
    kinds = Source.objects.filter(kind="category").values_list("value", flat=True)
    # what took place with her is small, and so ticked
    solvay = ["Solvay Conference 1911", "Solvay Conference 1927"]
    assert sorted(kinds) == ["Marie Curie", "Pierre Curie", *solvay]


def test_a_private_project_by_invitation(browser: Client) -> None:
    started(browser, public="", anybody="", **ticked("Marie Curie"))
    project = Project.objects.get()
    assert (project.visibility, project.joining) == ("private", "invite")


def test_unticked_categories_are_left_out(browser: Client) -> None:
    keys = ["category:Marie Curie", "category:Pierre Curie"]
    started(browser, row=keys, use=keys[1])
    assert Source.objects.get(kind="category").value == "Pierre Curie"


def test_neither_portrait_nor_category_is_nothing_to_look_through(browser: Client) -> None:
    answer = started(browser, person="Q990000001")
    assert "at least one place" in errors(answer.content.decode(), "add")
    assert not Project.objects.exists()


def test_the_same_owner_gets_the_way_to_the_project_there_is(
    browser: Client, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186")
    page = started(browser, **ticked("Marie Curie")).content.decode()
    assert "You have a project for Marie Curie already" in page
    assert f'href="{project.get_absolute_url()}"' in page
    page = post(browser, choice="Q7186")
    assert f'href="{project.get_absolute_url()}"' in errors(page, "who")
    assert Project.objects.count() == 1


def test_an_archived_project_is_not_in_the_way(
    browser: Client, alice: User, make_project: MakeProject
) -> None:
    old = make_project(alice, "Q7186", state="archived")
    Project.objects.filter(pk=old.pk).update(active_key=None)
    assert started(browser, **ticked("Marie Curie")).status_code == 302


def test_another_owners_project_is_offered_and_does_not_forbid(
    browser: Client, bob: User, make_project: MakeProject
) -> None:
    theirs = make_project(bob, "Q7186")
    page = post(browser, choice="Q7186")
    assert "<bdi>Bob</bdi> has a project for <bdi>Marie Curie</bdi> already" in page
    assert f'href="{theirs.get_absolute_url()}#join"' in page
    assert "Start looking" not in page  # before anything else is asked
    page = post(browser, own="Q7186", person="Q7186")
    assert "Start looking" in page
    assert re.search(r'name="use" value="category:Marie Curie"[^>]*checked', page)
    assert started(browser, **ticked("Marie Curie")).status_code == 302
    assert Project.objects.count() == 2


def test_a_private_project_of_another_owner_is_not_given_away(
    browser: Client, bob: User, make_project: MakeProject
) -> None:
    make_project(bob, "Q7186", visibility="private")
    assert "has a project" not in post(browser, choice="Q7186")


def test_a_denied_person_is_refused_even_when_the_form_is_forged(browser: Client) -> None:
    DenyEntry.objects.create(wiki=settings.WIKI.code, kind="person", value="Q7186")
    page = started(browser, **ticked("Marie Curie")).content.decode()
    assert "asked not to" in page
    assert not Project.objects.exists()


@pytest.mark.parametrize("person", ["Q84", "Q99999999", "<b>", "Q0"])
def test_a_forged_person_makes_nothing(browser: Client, person: str) -> None:
    assert started(browser, person=person, **ticked("Marie Curie")).status_code == 200
    assert not Project.objects.exists()


def test_forged_rows_make_nothing_strange(browser: Client) -> None:
    keys = ["category:a|b", "category:Marie Curie", "nonsense:x", "nonsense", "file:File:X.jpg"]
    started(browser, row=keys, use=keys, **{f"depth:{key}": "99" for key in keys})
    assert list(Source.objects.filter(kind="category").values_list("value", "depth")) == [
        ("Marie Curie", 2)
    ]


def test_more_categories_than_a_project_takes_are_not_dropped_in_silence(browser: Client) -> None:
    keys = [f"category:Category {n}" for n in range(25)]
    page = post(browser, do="start", person="Q7186", row=keys, use=keys)
    assert "20 sources at most" in errors(page, "add")
    assert page.count('name="row" value="category:') == 25
    assert not Project.objects.exists()


def test_htmx_gets_the_form_alone_and_is_led_to_the_project(browser: Client) -> None:
    headers = {"HX-Request": "true"}
    page = browser.post(PAGE, {"choice": "Q7186"}, headers=headers).content.decode()
    assert page.lstrip().startswith("{") is False
    assert "<html" not in page
    assert 'hx-get="/projects/new/count?' in page
    data = {"do": "start", "person": "Q7186", **ticked("Marie Curie")}
    answer = browser.post(PAGE, data, headers=headers)
    assert answer.headers["HX-Redirect"] == Project.objects.get().get_absolute_url()


def test_pages_carry_no_inline_script_or_style(browser: Client) -> None:
    page = post(browser, choice="Q7186")
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page)
    assert not re.search(r"\sstyle=|<style|\son\w+=", page)
