"""Invite codes: making, using, taking back; what a wrong one says."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.user_errors import Refused
from projects.members import services as members
from projects.models import AuditEvent, Membership, Project, User
from tests.conftest import ClientOf, MakeProject

State = Membership.State


def state_of(project: Project, user: User) -> str:
    return str(project.memberships.get(user=user).state)


def test_owner_makes_a_code_and_bob_joins_by_its_link(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    client_of(alice).post(f"/p/{project.public_id}/invites/new", {"days": "7", "uses": "10"})
    code = project.invites.get().code

    page = client_of(alice).get(f"/p/{project.public_id}/members")
    assert code in page.content.decode()

    browser = client_of(bob)
    shown = browser.get(f"/join/{code}")
    assert "Marie Curie" in shown.content.decode()
    assert not project.memberships.filter(user=bob).exists(), "looking at a link joins nothing"

    done = browser.post("/join/", {"code": code, "join": "1"}, follow=True)
    assert done.redirect_chain[-1][0] == project.get_absolute_url()
    assert state_of(project, bob) == State.ACTIVE
    assert project.invites.get().uses == 1
    assert AuditEvent.objects.filter(action="member.joined", actor=bob, project=project).exists()


def test_joining_twice_uses_the_code_once(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice).code
    members.join_by_code(code, bob)
    members.join_by_code(code, bob)
    assert project.invites.get().uses == 1


def test_a_code_is_understood_as_people_type_it(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice).code
    members.join_by_code(f" {code[:4].lower()}-{code[4:].lower()} ", bob)
    assert state_of(project, bob) == State.ACTIVE


def test_the_last_place_goes_to_one(
    alice: User, bob: User, charlie: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice, max_uses=1).code
    members.join_by_code(code, bob)
    with pytest.raises(Refused, match="used-up"):
        members.join_by_code(code, charlie)
    assert not project.memberships.filter(user=charlie).exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "no longer valid"),
        ({"revoked_at": timezone.now()}, "taken back"),
        ({"uses": 50}, "as often as it may"),
    ],
)
def test_a_dead_code_says_why(
    change: dict[str, object],
    sentence: str,
    alice: User,
    bob: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice).code
    project.invites.update(**change)
    for answer in (
        client_of(bob).get(f"/join/{code}"),
        client_of(bob).post("/join/", {"code": code, "join": "1"}),
    ):
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
        assert "Marie Curie" not in answer.content.decode()
    assert not project.memberships.filter(user=bob).exists()


def test_an_unknown_code_keeps_what_was_typed(bob: User, client_of: ClientOf) -> None:
    answer = client_of(bob).post("/join/", {"code": "NOSUCH<b>"})
    assert answer.status_code == 422
    assert "NOSUCH&lt;b&gt;" in answer.content.decode()
    assert "no such code" in answer.content.decode()


def test_an_empty_code_shows_the_form_again(bob: User, client_of: ClientOf) -> None:
    answer = client_of(bob).post("/join/", {"code": "  "})
    assert answer.status_code == 422
    assert "Enter" in answer.content.decode()


def test_joining_needs_a_login(client_of: ClientOf) -> None:
    answer = client_of(None).get("/join/ABCDEFGH")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/join/ABCDEFGH"


def test_banned_people_stay_out_even_with_a_code(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    members.ban(project, alice, bob)
    code = members.invite(project, alice).code
    looked = client_of(bob).get(f"/join/{code}")
    answer = client_of(bob).post("/join/", {"code": code, "join": "1"})
    for page in (looked, answer):
        assert "closed it for you" in page.content.decode()
        assert "invites you" not in page.content.decode()
    assert state_of(project, bob) == State.BANNED
    assert project.invites.get().uses == 0


def test_a_link_leads_members_to_their_project(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    code = members.invite(project, alice)
    for _time in ("while it is good", "when it is over"):
        seen = client_of(bob).get(f"/join/{code.code}", follow=True)
        assert seen.redirect_chain == [(project.get_absolute_url(), 302)]
        assert "You are a member of this project already." in seen.content.decode()
        members.revoke(code, alice)


def test_nobody_is_invited_to_what_has_ended(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice).code
    Project.objects.update(state=Project.State.ARCHIVED)
    assert "is archived" in client_of(bob).get(f"/join/{code}").content.decode()


def test_the_owner_takes_a_code_back(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    code = members.invite(project, alice).code
    address = f"/p/{project.public_id}/invites/revoke"
    assert client_of(bob).post(address, {"code": code}).status_code == 403
    client_of(alice).post(address, {"code": code})
    assert project.invites.get().revoked_at is not None
    assert client_of(alice).post(address, {"code": "NOTMINE1"}).status_code == 404


@pytest.mark.parametrize("days", ["0", "365", "x", ""])
def test_a_code_lives_only_as_long_as_is_offered(
    days: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/invites/new"
    answer = client_of(alice).post(address, {"days": days, "uses": "10"}, follow=True)
    assert "Choose how long" in answer.content.decode()
    assert not project.invites.exists()


def test_an_archived_project_takes_nobody_in(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    code = members.invite(project, alice).code
    project.state = project.State.ARCHIVED
    project.save()
    with pytest.raises(Refused, match="archived"):
        members.join_by_code(code, bob)
