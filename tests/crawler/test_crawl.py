"""Crawling the sandbox's categories."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from pytest_django import Settings

from core.work import WorkState
from crawler import selectors
from crawler.listing import crawl as listing_crawl
from crawler.listing import read_page as listing_read_page
from crawler.listing import sources
from crawler.listing.file_info import taken_range
from crawler.models import CrawlStep, Photo, Picture, ProjectPhoto
from projects.models import DenyEntry, Project, Source, User
from sandbox import RunningSandbox
from tests.conftest import MakeProject
from tests.crawler.helpers import CURIE, add_files, crawl, photo, titles


def test_a_category_with_its_subcategories(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Marie Curie", 1)])
    crawl()
    found = titles(project)
    assert "Marie Pierre Irene Curie.jpg" in found  # in the category itself
    assert "Marie Curie 1903.jpg" in found  # one level below
    assert "Marie Curie c. 1920s (WebP).webp" in found
    assert not any(title.endswith(".pdf") for title in found)
    progress = selectors.crawl_progress(project)
    assert progress.photos == len(found) == 13
    assert progress.others == 1  # the PDF is counted, not looked at
    assert not progress.crawling
    assert progress.detecting


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_project_that_has_just_begun_never_looks_empty_and_done(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject, moment: int
) -> None:
    """Whatever the worker does between two queries of a page: here all of it, after some."""
    project = make_project(alice, "Q7186", [])
    add_files(project, CURIE)
    asked = 0

    def meanwhile(run: Callable[..., Any], *args: Any) -> Any:
        nonlocal asked
        asked += 1
        found = run(*args)
        if asked == moment:
            crawl()
        return found

    with connection.execute_wrapper(meanwhile):
        progress = selectors.crawl_progress(project)
    assert progress.photos or progress.crawling


def test_depth_ends_where_it_should(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Marie Curie", 0)])
    crawl()
    assert [step.title for step in CrawlStep.objects.all()] == ["Marie Curie"]
    assert len(titles(project)) == 3


def test_what_is_kept_of_a_photo(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    add_files(make_project(alice, "Q7186", []), CURIE)
    crawl()
    kept = photo(CURIE)
    page = sandbox.world.page("commons", CURIE)
    assert page
    assert kept.page_id == page.id
    assert kept.author == "Henri Manuel (1874-1947)"
    assert kept.licence == "Public domain"
    assert kept.year == "1920"
    assert "/960px-" in kept.thumb_url
    file = sandbox.world.file(page)
    assert file
    assert (kept.picture.width, kept.picture.height) == (file.width, file.height)
    assert kept.picture.sha1 == file.sha1
    assert kept.uploaded_at


def test_the_portrait_comes_first_and_statements_that_exist_are_seen(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Portrait photographs of Marie Curie", 0)])
    add_files(project, CURIE)
    listing_crawl.begin_sources()
    first = listing_crawl.take_next()
    assert first
    assert first.title == CURIE
    listing_crawl.read(first)
    crawl()
    portrait = ProjectPhoto.objects.get(project=project, is_portrait=True)
    assert portrait.photo.title == CURIE
    tagged = ProjectPhoto.objects.filter(project=project, already_depicts=True)
    assert [one.photo.title for one in tagged] == ["File:Marie Curie 1903.jpg"]


def test_files_that_depict_the_person_are_added_up_to_a_bound(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject, settings: Settings
) -> None:
    project = make_project(alice, "Q937", [("Albert Einstein in 1921", 0)])
    Source.objects.create(project=project, kind=Source.Kind.DEPICTS, value="Q937")
    settings.DEPICTS_MAX = 1
    crawl()
    added = ProjectPhoto.objects.filter(project=project, source__kind=Source.Kind.DEPICTS)
    assert [one.already_depicts for one in added] == [True]
    tagged = ProjectPhoto.objects.filter(project=project, already_depicts=True)
    assert tagged.count() == 3  # two of the category's own were tagged, too


@pytest.mark.waits
def test_a_cycle_of_categories_ends_and_nothing_is_twice(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    """Albert Einstein holds Einstein family, which holds Albert Einstein."""
    project = make_project(alice, "Q937", [("Einstein family", 3), ("Elsa Einstein", 1)])
    crawl()
    titles_of_steps = list(
        CrawlStep.objects.filter(source__value="Einstein family").values_list("title", flat=True)
    )
    assert len(titles_of_steps) == len(set(titles_of_steps))
    assert "Albert Einstein" in titles_of_steps
    assert ProjectPhoto.objects.filter(project=project).count() == len(titles(project))


def test_a_shorter_way_to_a_category_opens_more_levels_below_it(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q937", [("Einstein family", 2)])
    source = project.sources.get()
    listing_crawl.begin_sources()
    deep = CrawlStep.objects.create(
        source=source, title="Albert Einstein", depth=0, state=WorkState.DONE, files=5
    )
    crawl()
    deep.refresh_from_db()
    assert deep.depth == 1
    assert CrawlStep.objects.filter(source=source, title="Albert Einstein by year").exists()


@pytest.mark.parametrize(
    ("redirect", "target"),
    [("Einstein", "Albert Einstein"), ("Maria Skłodowska-Curie", "Marie Curie")],
)
def test_a_category_that_moved_is_followed(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject, redirect: str, target: str
) -> None:
    project = make_project(alice, "Q937", [(redirect, 0)])
    crawl()
    assert CrawlStep.objects.filter(source__project=project, title=target).exists()
    assert titles(project)


def test_one_picture_under_two_titles_is_one(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    copy = sandbox.world.page("commons", CURIE)
    assert copy
    kept = sandbox.world.file(copy)
    project = make_project(alice, "Q7186", [])
    add_files(project, CURIE, "File:Marie Curie 1903.jpg")
    crawl()
    assert kept
    assert Picture.objects.get(sha1=kept.sha1).photos.count() == 1
    shown = photo("File:Marie Curie 1903.jpg")
    Photo.objects.filter(pk=shown.pk).update(picture=photo(CURIE).picture)
    assert photo(CURIE).picture.photos.count() == 2
    assert Picture.objects.count() == 2


def test_it_goes_on_from_page_to_page_to_the_end(
    sandbox: RunningSandbox,
    alice: User,
    make_project: MakeProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing_read_page, "FIRST_PAGE", 2)
    monkeypatch.setattr(listing_read_page, "PAGE", 5)
    category = "Official portraits of members of the United States Congress"
    project = make_project(alice, "Q76", [(category, 0)])
    listing_crawl.begin_sources()
    sizes = []
    while step := listing_crawl.take_next():
        before = len(titles(project))
        listing_crawl.read(step)
        sizes.append(len(titles(project)) - before)
        step.refresh_from_db()
        assert step.files == len(titles(project))
    assert sizes == [2, 5, 5, 5]
    assert step is None


def test_turns_are_fair_between_projects(
    sandbox: RunningSandbox, alice: User, bob: User, make_project: MakeProject
) -> None:
    """A project with many categories does not keep one with a single category waiting."""
    large = make_project(alice, "Q937", [("Albert Einstein", 3)])
    listing_crawl.begin_sources()
    for _ in range(3):
        step = listing_crawl.take_next()
        assert step
        listing_crawl.read(step)
    small = make_project(bob, "Q7186", [("Marie Curie in World War I", 0)])
    listing_crawl.begin_sources()
    taken = []
    for _ in range(3):
        step = listing_crawl.take_next()
        assert step
        taken.append(step.source.project_id)
        listing_crawl.read(step)
    assert taken[0] == small.pk
    assert large.pk in taken


def test_a_re_read_that_is_asked_for_before_the_first_one_loses_nothing(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [])
    add_files(project, CURIE)
    sources.recrawl(project, alice)
    crawl()
    assert len(titles(project)) == 1


def test_a_paused_project_is_left_alone(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    make_project(alice, "Q7186", [("Marie Curie", 1)], state=Project.State.PAUSED)
    crawl()
    assert not CrawlStep.objects.exists()
    assert sandbox.world.request_counts == {}


def test_denied_files_and_categories_are_passed_over(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    for kind, value in (
        (DenyEntry.Kind.FILE, "File:Marie Pierre Irene Curie.jpg"),
        (DenyEntry.Kind.CATEGORY, "Marie Curie in her youth"),
    ):
        DenyEntry.objects.create(wiki="sandbox", kind=kind, value=value)
    project = make_project(alice, "Q7186", [("Marie Curie", 1)])
    crawl()
    assert "Marie Pierre Irene Curie.jpg" not in titles(project)
    assert not CrawlStep.objects.filter(title="Marie Curie in her youth").exists()


def test_a_busy_wiki_delays_and_a_wrong_title_is_set_aside(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    project = make_project(alice, "Q7186", [("Marie Curie", 0), ("a[b", 0)])
    sandbox.faults.add("readonly", {"action": "query"}, times=1)
    sandbox.faults.add("ratelimited", {"action": "query"}, times=1)
    crawl()
    good = CrawlStep.objects.get(title="Marie Curie")
    assert good.state in (WorkState.QUEUED, WorkState.DONE)
    CrawlStep.objects.filter(state=WorkState.QUEUED).update(due_at="2020-01-01T00:00:00Z")
    crawl()
    good.refresh_from_db()
    bad = CrawlStep.objects.get(title="a[b")
    assert good.state == WorkState.DONE
    assert bad.state == WorkState.ASIDE
    assert bad.reason == "The wiki knows no such title"
    assert list(selectors.unread_steps(project)) == [bad]
    assert selectors.crawl_progress(project).unread == 1


@pytest.mark.waits
def test_a_wiki_that_is_too_slow_for_the_soft_limit_is_asked_again_later(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    make_project(alice, "Q7186", [("Marie Curie", 0)])
    sandbox.faults.add("latency", {"action": "query"}, seconds=2)
    listing_crawl.begin_sources()
    step = listing_crawl.take_next()
    assert step

    def give_up(*_: object) -> None:
        raise SoftTimeLimitExceeded  # as billiard does, in the middle of anything

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        listing_crawl.read(step)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    step.refresh_from_db()
    assert (step.state, step.error) == (WorkState.QUEUED, "network")
    assert step.reason == "The wiki did not answer"


def test_a_photo_with_a_very_long_name_fits(
    sandbox: RunningSandbox, alice: User, make_project: MakeProject
) -> None:
    longest = Photo._meta.get_field("thumb_path").max_length or 0
    assert longest > 2 * 3 * 240 + 100  # the name stands twice in it, three signs a byte


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1921-04-03", "1921-04-03", "1921-04-03"),
        ("1921-02", "1921-02-01", "1921-02-28"),
        ("1921-12", "1921-12-01", "1921-12-31"),
        ("circa 1921", "1921-01-01", "1921-12-31"),
        ("1920s", "1920-01-01", "1929-12-31"),
        ("between 1920 and 1923", "1920-01-01", "1923-12-31"),
        ("1921-00-00", "1921-01-01", "1921-12-31"),
        ("Unknown date", "None", "None"),
        ("photo no. 3021999 of the archive", "None", "None"),
    ],
)
def test_dates_in_free_text_become_ranges(text: str, first: str, last: str) -> None:
    assert tuple(map(str, taken_range(text))) == (first, last)
