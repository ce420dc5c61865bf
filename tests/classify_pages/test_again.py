"""The page of second looks: who may, what it shows and takes, what it refuses."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from classify.audit import rounds
from classify.models import Answer, Label, Look, Origin, Question, Verdict
from crawler.models import Region
from projects.models import Membership, Project, User
from tests.classify.crowd import Crowd, add_crowd
from tests.classify_pages.conftest import background
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(make_project: MakeProject, alice: User, bob: User) -> Project:
    return make_project(alice, members=[bob])


@pytest.fixture
def crowd(project: Project, alice: User) -> Crowd:
    """Alice said Yes to thirty faces; five are left. The rounds are drawn."""
    crowd = add_crowd(project, 35)
    crowd.say(alice, Verdict.YES, range(30))
    crowd.draw()
    return crowd


@pytest.fixture
def here(project: Project, crowd: Crowd) -> str:
    return f"/p/{project.public_id}/again"


def shown(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]+)"', page)


def sent(faces: list[str], yes: list[str]) -> dict[str, Any]:
    return {
        "client_uuid": str(uuid4()),
        "shown": faces,
        "yes": yes,
        "uuid": [str(uuid4()) for _ in faces],
    }


def test_a_member_gets_a_screen_all_marked_and_a_visitor_reads_how_to_join(
    here: str, client_of: ClientOf, bob: User, charlie: User
) -> None:
    page = client_of(bob).get(here).content.decode()
    assert len(shown(page)) == 20
    assert page.count("checked") == 20
    assert "Second look" in page
    assert "style=" not in page
    assert not shown(client_of(charlie).get(here).content.decode())
    assert "/login/" in client_of(None).get(here).content.decode()


@pytest.mark.parametrize("who", ["nobody", "charlie", "mona", "banned"])
def test_only_members_look(
    who: str,
    here: str,
    project: Project,
    crowd: Crowd,
    client_of: ClientOf,
    bob: User,
    charlie: User,
    mona: User,
) -> None:
    face = Look.objects.filter(said="").exclude(why="frame").first()
    assert face
    deed = sent([face.region.public_id], [])
    if who == "banned":
        Membership.objects.filter(user=bob).update(state=Membership.State.BANNED)
    user = {"nobody": None, "charlie": charlie, "mona": mona, "banned": bob}[who]
    browser = client_of(user)
    status = {"nobody": 401, "charlie": 403, "mona": 403, "banned": 404}[who]
    assert background(browser, f"{here}/answer", deed).status_code == status
    next_ = browser.get(f"{here}/next", headers={"X-Background": "1"})
    assert next_.status_code == status
    assert not Answer.objects.filter(origin=Origin.AGAIN).exists()


def test_answers_are_posted_and_screens_are_fetched(
    here: str, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    assert browser.get(f"{here}/answer").status_code == 405
    assert browser.post(f"{here}/next").status_code == 405


def test_marks_become_answers_and_a_wrong_one_is_asked_a_third_time(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    faces = shown(browser.get(here).content.decode())
    deed = sent(faces, faces[1:])
    first = background(browser, f"{here}/answer", deed)
    assert first.status_code == 200
    assert background(browser, f"{here}/answer", deed).json() == first.json()  # sent twice
    given = Answer.objects.filter(origin=Origin.AGAIN, user=bob)
    assert given.filter(verdict=Verdict.YES).count() == 19
    [third] = Question.objects.filter(kind=Question.Kind.THIRD)
    assert third.region.public_id == faces[0]
    assert Label.objects.get(region=third.region).verdict == Verdict.YES  # alice owns the project
    left = shown(browser.get(here).content.decode())
    assert len(left) == 5
    assert "checked" not in browser.get(here).content.decode()


def test_a_screen_is_fetched_ahead_and_another_one_for_somebody_else(
    here: str, project: Project, client_of: ClientOf, alice: User, bob: User
) -> None:
    browser = client_of(alice)
    faces = shown(browser.get(here).content.decode())
    ahead = shown(browser.get(f"{here}/next", {"exclude": faces}).content.decode())
    assert ahead
    assert not set(ahead) & set(faces)
    assert shown(browser.get(here).content.decode()) == faces  # a reload begins with the first
    page = client_of(bob).get(here).content.decode()
    assert not shown(page)
    assert "Others are looking at the last faces" in page


def test_a_screen_that_is_undone_comes_back(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    faces = shown(browser.get(here).content.decode())
    deed = sent(faces, [])
    background(browser, f"{here}/answer", deed)
    undo = {"client_uuid": str(uuid4()), "target": deed["uuid"]}
    undone = background(browser, here.replace("/again", "/undo"), undo)
    assert undone.json()["undone"] == 20
    assert shown(browser.get(here).content.decode()) == faces
    assert not Question.objects.filter(kind=Question.Kind.THIRD).exists()


def test_a_screen_that_is_undone_comes_before_the_one_that_is_held(
    here: str, project: Project, client_of: ClientOf, alice: User
) -> None:
    browser = client_of(alice)
    faces = shown(browser.get(here).content.decode())
    background(browser, f"{here}/answer", sent(faces, faces))
    held = shown(browser.get(here).content.decode())
    assert held
    assert not set(held) & set(faces)
    browser.post(here.replace("/again", "/undo"), {"client_uuid": str(uuid4()), "next": here})
    assert set(shown(browser.get(here).content.decode())) == set(faces)
    after = browser.get(f"{here}/next", {"exclude": faces}).content.decode()
    assert set(shown(after)) == set(held)


def test_while_the_last_answers_are_on_their_way_nobody_else_is_named(
    here: str, client_of: ClientOf, alice: User
) -> None:
    browser = client_of(alice)
    faces = shown(browser.get(here).content.decode())
    ahead = shown(browser.get(f"{here}/next", {"exclude": faces}).content.decode())
    page = browser.get(f"{here}/next", {"exclude": faces + ahead}).content.decode()
    assert "Others" not in page
    assert "One moment" in page


def test_at_the_end_it_leads_to_the_face_that_is_asked_a_third_time(
    here: str, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    faces = shown(browser.get(here).content.decode())
    background(browser, f"{here}/answer", sent(faces, faces[1:]))
    while faces := shown(browser.get(here).content.decode()):
        background(browser, f"{here}/answer", sent(faces, []))
    page = browser.get(here).content.decode()
    assert "1 face was answered twice and differently" in page
    assert "Look a third time" in page


def test_at_the_end_it_says_how_sure_it_is(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    while faces := shown(browser.get(here).content.decode()):
        yes = [] if len(faces) == 5 else faces
        background(browser, f"{here}/answer", sent(faces, yes))
    page = browser.get(here).content.decode()
    assert "No second look waits" in page
    assert "All 30 approved faces were seen, " in page


def test_it_has_a_title_of_its_own_when_there_is_nothing_to_look_at(
    make_project: MakeProject, alice: User, client_of: ClientOf
) -> None:
    project = make_project(alice)
    page = client_of(alice).get(f"/p/{project.public_id}/again").content.decode()
    assert "No second look waits" in page
    assert f"<title>A second look · {project.person}" in page


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"shown": []}, 422),
        ({"client_uuid": "x"}, 422),
        ({"yes": ["nonsense"]}, 422),
        ({"uuid": ["1", "2"]}, 422),
        ({"shown": ["nonsense"], "yes": [], "uuid": []}, 422),
    ],
)
def test_wrong_screens_are_refused(
    here: str, client_of: ClientOf, bob: User, wrong: dict[str, Any], status: int
) -> None:
    browser = client_of(bob)
    faces = shown(browser.get(here).content.decode())
    response = background(browser, f"{here}/answer", sent(faces, faces) | wrong)
    assert response.status_code == status
    assert not Answer.objects.filter(origin=Origin.AGAIN).exists()


def test_faces_of_another_project_are_refused(
    here: str, client_of: ClientOf, bob: User, make_project: MakeProject, charlie: User
) -> None:
    other = add_crowd(make_project(charlie, "Q937"), 1)
    face = Region.objects.get(pk=int(other.region_ids[0])).public_id
    response = background(client_of(bob), f"{here}/answer", sent([face], [face]))
    assert response.status_code == 422


def test_an_archived_project_has_nothing_to_look_at(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    faces = shown(client_of(bob).get(here).content.decode())
    Project.objects.update(state=Project.State.ARCHIVED)
    assert not shown(client_of(bob).get(here).content.decode())
    response = background(client_of(bob), f"{here}/answer", sent(faces, faces))
    assert response.status_code == 409
    assert rounds.wanted(project).faces


def test_the_rest_is_looked_at_on_request(
    here: str, project: Project, client_of: ClientOf, bob: User, charlie: User
) -> None:
    browser = client_of(bob)
    while faces := shown(browser.get(here).content.decode()):
        background(browser, f"{here}/answer", sent(faces, faces if len(faces) == 20 else []))
    assert "Look at the other 10, too" in browser.get(here).content.decode()
    assert client_of(charlie).post(f"{here}/rest").status_code == 403
    response = browser.post(f"{here}/rest")
    assert response["Location"] == here
    assert len(shown(browser.get(here).content.decode())) == 10


def test_the_other_pages_lead_to_it_and_say_what_came_of_it(
    here: str, project: Project, client_of: ClientOf, bob: User, charlie: User
) -> None:
    browser = client_of(bob)
    address = project.get_absolute_url()
    review = browser.get(f"{address}review").content.decode()
    assert "25 faces. 2 screens." in " ".join(review.split())
    assert 'id="look-twice"' in review
    assert 'id="look-twice"' not in client_of(charlie).get(f"{address}review").content.decode()
    page = browser.get(address).content.decode()
    assert "30 faces not looked at twice yet." in page
    assert f'id="next-button" href="{here}"' in page
    while faces := shown(browser.get(here).content.decode()):
        background(browser, f"{here}/answer", sent(faces, faces if len(faces) == 20 else []))
    for path in ("review", ""):
        page = browser.get(f"{address}{path}").content.decode()
        assert "All 30 approved faces were seen, " in page
    assert 'id="how-sure"' in page
