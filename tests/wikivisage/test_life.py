"""What a project's page tells of its life: by year, lately, what went wrong, who is there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classify.models import Forecast
from classify.review import years
from core.work import WorkState
from crawler.models import Photo, Picture, ProjectPhoto, Region
from crawler.selectors import crawl_progress
from projects import ledger
from projects.members import services as members
from projects.models import Census, Contribution, Project, User
from sdc.models import Watch
from tests.classify.faces import Cast, add_photo
from tests.conftest import ClientOf
from tests.pages.crowd import crowd
from tests.wikivisage.conftest import give
from wikivisage.pages.activity import latest
from wikivisage.pages.failures import failures
from wikivisage.pages.overview import overview

pytestmark = pytest.mark.django_db


def address(project: Project) -> str:
    return f"/p/{project.public_id}/"


def take(region: Region, first: date, last: date | None = None) -> None:
    photos = Photo.objects.filter(picture=region.picture_id)
    photos.update(taken_from=first, taken_to=last or first)


def test_photos_are_counted_by_year_and_so_are_those_in_which_she_was_found(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    for region in faces[:3]:
        take(region, date(1911, 11, 2))
    take(faces[3], date(1913, 1, 1), date(1913, 12, 31))
    take(faces[4], date(1920, 1, 1), date(1929, 12, 31))
    give(project, alice, "yes", *faces[:2], faces[4])
    found = years.of(project, 8)
    assert [(span.name, span.photos, span.found) for span in found.spans] == [
        ("1911", 3, 2),
        ("1912", 0, 0),
        ("1913", 1, 0),
    ]
    assert (found.dated, found.photos) == (4, 8), "a decade is no year"
    page = client_of(alice).get(address(project)).content.decode()
    assert "4 of 8 carry a year" in page
    assert f'href="{address(project)}review?year=1911"' in page
    assert "2 of 3 found" in page
    left = ProjectPhoto.objects.filter(project=project).first()
    assert left
    left.delete()
    page = client_of(alice).get(address(project)).content.decode()
    assert "of 7 carry a year" in page, "what was counted a moment ago holds for these photos only"


def test_a_page_reads_years_from_the_census(
    project: Project, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Census.objects.update_or_create(
        project=project, defaults={"counts": {"years": {"1911": [7, 3], "": [2, 1]}}}
    )
    with django_assert_max_num_queries(1):
        found = years.of(project, 9)
    assert (found.dated, found.photos) == (7, 9)


def test_many_years_are_drawn_together() -> None:
    found = years.spread({"1650": [1, 0], "1911": [5, 5], "2020": [2, 0]})
    assert len(found.spans) <= years.BARS
    assert sum(span.photos for span in found.spans) == 8
    assert "1910s" in {span.narrow for span in found.spans}, "as the gallery is narrowed"
    assert found.spans[0].first <= 1650
    assert found.spans[-1].last >= 2020


def test_the_first_step_says_how_many_listings_are_to_go(project: Project) -> None:
    for title in ("Curie family", "Marie Curie in 1911"):
        project.sources.create(kind="category", value=title)
    assert overview(project).steps[0].note == "2 listings to go"


def test_what_happened_is_told_by_person_and_hour(
    project: Project, alice: User, bob: User, charlie: User
) -> None:
    for amount in (20, 5, -1):
        ledger.contribute(project, bob, Contribution.Kind.ANSWER, amount)
    members.invite(project, alice)
    happened = latest(project, [], alice, is_member=True)
    assert [(one.kind, one.count, one.who) for one in happened] == [("answer", 24, "Bob")]
    assert latest(project, [], None, is_member=False)[0].who == "", "bob did not ask to be seen"
    assert latest(project, [], bob, is_member=False)[0].who == "Bob", "but he knows himself"
    User.objects.filter(pk=bob.pk).update(show_on_leaderboard=True)
    assert latest(project, [], charlie, is_member=False)[0].who == "Bob"


def test_who_was_banned_is_told_to_nobody(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    members.ban(project, alice, bob)
    page = client_of(alice).get(address(project)).content.decode()
    assert "Bob" not in page


def test_what_went_wrong_has_a_reason_and_a_way_on(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    assert not failures(project, crawl_progress(project))
    crowd(project)
    found = failures(project, crawl_progress(project))
    assert sorted((group.reason, group.count) for group in found.photos) == [
        ("broken", 2),
        ("gone", 1),
        ("too-large", 1),
    ]
    assert [step.reason for step in found.listings] == ["The wiki knows no such title"]
    assert [(group.title, group.count) for group in found.refused] == [("Stopped by a filter", 2)]
    assert [batch.why_title for batch in found.batches] == ["Log in again"]
    assert found.count == 8
    browser = client_of(alice)
    page = browser.get(address(project)).content.decode()
    for words in ("Damaged file", "The wiki knows no such title", "Log in again", "a filter"):
        assert words in page
    browser.post(f"{address(project)}set-aside/retry", {"reason": "invalidcategory"})
    browser.post(f"{address(project)}set-aside/retry", {"reason": "broken"})
    again = failures(project, crawl_progress(project))
    assert again.listings == []
    assert sorted(group.reason for group in again.photos) == ["gone", "too-large"]


def test_a_crowded_project_is_shown_in_a_bounded_number_of_queries(
    project: Project,
    faces: list[Region],
    alice: User,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    crowd(project)
    browser = client_of(alice)
    with django_assert_max_num_queries(60):
        page = browser.get(address(project)).content.decode()
    assert "21 members" in page
    assert "And 13 more people." in page
    assert "3 new uploads were found in" in page
    assert "1 statement was taken out on the wiki" in page
    visitor = client_of(None).get(address(project)).content.decode()
    assert "Ingrid S." in visitor
    assert "Member 2" not in visitor
    assert "Somebody" in visitor


def test_the_forecast_is_a_chart_that_the_polled_part_brings(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", faces[0])
    browser = client_of(alice)
    first = browser.get(address(project))
    assert "is drawn here as answers come in" in first.content.decode()
    give(project, alice, "yes", *faces[1:5])
    polled = browser.get(f"{address(project)}status", {"seen": first.context["seen"]})
    fragment = polled.content.decode()
    assert "Expected precision" in fragment
    assert '<polyline class="chart-line is-yes' in fragment
    assert Forecast.objects.filter(subject=project.subject).count() == 2


def test_the_centroid_rule_says_that_it_has_no_forecast(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    Project.objects.update(rule=Project.Rule.CENTROID)
    give(project, alice, "yes", *faces[:5])
    page = client_of(alice).get(address(project)).content.decode()
    assert "That rule knows no probabilities" in page
    assert "Expected precision" not in page


def test_a_hidden_project_tells_strangers_nothing(
    project: Project, faces: list[Region], charlie: User, client_of: ClientOf
) -> None:
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    crowd(project)
    for path in ("", "status", "status.json"):
        assert client_of(charlie).get(address(project) + path).status_code == 404


def test_what_was_found_in_an_old_watch_is_no_news(project: Project, cast: Cast) -> None:
    """Statements that stand are not told of, whatever their number."""
    for _ in range(6):
        add_photo(project, [cast.face("marie")])
    crowd(project)
    Watch.objects.update(finding=Watch.Finding.STANDS, found_at=timezone.now() - timedelta(hours=3))
    assert "removed" not in {one.kind for one in latest(project, [], None, is_member=True)}
    assert Picture.objects.filter(state=WorkState.ASIDE).count() == 4
