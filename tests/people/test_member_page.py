"""One member's answers looked through, and somebody's own page."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from classify.models import Label, Origin
from classify.trust.answer_history import agreement
from projects.members import services as members_services
from projects.models import Project, User
from tests.classify.conftest import Say, say
from tests.classify.crowd import add_crowd
from tests.classify.faces import Cast, add_photo
from tests.conftest import ClientOf, MakeProject

__all__ = ["say"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User, charlie: User) -> Project:
    return make_project(alice, members=[bob, charlie])


@pytest.fixture
def said(project: Project, alice: User, bob: User, charlie: User, say: Say) -> Project:
    """Bob said Yes to two faces and No to one; charlie agrees on one; alice overruled one Yes."""
    cast = Cast()
    one, two, three = (add_photo(project, [cast.face("marie")])[1][0] for _ in range(3))
    say(bob, "yes", one)
    say(bob, "yes", two)
    say(bob, "no", three)
    say(charlie, "yes", one)
    say(alice, "no", two, Origin.REVIEW)
    return project


def of(project: Project, user: User) -> str:
    return f"/p/{project.public_id}/members/{user.public_id}"


def test_owner_and_reviewers_look_through_what_somebody_said(
    said: Project, alice: User, bob: User, charlie: User, mona: User, client_of: ClientOf
) -> None:
    address = of(said, bob)
    page = client_of(alice).get(address).content.decode()
    assert page.count('width="160"') == 3
    assert page.count(">stands<") == 2
    assert "now: No, <bdi>Alice</bdi>" in page
    assert "On 2 faces somebody else said something, too: the same on 1 (50 %)" in page
    assert client_of(alice).get(f"{address}?which=no").content.decode().count('width="160"') == 1
    overruled = client_of(alice).get(f"{address}?which=overruled").content.decode()
    assert overruled.count('width="160"') == 1
    assert "None of these" in client_of(alice).get(f"{address}?which=artwork").content.decode()

    assert client_of(charlie).get(address).status_code == 403
    assert "reviewers" in client_of(charlie).get(address).content.decode()
    asked = client_of(None).get(address)
    assert asked.headers["Location"].startswith("/login/?next=/p/")
    members_services.set_role(said, alice, charlie, "reviewer")
    looked = client_of(charlie).get(address).content.decode()
    assert "Take out of training" not in looked, "that is the owner's"
    assert client_of(charlie).post(f"{address}/counts", {"counts": "no"}).status_code == 403
    assert client_of(mona).get(address).status_code == 200, "moderators look at everything"
    assert "Your answers" in client_of(bob).get(address).content.decode()
    assert client_of(alice).get(of(said, mona)).status_code == 404


def test_the_owner_takes_them_out_and_the_person_is_told_plainly(
    said: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    owner, address = client_of(alice), of(said, bob)
    answer = owner.post(f"{address}/counts", {"counts": "no"}, follow=True)
    assert "are out of training" in answer.content.decode()
    assert "Let count again" in answer.content.decode()
    assert not Label.objects.filter(user=bob).exists()
    for page in (said.get_absolute_url(), f"/p/{said.public_id}/ask", address):
        assert "count at present" in client_of(bob).get(page).content.decode(), page
    assert "count at present" not in owner.get(said.get_absolute_url()).content.decode()
    members_services.leave(said, bob)
    members = owner.get(f"/p/{said.public_id}/members").content.decode()
    assert "No longer here" in members
    assert "does not count" in members
    owner.post(f"{address}/counts", {"counts": "yes"})
    assert Label.objects.filter(user=bob).exists()
    assert owner.post(f"{of(said, alice)}/counts", {"counts": "no"}).status_code == 403
    assert "always count" in owner.get(of(said, alice)).content.decode()


def test_many_answers_are_paged_by_key_with_few_queries(
    project: Project,
    alice: User,
    bob: User,
    charlie: User,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    crowd = add_crowd(project, 150)
    crowd.say(bob, "yes", range(150))
    crowd.say(charlie, "no", range(10))
    assert (agreement(project, bob).both, agreement(project, bob).same) == (10, 0)
    browser, address, seen = client_of(alice), of(project, bob), 0
    for _page in range(3):
        with django_assert_max_num_queries(24):
            page = browser.get(address).context["page"]
        seen += len(page.rows)
        address = f"{of(project, bob)}?before={page.before}"
    assert (seen, page.before) == (150, None)


def test_ones_own_page_shows_what_was_given_and_what_stood(
    said: Project, make_project: MakeProject, alice: User, bob: User, client_of: ClientOf, say: Say
) -> None:
    address = f"/u/{bob.public_id}"
    own = client_of(bob).get(address)
    assert (own.context["given"], own.context["stood"]) == (3, 2)
    assert own.context["contributions"]["answers"] == 2
    assert "Marie Curie" in own.content.decode()
    assert "3 answers and reviews in 30 days" in own.content.decode(), "it counts both, as beside"
    weekly = client_of(bob).get(f"{address}?per=week")
    assert (len(weekly.context["bars"]), weekly.context["given"]) == (26, 3)
    assert client_of(alice).get(address).status_code == 404
    assert client_of(None).get(address).status_code == 404

    bob.show_on_leaderboard = True
    bob.save()
    page = client_of(None).get(address)
    assert page.context["given"] == 3
    assert address in client_of(None).get("/leaderboard").content.decode()
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    hidden = client_of(None).get(address)
    assert (hidden.context["given"], hidden.context["contributions"]["total"]) == (0, 0)
    assert "Marie Curie" not in hidden.content.decode(), "private projects are nobody's business"
    assert "Marie Curie" in client_of(bob).get(address).content.decode()
