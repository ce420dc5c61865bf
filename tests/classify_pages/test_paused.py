"""What an objection pauses is neither asked about nor shown for comparison, on any page."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from classify import answers
from classify.asking import screens
from classify.asking.evidence import beside
from classify.asking.queue import next_question
from classify.audit import rounds
from classify.models import Answer, Look, Origin, Question, Verdict
from classify.review.galleries import Tile
from crawler.models import Photo, Region
from projects.models import Project, User
from projects.privacy import objections
from tests.classify.crowd import Crowd, add_crowd
from tests.classify.faces import Cast, add_photo
from tests.classify_pages.conftest import background
from tests.classify_pages.screens import lay_out
from tests.conftest import ClientOf, MakeProject

pytestmark = pytest.mark.django_db
BOX = {"x": "0.1", "y": "0.1", "w": "0.2", "h": "0.2"}


def object_to(about: str, kind: str = "file") -> None:
    assert objections.lodge(about, kind, "Please").pauses_until


def url(project: Project, path: str) -> str:
    return f"/p/{project.public_id}/{path}"


def refusal(browser: Client, project: Project, path: str, **sent: Any) -> str:
    """Send a form as a page's script does; return the code of its refusal, or nothing."""
    answer = background(browser, url(project, path), {"client_uuid": str(uuid4())} | sent)
    assert answer.status_code == (422 if "error" in answer.json() else 200)
    return str(answer.json().get("error", ""))


def add_tray(project: Project) -> list[Photo]:
    """Three photos in which no face was found."""
    return [add_photo(project, [])[0] for _ in range(3)]


def test_the_tray_shows_no_paused_photo_and_takes_nothing_about_it(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    paused, *others = add_tray(project)
    browser = client_of(bob)
    object_to(paused.title)
    shown = browser.get(url(project, "tray")).content.decode()
    assert re.findall(r'data-photo="([^"]+)"', shown) == [each.public_id for each in others]
    for path in ("not-here", "no-usable-face", "draw"):
        assert refusal(browser, project, path, photo=paused.public_id, **BOX) == "objected", path
    assert not Answer.objects.filter(photo=paused).exists()
    assert refusal(browser, project, "not-here", photo=others[0].public_id) == ""


def test_the_tray_of_a_paused_person_is_empty_and_says_why(
    project: Project, bob: User, client_of: ClientOf
) -> None:
    photo = add_tray(project)[0]
    browser = client_of(bob)
    object_to("Q7186", "person")
    shown = browser.get(url(project, "tray")).content.decode()
    assert "data-photo" not in shown
    assert "Paused because somebody objected" in shown
    assert "in one of them?" not in shown
    for path in ("not-here", "no-usable-face", "draw"):
        assert refusal(browser, project, path, photo=photo.public_id, **BOX) == "objected", path
    assert not Answer.objects.filter(photo=photo).exists()


def test_a_face_of_a_paused_photo_is_not_drawn_better(
    project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    photo, [face] = add_photo(project, [cast.face("marie")])
    object_to(photo.title)
    sent = {"photo": photo.public_id, "replaces": face.public_id, **BOX}
    assert refusal(client_of(bob), project, "draw", **sent) == "objected"
    assert not Region.objects.filter(picture=photo.picture).exclude(pk=face.pk).exists()


@pytest.mark.parametrize("kind", ["file", "person"])
def test_an_answer_that_waited_in_the_browser_is_kept(
    kind: str, project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    """Also the answer that the face can't be used, which is about a photo besides."""
    photo, [face] = add_photo(project, [cast.face("marie")])
    object_to(photo.title if kind == "file" else "Q7186", kind)
    sent = {"photo": photo.public_id, "region": face.public_id}
    assert refusal(client_of(bob), project, "no-usable-face", **sent) == ""


@pytest.mark.parametrize("kind", ["file", "person"])
def test_a_page_drops_the_paused_faces_that_it_holds(
    kind: str, project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    photo, [face] = add_photo(project, [cast.face("marie")])
    _other, [another] = add_photo(project, [cast.face("marie")])
    lay_out(project, [[face, another]])
    browser = client_of(bob)
    held = {"face": [face.public_id, another.public_id]}

    def kept() -> list[str]:
        return list(browser.get(url(project, "ask/keep"), held).json()["kept"])

    assert kept() == sorted(held["face"])
    object_to(photo.title if kind == "file" else "Q7186", kind)
    assert kept() == ([another.public_id] if kind == "file" else [])


@pytest.mark.parametrize("kind", ["file", "person"])
def test_an_undo_puts_no_paused_question_back_on_the_page(
    kind: str, project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    photo, [face] = add_photo(project, [cast.face("marie")])
    browser, sent = client_of(bob), {"photo": photo.public_id, "region": face.public_id}

    def undone() -> str:
        uuid = str(uuid4())
        answer = sent | {"client_uuid": uuid, "verdict": "yes"}
        assert background(browser, url(project, "answer"), answer).status_code == 200
        back = {"client_uuid": str(uuid4()), "target": uuid}
        return str(background(browser, url(project, "undo"), back).json()["question"])

    assert face.public_id in undone()
    object_to(photo.title if kind == "file" else "Q7186", kind)
    assert undone() == ""


def test_no_paused_face_is_asked_alone_in_a_grid_or_a_third_time(
    project: Project, cast: Cast, bob: User
) -> None:
    photo, [face] = add_photo(project, [cast.face("marie")])
    for kind in (Question.Kind.ONE, Question.Kind.LIKELY, Question.Kind.THIRD):
        Question.objects.filter(subject=project.subject).delete()
        lay_out(project, [[face]], kind)
        assert screens.next_screen(project, bob)
    object_to(photo.title)
    for kind in (Question.Kind.ONE, Question.Kind.LIKELY, Question.Kind.THIRD):
        lay_out(project, [[face]], kind)
        assert screens.next_screen(project, bob) is None
        assert next_question(project, bob) is None


def test_no_paused_face_is_shown_for_comparison(
    project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    rows = [add_photo(project, [cast.face("marie")]) for _ in range(2)]
    for photo, [face] in rows:
        answers.answer(project, face, photo, bob, Verdict.YES, Origin.ASK, uuid4())
    paused, other = (face.pk for _photo, [face] in rows)

    def faces(tiles: list[Tile]) -> set[int]:
        return {tile.region.pk for tile in tiles}

    for nearest in ([paused, other], []):
        assert faces(beside(project, nearest, []).confirmed) == {paused, other}
    object_to(rows[0][0].title)
    for nearest in ([paused, other], []):
        assert faces(beside(project, nearest, []).confirmed) == {other}


def test_the_first_page_tries_no_paused_face(
    project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    """It begins with a face that is the person if any is."""
    Project.objects.update(visibility=Project.Visibility.PUBLIC)
    photo, [face] = add_photo(project, [cast.face("marie")])
    answers.answer(project, face, photo, bob, Verdict.YES, Origin.ASK, uuid4())
    assert photo.name in client_of(None).get("/").content.decode()
    object_to(photo.title)
    assert photo.name not in client_of(None).get("/").content.decode()


@pytest.mark.parametrize("kind", ["file", "person"])
def test_nobody_is_asked_who_else_a_paused_face_is(
    kind: str, project: Project, cast: Cast, bob: User, client_of: ClientOf
) -> None:
    photo, [face] = add_photo(project, [cast.face("marie")])
    browser, address = client_of(bob), url(project, f"review/else?region={face.public_id}")
    assert browser.get(address).status_code == 200
    object_to(photo.title if kind == "file" else "Q7186", kind)
    answer = browser.get(address, follow=True)
    assert answer.redirect_chain == [(url(project, "review"), 302)]
    assert "this is paused until" in answer.content.decode()


# Second looks -----------------------------------------------------------------------------------
@pytest.fixture
def crowd(make_project: MakeProject, alice: User, bob: User) -> Crowd:
    """Alice said Yes to thirty faces; five are left. The rounds are drawn."""
    crowd = add_crowd(make_project(alice, "Q937", members=[bob]), 35)
    crowd.say(alice, Verdict.YES, range(30))
    crowd.draw()
    return crowd


def test_a_second_look_at_one_paused_photo_is_neither_taken_nor_kept_nor_shown(
    crowd: Crowd, bob: User, client_of: ClientOf
) -> None:
    project, browser = crowd.project, client_of(bob)
    screen = rounds.next_screen(project, bob)
    assert screen
    faces = [each.region.public_id for each in screen.faces]
    paused = screen.faces[0]
    object_to(paused.photo.title)
    assert refusal(browser, project, "again/answer", shown=faces, yes=faces) == "objected"
    assert not Answer.objects.filter(origin=Origin.AGAIN).exists()
    kept = browser.get(url(project, "again/keep"), {"face": faces}).json()["kept"]
    assert kept == sorted(faces[1:])
    assert refusal(browser, project, "again/answer", shown=kept, yes=kept) == ""
    while screen := rounds.next_screen(project, bob):
        shown = [each.region for each in screen.faces] + [tile.region for tile in screen.nearest]
        assert paused.region not in shown
        rest = [each.region.public_id for each in screen.faces]
        assert refusal(browser, project, "again/answer", shown=rest, yes=rest) == ""
    [left] = Look.objects.filter(subject=project.subject, said="").exclude(why=Look.Why.FRAME)
    assert left.region == paused.region, "to be looked at once the pause is over"
    assert rounds.wanted(project).faces == rounds.wanted_by([project]).get(project.pk, 0) == 0
    page = browser.get(url(project, "again")).content.decode()
    assert "No second look waits" in page, "it does not promise the next face in a moment"


def test_of_a_paused_person_no_second_look_is_kept(
    crowd: Crowd, bob: User, client_of: ClientOf
) -> None:
    screen = rounds.next_screen(crowd.project, bob)
    assert screen
    held = {"face": [each.region.public_id for each in screen.faces]}
    object_to("Q937", "person")
    address = url(crowd.project, "again/keep")
    assert client_of(bob).get(address, held).json()["kept"] == []
