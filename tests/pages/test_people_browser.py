"""The pages about people in a real browser: crowded, empty, by keyboard and touch, both themes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from classify.models import Label
from projects.ledger import contribute
from projects.members import services as members
from projects.models import Membership, Notification, Project, User
from projects.notifications.services import notify
from tests import factories
from tests.classify.conftest import say as answering
from tests.classify.faces import Cast, add_photo
from tests.pages.harness import PHONE, Axe, Visit, everywhere

pytestmark = pytest.mark.browser
Kind, State = Notification.Kind, Membership.State
VOLUNTEERS = 60
say = answering


@pytest.fixture
def alice(shared_database: str) -> User:
    return factories.make_user("Alice")


@pytest.fixture
def bob(shared_database: str) -> User:
    return factories.make_user("Bob", show_on_leaderboard=True)


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    """Crowded: sixty members, two who ask, one who left, one who is kept out, answers of bob's."""
    project = factories.make_project(alice, members=[bob])
    users = [
        factories.make_user(f"Volunteer {n}", show_on_leaderboard=n % 2 == 0)
        for n in range(VOLUNTEERS)
    ]
    Membership.objects.bulk_create(Membership(project=project, user=user) for user in users)
    for n, user in enumerate(users):
        contribute(project, user, "answer", n + 1)
    members.leave(project, users[0])
    members.ban(project, alice, users[1])
    members.ask(project, factories.make_user("Dora"), "I know her cousin")
    members.ask(project, factories.make_user("Emil"))
    members.invite(project, alice)
    return project


@pytest.fixture
def answered(project: Project, bob: User, say: object) -> Project:
    for _ in range(3):
        _photo, [region] = add_photo(project, [Cast().face("marie")])
        say(bob, "yes", region)  # type: ignore[operator]
    return project


def test_the_owner_lets_in_looks_through_answers_and_takes_them_out(
    answered: Project, alice: User, bob: User, visit: Visit
) -> None:
    window = visit(f"/p/{answered.public_id}/members", user=alice)
    page = window.page
    assert everywhere(window) == []
    expect(page.get_by_role("heading", name="2 people ask to join")).to_be_visible()
    page.get_by_role("button", name="Let Dora in").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="1 person asks to join")).to_be_visible()
    assert Membership.objects.get(user__wiki_username="Dora").state == State.ACTIVE
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-copy]")
    expect(page.locator(".toast")).to_contain_text("Link copied")
    link = f"/join/{answered.invites.get().code}"
    assert page.evaluate("navigator.clipboard.readText()").endswith(link)

    page.get_by_role("link", name="Next").first.click()
    expect(page.get_by_text("26 to 50 of 61")).to_be_visible()
    page.get_by_role("combobox", name="Find a member").fill("bob")
    page.keyboard.press("Enter")
    rows = page.locator(".lines.card > .member")
    expect(rows).to_have_count(1)
    page.locator(".member summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make a reviewer").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Bob is a reviewer now.")).to_be_visible()
    page.get_by_role("link", name="Answers of Bob").click()
    expect(page.locator(".said-faces > li")).to_have_count(3)
    expect(page.get_by_text("No statement on the wiki rests on what they said.")).to_be_visible()
    assert everywhere(window) == []
    page.get_by_role("button", name="Take out of training").click()
    expect(page.get_by_role("button", name="Let count again")).to_be_visible()
    assert not Label.objects.exists()
    assert everywhere(window) == []

    page.goto(page.url.replace(f"/members/{bob.public_id}", f"/hand-over/{bob.public_id}"))
    page.get_by_role("button", name="Hand over").click()
    assert answered.owner == alice, "the box must be ticked first"
    page.get_by_label("I want to hand this project over").check()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Let them count again first")).to_be_visible()
    assert everywhere(window) == []


def test_a_stranger_asks_by_touch_and_empty_pages_say_what_will_be_there(
    alice: User, visit: Visit
) -> None:
    stranger = factories.make_user("Stranger")
    project = factories.make_project(alice)
    window = visit(project.get_absolute_url(), user=stranger, screen=PHONE)
    page = window.page
    window.press("#next-button")
    page.wait_for_url("**/ask-to-join")
    assert everywhere(window) == []
    page.get_by_label("A few words").fill("I know her cousin")
    window.press(page.get_by_role("button", name="Ask to join"))
    page.wait_for_url(f"**{project.get_absolute_url()}")
    expect(page.get_by_text("The owner is asked.")).to_be_visible()
    window.press("#next-button")
    expect(page.get_by_text("I know her cousin")).to_be_visible()
    window.press(page.get_by_role("button", name="Ask no more"))
    expect(page.get_by_text("Taken back.")).to_be_visible()

    window.press(".bell")
    expect(page.get_by_role("heading", name="Nothing new")).to_be_visible()
    assert everywhere(window) == []
    page.goto(page.url.replace("/notifications", f"/u/{stranger.public_id}"))
    expect(page.get_by_text("None in this time.")).to_be_visible()
    assert everywhere(window) == []


def test_the_bell_the_account_ones_own_page_and_the_board(
    answered: Project, alice: User, bob: User, visit: Visit, axe: Axe
) -> None:
    notify([bob], answered, Kind.REVERTED, n=2)
    notify([bob], answered, Kind.BATCH, code="none", state="done", batches=1, written=37)
    notify([bob], answered, Kind.READY)
    window = visit("/notifications", user=bob)
    page = window.page
    expect(page.get_by_role("link", name="Notifications: 3 unread")).to_be_visible()
    assert everywhere(window) == []
    page.get_by_role("button", name="Mark as read", exact=True).first.click()
    expect(page.get_by_role("link", name="Notifications: 2 unread")).to_be_visible()
    page.get_by_role("link", name="Faces wait for you again").click()
    page.wait_for_url(f"**{answered.get_absolute_url()}")
    page.goto(page.url.split("/p/")[0] + "/account#notifications")
    page.get_by_label("A batch is done").uncheck()
    page.locator("form[action='/account/notifications'] button").press("Enter")
    expect(page.get_by_label("A batch is done")).not_to_be_checked()
    expect(page.locator(".keys-form")).to_be_visible()
    assert everywhere(window) == []

    page.get_by_role("link", name="Your work, day by day").click()
    expect(page.get_by_text("3 answers and reviews in 30 days. All of them stand.")).to_be_visible()
    page.get_by_text("The figures as a table").click()
    assert everywhere(window) == []
    page.get_by_role("link", name="Leaderboard").click()
    page.get_by_role("link", name="All time").click()
    page.wait_for_url("**/leaderboard?period=all")
    assert everywhere(window) == []
    page.get_by_role("link", name="Volunteer 58", exact=True).click()
    expect(page.get_by_role("heading", name="Volunteer 58")).to_be_visible()
    assert axe(window) == []


def test_no_column_of_a_board_is_hidden_on_a_phone(
    visit: Visit, project: Project, bob: User
) -> None:
    bob.wiki_username = "Maximiliane von Hohenlohe"
    bob.save(update_fields=["wiki_username"])
    for kind in ("answer", "review", "edit"):
        contribute(project, bob, kind, 12_345)
    tables = "[...document.querySelectorAll('.table-scroll')]"
    for language in ("nb", "fr"):
        window = visit(f"/p/{project.public_id}/members", screen=PHONE, language=language)
        over = window.page.evaluate(f"{tables}.map((each) => each.scrollWidth - each.clientWidth)")
        assert over
        assert max(over) == 0, language
