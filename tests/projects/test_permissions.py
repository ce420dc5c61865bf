"""One table says who may do what in a project."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from projects.models import Membership, Project
from projects.permissions import ROLES, Can, may, project_view
from tests.factories import make_project, make_user

pytestmark = pytest.mark.django_db


def test_each_right_is_one_of_its_own() -> None:
    names = ["VIEW", "ANSWER", "REVIEW", "SEND", "OVERSEE", "MANAGE"]
    assert [can.name for can in Can] == names, "none is another name for one before"
    assert set(ROLES) == set(Can)


@pytest.mark.parametrize("can", Can)
def test_a_stranger_only_looks(can: Can) -> None:
    project = make_project(make_user(), visibility=Project.Visibility.PUBLIC)
    for user in (make_user(), AnonymousUser()):
        assert may(user, can, project) == (can is Can.VIEW)


@pytest.mark.parametrize("can", Can)
def test_a_member_does_all_but_oversee_and_manage_until_banned(can: Can) -> None:
    owner, bob = make_user(), make_user()
    project = make_project(owner)
    membership = Membership.objects.create(
        project=project, user=bob, role=Membership.Role.MEMBER, state=Membership.State.ACTIVE
    )
    assert may(owner, can, project)
    assert may(bob, can, project) == (can not in (Can.OVERSEE, Can.MANAGE))
    membership.role = Membership.Role.REVIEWER
    membership.save()
    assert may(bob, can, project) == (can is not Can.MANAGE)
    membership.state = Membership.State.BANNED
    membership.save()
    assert not may(bob, can, project)


@pytest.mark.parametrize(
    ("refusal", "sentence"), [("Not today.", "Not today."), ("", "You may not do that here.")]
)
def test_what_a_view_itself_refuses_is_told_in_its_own_words(
    refusal: str, sentence: str, rf: RequestFactory
) -> None:
    @project_view(Can.VIEW)
    def refuse(request: HttpRequest, project: Project) -> HttpResponse:
        raise PermissionDenied(refusal)

    owner = make_user()
    project = make_project(owner)
    request = rf.post("/", headers={"X-Background": "1"})
    request.user = owner
    answer = refuse(request, project.public_id)
    assert isinstance(answer, HttpResponse)
    assert (answer.status_code, json.loads(answer.content)["sentence"]) == (403, sentence)
