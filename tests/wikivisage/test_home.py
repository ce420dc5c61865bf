"""The first page, the list of projects, and the way to a question."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries

from classify.models import Answer, Question
from crawler.models import ProjectPhoto, Region
from projects import ledger
from projects.models import Contribution, Project, User
from tests.conftest import ClientOf, MakeProject
from tests.wikivisage.conftest import give

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

    def shown(**after: str) -> str:
        page = client_of(None).get("/", after).content.decode()
        [region] = re.findall(r'name="after" value="(.+?)"', page)
        return str(region)

    portrait = asked[5].region
    ProjectPhoto.objects.filter(photo__picture=portrait.picture).update(is_portrait=True)
    assert shown() == portrait.public_id
    give(project, alice, "yes", confirmed := asked[3].region)
    assert shown() == confirmed.public_id
    assert shown(after=confirmed.public_id) == asked[0].region.public_id


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
    make_project: MakeProject,
    client_of: ClientOf,
) -> None:
    make_project(alice, "Q937")
    give(project, alice, "yes", *faces[:5])
    page = client_of(None).get("/").content.decode()
    assert "5 of 8" not in page  # words stand in between
    assert "of 8 faces found are confirmed" in page
    assert "3 to review" in page
    assert page.index("Marie Curie</bdi></a>") < page.index("Albert Einstein</bdi></a>")


def test_many_projects_take_no_more_queries(
    alice: User,
    make_project: MakeProject,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(1, 31):
        make_project(alice, f"Q{number}")
    browser = client_of(None)
    with django_assert_max_num_queries(14):
        browser.get("/")
    with django_assert_max_num_queries(10):
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
