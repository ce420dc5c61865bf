"""Searches and uploaders as sources; sources watched, added and taken away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from classify.models import Answer, Label, Score
from core.user_errors import Refused
from core.work import WorkState
from crawler.listing import crawl as listing_crawl
from crawler.listing import read_page as listing_read_page
from crawler.listing import sources
from crawler.models import CrawlStep, Photo, ProjectPhoto
from projects.creation.source_lookup import Place
from projects.models import Membership, Notification, Project, Source, User
from sandbox import RunningSandbox, files
from tests.classify.faces import Cast, add_face
from tests.conftest import MakeProject
from tests.crawler.helpers import DATA, crawl, titles

Kind = Source.Kind
SOLVAY = "1911 Solvay conference.jpg"


def add_source(project: Project, kind: str, value: str, **fields: object) -> Source:
    return Source.objects.create(project=project, kind=kind, value=value, **fields)


def upload(wiki: RunningSandbox, name: str, text: str, user: str = "Kari N.") -> None:
    """Another file with the same pixels as one that is there."""
    path = DATA / "photos" / "curie_1903_profile.jpg"
    wiki.world.upload(f"File:{name}", path, files.describe(path), user=user, text=text)


def look_daily(source: Source) -> None:
    """As if a day had gone by."""
    Source.objects.filter(pk=source.pk).update(watch_due_at=timezone.now() - timedelta(seconds=1))
    crawl()


def found_by(source: Source) -> set[str]:
    photos = Photo.objects.filter(project_photos__source=source)
    return {photo.name for photo in photos}


# Kinds ------------------------------------------------------------------------------------


def test_sources_of_all_kinds_are_read_side_by_side(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0)])
    search = add_source(project, Kind.SEARCH, 'insource:"Mulberry Street" -intitle:Curie')
    uploader = add_source(project, Kind.UPLOADER, "Archivist Anna")
    crawl()
    rows = sandbox.world.store.rows(
        "SELECT title FROM page JOIN file ON file.wiki = page.wiki AND page_id = page.id"
        " WHERE user = 'Archivist Anna' AND mime = 'image/jpeg'"
    )
    uploads = {str(row["title"]).removeprefix("File:") for row in rows}
    assert len(uploads) > 10
    assert uploads <= titles(project) | {"Marie Curie (damaged).jpg"}
    assert found_by(search) | found_by(uploader) < titles(project)
    assert found_by(search)
    states = set(CrawlStep.objects.filter(source__project=project).values_list("state", "error"))
    assert states == {(WorkState.DONE, "")}


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        (Kind.UPLOADER, "No Such User 123", "no such user"),
        (Kind.SEARCH, "insource:/(/", "does not understand"),
    ],
)
def test_what_the_wiki_cannot_read_is_told_at_once(
    sandbox: RunningSandbox,
    alice: User,
    make_project: MakeProject,
    kind: str,
    value: str,
    says: str,
) -> None:
    project = make_project(alice, "Q7186", [])
    add_source(project, kind, value)
    crawl()
    step = CrawlStep.objects.get()
    assert (step.state, step.tries) == (WorkState.ASIDE, 1)
    assert says in step.reason


def test_a_user_without_uploads_is_no_error(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [])
    add_source(project, Kind.UPLOADER, "Newcomer")
    crawl()
    assert CrawlStep.objects.get().state == WorkState.DONE


# Watching ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "depth"),
    [
        (Kind.CATEGORY, "Curie family", 1),
        (Kind.SEARCH, 'incategory:"Curie family"', 0),
        (Kind.UPLOADER, "Kari N.", 0),
    ],
)
def test_new_uploads_join_by_themselves_and_the_owner_and_reviewers_hear_of_it(
    fresh_sandbox: RunningSandbox,
    alice: User,
    bob: User,
    charlie: User,
    make_project: MakeProject,
    kind: str,
    value: str,
    depth: int,
) -> None:
    project = make_project(alice, "Q7186", [], members=[bob, charlie])
    Membership.objects.filter(user=bob).update(role=Membership.Role.REVIEWER)
    source = add_source(project, kind, value, depth=depth)
    sources.watch(source, alice, True)
    crawl()
    assert not Notification.objects.exists()  # the first reading brings nothing new
    before = titles(project)
    look_daily(source)
    assert not Notification.objects.exists()
    source.refresh_from_db()
    assert (source.found, source.found_at) == (0, None)
    assert source.watch_due_at
    assert source.watch_due_at > timezone.now() + timedelta(hours=23)

    for number in range(2):
        upload(fresh_sandbox, f"Curies {number}.jpg", "[[Category:Curie family]]")
    look_daily(source)
    assert titles(project) - before == {"Curies 0.jpg", "Curies 1.jpg"}
    source.refresh_from_db()
    assert source.found == 2
    told = {each.user: each.data for each in Notification.objects.all()}
    assert set(told) == {alice, bob}
    assert told[alice] == {"count": 2, "source": value, "fresh": str(source.pk)}


def test_a_look_asks_for_one_page_and_a_new_subcategory_is_read(
    fresh_sandbox: RunningSandbox,
    alice: User,
    make_project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 1)])
    source = project.sources.get()
    sources.watch(source, alice, True)
    crawl()
    steps = CrawlStep.objects.filter(source=source)
    counted = list(steps.values_list("files", "others"))
    fresh_sandbox.world.reset_request_counts()
    monkeypatch.setattr(listing_read_page, "PAGE", 2)  # files; there is more than one page of each
    look_daily(source)
    counts = fresh_sandbox.world.request_counts.items()
    assert sum(n for path, n in counts if path.endswith(" query")) == steps.count()
    assert list(steps.values_list("files", "others")) == counted

    fresh_sandbox.world.add_page("commons", "Category:Ève Curie", "[[Category:Curie family]]")
    upload(fresh_sandbox, "Ève.jpg", "[[Category:Ève Curie]]")
    look_daily(source)
    assert "Ève.jpg" in titles(project)
    source.refresh_from_db()
    assert source.found == 1
    assert Notification.objects.get().user == alice


def test_only_active_projects_are_looked_after(
    fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0)])
    source = project.sources.get()
    sources.watch(source, alice, True)
    crawl()
    sources.watch(source, alice, False)
    source.refresh_from_db()
    assert source.watch_due_at is None
    sources.watch(source, alice, True)
    Project.objects.update(state=Project.State.PAUSED)
    upload(fresh_sandbox, "Curies.jpg", "[[Category:Curie family]]")
    look_daily(source)
    assert "Curies.jpg" not in titles(project)


def test_a_completed_project_is_watched_and_its_new_photos_wait(
    fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0), ("Marie Curie", 0)])
    watched, other = project.sources.order_by("id")
    sources.watch(watched, alice, True)
    crawl()
    Project.objects.update(state=Project.State.COMPLETED)
    for title in (watched.value, other.value):
        upload(fresh_sandbox, f"New in {title}.jpg", f"[[Category:{title}]]")
    sources.recrawl(project, alice, other)  # from a page that was open before
    look_daily(watched)
    assert "New in Curie family.jpg" in titles(project)
    assert "New in Marie Curie.jpg" not in titles(project)
    [told] = Notification.objects.all()
    assert (told.kind, told.user, told.data["count"]) == (Notification.Kind.UPLOADS, alice, 1)
    Project.objects.update(state=Project.State.ACTIVE)
    crawl()
    assert "New in Marie Curie.jpg" in titles(project)


def test_new_photos_are_looked_for_in_one_source_only(
    fresh_sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0), ("Marie Curie", 0)])
    crawl()
    one = project.sources.get(value="Curie family")
    for title in ("Curie family", "Marie Curie"):
        upload(fresh_sandbox, f"New in {title}.jpg", f"[[Category:{title}]]")
    sources.recrawl(project, alice, one)
    crawl()
    assert "New in Curie family.jpg" in titles(project)
    assert "New in Marie Curie.jpg" not in titles(project)
    one.refresh_from_db()
    assert (one.found, bool(one.found_at)) == (1, True)
    assert not Notification.objects.exists()  # who asked sees it


# Coming and going --------------------------------------------------------------------------


def test_a_source_added_later_is_read_and_counts_towards_the_bound(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0)])
    crawl()
    sources.add(project, Place(Kind.CATEGORY, "Category:Pierre_Curie"), alice)
    sources.add(project, Place(Kind.DEPICTS, "Q1"), alice)
    crawl()
    assert project.sources.get(kind=Kind.DEPICTS).value == "Q7186"
    assert "Marie Curie 1903.jpg" in titles(project)
    deeper = sources.add(project, Place(Kind.CATEGORY, "Curie family", 2), alice)
    crawl()
    assert CrawlStep.objects.filter(source=deeper, title="Pierre Curie").exists()
    for number in range(17):
        add_source(project, Kind.SEARCH, f"word {number}")
    with pytest.raises(Refused, match="too-many"):
        sources.add(project, Place(Kind.UPLOADER, "Kari N."), alice)


def test_photos_leave_with_their_source_but_not_those_that_others_bring_or_people_answered(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Solvay Conference 1911", 0), ("Pierre Curie", 0)])
    add_source(project, Kind.SEARCH, 'incategory:"Solvay Conference 1911"')
    crawl()
    went = project.sources.get(value="Pierre Curie")
    answered, guessed, *others = sorted(found_by(went))
    cast = Cast()
    for name in (answered, guessed):
        photo = Photo.objects.get(title=f"File:{name}")
        region = add_face(photo.picture, cast.face("marie"))
        by = {"user": alice, "origin": "ask"} if name == answered else {"origin": "bootstrap"}
        said = Answer.objects.create(
            subject=project.subject, photo=photo, region=region, verdict="yes", **by
        )
        Label.objects.create(
            subject=project.subject, photo=photo, region=region, verdict="yes", answer=said, **by
        )
        Score.objects.create(subject=project.subject, photo=photo, region=region, revision=1)
    before = titles(project)
    sources.remove(went, alice)
    assert titles(project) == before  # nothing leaves before the others were read
    crawl()
    assert titles(project) == before - {guessed, *others}
    kept = ProjectPhoto.objects.get(project=project, photo__title=f"File:{answered}")
    assert (kept.source, kept.round > ProjectPhoto.LEAVING) == (None, True)
    assert [label.photo.name for label in Label.objects.all()] == [answered]
    assert Score.objects.count() == 1
    assert Answer.objects.count() == 2

    sources.remove(project.sources.get(value="Solvay Conference 1911"), alice)
    crawl()
    assert SOLVAY in titles(project)  # the search brings it, too
    sources.remove(project.sources.get(), alice)
    assert titles(project) == {answered}  # there is nothing left to read


def test_begun_at_most_once(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Curie family", 0)])
    source = project.sources.get()
    crawl()
    sources.watch(source, alice, True)
    listing_crawl.begin_sources()
    sources.begin_watches()
    sources.begin_watches()
    step = CrawlStep.objects.get()
    assert step.cursor == {"part": "new", "fresh": "watch"}
    assert step.state == WorkState.QUEUED
