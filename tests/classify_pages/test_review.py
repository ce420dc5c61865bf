"""The review by plain forms: somebody else, two faces side by side, one face, other words."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.utils.timezone import now

from classify.models import Answer, Label, Origin, Score, Verdict
from crawler import omissions
from crawler.models import Photo, Picture, ProjectPhoto, Region
from projects.models import AuditEvent, Membership, Person, Project, User
from tests.classify_pages.conftest import background
from tests.conftest import ClientOf, MakeProject
from tests.pages.review_crowd import add_faces, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def faces(project: Project) -> list[Region]:
    return add_faces(project, 4)


@pytest.fixture
def here(project: Project, faces: list[Region]) -> str:
    return f"/p/{project.public_id}"


@pytest.fixture
def pierre(make_project: MakeProject, charlie: User) -> Project:
    """Charlie's project of another person, open to anybody."""
    made = make_project(charlie, "Q37463", joining=Project.Joining.OPEN)
    Person.objects.filter(pk=made.person.pk).update(labels={"fr": "Pierre Curie", "en": "P. Curie"})
    return made


def wording(project: Project) -> dict[str, str]:
    return dict(
        Label.objects.filter(subject=project.subject).values_list("region__public_id", "verdict")
    )


def reassigned(faces: list[Region], other: str) -> dict[str, Any]:
    return {
        "deed": "else",
        "other": other,
        "client_uuid": str(uuid4()),
        "region": [face.public_id for face in faces],
        "uuid": [str(uuid4()) for _face in faces],
    }


def test_who_only_looks_is_not_told_to_reject(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    def page(user: User | None) -> str:
        return client_of(user).get(f"{here}/review").content.decode()

    assert "reject the wrong ones" in page(bob)
    assert "Members look at each of them" in page(None)
    assert "reject the wrong ones" not in page(None)


def test_somebody_else_is_no_here_and_yes_there_and_undo_takes_both_back(
    project: Project,
    here: str,
    faces: list[Region],
    pierre: Project,
    client_of: ClientOf,
    bob: User,
) -> None:
    browser, two = client_of(bob), faces[:2]
    names = {face.public_id for face in two}
    offered = browser.get(f"{here}/review/else", {"region": list(names), "q": "curie PIERRE"})
    page = offered.content.decode()
    assert pierre.public_id in page
    assert "You join this open project by it." in page
    sent = reassigned(two, pierre.public_id)
    for _ in range(2):  # sent twice it is once
        response = background(browser, f"{here}/review/reassign", sent)
        assert response.status_code == 200
    assert wording(project) == dict.fromkeys(names, Verdict.NO)
    assert wording(pierre) == dict.fromkeys(names, Verdict.YES)
    assert set(Answer.objects.values_list("origin", flat=True)) == {Origin.REVIEW}
    assert ProjectPhoto.objects.filter(project=pierre).count() == 2
    joined = Membership.objects.get(project=pierre, user=bob)
    assert joined.state == Membership.State.ACTIVE

    undo = {"client_uuid": str(uuid4()), "target": sent["uuid"]}
    undone = background(browser, f"{here}/undo", undo).json()
    assert undone["undone"] == 2
    assert wording(project) == wording(pierre) == {}
    assert not ProjectPhoto.objects.filter(project=pierre).exists()
    assert AuditEvent.objects.filter(project=pierre, action="photo.taken-back").count() == 2


def test_what_others_say_of_a_photo_there_keeps_it_there(
    project: Project,
    here: str,
    faces: list[Region],
    pierre: Project,
    client_of: ClientOf,
    bob: User,
    charlie: User,
) -> None:
    browser = client_of(bob)
    background(browser, f"{here}/review/reassign", reassigned(faces[:1], pierre.public_id))
    say(pierre, charlie, faces[:1], "yes")
    browser.post(f"{here}/undo", {"client_uuid": str(uuid4())})  # the last deed, whatever it was
    assert wording(project) == {}
    assert list(wording(pierre).values()) == [Verdict.YES]
    assert ProjectPhoto.objects.filter(project=pierre).count() == 1


def test_naming_somebody_puts_no_photo_back_that_a_member_may_not_put_back(
    project: Project,
    here: str,
    faces: list[Region],
    pierre: Project,
    client_of: ClientOf,
    bob: User,
    charlie: User,
) -> None:
    photo = Photo.objects.get(picture=faces[0].picture)
    row = ProjectPhoto.objects.create(project=pierre, photo=photo)
    omissions.leave_out(pierre, photo, charlie)
    sent = reassigned(faces[:1], pierre.public_id)
    answer = background(client_of(bob), f"{here}/review/reassign", sent)
    assert (answer.status_code, answer.json()["error"]) == (409, "not-yours")
    assert wording(project) == wording(pierre) == {}, "all or nothing"
    row.refresh_from_db()
    assert (row.left_out, row.left_out_by) == (True, charlie)
    assert not Membership.objects.filter(project=pierre, user=bob).exists()


def test_nobody_says_yes_where_they_may_not(
    project: Project,
    here: str,
    faces: list[Region],
    pierre: Project,
    client_of: ClientOf,
    bob: User,
) -> None:
    browser = client_of(bob)
    hidden = {"visibility": Project.Visibility.PRIVATE}
    by_invitation = {"joining": Project.Joining.INVITE}
    for fields, status in ((hidden, 409), (by_invitation, 409)):
        Project.objects.filter(pk=pierre.pk).update(**fields)
        assert (
            pierre.public_id
            not in browser.get(f"{here}/review/else?region={faces[0].public_id}").content.decode()
        )
        sent = reassigned(faces[:1], pierre.public_id)
        assert background(browser, f"{here}/review/reassign", sent).status_code == status
        Project.objects.filter(pk=pierre.pk).update(visibility=Project.Visibility.PUBLIC)
    Project.objects.filter(pk=pierre.pk).update(joining=Project.Joining.OPEN)
    Membership.objects.create(project=pierre, user=bob, state=Membership.State.BANNED)
    sent = reassigned(faces[:1], pierre.public_id)
    assert background(browser, f"{here}/review/reassign", sent).status_code == 409
    unknown = reassigned(faces[:1], "nowhere")
    assert background(browser, f"{here}/review/reassign", unknown).status_code == 422
    assert not Answer.objects.exists(), "all or nothing"
    assert not ProjectPhoto.objects.filter(project=pierre).exists()


def test_one_goes_through_the_review_without_a_script(
    project: Project, here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser, ids = client_of(bob), [face.public_id for face in faces]
    act = {"client_uuid": str(uuid4()), "next": f"{here}/review"}
    led = browser.post(f"{here}/review/answer", act | {"deed": "compare", "region": ids[:2]})
    both = browser.get(led["Location"])
    assert both.status_code == 200
    assert both.content.decode().count('class="compare-side"') == 2
    three = browser.post(f"{here}/review/answer", act | {"deed": "compare", "region": ids[:3]})
    assert "Choose two faces" in browser.get(three["Location"]).content.decode()
    led = browser.post(f"{here}/review/answer", act | {"deed": "else", "region": ids[:1]})
    assert "Somebody else: who?" in browser.get(led["Location"]).content.decode()

    for word in ("background", "artwork", "not-a-face", "cant-tell"):
        deed = {"deed": word, "region": ids[0], "client_uuid": str(uuid4())}
        browser.post(f"{here}/review/answer", act | deed)
        assert wording(project) == {ids[0]: word}
    one = browser.get(f"{here}/review/face/{ids[0]}").content.decode()
    assert "Can&#x27;t tell" in one
    assert str(bob) in one
    stacked = {"deed": "approve", "region": ids[1], f"with-{ids[1]}": ids[2:], **act}
    browser.post(f"{here}/review/answer", stacked | {"client_uuid": str(uuid4())})
    assert wording(project) == {ids[0]: "cant-tell"} | dict.fromkeys(ids[1:], "yes")
    for wrong in ("nowhere", faces[0].public_id + "x"):
        assert browser.get(f"{here}/review/face/{wrong}").status_code == 404
        assert browser.get(f"{here}/review/compare?region={wrong}").status_code == 404


def test_a_face_is_seen_only_through_a_project_that_has_it(
    here: str, faces: list[Region], pierre: Project, client_of: ClientOf, charlie: User
) -> None:
    region = faces[0].public_id
    browser = client_of(charlie)
    assert browser.get(f"/p/{pierre.public_id}/review/face/{region}").status_code == 404
    assert browser.get(f"{here}/review/face/{region}").status_code == 200, "a public project"
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    for page in (f"face/{region}", f"compare?region={region}", f"else?region={region}"):
        assert browser.get(f"{here}/review/{page}").status_code == 404


def test_new_photos_of_a_source_have_a_gallery_of_their_own_with_counts(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    """Of four faces the last two are in photos that the source brought when it was read again."""
    source = project.sources.create(kind="category", value="Radium", found=2, found_at=now())
    ProjectPhoto.objects.filter(project=project).update(source=source)
    browser, address = client_of(bob), f"{here}/review?fresh={source.pk}"

    def regions(page: str) -> list[str]:
        return re.findall(r'id="face-([\w-]+)"', page)

    page = browser.get(address).content.decode()
    assert sorted(regions(page)) == sorted(face.public_id for face in faces[2:])
    assert "Only faces in the <b>2</b> new photos that <bdi>Radium</bdi> brought" in page
    assert re.search(r"<span>To review</span> <span>2</span>", page), "its counts are of these"
    assert f"which=confirmed&amp;fresh={source.pk}" in page, "and its links stay there"
    say(project, bob, faces[2:], "yes")
    page = browser.get(address).content.decode()
    assert "People said that these are" in page, "where the new faces are"
    assert len(regions(page)) == 2
    for nonsense in ("0", "x", "9" * 30, str(source.pk + 1)):
        assert len(regions(browser.get(f"{here}/review?fresh={nonsense}").content.decode())) == 2
    Picture.objects.update(state="q")
    Label.objects.all().delete()
    Score.objects.all().delete()
    assert "2 of them are still to be looked at" in browser.get(address).content.decode()
    page = browser.get(f"{here}/").content.decode()
    assert f'href="{here}/review?fresh={source.pk}"' in page, "the project leads there"
