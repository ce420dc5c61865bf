"""The page of a project's sources, and who may do what there."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from core.work import WorkState
from crawler.listing.source_stats import brought
from crawler.models import CrawlStep, ProjectPhoto
from projects.models import AuditEvent, Project, Source, User
from sandbox import RunningSandbox
from tests.conftest import ClientOf, MakeProject
from tests.crawler.helpers import crawl


@pytest.fixture
def project(sandbox: RunningSandbox, alice: User, bob: User, make_project: MakeProject) -> Project:
    return make_project(alice, "Q7186", [("Curie family", 0)], members=[bob])


def url(name: str, project: Project, *more: object) -> str:
    return reverse(name, args=[project.public_id, *more])


def test_everybody_who_may_see_the_project_sees_where_its_photos_come_from(
    project: Project, alice: User, charlie: User, client_of: ClientOf
) -> None:
    Source.objects.create(project=project, kind="uploader", value="Nobody at all")
    crawl()
    mine = project.sources.get(kind="category")
    Source.objects.filter(pk=mine.pk).update(found=3, found_at=timezone.now(), watched=True)
    page = client_of(charlie).get(url("sources", project)).content.decode()
    assert 'href="http' in page
    assert "/wiki/Category:Curie_family" in page
    assert "Special:ListFiles/Nobody_at_all" in page
    assert "The wiki has no such user" in page
    assert "3 new photos" in page
    assert "<form method" not in page.split("<main")[1].split("</main")[0]
    asked = client_of(alice).get(url("sources", project) + "?suggest=1").content.decode()
    assert "Solvay Conference 1911" in asked  # without JavaScript
    assert f'action="{url("source-change", project, mine.pk)}"' in asked
    card = client_of(charlie).get(project.get_absolute_url()).content.decode()
    assert "3 new photos" in card
    Project.objects.update(visibility="private")
    assert client_of(charlie).get(url("sources", project)).status_code == 404


def test_a_source_without_photos_says_why(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    crawl()
    same = project.sources.create(kind="search", value='incategory:"Curie family"')
    crawl()
    for value, others in (("Empty", 0), ("Sounds", 4)):
        source = project.sources.create(kind="category", value=value)
        source.steps.create(title=value, state=WorkState.DONE, others=others)
    depicts = project.sources.create(kind="depicts", value="Q7186")
    depicts.steps.create(title="Q7186", state=WorkState.DONE)
    project.sources.create(kind="category", value="Just added")
    why = {each.source.value: each.why_none for each in brought(project)}
    n = same.steps.get(title=same.value).files
    assert n > 1
    assert why == {
        "Curie family": "",
        same.value: f"its {n} photos came with other sources",
        "Empty": "no photos found yet",
        "Sounds": "no pictures, only other files",
        "Q7186": "no file depicts the person yet",
        "Just added": "",  # it is being read
    }
    for page in (url("sources", project), project.get_absolute_url()):
        html = client_of(alice).get(page).content.decode()
        for sentence in filter(None, why.values()):
            assert sentence in html
        assert "they teach the tool" not in html
    html = client_of(alice).get(url("sources", project)).content.decode()
    assert not re.search(r"\b0 photos", html)
    assert html.count("being read") == 1


def test_only_the_owner_changes_them(
    project: Project, bob: User, charlie: User, client_of: ClientOf
) -> None:
    source = project.sources.get()
    for user, status in ((bob, 403), (charlie, 403), (None, 401)):
        browser = client_of(user)
        assert browser.post(url("source-add", project), {"add": "X"}).status_code == status
        change = url("source-change", project, source.pk)
        assert browser.post(change, {"do": "take-away"}).status_code == status
    assert client_of(bob).get(url("source-suggestions", project)).status_code == 403
    assert project.sources.get() == source


@pytest.mark.parametrize(
    ("posted", "kind", "value", "depth"),
    [
        ({"add": "Pierre Curie"}, "category", "Pierre Curie", 2),
        ({"add": "kari N.", "kind": "uploader"}, "uploader", "Kari N.", 0),
        ({"guess": "Marie Curie", "add": "Mari Curie"}, "category", "Marie Curie", 2),
        ({"place": "category:Solvay Conference 1911", "depth": "1"},
         "category", "Solvay Conference 1911", 1),
        ({"place": "depicts:Q1", "depth": "0"}, "depicts", "Q7186", 0),
    ],
)  # fmt: skip
def test_a_source_is_added(
    project: Project,
    alice: User,
    client_of: ClientOf,
    posted: dict[str, Any],
    kind: str,
    value: str,
    depth: int,
) -> None:
    answer = client_of(alice).post(url("source-add", project), posted)
    assert answer.headers["Location"] == url("sources", project)
    added = project.sources.order_by("-id")[0]
    assert (added.kind, added.value, added.depth) == (kind, value, depth)
    assert AuditEvent.objects.get(action="source.added").actor == alice


@pytest.mark.parametrize(
    ("posted", "says"),
    [
        ({"add": ""}, "no name of a category"),
        ({"add": "Mari Curie"}, 'name="guess" value="Marie Curie"'),
        ({"add": "Nobody at all", "kind": "uploader"}, "There is no user"),
        ({"add": "insource:/(/", "kind": "search"}, "does not understand"),
    ],
)
def test_what_cannot_be_added_is_said(
    project: Project, alice: User, client_of: ClientOf, posted: dict[str, str], says: str
) -> None:
    page = client_of(alice).post(url("source-add", project), posted)
    assert page.status_code == 200
    assert says in page.content.decode()
    assert project.sources.count() == 1


@pytest.mark.waits
def test_a_silent_wiki_is_said(
    project: Project, sandbox: RunningSandbox, alice: User, client_of: ClientOf
) -> None:
    sandbox.faults.add("http", {}, status=503)
    browser = client_of(alice)
    page = browser.post(url("source-add", project), {"add": "Pierre Curie"}).content.decode()
    assert "did not answer" in page
    assert 'value="Pierre Curie"' in page
    assert "did not say all" in browser.get(url("source-suggestions", project)).content.decode()


def test_a_source_is_watched_read_again_and_taken_away(
    project: Project, alice: User, client_of: ClientOf, make_project: MakeProject
) -> None:
    crawl()
    browser, source = client_of(alice), project.sources.get()
    change = url("source-change", project, source.pk)
    for deed, watched in (("watch", True), ("unwatch", False)):
        browser.post(change, {"do": deed})
        source.refresh_from_db()
        assert source.watched is watched
    browser.post(change, {"do": "look"})
    assert CrawlStep.objects.get(source=source, title="Curie family").state == WorkState.QUEUED
    other = make_project(alice, "Q937", [("Albert Einstein", 0)])
    elsewhere = url("source-change", other, source.pk)
    assert browser.post(elsewhere, {"do": "take-away"}).status_code == 404
    browser.post(change, {"do": "take-away"})
    assert not project.sources.exists()
    assert not ProjectPhoto.objects.filter(project=project).exists()
    assert "No sources" in browser.get(url("sources", project)).content.decode()


def test_the_portrait_stays(project: Project, alice: User, client_of: ClientOf) -> None:
    portrait = Source.objects.create(project=project, kind="file", value=project.person.portrait)
    for deed in ("take-away", "watch"):
        client_of(alice).post(url("source-change", project, portrait.pk), {"do": deed})
    portrait.refresh_from_db()
    assert not portrait.watched
