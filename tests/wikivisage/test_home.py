"""The first page, the list of projects, and the way to a question."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classify.models import Answer, Learner, Look, Question
from crawler.models import Picture, ProjectPhoto, Region
from projects import ledger
from projects.live import census
from projects.models import Contribution, Project, Tally, User
from sdc.models import ClaimAttempt, Edit, Watch
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf, MakeProject
from tests.pages.crowd import crowd
from tests.wikivisage.conftest import give
from wikivisage.models import Reached
from wikivisage.pages import site_stats
from wikivisage.pages.cards import Card
from wikivisage.tasks import count_reached

PRIVATE = Project.Visibility.PRIVATE


@pytest.mark.django_db
def test_without_projects_one_is_asked_to_start_one(client_of: ClientOf) -> None:
    page = client_of(None).get("/").content.decode()
    assert "No project yet" in page
    assert "What was reached" not in page, "no invented numbers"
    assert 'class="card float try"' not in page


def test_a_live_question_is_shown_and_nothing_is_saved(
    project: Project, faces: list[Region], client_of: ClientOf
) -> None:
    browser = client_of(None)
    page = browser.get("/").content.decode()
    assert "Is this <bdi>Marie Curie</bdi>?" in page
    assert "<image href=" in page
    first = Question.objects.order_by("rank", "id")[0].region.public_id
    assert first in page
    answer = browser.get("/", {"after": first, "said": "yes"}, headers={"HX-Request": "true"})
    fragment = answer.content.decode()
    assert "You said Yes" in fragment
    assert "<html" not in fragment
    assert first not in fragment, "the next one"
    assert not Answer.objects.exists()
    assert not Question.objects.exclude(leased_to=None).exists(), "no lease either"


def test_the_trial_begins_again_after_the_last_question(
    project: Project, faces: list[Region], client_of: ClientOf
) -> None:
    first, *_, last = Question.objects.order_by("rank", "id")
    answer = client_of(None).get("/", {"after": last.region.public_id, "said": "no"})
    assert first.region.public_id in answer.content.decode()


def test_the_trial_begins_with_a_face_that_is_the_person(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    asked = Question.objects.order_by("rank", "id")
    give(project, alice, "yes", confirmed := asked[3].region)
    assert tried(client_of) == confirmed.public_id
    assert tried(client_of, after=confirmed.public_id) == asked[0].region.public_id


def tried(client_of: ClientOf, **after: str) -> str:
    """The face of the live example."""
    page = client_of(None).get("/", after).content.decode()
    return "".join(re.findall(r'name="after" value="(.+?)"', page))


def test_the_trial_shows_no_face_in_the_portrait_that_stands_beside_it(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    first, second, third, *rest = (each.region for each in Question.objects.order_by("rank", "id"))
    ProjectPhoto.objects.filter(photo__picture=first.picture).update(is_portrait=True)
    assert tried(client_of) == second.public_id
    assert tried(client_of, after=rest[-1].public_id) == second.public_id, "it begins again"
    give(project, alice, "yes", first)
    assert tried(client_of) != first.public_id
    give(project, alice, "yes", third)
    assert tried(client_of) == third.public_id
    ProjectPhoto.objects.update(is_portrait=True)
    assert tried(client_of) == ""


@pytest.mark.parametrize("after", ["", "nonsense", "00000000-0000-0000-0000-000000000000", "'"])
def test_a_wrong_place_in_the_trial_is_the_beginning(
    after: str, project: Project, faces: list[Region], client_of: ClientOf
) -> None:
    answer = client_of(None).get("/", {"after": after, "said": "maybe"})
    assert answer.status_code == 200
    assert "Is this <bdi>Marie Curie</bdi>?" in answer.content.decode()


def test_private_and_paused_projects_are_not_on_the_first_page(
    project: Project, faces: list[Region], client_of: ClientOf
) -> None:
    for change in ({"visibility": PRIVATE}, {"visibility": "public", "state": "paused"}):
        Project.objects.filter(pk=project.pk).update(**change)
        page = client_of(None).get("/").content.decode()
        assert "Is this <bdi>Marie Curie</bdi>?" not in page
        assert project.get_absolute_url() not in page


def test_cards_say_what_waits_and_the_busiest_comes_first(
    project: Project,
    faces: list[Region],
    alice: User,
    cast: Cast,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    einstein = make_project(alice, "Q937")
    for _ in range(3):
        add_photo(einstein, [cast.face("albert")])
    learn(einstein)
    give(einstein, alice, "yes", *Region.objects.filter(pk__gt=faces[-1].pk)[:2])
    give(project, alice, "yes", *faces[:5])
    page = client_of(None).get("/").content.decode()
    assert "5 of 8" not in page  # words stand in between
    assert "of 8 faces found are confirmed" in page
    assert "About 3 answers are worth giving" in page
    Project.objects.update(rule=Project.Rule.CENTROID)
    assert "3 to review" in client_of(None).get("/").content.decode()
    assert page.index("Marie Curie</bdi></a>") < page.index("Albert Einstein</bdi></a>")


def test_a_project_where_nothing_waits_needs_no_hand(
    project: Project,
    faces: list[Region],
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    for number in range(1, 40):  # more, and later, than are looked at
        make_project(alice, f"Q{number}")
    page = client_of(None).get("/").content.decode()
    assert re.findall(r'<h3><a href="/p/([\w-]+)/">', page) == [project.public_id]
    assert "Nothing waits" not in page
    give(project, alice, "yes", *faces)
    page = client_of(None).get("/").content.decode()
    assert re.search(r"8 faces to look at again · 1\s+minute</b>", page)
    Look.objects.update(said="yes")
    page = client_of(None).get("/").content.decode()
    assert "person-card" not in page
    assert "No project needs a hand now" in page


def test_a_card_says_how_long_that_takes_which_it_names(project: Project) -> None:
    assert Card(project, 1, to_review=9, worth=180, again=60).minutes == 3
    assert Card(project, 1, to_review=9, worth=0, again=70).minutes == 1
    project.rule = Project.Rule.CENTROID
    assert Card(project, 1, to_review=9, worth=180, again=60).minutes == 1
    assert Card(project, 1, to_review=0, worth=180, again=0).minutes == 3


def test_many_projects_take_no_more_queries(
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, 31):
        project = make_project(alice, f"Q{number}")
        Learner.objects.create(project=project, matches=1)  # so that it is looked at
    browser = client_of(None)
    with django_assert_max_num_queries(16):
        browser.get("/")
    with django_assert_max_num_queries(12):
        page = browser.get("/projects").content.decode()
    assert "Page 1 of 2" in page
    assert page.count('<article class="card person-card">') == 24


@pytest.mark.parametrize("query", ["curie", "Q7186", "q7186", "Marie Curie "])
def test_a_project_is_found_by_name_or_q_id(
    query: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice)
    make_project(alice, "Q937")
    page = client_of(None).get("/projects", {"q": query}).content.decode()
    assert "Marie Curie" in page
    assert "Albert Einstein" not in page


@pytest.mark.parametrize("query", ["%", "_", "'; --", "<b>", "x" * 500, "\x00"])
def test_any_search_is_answered(
    query: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice)
    answer = client_of(None).get("/projects", {"q": query})
    assert answer.status_code == 200
    assert "<b>" not in answer.content.decode().split("Nobody called")[-1][:20]


@pytest.mark.parametrize("page", ["0", "-1", "999", "x"])
def test_any_page_number_is_answered(
    page: str, alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice)
    assert "Marie Curie" in client_of(None).get("/projects", {"page": page}).content.decode()


def test_a_private_project_is_listed_for_its_members_only(
    alice: User, bob: User, charlie: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice, members=[bob], visibility=PRIVATE)
    for user, sees in ((alice, True), (bob, True), (charlie, False), (None, False)):
        page = client_of(user).get("/projects").content.decode()
        assert ("Marie Curie" in page) == sees


def test_own_projects_include_archived_ones(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice, state=Project.State.ARCHIVED)
    assert "Marie Curie" not in client_of(alice).get("/projects").content.decode()
    page = client_of(alice).get("/projects?mine=1").content.decode()
    assert "Marie Curie" in page
    assert "Archived" in page


def test_answer_leads_to_a_question_of_ones_own_project(
    project: Project, faces: list[Region], bob: User, charlie: User, client_of: ClientOf
) -> None:
    assert client_of(bob).get("/answer")["Location"] == f"/p/{project.public_id}/grid"
    assert client_of(charlie).get("/answer")["Location"] == "/projects"
    assert client_of(None).get("/answer")["Location"] == "/projects"


def test_where_people_are_at_work_comes_first(
    alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    older, newer = make_project(alice, "Q937"), make_project(alice, "Q76")
    page = client_of(None).get("/projects").content.decode()
    assert page.index(newer.public_id) < page.index(older.public_id)
    ledger.contribute(older, bob, Contribution.Kind.ANSWER)
    page = client_of(None).get("/projects").content.decode()
    assert page.index(older.public_id) < page.index(newer.public_id)


@pytest.mark.parametrize("sort", ["active", "left", "name", "newest", "nonsense", "'"])
def test_projects_are_sorted(
    sort: str, alice: User, bob: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    curie, obama, einstein = (make_project(alice, qid) for qid in ("Q7186", "Q76", "Q937"))
    Learner.objects.create(project=obama, worth=40, revision=0)
    Learner.objects.create(project=curie, worth=3, revision=0)
    ledger.contribute(curie, bob, Contribution.Kind.ANSWER)
    page = client_of(None).get("/projects", {"sort": sort}).content.decode()
    found = re.findall(r'<h3><a href="/p/([\w-]+)/">', page)
    expected = {
        "left": [obama, curie, einstein],
        "name": [einstein, obama, curie],
        "newest": [einstein, obama, curie],
    }.get(sort, [curie, einstein, obama])
    assert found == [project.public_id for project in expected]


def test_for_a_person_without_a_project_one_can_be_started(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    make_project(alice)
    for name in ("Ada Lovelace", "Curie"):
        page = client_of(None).get("/projects", {"q": name}).content.decode()
        assert f'href="/projects/new?who={name.replace(" ", "%20")}"' in page


def test_where_anybody_may_help_comes_first(
    project: Project,
    faces: list[Region],
    alice: User,
    cast: Cast,
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    open_one = make_project(alice, "Q937", joining=Project.Joining.OPEN)
    for _ in range(3):
        add_photo(open_one, [cast.face("albert")])
    learn(open_one)
    page = client_of(None).get("/").content.decode()
    assert page.index("Albert Einstein</bdi></a>") < page.index("Marie Curie</bdi></a>")


def test_what_was_reached_is_told_by_the_week_with_what_still_stands(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    crowd(project)
    today = timezone.now().date()
    for weeks, amount in ((0, 7), (1, 12), (30, 99)):
        day = today - timedelta(days=today.weekday()) - timedelta(weeks=weeks)
        Tally.objects.create(project=project, user=alice, kind="edit", day=day, amount=amount)
    Watch.objects.update(checked_at=timezone.now())
    cache.clear()
    answer = client_of(None).get("/")
    found = answer.context["together"]
    assert [count for _monday, count in found.weeks] == [0] * 10 + [12, 7]
    assert (found.looked_again, found.stand, found.stand_percent) == (4, 3, 75.0)
    page = answer.content.decode()
    assert "Of 4 statements seen so far 75.0 % still stand." in page
    assert "Statements a week" in page


def test_many_photos_are_counted_by_a_worker_and_not_by_the_page(
    project: Project,
    faces: list[Region],
    alice: User,
    client_of: ClientOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd(project)
    Tally.objects.create(
        project=project, user=alice, kind="edit", day=timezone.now().date(), amount=7
    )
    Watch.objects.update(checked_at=timezone.now())
    cache.clear()
    small = site_stats.together()
    assert small
    count_reached()
    assert not Reached.objects.exists(), "pages count a small server"
    monkeypatch.setattr(census, "LARGE", Picture.objects.count())
    counted = []
    count = site_stats._count

    def count_once() -> site_stats.Together:
        counted.append(1)
        return count()

    monkeypatch.setattr(site_stats, "_count", count_once)

    def open_home() -> Any:
        cache.clear()
        return client_of(None).get("/")

    before = open_home()
    assert before.context["together"] is None
    assert "What was reached" not in before.content.decode()
    assert not counted
    count_reached()
    count_reached()
    assert len(counted) == 1, "not again within five minutes"
    after = open_home()
    assert after.context["together"] == small
    assert "Of 4 statements seen so far 75.0 % still stand." in after.content.decode()
    Picture.objects.filter(state="d").update(state="x")
    assert open_home().context["together"].photos == small.photos
    Reached.objects.update(counted_at=timezone.now() - timedelta(seconds=site_stats.KEPT))
    count_reached()
    assert len(counted) == 2
    assert open_home().context["together"].photos == 0


def test_before_anything_was_sent_the_chart_shows_answers_or_says_what_begins_it(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    page = client_of(None).get("/").content.decode()
    assert "The first answer begins this chart" in page
    assert "it is a real one" in page
    give(project, alice, "yes", *faces[:3])
    cache.clear()
    page = client_of(None).get("/").content.decode()
    assert "Answers a week" in page
    assert "<dt>answers</dt><dd>3</dd>" in page
    assert "Nothing was sent to" in page
    assert "The first answer begins" not in page


def test_what_a_visitor_may_look_at_without_login(
    project: Project, faces: list[Region], client_of: ClientOf
) -> None:
    browser = client_of(None)
    paths = ("", "review", "members", "set-aside/", "batches", "second-looks")
    for path in ("/", "/projects", "/leaderboard", *(f"/p/{project.public_id}/{p}" for p in paths)):
        assert browser.get(path).status_code == 200, path


def test_tags_photos_and_people_are_each_a_chart(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    crowd(project)
    monday = timezone.now().date() - timedelta(days=timezone.now().weekday())
    Tally.objects.create(project=project, user=alice, kind="edit", day=monday, amount=7)
    long_ago, before = timezone.now() - timedelta(weeks=30), timezone.now() - timedelta(weeks=1)
    Picture.objects.update(state="d", looked_at=long_ago)
    late = Picture.objects.order_by("pk").values_list("pk", flat=True)[:3]
    Picture.objects.filter(pk__in=list(late)).update(looked_at=before)
    cache.clear()
    answer = client_of(None).get("/")
    charts = {
        title: [count for _week, count in rows]
        for title, _unit, rows in answer.context["together"].charts
    }
    assert charts == {
        "Statements a week": [0] * 11 + [7],
        "Photos looked at a week": [0] * 10 + [3, 0],
        "New people a week": [0] * 11 + [1],
    }
    page = answer.content.decode()
    assert page.count('<details class="chart-table">') == 3


def test_what_was_sent_first_is_seen_at_once(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    crowd(project)
    cache.clear()
    sentence = "the answers come first"
    assert sentence in client_of(None).get("/").content.decode()
    attempt = ClaimAttempt.objects.select_related("batch")[0]
    Edit.objects.create(
        attempt=attempt,
        kind=Edit.Kind.ADD,
        wiki="sandbox",
        page_id=1,
        qid=project.person.qid,
        guid="M1$1",
        user=alice,
        batch=attempt.batch,
    )
    ledger.contribute(project, alice, Contribution.Kind.EDIT)
    assert sentence not in client_of(None).get("/").content.decode()
