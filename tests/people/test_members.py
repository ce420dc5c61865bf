"""Members: who sees whom, joining, leaving, removing, banning, roles."""

import pytest
from pytest_django import DjangoAssertNumQueries

from core.user_errors import Refused
from projects.members import services as members
from projects.models import AuditEvent, Membership, Project, User
from tests.conftest import ClientOf, MakeProject

State, Role = Membership.State, Membership.Role
PRIVATE = Project.Visibility.PRIVATE
OPEN = Project.Joining.OPEN


def test_anybody_may_join_an_open_project(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, joining=OPEN)
    answer = client_of(charlie).post(f"/p/{project.public_id}/join")
    assert answer["Location"] == project.get_absolute_url()
    assert project.memberships.get(user=charlie).state == State.ACTIVE


def test_who_joins_from_the_questions_comes_back_to_them(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, joining=OPEN)
    for wanted, led_to in (
        (f"/p/{project.public_id}/ask", f"/p/{project.public_id}/ask"),
        ("https://evil.example/", project.get_absolute_url()),
    ):
        answer = client_of(charlie).post(f"/p/{project.public_id}/join", {"next": wanted})
        assert answer["Location"] == led_to


def test_one_joins_by_invitation_where_the_owner_wants_so(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    client_of(charlie).post(f"/p/{project.public_id}/join")
    assert not project.memberships.filter(user=charlie).exists()


def test_a_private_project_is_not_found_and_not_joined(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, visibility=PRIVATE, joining=OPEN)
    assert client_of(charlie).post(f"/p/{project.public_id}/join").status_code == 404
    assert client_of(charlie).get(f"/p/{project.public_id}/members").status_code == 404


def test_joining_without_a_login_leads_to_it(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, joining=OPEN)
    answer = client_of(None).post(f"/p/{project.public_id}/join")
    assert "/login/?next=/p/" in answer.content.decode()


def test_bob_leaves_and_his_role_goes(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    members.set_role(project, alice, bob, Role.REVIEWER)
    client_of(bob).post(f"/p/{project.public_id}/leave")
    mine = project.memberships.get(user=bob)
    assert (mine.state, mine.role) == (State.LEFT, Role.MEMBER)
    assert client_of(bob).get(f"/p/{project.public_id}/leave").status_code == 405


def test_the_owner_stays(alice: User, make_project: MakeProject, client_of: ClientOf) -> None:
    project = make_project(alice)
    answer = client_of(alice).post(f"/p/{project.public_id}/leave", follow=True)
    assert "You own this project" in answer.content.decode()
    assert project.memberships.get(user=alice).state == State.ACTIVE


@pytest.mark.parametrize(
    ("deed", "state", "role"),
    [
        ("remove", State.LEFT, Role.MEMBER),
        ("ban", State.BANNED, Role.MEMBER),
        ("reviewer", State.ACTIVE, Role.REVIEWER),
    ],
)
def test_what_the_owner_does_with_a_member_is_done_and_written_down(
    deed: str,
    state: str,
    role: str,
    alice: User,
    bob: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    project = make_project(alice, members=[bob])
    client_of(alice).post(
        f"/p/{project.public_id}/members/change", {"deed": deed, "user": bob.public_id}
    )
    his = project.memberships.get(user=bob)
    assert (his.state, his.role) == (state, role)
    assert AuditEvent.objects.filter(actor=alice, project=project, target=f"user:{bob.pk}").exists()


def test_a_ban_can_be_lifted_and_then_he_may_join_again(
    alice: User, bob: User, make_project: MakeProject
) -> None:
    project = make_project(alice, members=[bob], joining=OPEN)
    members.ban(project, alice, bob)
    with pytest.raises(Refused, match="banned"):
        members.join_open(project, bob)
    members.unban(project, alice, bob)
    members.join_open(project, bob)
    assert project.memberships.get(user=bob).state == State.ACTIVE


def test_the_owner_cannot_be_removed(alice: User, make_project: MakeProject) -> None:
    project = make_project(alice)
    for deed in (members.remove, members.ban):
        with pytest.raises(Refused, match="no-member"):
            deed(project, alice, alice)
    with pytest.raises(Refused, match="no-member"):
        members.set_role(project, alice, alice, Role.MEMBER)


@pytest.mark.parametrize("deed", ["owner", "", "nonsense"])
def test_other_deeds_are_not_found(
    deed: str, alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    answer = client_of(alice).post(
        f"/p/{project.public_id}/members/change", {"deed": deed, "user": bob.public_id}
    )
    assert answer.status_code == 404
    assert project.memberships.get(user=bob).role == Role.MEMBER


def test_only_the_owner_changes_members(
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    project = make_project(alice, members=[bob, charlie])
    address = f"/p/{project.public_id}/members/change"
    deed = {"deed": "ban", "user": charlie.public_id}
    assert client_of(bob).post(address, deed).status_code == 403
    assert client_of(mona).post(address, deed).status_code == 403
    assert client_of(None).post(address, deed).status_code == 401
    assert project.memberships.get(user=charlie).state == State.ACTIVE


def test_a_stranger_of_the_project_cannot_be_named(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/members/change"
    answer = client_of(alice).post(address, {"deed": "ban", "user": charlie.public_id})
    assert answer.status_code == 404


def test_visitors_see_only_who_wants_to_be_seen(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    address = f"/p/{project.public_id}/members"
    assert "Bob" in client_of(alice).get(address).content.decode()
    for visitor in (None, charlie):
        page = client_of(visitor).get(address).content.decode()
        assert "Bob" not in page
        assert "And 1 more person" in page
    bob.show_on_leaderboard = True
    bob.save()
    assert "Bob" in client_of(None).get(address).content.decode()


def test_codes_are_shown_to_the_owner_alone(
    alice: User, bob: User, mona: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    code = members.invite(project, alice).code
    address = f"/p/{project.public_id}/members"
    for other in (bob, mona, None):
        assert code not in client_of(other).get(address).content.decode()


def test_a_banned_person_does_not_see_the_project(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    members.ban(project, alice, bob)
    assert client_of(bob).get(f"/p/{project.public_id}/members").status_code == 404


def test_the_members_page_takes_as_many_queries_for_forty_as_for_one(
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    from tests.factories import make_user

    project = make_project(alice, members=[make_user(f"Member {n}") for n in range(40)])
    browser = client_of(alice)
    address = f"/p/{project.public_id}/members"
    with django_assert_max_num_queries(20):
        page = browser.get(address).content.decode()
    assert "1 to 25 of 41" in page
    assert "Member 39" in browser.get(f"{address}?page=2").content.decode()
    found = browser.get(f"{address}?q=ber 39").content.decode()
    assert ("Member 39" in found, "Member 38" in found) == (True, False)
    assert "Nobody here is called" in browser.get(f"{address}?q=zzz").content.decode()


def test_a_project_without_another_member_is_handed_over_to_nobody(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    settings, browser = f"/p/{project.public_id}/settings", client_of(alice)
    assert 'id="hand-over"' in browser.get(settings).content.decode()
    members.leave(project, bob)
    assert "Hand over" not in browser.get(settings).content.decode()


def test_names_are_offered_to_those_who_see_them_and_lead_to_handing_over(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    User.objects.filter(pk=bob.pk).update(show_on_leaderboard=False)
    here = f"/p/{project.public_id}"

    def names(user: User, typed: str) -> str:
        return client_of(user).get(f"{here}/members/names", {"q": typed}).content.decode()

    assert 'value="Bob"' in names(alice, "bo")
    assert "option" not in names(alice, "") + names(alice, "charlie")
    assert "Bob" not in names(charlie, "bo"), "visitors see only who chose to be seen"
    page = client_of(alice).get(f"{here}/settings").content.decode()
    assert f'hx-get="{here}/members/names"' in page
    to_bob = client_of(alice).get(f"{here}/hand-over", {"to": " bob "})
    assert to_bob["Location"] == f"{here}/hand-over/{bob.public_id}"
    for nobody in ("Charlie", "Alice", "", "x" * 400):
        back = client_of(alice).get(f"{here}/hand-over", {"to": nobody}, follow=True)
        assert "No other member of this project" in back.content.decode()
    assert client_of(bob).get(f"{here}/hand-over", {"to": "bob"}).status_code == 403
