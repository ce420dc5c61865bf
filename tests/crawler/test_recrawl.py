"""Reading the sources again: what is new, changed, moved, deleted or only left the category."""

from __future__ import annotations

import pytest

from core.work import WorkState
from crawler.listing import crawl as listing_crawl
from crawler.listing import sources
from crawler.models import CrawlStep, Photo, ProjectPhoto
from projects.models import Project, User
from sandbox import RunningSandbox, files
from sandbox.records import Page
from tests.conftest import MakeProject
from tests.crawler.helpers import DATA, crawl, look, make_pictures, photo, titles

SOLVAY = "File:1911 Solvay conference.jpg"
FAMILY = "File:Marie Pierre Irene Curie.jpg"
ARABIC = "File:ماري كوري 1903.jpg"


@pytest.fixture
def project(fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject) -> Project:
    made = make_project(alice, "Q7186", [("Marie Curie", 0)])
    crawl()
    assert len(titles(made)) == 3
    return made


def page(wiki: RunningSandbox, title: str) -> Page:
    found = wiki.world.page("commons", title)
    assert found
    return found


def revision(project: Project) -> int:
    project.refresh_from_db()
    return project.revision


def test_nothing_changed(project: Project, fresh_sandbox: RunningSandbox) -> None:
    before = list(Photo.objects.order_by("pk").values())
    was = revision(project)
    sources.recrawl(project)
    crawl()
    assert list(Photo.objects.order_by("pk").values()) == before
    assert revision(project) == was
    assert set(ProjectPhoto.objects.values_list("round", flat=True)) == {2}


def test_other_pixels_are_looked_at_again(project: Project, fresh_sandbox: RunningSandbox) -> None:
    old = photo(ARABIC)
    path = DATA / "photos" / "curie_1903_profile.jpg"
    fresh_sandbox.world.upload(ARABIC, path, files.describe(path), user="Alice")
    was = revision(project)
    sources.recrawl(project)
    crawl()
    new = photo(ARABIC)
    assert new.pk == old.pk
    assert new.picture_id != old.picture_id
    assert new.picture.state == WorkState.QUEUED
    assert revision(project) > was


def test_a_moved_page_is_the_same_photo(project: Project, fresh_sandbox: RunningSandbox) -> None:
    old = photo(FAMILY)
    fresh_sandbox.world.move(page(fresh_sandbox, FAMILY), "File:Curies.jpg", user="Mona")
    sources.recrawl(project)
    crawl()
    moved = photo("File:Curies.jpg")
    assert (moved.pk, moved.page_id) == (old.pk, old.page_id)
    assert "Curies.jpg" in moved.thumb_url
    assert moved.picture_id == old.picture_id
    assert len(titles(project)) == 3


def test_a_deleted_page_is_withdrawn_and_comes_back(
    project: Project, fresh_sandbox: RunningSandbox
) -> None:
    gone = photo(SOLVAY)
    was = revision(project)
    fresh_sandbox.world.delete(page(fresh_sandbox, SOLVAY), user="Mona")
    sources.recrawl(project)
    crawl()
    gone.refresh_from_db()
    assert gone.state == Photo.State.WITHDRAWN
    assert revision(project) > was
    deleted = fresh_sandbox.world.deleted_page("commons", SOLVAY)
    assert deleted
    fresh_sandbox.world.undelete(deleted, user="Mona")
    sources.recrawl(project)
    crawl()
    gone.refresh_from_db()
    assert gone.state == Photo.State.LIVE


def test_a_photo_that_only_left_the_category_stays(
    project: Project, fresh_sandbox: RunningSandbox
) -> None:
    fresh_sandbox.world.save_text(page(fresh_sandbox, FAMILY), "no categories", user="Bob")
    sources.recrawl(project)
    crawl()
    left = ProjectPhoto.objects.get(project=project, photo__title=FAMILY)
    assert left.photo.state == Photo.State.LIVE
    assert left.source is None
    assert left.round == 2
    fresh_sandbox.world.delete(page(fresh_sandbox, FAMILY), user="Mona")
    sources.recrawl(project)
    crawl()
    assert photo(FAMILY).state == Photo.State.WITHDRAWN  # it is still looked after


def test_new_files_and_new_statements_are_seen(
    project: Project, fresh_sandbox: RunningSandbox
) -> None:
    path = DATA / "photos" / "curie_1903_profile.jpg"
    text = "[[Category:Marie Curie]]"
    facts = files.describe(path)
    fresh_sandbox.world.upload("File:New.jpg", path, facts, user="Bob", text=text)
    family = page(fresh_sandbox, FAMILY)
    snak = {"snaktype": "value", "property": "P180"}
    value = {"type": "wikibase-entityid", "value": {"id": "Q7186", "entity-type": "item"}}
    entity = {
        "type": "mediainfo",
        "id": f"M{family.id}",
        "labels": {},
        "descriptions": {},
        "statements": {
            "P180": [
                {
                    "mainsnak": snak | {"datavalue": value},
                    "type": "statement",
                    "id": f"M{family.id}$0a1b2c3d-0000-4000-8000-000000000001",
                    "rank": "normal",
                }
            ]
        },
    }
    fresh_sandbox.world.save_entity(family, entity, user="Bob")
    sources.recrawl(project)
    crawl()
    assert "New.jpg" in titles(project)
    assert ProjectPhoto.objects.get(photo__title=FAMILY).already_depicts


def test_it_overtakes_a_crawl_that_still_runs(
    project: Project, fresh_sandbox: RunningSandbox
) -> None:
    sources.recrawl(project)
    step = listing_crawl.take_next()
    assert step
    sources.recrawl(project)
    listing_crawl.read(step)  # what this one read is thrown away
    fresh = CrawlStep.objects.get(pk=step.pk)
    assert (fresh.round, fresh.files, fresh.state) == (3, 0, WorkState.QUEUED)
    crawl()
    fresh.refresh_from_db()
    assert (fresh.files, fresh.state) == (3, WorkState.DONE)


def test_more_unseen_photos_than_one_call_takes(
    project: Project, fresh_sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page ids of pages that never were: each call takes some, and it ends."""
    make_pictures(project, 5)
    monkeypatch.setattr("crawler.listing.read_page.PAGE", 2)
    sources.recrawl(project)
    crawl()
    withdrawn = Photo.objects.filter(state=Photo.State.WITHDRAWN)
    assert withdrawn.count() == 5
    assert len(titles(project)) == 8


@pytest.mark.engine
def test_a_picture_known_from_another_project_is_there_at_once(
    project: Project, bob: User, make_project: MakeProject
) -> None:
    Photo.objects.exclude(title=ARABIC).delete()
    look()
    other = make_project(bob, "Q937", [("Marie Curie", 0)])
    was = revision(other)
    crawl()
    assert revision(other) > was
    picture = photo(ARABIC).picture
    assert picture.state == WorkState.DONE
    assert picture.attempt == 1
