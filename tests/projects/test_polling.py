"""A page that polls costs one query while nothing changes, and tells nobody anything else."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from projects import ledger
from projects.live.pulse import beat
from projects.models import Membership, Project, User
from tests.conftest import ClientOf, MakeProject


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    return make_project(alice, members=[bob], visibility=Project.Visibility.PRIVATE)


def ticket_of(client: Client, project: Project) -> str:
    """As it stands in the polled part of the project's page."""
    page = client.get(f"/p/{project.public_id}/").content.decode()
    found = re.search(r'data-ticket="([^"]+)"', page)
    assert found
    return found[1]


def poll(client: Client, project: Project, ticket: str) -> int:
    return client.get(f"/p/{project.public_id}/status", {"ticket": ticket}).status_code


def test_a_poll_costs_one_query_until_something_changes(
    client_of: ClientOf,
    alice: User,
    project: Project,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    client = client_of(alice)
    ticket = ticket_of(client, project)
    for _ in range(3):
        with django_assert_num_queries(1):
            assert poll(client, project, ticket) == 204
    beat(project.pk)
    assert poll(client, project, ticket) == 200


def test_what_is_said_or_done_in_a_project_makes_its_pulse_beat(project: Project) -> None:
    before = Project.objects.get(pk=project.pk).pulse
    Project.objects.filter(pk=project.pk).tell_learner()
    assert Project.objects.get(pk=project.pk).pulse == before + 1
    ledger.audit(project.owner, "project.settings", project)
    assert Project.objects.get(pk=project.pk).pulse == before + 2


def test_a_ticket_is_good_for_one_session_and_not_for_ever(
    client_of: ClientOf, alice: User, bob: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, member, nobody = client_of(alice), client_of(bob), client_of(None)
    ticket = ticket_of(owner, project)
    assert poll(member, project, ticket) == 200  # as without one
    assert nobody.get(f"/p/{project.public_id}/status", {"ticket": ticket}).status_code == 302
    assert poll(owner, project, ticket + "x") == 200
    later = timezone.now().timestamp() + 601
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert poll(owner, project, ticket) == 200


def test_who_was_removed_sees_nothing_more(
    client_of: ClientOf, bob: User, project: Project
) -> None:
    client = client_of(bob)
    ticket = ticket_of(client, project)
    project.memberships.filter(user=bob).update(state=Membership.State.LEFT)
    ledger.audit(project.owner, "member.removed", project)
    assert poll(client, project, ticket) == 404


def test_a_page_that_saw_the_change_without_a_difference_gets_a_new_ticket(
    client_of: ClientOf, alice: User, project: Project
) -> None:
    client = client_of(alice)
    page = client.get(f"/p/{project.public_id}/").content.decode()
    seen = re.search(r"seen=(\w+)", page)
    assert seen
    beat(project.pk)
    again = client.get(f"/p/{project.public_id}/status", {"seen": seen[1], "ticket": "old"})
    assert again.status_code == 204
    assert poll(client, project, again.headers["X-Ticket"]) == 204
