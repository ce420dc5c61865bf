"""The demo project is a project like any other, made once."""

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from projects.models import Project, Source
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from wiki import sites

pytestmark = pytest.mark.django_db


def test_the_first_start_makes_a_project_that_anybody_may_join(
    sandbox: RunningSandbox, client_of: ClientOf
) -> None:
    for _ in range(2):
        call_command("demo", verbosity=0)
    project = Project.objects.get()
    assert str(project.owner) == "Ingrid S."
    assert project.joining == Project.Joining.OPEN
    assert project.sources.filter(kind=Source.Kind.CATEGORY).exists()
    assert "Albert Einstein" in client_of(None).get("/projects").content.decode()


def test_its_owner_is_the_sandbox_account_of_that_name(sandbox: RunningSandbox) -> None:
    call_command("demo", verbosity=0)
    account = sandbox.world.users.by_name("Ingrid S.")
    assert account
    assert Project.objects.get().owner.sub == account.sub


def test_where_there_are_projects_none_is_made(make_project: MakeProject, alice: object) -> None:
    make_project(alice)
    call_command("demo", verbosity=0)
    assert Project.objects.count() == 1


def test_the_real_wiki_gets_no_demo(settings: Settings) -> None:
    settings.WIKI = sites.commons()
    with pytest.raises(CommandError, match="WIKI=sandbox"):
        call_command("demo")
