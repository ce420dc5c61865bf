"""A project whose person is on the deny-list: its page says so, and shows nothing else."""

from __future__ import annotations

import pytest
from django.urls import reverse

from core.user_errors import Refused
from projects.members import services as members
from projects.models import DenyEntry, Notification, Project, User
from projects.privacy import denylist_changes, objections
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db
NAME, PORTRAIT, ABOUT = "Marie Curie", "Marie_Curie_c._1920s", "physicist and chemist"
SHOWN = ("review", "ask", "grid", "sources", "batches", "members", "settings", "project-status")


@pytest.fixture
def project(alice: User, bob: User, make_project: MakeProject) -> Project:
    made = make_project(alice, "Q7186", [("Marie Curie", 1)], members=[bob], joining="open")
    made.person.descriptions = {"en": ABOUT}
    made.person.save()
    return made


def deny(mona: User) -> DenyEntry:
    entry = DenyEntry(kind="person", value="Q7186", reason="asked for")
    denylist_changes.deny(entry, mona)
    return entry


def page_of(project: Project, user: User | None, client_of: ClientOf) -> str:
    return client_of(user).get(project.get_absolute_url()).content.decode()


def test_its_page_says_why_and_shows_nothing_else(
    project: Project, alice: User, bob: User, charlie: User, mona: User, client_of: ClientOf
) -> None:
    before = page_of(project, charlie, client_of)
    assert PORTRAIT in before.replace("%20", "_")
    assert ABOUT in before
    assert "Help to find" in before
    deny(mona)
    for user in (None, charlie, bob, alice):
        page = page_of(project, user, client_of)
        assert "Left alone: on the deny-list" in page
        assert "Moderators put this person there on" in page
        for gone in ("Paused by", "Help to find", ABOUT, "<img", '<svg class="chart', "sources/"):
            assert gone not in page, (user, gone)
        assert (NAME in page) == (user in (alice, bob)), "the public is not told whom"
        assert ("Deleting removes" in page) == (user == alice)
    delete = reverse("project-delete", args=[project.public_id])
    assert delete in page_of(project, alice, client_of)
    assert client_of(alice).get(delete).status_code == 200
    seen = page_of(project, mona, client_of)
    assert "Left alone: on the deny-list" in seen
    assert "Paused by" not in seen
    assert "Help to find" not in seen
    assert ABOUT in seen, "moderators see what there is"


def test_on_request_is_said_where_somebody_objected(
    project: Project, mona: User, client_of: ClientOf
) -> None:
    objections.uphold(objections.lodge("Q7186", "person", "Please"), mona, "Yes")
    assert "there on request" in page_of(project, None, client_of)


@pytest.mark.parametrize("name", SHOWN)
def test_its_other_pages_are_closed_to_all_but_moderators(
    name: str, project: Project, alice: User, mona: User, client_of: ClientOf
) -> None:
    address = reverse("project-settings" if name == "settings" else name, args=[project.public_id])
    assert client_of(alice).get(address).status_code == 200
    entry = deny(mona)
    told = client_of(alice).get(address)
    assert told.status_code == 403
    assert "This tool leaves" in told.content.decode()
    denylist_changes.undeny(entry, mona, "No reason left")
    assert client_of(alice).get(address).status_code == 200


def test_moderators_still_look(project: Project, mona: User, client_of: ClientOf) -> None:
    deny(mona)
    for name in ("review", "sources", "members"):
        assert client_of(mona).get(reverse(name, args=[project.public_id])).status_code == 200


def test_it_is_in_no_list_but_ones_own_and_there_without_a_picture(
    project: Project, alice: User, charlie: User, mona: User, client_of: ClientOf,
    make_project: MakeProject,
) -> None:  # fmt: skip
    make_project(alice, "Q937", [])
    User.objects.filter(pk=alice.pk).update(show_on_leaderboard=True)
    here, work = project.get_absolute_url(), reverse("contributor", args=[alice.public_id])
    public = ("/projects", "/projects?q=curie", work)
    for address in public:
        assert here in client_of(charlie).get(address).content.decode(), address
    deny(mona)
    Project.objects.update(state=Project.State.ACTIVE)  # as by an entry that was there before it
    for user in (None, charlie):
        for address in (*public, "/"):
            assert here not in client_of(user).get(address).content.decode(), address
    for address in ("/projects?mine=1", "/account", work):
        page = client_of(alice).get(address).content.decode()
        assert here in page, address
        assert "1920s" not in page, address
        assert ABOUT not in page, address
    for user, number in ((alice, 2), (charlie, 1)):
        states = client_of(user).get("/projects").context["states"]
        assert [(state, n) for state, _name, n in states] == [("active", number)]


def test_the_owner_hears_of_it_and_of_its_end_and_nobody_joins(
    project: Project, alice: User, bob: User, charlie: User, mona: User, client_of: ClientOf
) -> None:
    code = members.invite(project, alice).code
    entry = deny(mona)
    told = Notification.objects.get()
    assert (told.user, told.project, told.data["code"]) == (alice, project, "left-alone")
    assert "left alone from now on" in client_of(alice).get("/notifications").content.decode()
    for join in (lambda: members.join_open(project, charlie),
                 lambda: members.join_by_code(code, charlie)):  # fmt: skip
        with pytest.raises(Refused, match="denied"):
            join()
    denylist_changes.undeny(entry, mona, "No reason left")
    assert "no longer left alone" in client_of(alice).get("/notifications").content.decode()
    members.join_open(project, charlie)
