"""Starting a project, and its sources later: by keyboard, mouse and touch, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from projects.creation import source_lookup
from projects.creation.forms import DEPTH
from projects.creation.source_lookup import Kind, Place
from projects.models import Project, Source, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.pages.harness import PHONE, Visit, everywhere

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAGE = "/projects/new"


def lacking(qid: str, *chosen: Place) -> str:
    found = source_lookup.add_up(chosen, qid)
    assert found
    return str(found.lacking)


def test_a_project_is_started_by_keyboard_alone(
    sandbox: RunningSandbox, visit: Visit, alice: User
) -> None:
    window = visit(PAGE, alice)
    page = window.page
    expect(page.locator("#who")).to_be_focused()
    assert everywhere(window) == []
    page.locator("#who").focus()
    page.keyboard.type("albert e", delay=20)
    options = page.locator("#who-list").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")  # round to the first
    page.keyboard.press("Enter")
    expect(page.locator(".chosen")).to_contain_text("Q937")
    expect(page.get_by_role("checkbox", name="Albert Einstein", exact=True)).to_be_checked()
    expect(page.get_by_role("checkbox", name="Solvay Conference 1911")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Nobel laureates")).not_to_be_checked()
    ticked = [
        Place(Kind.CATEGORY, "Albert Einstein", DEPTH),
        Place(Kind.DEPICTS, "Q937"),
        Place(Kind.CATEGORY, "Solvay Conference 1911", 1),
        Place(Kind.CATEGORY, "Solvay Conference 1927", 1),
    ]
    expect(page.locator("[data-sum=lacking]")).to_have_text(lacking("Q937", *ticked))
    expect(page.locator("[data-sum=twice]")).to_be_visible()
    assert everywhere(window) == []

    page.get_by_role("checkbox", name="Files that already depict").focus()
    page.keyboard.press("Space")
    expect(page.locator("[data-sum=lacking]")).to_have_text(lacking("Q937", *ticked))
    page.locator("#add").focus()
    page.keyboard.type("marie cur", delay=20)
    expect(page.locator("#add-list").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#add-list")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Marie Curie", exact=True)).to_be_checked()
    page.get_by_role("button", name="Start looking").press("Enter")
    page.wait_for_url("**/p/*/")
    kinds = Project.objects.get().sources.values_list("kind", flat=True)
    assert sorted(kinds) == ["category"] * 4 + ["file"]


def test_a_tree_of_many_subcategories_is_chosen_from(
    fresh_sandbox: RunningSandbox, visit: Visit, alice: User
) -> None:
    for number in range(300):
        text = "[[Category:Albert Einstein]]"
        fresh_sandbox.world.add_page("commons", f"Category:Einstein in town {number:03}", text)
    window = visit(f"{PAGE}?who=Q937", alice)
    page = window.page
    row = page.locator(".source-item", has=page.locator("[value='category:Albert Einstein']"))
    row = row.first
    expect(row.locator(".count").first).to_be_visible()
    row.get_by_role("button", name="Choose subcategories of Albert Einstein").first.click()
    nodes = row.locator(".source.node")
    expect(nodes).to_have_count(50)
    expect(nodes.first.get_by_role("checkbox")).to_be_disabled()  # they come along
    expect(nodes.first.locator("[data-lacking]")).to_be_visible()
    assert everywhere(window) == []

    row.get_by_role("button", name="Choose one by one").first.click()
    expect(nodes.first.get_by_role("checkbox")).to_be_enabled()
    expect(page.locator(".summary .who")).to_contain_text("20 sources")
    own, year = "Albert Einstein", "Albert Einstein in 1912"
    ticked = row.locator(".node [name=use]:checked")
    for _ in range(ticked.count()):
        ticked.first.uncheck()
    inner = page.locator(".node", has_text="Albert Einstein by year")
    inner.get_by_role("button", name="Choose subcategories").click()
    page.get_by_role("checkbox", name=year).check()
    depth = inner.get_by_role("combobox")
    with page.expect_response(f"**{PAGE}"):  # the tree below is shown anew
        depth.select_option("0")
    expect(depth).to_have_value("0")
    expect(page.get_by_role("checkbox", name=year)).to_be_checked()
    for title in ("Files that already", "Solvay Conference 1911", "Solvay Conference 1927"):
        page.get_by_role("checkbox", name=title).uncheck()
    chosen = [Place(Kind.CATEGORY, own), Place(Kind.CATEGORY, year)]
    expect(page.locator("[data-sum=lacking]")).to_have_text(lacking("Q937", *chosen))
    row.get_by_role("button", name="Show").last.click()
    expect(nodes.nth(300)).to_be_attached()
    expect(page.get_by_role("checkbox", name=year)).to_be_checked()
    page.get_by_role("button", name="Start looking").click()
    page.wait_for_url("**/p/*/")
    found = Source.objects.filter(kind="category").values_list("value", "depth")
    assert sorted(found) == [(own, 0), (year, 0)]


def test_on_a_phone_sources_of_every_kind_are_added_and_errors_have_a_way_on(
    sandbox: RunningSandbox, visit: Visit, alice: User, bob: User, make_project: MakeProject
) -> None:
    theirs = make_project(bob, "Q7186", joining=Project.Joining.OPEN)
    window = visit(f"{PAGE}?who=Q7186", alice, PHONE)
    page = window.page
    expect(page.get_by_text("has a project for")).to_be_visible()
    expect(page.get_by_role("button", name="Start looking")).to_have_count(0)
    assert everywhere(window) == []
    window.press(page.get_by_role("button", name="Start my own all the same"))
    window.press(page.locator("label", has_text="Uploader’s files"))
    page.locator("#add").fill("Nobody at all")
    window.press(page.locator("#add-button"))
    expect(page.locator("#add-error")).to_contain_text("There is no user")
    page.locator("#add").fill("archivist_Anna")
    window.press(page.locator("#add-button"))
    expect(page.get_by_role("checkbox", name="Uploaded by Archivist Anna")).to_be_checked()
    window.press(page.locator("label", has_text="Search").first)
    page.locator("#add").fill("insource:/(/")
    window.press(page.locator("#add-button"))
    expect(page.locator("#add-error")).to_contain_text("does not understand")
    page.locator("#add").fill('insource:"radium" -incategory:"Marie Curie"')
    window.press(page.locator("#add-button"))
    expect(page.get_by_role("checkbox", name="Search: insource")).to_be_checked()
    page.locator("#add").fill("Category:Mari Curie")  # it says itself what it is
    window.press(page.locator("#add-button"))
    window.press(
        page.get_by_role("button", name="Marie Curie in World War I", exact=True)
        .or_(page.get_by_role("button", name="Marie Curie", exact=True))
        .first
    )
    sandbox.faults.add("http", {}, status=503)
    window.press(page.get_by_role("button", name="Start looking"))
    expect(page.get_by_text("did not answer").first).to_be_visible()
    assert everywhere(window) == []
    sandbox.faults.clear()
    window.press(page.get_by_role("button", name="Start looking"))
    page.wait_for_url("**/p/*/")
    mine = Project.objects.get(owner=alice)
    assert {"uploader", "search", "depicts"} < set(mine.sources.values_list("kind", flat=True))

    page.goto(page.url.split("/p/")[0] + f"{PAGE}?who=Q37463")  # nobody's project stands in the way
    expect(page.get_by_role("checkbox", name="Pierre Curie", exact=True)).to_be_checked()
    Project.objects.filter(owner=alice).update(active_key=None, state="archived")
    page.goto(page.url.split("?")[0] + "?who=Q7186")
    window.press(page.get_by_role("button", name="Join it"))
    page.wait_for_url(f"**{theirs.get_absolute_url()}")
    assert theirs.memberships.filter(user=alice, state="active").exists()


def test_a_project_s_sources_are_watched_added_and_taken_away(
    sandbox: RunningSandbox, visit: Visit, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Marie Curie", 2)])
    for number in range(18):
        Source.objects.create(project=project, kind="search", value=f"a long search {number} " * 9)
    own = project.sources.get(kind="category")
    window = visit(f"/p/{project.public_id}/sources/", alice, PHONE)
    page = window.page
    expect(page.locator(".suggested li").first).to_be_visible()
    expect(page.locator(".suggested [data-lacking]").first).to_be_visible()
    assert everywhere(window) == []
    row = page.locator(f"#source-{own.pk}")
    window.press(row.get_by_role("button", name="Watch"))
    expect(row.get_by_role("button", name="Stop watching")).to_be_visible()
    own.refresh_from_db()
    assert own.watched
    suggestion = page.locator(".suggested li", has_text="Solvay Conference 1911")
    window.press(suggestion.get_by_role("button", name="Add"))
    expect(page.locator(".source-list")).to_contain_text("Solvay Conference 1911")
    page.locator("#add").fill("Pierre Curie")
    window.press(page.locator("#add-button"))
    expect(page.locator("#add-error")).to_contain_text("20 sources at most")
    last = page.locator(".source-list > li").nth(5)
    window.press(last.locator("summary"))
    window.press(last.get_by_role("button", name="Take it away"))
    expect(page.locator(".source-list > li")).to_have_count(19)
    assert project.sources.count() == 19
