"""The shared fixtures do what they promise."""

import subprocess
import sys
import threading

import pytest
import requests
from django.conf import settings
from django.db import connection

from projects.models import User, WikiCredential
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject


def test_the_sandbox_answers_where_the_settings_point(sandbox: RunningSandbox) -> None:
    answer = requests.get(
        settings.WIKI.commons_api,
        params={"action": "query", "meta": "siteinfo", "format": "json"},
        timeout=10,
    )
    assert answer.json()["query"]["general"]["sitename"]


def test_edits_of_a_fresh_sandbox_are_put_back_1(fresh_sandbox: RunningSandbox) -> None:
    fresh_sandbox.world.add_page("commons", "Category:Only for one test")
    assert fresh_sandbox.world.page("commons", "Category:Only for one test")


def test_edits_of_a_fresh_sandbox_are_put_back_2(fresh_sandbox: RunningSandbox) -> None:
    assert not fresh_sandbox.world.page("commons", "Category:Only for one test")
    fresh_sandbox.world.add_page("commons", "Category:Only for one test")


def test_the_cast_has_tokens_and_projects(
    alice: User, mona: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice, "Q7186", [("Marie Curie", 2)])
    assert str(project) == "Marie Curie"
    assert WikiCredential.objects.filter(user=alice).count() == 1
    assert client_of(mona).get("/admin/").status_code == 200


@pytest.mark.process
def test_another_thread_and_another_process_see_the_shared_database(
    shared_database: str, alice: User
) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.extend(User.objects.values_list("wiki_username", flat=True))
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    script = "from projects.models import User; print(User.objects.get().wiki_username)"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert seen == ["Alice"]
    assert printed.strip() == "Alice"
