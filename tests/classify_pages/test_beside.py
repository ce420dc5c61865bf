"""What stands beside a face that is asked about, and what does not."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest
from django.conf import settings

from classify import answers, selectors
from classify.asking import evidence, screens
from classify.learner import fill_queue
from classify.models import Label, Question
from crawler.models import Photo, ProjectPhoto, Region
from crawler.templatetags.faces import crop_url
from projects.models import DenyEntry, Person, Project, User
from tests.classify.faces import Cast, add_photo, learn, show
from tests.classify_pages.screens import lay_out
from tests.conftest import ClientOf, MakeProject


@pytest.fixture
def face(project: Project) -> Region:
    return Region.objects.earliest("id")


@pytest.fixture
def other(make_project: MakeProject, face: Region, bob: User) -> Project:
    """A public project about somebody else, in which bob has said Yes to the very same face."""
    other = make_project(bob, "Q37463")
    photo = Photo.objects.get(picture=face.picture_id)
    show(other, photo)
    answers.answer(other, face, photo, bob, "yes", "ask", uuid4())
    return other


def named(project: Project, face: Region) -> list[tuple[str, bool]]:
    found = evidence.beside(project, [], [face.pk]).named.get(face.pk, [])
    return [(each.project.person.qid, each.is_same) for each in found]


def test_a_name_from_another_public_project_speaks_for_no(
    project: Project, face: Region, other: Project, client_of: ClientOf, alice: User
) -> None:
    assert named(project, face) == [("Q37463", False)]
    assert named(project, Region.objects.latest("id")) == []  # of this very region only
    lay_out(project, [[face]], Question.Kind.ONE)
    for page in ("ask", "grid"):
        html = client_of(alice).get(f"/p/{project.public_id}/{page}").content.decode()
        assert "Somebody said in another project:" in html
        assert other.get_absolute_url() in html
        assert html.index("Somebody said") > html.index('value="yes"')  # below the answer


def test_a_name_of_the_same_person_speaks_for_yes(
    project: Project, face: Region, make_project: MakeProject, bob: User
) -> None:
    again = make_project(bob, project.person.qid)
    photo = Photo.objects.get(picture=face.picture_id)
    show(again, photo)
    answers.answer(again, face, photo, bob, "yes", "ask", uuid4())
    assert named(project, face) == [("Q7186", True)]


@pytest.mark.parametrize("why", ["private", "a statement", "disputed", "denied", "taken back"])
def test_what_is_not_confirmed_in_public_is_not_named(
    why: str, project: Project, face: Region, other: Project, bob: User
) -> None:
    label = Label.objects.filter(subject=other.subject)
    match why:
        case "private":
            Project.objects.filter(pk=other.pk).update(visibility=Project.Visibility.PRIVATE)
        case "a statement":
            label.update(origin="bootstrap")
        case "disputed":
            label.update(disputed=True)
        case "denied":
            DenyEntry.objects.create(wiki=settings.WIKI.code, kind="person", value="Q37463")
        case "taken back":
            answers.undo(other, bob, uuid4())
    assert named(project, face) == []


def test_the_faces_to_compare_are_of_different_ages(
    make_project: MakeProject, alice: User, cast: Cast
) -> None:
    project = make_project(alice)
    for year in [*[1911] * 8, 1890, 1900, 1925, 1934]:
        photo, [face] = add_photo(project, [cast.face("marie")])
        Photo.objects.filter(pk=photo.pk).update(
            taken_from=date(year, 1, 1), taken_to=date(year, 12, 31)
        )
        answers.answer(project, face, photo, alice, "yes", "ask", uuid4())
    for _ in range(3):
        add_photo(project, [cast.face("marie")])
    learn(project)
    for question in Question.objects.filter(subject=project.subject):
        tiles = evidence.beside(project, question.nearest, []).confirmed
        years = [int(tile.photo.year) for tile in tiles]
        assert len(tiles) == fill_queue.NEAREST
        assert set(years[:5]) == {1890, 1900, 1911, 1925, 1934}
    put_back = evidence.beside(
        project, [], []
    ).confirmed  # as after an undo, or when asked a third time
    assert {1890, 1934} <= {int(tile.photo.year) for tile in put_back}
    screen = screens.next_screen(project, alice)
    assert screen
    assert len(screen.nearest) == fill_queue.NEAREST


def test_copies_of_a_picture_stand_once_beside_a_face(
    project: Project, cast: Cast, alice: User, face: Region
) -> None:
    copies = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(3)]
    hashes = ("f0f0f0f0f0f0f0f0", "f0f0f0f0f0f0f0f1", "0f0f00ff0f0f00ff")
    for region, phash in zip(copies, hashes, strict=True):
        Region.objects.filter(pk=region.pk).update(phash=phash)
        photo = Photo.objects.get(picture=region.picture_id)
        answers.answer(project, region, photo, alice, "yes", "ask", uuid4())
    found = evidence.beside(project, [region.pk for region in copies], [face.pk]).confirmed
    assert [tile.region for tile in found] == [copies[0], copies[2]]


def test_the_guess_is_told_on_request_only(
    project: Project, face: Region, client_of: ClientOf, alice: User
) -> None:
    lay_out(project, [[face]], Question.Kind.ONE)
    Question.objects.update(chance=0.07)
    html = client_of(alice).get(f"/p/{project.public_id}/ask").content.decode()
    before, hidden = html.split('<details class="q-why">')
    assert "%" not in before.split("<main")[1]
    assert "Probably somebody else: 7% likely to be the person." in hidden
    assert evidence.percent(0.9999) == "99%"
    assert "no guess" in evidence.guess(None)


# The portrait -----------------------------------------------------------------------------------
SAME = "This is the picture that Wikidata has of <bdi>Marie Curie</bdi>. Is this the right face?"


def pair(page: str) -> list[str]:
    """The pictures that stand side by side."""
    found = re.search(r'<div class="q-pair">(.*?)</div>', page, re.S)
    assert found
    return re.findall(r'<img src="([^"]+)"', found.group(1))


@pytest.mark.parametrize("page", ["ask", "grid"])
def test_a_face_in_the_portrait_is_not_compared_with_itself(
    page: str, project: Project, face: Region, client_of: ClientOf, alice: User
) -> None:
    photo = Photo.objects.get(picture=face.picture_id)
    ProjectPhoto.objects.filter(photo=photo).update(is_portrait=True)
    other = Region.objects.exclude(picture=face.picture).earliest("id")
    lay_out(project, [[face]], Question.Kind.ONE)
    address = f"/p/{project.public_id}/{page}"
    html = client_of(alice).get(address).content.decode()
    assert len(pair(html)) == 1, "with nothing"
    assert SAME in html
    elsewhere = Photo.objects.get(picture=other.picture_id)
    answers.answer(project, other, elsewhere, alice, "yes", "ask", uuid4())
    html = client_of(alice).get(address).content.decode()
    assert pair(html) == [crop_url(project, face), crop_url(project, other)], "the confirmed face"
    assert SAME not in html
    lay_out(project, [[Region.objects.latest("id")]], Question.Kind.ONE)
    html = client_of(alice).get(address).content.decode()
    portrait = selectors.portrait(project)
    assert portrait
    assert pair(html)[1] == crop_url(project, portrait.region), "as ever"


def test_a_copy_of_the_portrait_and_one_without_a_face_are_the_portrait_too(
    project: Project, face: Region, client_of: ClientOf, alice: User
) -> None:
    address = f"/p/{project.public_id}/ask"
    lay_out(project, [[face]], Question.Kind.ONE)
    photo = Photo.objects.get(picture=face.picture_id)
    Person.objects.update(portrait="File:Another.jpg")
    assert SAME not in client_of(alice).get(address).content.decode()
    Person.objects.update(portrait=photo.title)
    assert SAME in client_of(alice).get(address).content.decode()
    copy = Region.objects.latest("id")
    Region.objects.update(phash="")
    Region.objects.filter(pk__in=[face.pk, copy.pk]).update(phash="00ff00ff00ff00ff")
    ProjectPhoto.objects.filter(photo__picture=copy.picture).update(is_portrait=True)
    Region.objects.filter(picture=copy.picture).exclude(pk=copy.pk).delete()
    assert SAME in client_of(alice).get(address).content.decode()
