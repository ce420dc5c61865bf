"""Leaderboards and the account page: who is shown, and to whom."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from projects.ledger import contribute
from projects.members.leaderboard import contributions_of, standings
from projects.models import Contribution, Project, Tally, User
from tests.conftest import ClientOf, MakeProject

Kind = Contribution.Kind


def show(*users: User) -> None:
    for user in users:
        user.show_on_leaderboard = True
        user.save()


def test_names_are_shown_of_those_who_want_it_and_the_rest_is_counted(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob, charlie])
    show(alice)
    contribute(project, alice, Kind.ANSWER, 3)
    contribute(project, bob, Kind.ANSWER, 9)
    contribute(project, charlie, Kind.EDIT, 1)
    page = client_of(None).get("/leaderboard").content.decode()
    assert "Alice" in page
    assert "Bob" not in page
    assert "And 2 more people" in page


def test_one_sees_oneself_and_is_told_that_nobody_else_does(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    contribute(project, bob, Kind.ANSWER, 9)
    page = client_of(bob).get("/leaderboard").content.decode()
    assert "only you see this" in page
    assert "Bob" not in client_of(alice).get("/leaderboard").content.decode()


def test_the_most_active_come_first_and_undone_work_does_not_count(
    alice: User, bob: User, charlie: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    show(alice, bob, charlie)
    contribute(project, alice, Kind.ANSWER, 2)
    contribute(project, bob, Kind.ANSWER, 2)
    contribute(project, bob, Kind.REVIEW, 3)
    contribute(project, charlie, Kind.ANSWER, 1)
    contribute(project, charlie, Kind.ANSWER, -1)
    board = standings("all")
    assert [(row.rank, str(row.user), row.answers, row.reviews) for row in board.rows] == [
        (1, "Bob", 2, 3),
        (2, "Alice", 2, 0),
    ]
    assert (board.others, board.total) == (0, 7)


@pytest.mark.parametrize(
    ("days_ago", "periods"),
    [
        (0, {"day", "week", "month", "all"}),
        (1, {"week", "month", "all"}),
        (6, {"week", "month", "all"}),
        (7, {"month", "all"}),
        (29, {"month", "all"}),
        (30, {"all"}),
    ],
)
def test_periods_end_where_they_say(
    days_ago: int, periods: set[str], alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    day = timezone.now().date() - timedelta(days=days_ago)
    Tally.objects.create(project=project, user=alice, kind=Kind.ANSWER, day=day, amount=1)
    assert {name for name in ("day", "week", "month", "all") if standings(name).others} == periods


def test_private_projects_count_on_their_own_page_only(
    alice: User, make_project: MakeProject
) -> None:
    private = make_project(alice, visibility=Project.Visibility.PRIVATE)
    show(alice)
    contribute(private, alice, Kind.ANSWER, 5)
    assert not standings("all").rows
    assert standings("all", project=private).rows[0].total == 5


def test_a_project_has_its_own_board(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    first, second = make_project(alice), make_project(alice, "Q937")
    show(bob)
    contribute(second, bob, Kind.ANSWER, 5)
    assert "Bob" not in client_of(None).get(f"/p/{first.public_id}/members").content.decode()
    assert "Bob" in client_of(None).get(f"/p/{second.public_id}/members").content.decode()


def test_an_unknown_period_is_the_week(client_of: ClientOf) -> None:
    answer = client_of(None).get("/leaderboard?period=century")
    assert answer.status_code == 200
    assert answer.context["period"] == "week"


def test_a_hundred_people_take_no_more_queries(
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    from tests.factories import make_user

    project = make_project(alice)
    for n in range(60):
        contribute(project, make_user(f"U{n}", show_on_leaderboard=True), Kind.ANSWER, n + 1)
    browser = client_of(None)
    with django_assert_max_num_queries(8):
        page = browser.get("/leaderboard").content.decode()
    assert "Page 1 of 2" in page
    assert "U59" in page
    last = browser.get("/leaderboard?board=2").content.decode()
    assert ">U0<" in last
    assert ">51<" in last, "places go on"


def test_the_switch_shows_and_hides_the_name(alice: User, client_of: ClientOf) -> None:
    browser = client_of(alice)
    browser.post("/account/visibility", {"show": "on"})
    alice.refresh_from_db()
    assert alice.show_on_leaderboard
    answer = browser.post("/account/visibility", {"next": "/leaderboard"})
    alice.refresh_from_db()
    assert not alice.show_on_leaderboard
    assert answer["Location"] == "/leaderboard"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_the_switch_leads_nowhere_else(elsewhere: str, alice: User, client_of: ClientOf) -> None:
    answer = client_of(alice).post("/account/visibility", {"next": elsewhere})
    assert answer["Location"] == "/account"


def test_the_account_page_says_who_one_is_and_what_one_did(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    contribute(project, alice, Kind.ANSWER, 1234)
    page = client_of(alice).get("/account").content.decode()
    assert "Alice" in page
    assert "1,234" in page
    assert "Marie Curie" in page
    assert contributions_of(alice)["total"] == 1234


def test_the_account_page_says_when_a_new_login_is_needed(alice: User, client_of: ClientOf) -> None:
    alice.credentials.update(needs_login=True)
    assert "Log in again" in client_of(alice).get("/account").content.decode()


def test_account_needs_a_login(client_of: ClientOf) -> None:
    assert client_of(None).get("/account")["Location"] == "/login/?next=/account"
    assert client_of(None).post("/account/visibility").status_code == 401


def test_the_theme_is_a_cookie(client_of: ClientOf) -> None:
    browser = client_of(None)
    browser.post("/theme", {"theme": "dark", "next": "/how"})
    assert 'data-theme="dark"' in browser.get("/how").content.decode()
    browser.post("/theme", {"theme": ""})
    assert "data-theme" not in browser.get("/how").content.decode()
    browser.cookies["theme"] = '"><script>'
    assert "<script>" not in browser.get("/how").content.decode().split("<head>")[0]
