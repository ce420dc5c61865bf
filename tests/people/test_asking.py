"""Asking to join, handing a project over, and what two clicks at once come to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from core.user_errors import Refused
from projects.members import services as members_services
from projects.models import AuditEvent, Membership, Notification, Project, User
from tests import factories
from tests.classify.test_questions import at_once
from tests.conftest import ClientOf, MakeProject

State, Role = Membership.State, Membership.Role


def theirs(project: Project, user: User) -> Membership:
    return Membership.objects.get(project=project, user=user)


def test_charlie_asks_alice_hears_of_it_and_lets_him_in(
    alice: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/ask-to-join"
    visitor, owner = client_of(charlie), client_of(alice)
    assert address in visitor.get(project.get_absolute_url()).content.decode()
    assert "A few words" in visitor.get(address).content.decode()
    assert client_of(None).get(address)["Location"].startswith("/login/?next=/p/")
    for words in ("I know  her sister", "I know her cousin"):
        answer = visitor.post(address, {"note": words})
        assert answer["Location"] == project.get_absolute_url()
    assert "I know her cousin" in visitor.get(address).content.decode()
    assert "See what you asked" in visitor.get(project.get_absolute_url()).content.decode()
    assert (
        visitor.get(f"/p/{project.public_id}/ask").status_code == 200
    )  # to look at, not to answer
    assert theirs(project, charlie).state == State.ASKED
    assert Notification.objects.count() == 1, "asked twice is one asking"

    members = owner.get(f"/p/{project.public_id}/members").content.decode()
    assert "1 person asks to join" in members
    assert "I know her cousin" in members
    assert (
        "cousin" not in client_of(charlie).get(f"/p/{project.public_id}/members").content.decode()
    )
    change = f"/p/{project.public_id}/members/change"
    assert visitor.post(change, {"deed": "accept", "user": charlie.public_id}).status_code == 403
    owner.post(change, {"deed": "accept", "user": charlie.public_id})
    his = theirs(project, charlie)
    assert (his.state, his.role, his.note) == (State.ACTIVE, Role.MEMBER, "")
    again = owner.post(change, {"deed": "accept", "user": charlie.public_id}, follow=True)
    assert "This has been done already" in again.content.decode()
    assert "You are a member" in visitor.get(address).content.decode()
    assert visitor.post(address, {"note": "me"}).status_code == 422
    actions = AuditEvent.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["member.asked", "member.accepted"]


def test_one_may_ask_again_take_it_back_or_be_kept_out(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    address = f"/p/{project.public_id}/ask-to-join"
    browser = client_of(bob)
    browser.post(address, {"note": "please"})
    members_services.decline(project, alice, bob)
    assert theirs(project, bob).state == State.LEFT
    browser.post(address)
    browser.post(address, {"take-back": "1"})
    assert theirs(project, bob).state == State.LEFT
    browser.post(address)
    members_services.ban(project, alice, bob)
    assert browser.post(address).status_code == 404
    assert theirs(project, bob).state == State.BANNED


def test_the_owner_is_told_who_waits_now_and_of_nobody_once_none_does(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)

    def told() -> str:
        page = client_of(alice).get("/notifications").content.decode()
        return " ".join(page.partition("told-icon")[2].split())

    def unread() -> int:
        return alice.notifications.filter(read_at=None).count()

    members_services.ask(project, bob)
    members_services.ask(project, charlie)
    members_services.take_back_asking(project, charlie)
    members_services.ask(project, charlie)
    assert "2 people ask to join" in told()
    members_services.accept(project, alice, charlie)
    assert (unread(), "<bdi>Bob</bdi> asks to join" in told()) == (1, True)
    members_services.take_back_asking(project, bob)
    assert (unread(), "Unread:" in told()) == (0, False)
    assert "<bdi>Charlie</bdi> asked to join" in told()
    for over in (members_services.decline, members_services.ban):
        members_services.ask(project, bob)
        assert "<bdi>Bob</bdi> asks to join" in told()
        over(project, alice, bob)
        assert unread() == 0
    members_services.remove(project, alice, charlie)
    members_services.ask(project, charlie)
    members_services.join_by_code(members_services.invite(project, alice).code, charlie)
    assert unread() == 0


def test_a_code_lets_in_who_has_asked_and_an_open_project_is_not_asked(
    alice: User, bob: User, charlie: User, make_project: MakeProject
) -> None:
    project = make_project(alice)
    members_services.ask(project, bob)
    members_services.join_by_code(members_services.invite(project, alice).code, bob)
    assert theirs(project, bob).state == State.ACTIVE
    project.joining = Project.Joining.OPEN
    with pytest.raises(Refused, match="open"):
        members_services.ask(project, charlie)
    project.state = Project.State.ARCHIVED
    with pytest.raises(Refused, match="archived"):
        members_services.ask(project, charlie)


def test_alice_hands_her_project_over_to_bob(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob])
    address = f"/p/{project.public_id}/hand-over/{bob.public_id}"
    owner = client_of(alice)
    assert client_of(bob).post(address, {"sure": "on"}).status_code == 403
    assert owner.get(f"/p/{project.public_id}/hand-over/{charlie.public_id}").status_code == 404
    assert "own" in owner.get(address).content.decode()
    assert owner.post(address).status_code == 422
    owner.post(address, {"sure": "on"})
    project.refresh_from_db()
    assert (project.owner, project.active_key) == (bob, f"{bob.pk}:{project.person.pk}")
    assert (theirs(project, bob).role, theirs(project, alice).role) == (Role.OWNER, Role.REVIEWER)
    assert Notification.objects.get(user=bob).data == {"code": "owner", "who": "Alice"}
    assert AuditEvent.objects.get(action="project.handed-over").actor == alice
    assert owner.post(address, {"sure": "on"}).status_code == 403
    second = make_project(alice)
    assert second.active_key, "her place for this person is free"


def test_it_is_handed_over_to_nobody_who_can_not_have_it(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, members=[bob, charlie])
    make_project(bob)
    address = f"/p/{project.public_id}/hand-over/{bob.public_id}"
    answer = client_of(alice).post(address, {"sure": "on"})
    assert "have a live project for this person" in answer.content.decode()
    Membership.objects.filter(user=charlie).update(counts=False)
    with pytest.raises(Refused, match="counts-not"):
        members_services.hand_over(project, alice, charlie)
    members_services.remove(project, alice, charlie)
    for nobody in (charlie, alice):
        with pytest.raises(Refused, match="no-member"):
            members_services.hand_over(project, alice, nobody)
    project.refresh_from_db()
    assert project.owner == alice


def by(deed: Callable[..., None], actor: User, project: Project, user: User) -> None:
    deed(project, actor, user)


def refusal_of(deed: Callable[..., object], place: Project | str, user: User) -> str:
    try:
        deed(place, user)
    except Refused as refused:
        return refused.code
    return "done"


@pytest.mark.usefixtures("shared_database")
def test_two_clicks_at_once_are_one_deed() -> None:
    alice, bob, charlie = (factories.make_user(name) for name in ("Alice", "Bob", "Charlie"))
    project = factories.make_project(alice, members=[bob, charlie])
    dora = factories.make_user("Dora")

    def at_the_same_time(deed: Callable[..., None], *users: User) -> list[str]:
        return at_once([partial(refusal_of, deed, project, user) for user in users])

    asked = at_the_same_time(members_services.ask, dora, dora, dora)
    assert asked == ["done"] * 3
    assert AuditEvent.objects.filter(action="member.asked").count() == 1
    let_in = at_the_same_time(partial(by, members_services.accept, alice), dora, dora, dora)
    assert sorted(let_in) == ["done", "no-member", "no-member"]
    code = members_services.invite(project, alice, max_uses=1).code
    guests = [factories.make_user(name) for name in ("Eve", "Finn", "Gro", "Hal")]
    joined = at_once(
        [partial(refusal_of, members_services.join_by_code, code, guest) for guest in guests]
    )
    assert sorted(joined) == ["done"] + ["used-up"] * 3, "the last place goes to one"
    assert project.memberships.filter(user__in=guests).count() == 1
    handed = at_the_same_time(
        partial(by, members_services.hand_over, alice), bob, charlie, bob, charlie
    )
    assert sorted(handed) == ["done"] + ["not-owner"] * 3
    owners = Membership.objects.filter(project=project, role=Role.OWNER)
    project.refresh_from_db()
    assert [each.user for each in owners] == [project.owner]
    assert project.active_key == f"{project.owner_id}:{project.person.pk}"
