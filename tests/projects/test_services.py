"""Making a project, without a page around it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection, transaction

from core.user_errors import Refused
from projects.creation import services as creation
from projects.creation.source_lookup import Kind, Place
from projects.models import Person, Project, User
from sandbox import RunningSandbox
from wiki.http import WikiError

PLACES = [Place(Kind.CATEGORY, "Marie Curie", 2), Place(Kind.DEPICTS, "Q7186")]


def test_the_person_is_kept_as_wikidata_has_them(sandbox: RunningSandbox, alice: User) -> None:
    creation.create_project(alice, "Q7186", PLACES)
    curie = Person.objects.get()
    assert (curie.wiki, curie.qid) == (settings.WIKI.code, "Q7186")
    assert (str(curie), curie.years) == ("Marie Curie", "1867–1934")
    assert curie.label("ja") == "マリ・キュリー"
    assert curie.portrait == "File:Marie Curie c. 1920s.jpg"
    assert curie.commons_category == "Marie Curie"
    assert (str(curie.born_from), curie.born_precision) == ("1867-11-07", 11)


def test_two_owners_share_one_person(sandbox: RunningSandbox, alice: User, bob: User) -> None:
    creation.create_project(alice, "Q7186", PLACES)
    creation.create_project(bob, "Q7186", PLACES)
    assert Person.objects.count() == 1
    assert [p.owner for p in creation.live_projects("Q7186")] == [alice, bob]


def test_a_new_project_looks_for_one_person_whom_its_owner_added(
    sandbox: RunningSandbox, alice: User
) -> None:
    project = creation.create_project(alice, "Q7186", PLACES)
    [subject] = project.subjects.all()
    assert subject == project.subject
    assert (subject.person.qid, subject.added_by, subject.state) == ("Q7186", alice, "active")


def test_a_category_named_twice_is_one_source_of_the_greater_depth(
    sandbox: RunningSandbox, alice: User
) -> None:
    twice = [Place(Kind.CATEGORY, "Marie Curie", depth) for depth in (3, 1)]
    project = creation.create_project(alice, "Q7186", twice)
    assert project.sources.get(kind="category").depth == 3


def test_a_project_has_twenty_sources_at_most(sandbox: RunningSandbox, alice: User) -> None:
    many = [Place(Kind.SEARCH, f"word {n}") for n in range(20)]
    with pytest.raises(Refused, match="too-many-sources"):
        creation.create_project(alice, "Q7186", [*many, Place(Kind.UPLOADER, "Kari N.")])
    assert not Project.objects.exists()


@pytest.mark.waits
def test_a_silent_wiki_leaves_nothing_behind(sandbox: RunningSandbox, alice: User) -> None:
    sandbox.faults.add("http", {}, status=503)
    with pytest.raises(WikiError):
        creation.create_project(alice, "Q7186", PLACES)
    assert not Project.objects.exists()
    assert not Person.objects.exists()


def test_the_next_steps_wake_after_the_commit_only(
    sandbox: RunningSandbox, alice: User, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    woken: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        "core.events.wake", lambda name: woken.append((name, connection.in_atomic_block))
    )
    creation.create_project(alice, "Q7186", PLACES)
    assert {name for name, _ in woken} == set(settings.PIPELINE_WAKES["project-created"])
    assert not any(inside for _, inside in woken)


def test_two_tabs_at_once_make_one_project(
    shared_database: str, sandbox: RunningSandbox, alice: User
) -> None:
    ready = threading.Barrier(4)

    def create() -> str:
        ready.wait(timeout=10)
        try:
            creation.create_project(alice, "Q7186", PLACES)
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(4) as pool:
        outcomes = sorted(pool.map(lambda _: create(), range(4)))
    assert outcomes == ["already", "already", "already", "made"]
    project = Project.objects.get()
    assert project.sources.count() == 3
    with transaction.atomic():
        assert project.memberships.get().user == alice
