"""The answering pages over Django's client: who may, what is refused, what is sent twice."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from classify import answers
from classify.asking import queue as asking_queue
from classify.models import Answer, Label, Origin, Question, Skip, Verdict
from core.ratelimit import LIMITS, Limit
from crawler.models import Photo, Region
from projects.models import AuditEvent, Membership, Project, User
from tests.classify.faces import Cast, add_photo, learn
from tests.classify_pages.conftest import background
from tests.conftest import ClientOf, MakeProject

PAGES = ("ask", "ask/next", "ask/keep", "review", "tray")
IMPORTS = re.compile(r'(?:from|import) "\./(\w+\.js)"')
CHANGES = (
    "answer",
    "skip",
    "undo",
    "draw",
    "no-usable-face",
    "not-here",
    "review/answer",
    "review/reassign",
)


@pytest.fixture
def here(project: Project) -> str:
    return f"/p/{project.public_id}"


@pytest.fixture
def face(project: Project) -> Region:
    return Region.objects.earliest("id")


@pytest.fixture
def photo(project: Project) -> Photo:
    return Photo.objects.earliest("id")


@pytest.fixture
def sent(face: Region, photo: Photo) -> dict[str, Any]:
    """An answer as the page sends it."""
    return {
        "region": face.public_id,
        "photo": photo.public_id,
        "verdict": "yes",
        "client_uuid": str(uuid4()),
    }


@pytest.fixture
def box(photo: Photo) -> dict[str, Any]:
    """A box as the page sends it."""
    place = {"x": "0.5", "y": "0.5", "w": "0.2", "h": "0.25"}
    return {"photo": photo.public_id, "client_uuid": str(uuid4())} | place


# Who may ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", CHANGES)
def test_only_members_change_anything(
    change: str,
    here: str,
    project: Project,
    client_of: ClientOf,
    bob: User,
    charlie: User,
    mona: User,
    sent: dict[str, Any],
) -> None:
    path = f"{here}/{change}"
    before = Answer.objects.count()
    assert background(client_of(None), path, sent).status_code == 401
    assert background(client_of(mona), path, sent).status_code == 403
    Membership.objects.filter(project=project, user=bob).update(state=Membership.State.BANNED)
    for user, status in ((charlie, 403), (bob, 404)):
        answer = background(client_of(user), path, sent)
        assert answer.status_code == status
        assert "no longer a member" in answer.json()["sentence"]
    assert (Answer.objects.count(), Skip.objects.count()) == (before, 0)


@pytest.mark.parametrize("change", CHANGES)
def test_changes_are_posted(change: str, here: str, client_of: ClientOf, alice: User) -> None:
    assert client_of(alice).get(f"{here}/{change}").status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_members_see_every_page(page: str, here: str, client_of: ClientOf, bob: User) -> None:
    response = client_of(bob).get(f"{here}/{page}")
    assert response.status_code == 200
    assert "style=" not in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_private_project_is_not_found(
    page: str, here: str, project: Project, client_of: ClientOf, charlie: User
) -> None:
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    assert client_of(charlie).get(f"{here}/{page}").status_code == 404


def test_visitors_read_how_to_join(
    here: str, project: Project, client_of: ClientOf, charlie: User
) -> None:
    page = client_of(None).get(f"{here}/ask").content.decode()
    assert f"/login/?next={here}/ask" in page
    visitor = client_of(charlie)
    for answering in ("ask", "grid", "again"):
        page = visitor.get(f"{here}/{answering}").content.decode()
        assert "by invitation" in page
        assert f'href="{here}/ask-to-join">Ask to join</a>' in page
    visitor.post(f"{here}/ask-to-join")
    assert (
        f'href="{here}/ask-to-join">See what you asked</a>'
        in visitor.get(f"{here}/ask").content.decode()
    )
    Project.objects.update(joining=Project.Joining.OPEN)
    assert "Join and answer" in client_of(charlie).get(f"{here}/ask").content.decode()


def test_visitors_look_at_the_review_without_its_buttons(
    here: str, project: Project, client_of: ClientOf, charlie: User
) -> None:
    page = client_of(charlie).get(f"{here}/review?which=others").content.decode()
    assert 'class="tile"' in page
    assert "checkbox" not in page
    assert "review-bar" not in page
    assert client_of(charlie).get(f"{here}/tray").status_code == 403


# Answers ----------------------------------------------------------------------------------------
def test_an_answer_sent_twice_is_one(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any], face: Region
) -> None:
    browser = client_of(bob)
    first = background(browser, f"{here}/answer", sent)
    again = background(browser, f"{here}/answer", sent)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert browser.get(f"{here}/ask/keep").json()["answered"] == 1
    assert Label.objects.get(region=face).verdict == Verdict.YES


def test_an_undo_says_how_many_answers_it_took_back_and_a_later_look_what_is_left(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any], project: Project
) -> None:
    browser = client_of(bob)
    undo = {"client_uuid": str(uuid4())}
    assert background(browser, f"{here}/undo", undo).json()["told"] == "There is nothing to undo."
    background(browser, f"{here}/answer", sent)
    undo = {"client_uuid": str(uuid4())}
    assert background(browser, f"{here}/undo", undo).json()["told"] == "1 answer taken back."
    learn(project)
    told = browser.get(f"{here}/ask/keep").json()
    assert (told["kept"], told["answered"]) == ([], 0)
    assert told["worth"] == asking_queue.worth(project) > 0


def test_a_word_that_replaces_ones_own_says_so(
    here: str, client_of: ClientOf, bob: User, alice: User, sent: dict[str, Any]
) -> None:
    assert background(client_of(alice), f"{here}/answer", sent).json()["told"] == ""
    browser = client_of(bob)
    for verdict, told in (("no", ""), ("no", ""), ("yes", "You had answered 1 face differently")):
        body = sent | {"verdict": verdict, "client_uuid": str(uuid4())}
        found = background(browser, f"{here}/answer", body).json()["told"]
        assert found.startswith(told)
        assert bool(found) == bool(told)
    background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})  # No stands again
    plain = sent | {"verdict": "yes", "client_uuid": str(uuid4())}
    page = browser.post(f"{here}/answer", plain, follow=True).content.decode()
    assert "Your answer is kept. You had answered 1 face differently before" in page


def test_after_each_answer_one_reads_how_many_more_are_needed(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any]
) -> None:
    """By the centroid rule, before the learner has run, too."""
    Project.objects.update(rule=Project.Rule.CENTROID)
    browser = client_of(bob)
    background(browser, f"{here}/answer", sent)
    assert browser.get(f"{here}/ask/keep").json()["needed"] == 4
    undone = background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})
    assert undone.json()["needed"] == 5


@pytest.mark.parametrize("page", ["ask", "grid"])
def test_the_answering_pages_load_their_modules_at_once(
    page: str, here: str, client_of: ClientOf, bob: User, settings: Settings
) -> None:
    html = client_of(bob).get(f"{here}/{page}").content.decode()
    scripts, found = settings.BASE_DIR / "static" / "js", {f"{page}.js"}
    while new := {each for name in found for each in IMPORTS.findall((scripts / name).read_text())}:
        if new <= found:
            break
        found |= new
    preloaded = re.findall(r'rel="modulepreload" href="/static/js/(.+?)"', html)
    assert sorted(preloaded) == sorted(found - {f"{page}.js"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "perhaps"},
        {"verdict": ""},
        {"client_uuid": "7"},
        {"client_uuid": ""},
        {"region": "nowhere"},
        {"region": ""},
        {"region": "x" * 5000},
        {"photo": "nowhere"},
        {"photo": "../../etc"},
    ],
)
def test_wrong_answers_are_refused_with_a_sentence(
    wrong: dict[str, str], here: str, client_of: ClientOf, bob: User, sent: dict[str, Any]
) -> None:
    response = background(client_of(bob), f"{here}/answer", sent | wrong)
    assert response.status_code == 422
    assert response.json()["sentence"]
    assert not Answer.objects.exists()


def test_a_face_of_another_project_is_refused(
    here: str,
    client_of: ClientOf,
    alice: User,
    cast: Cast,
    make_project: MakeProject,
    sent: dict[str, Any],
    face: Region,
) -> None:
    other = make_project(alice, "Q937")
    theirs, [their_face] = add_photo(other, [cast.face("albert")])
    browser = client_of(alice)
    for wrong in (
        {"region": their_face.public_id},
        {"photo": theirs.public_id},
        {"region": their_face.public_id, "photo": theirs.public_id},
    ):
        assert background(browser, f"{here}/answer", sent | wrong).status_code == 422
    marked = {"deed": "approve", "client_uuid": str(uuid4())}
    both = {"region": [face.public_id, their_face.public_id]}
    assert background(browser, f"{here}/review/answer", marked | both).status_code == 422
    assert not Answer.objects.exists()


def test_a_uuid_of_somebody_else_is_refused(
    here: str, client_of: ClientOf, alice: User, bob: User, sent: dict[str, Any]
) -> None:
    background(client_of(alice), f"{here}/answer", sent)
    response = background(client_of(bob), f"{here}/answer", sent | {"verdict": "no"})
    assert (response.status_code, response.json()["error"]) == (409, "used-twice")


def test_the_next_question_leaves_out_what_the_page_holds(
    here: str, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    seen: list[str] = []
    for _ in range(3):
        page = browser.get(f"{here}/ask/next", {"exclude": [*seen, "nonsense"]}).content.decode()
        seen += re.findall(r'data-region="([^"]+)"', page)
    assert len(set(seen)) == 3
    again = browser.get(f"{here}/ask/next").content.decode()
    assert seen[0] in again


def test_two_people_are_asked_different_faces(
    here: str, client_of: ClientOf, alice: User, bob: User
) -> None:
    regions = [
        re.findall(r'data-region="([^"]+)"', client_of(user).get(f"{here}/ask").content.decode())
        for user in (alice, bob)
    ]
    assert regions[0] != regions[1]


def test_a_skipped_face_is_asked_last(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any]
) -> None:
    browser = client_of(bob)
    page = browser.get(f"{here}/ask").content.decode()
    [region] = re.findall(r'data-region="([^"]+)"', page)
    [photo] = re.findall(r'data-photo="([^"]+)"', page)
    sent |= {"region": region, "photo": photo}
    assert background(browser, f"{here}/skip", sent).status_code == 200
    page = browser.get(f"{here}/ask").content.decode()
    assert region not in re.findall(r'data-region="([^"]+)"', page)
    assert Skip.objects.get().region.public_id == region
    assert not Answer.objects.exists()


def test_undo_goes_back_as_far_as_one_likes(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any]
) -> None:
    browser = client_of(bob)
    faces = list(Region.objects.order_by("id")[:3])
    for region in faces:
        photo = Photo.objects.get(picture=region.picture)
        own = {"region": region.public_id, "photo": photo.public_id, "client_uuid": str(uuid4())}
        background(browser, f"{here}/answer", sent | own)
    for region in reversed(faces):
        back = background(browser, f"{here}/undo", {"client_uuid": str(uuid4())}).json()
        assert back["undone"] == 1
        assert region.public_id in back["question"]
    assert not Label.objects.exists()
    nothing = background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})
    assert nothing.json()["undone"] == 0


def test_undo_takes_back_what_it_names_and_only_one_s_own(
    here: str, client_of: ClientOf, alice: User, bob: User, sent: dict[str, Any]
) -> None:
    background(client_of(bob), f"{here}/answer", sent)
    undo = {"client_uuid": str(uuid4()), "target": sent["client_uuid"]}
    assert background(client_of(alice), f"{here}/undo", undo).json()["undone"] == 0
    assert background(client_of(bob), f"{here}/undo", undo).json()["undone"] == 1
    assert background(client_of(bob), f"{here}/undo", undo).json()["undone"] == 0
    wrong = background(client_of(bob), f"{here}/undo", undo | {"target": "first"})
    assert wrong.status_code == 422


# Drawing ----------------------------------------------------------------------------------------
def test_a_drawn_box_is_a_confirmed_face(
    here: str, client_of: ClientOf, bob: User, box: dict[str, Any]
) -> None:
    browser = client_of(bob)
    drawn = background(browser, f"{here}/draw", box).json()["region"]
    assert background(browser, f"{here}/draw", box).json()["region"] == drawn
    region = Region.objects.get(public_id=drawn)
    assert region.box == pytest.approx((0.5, 0.5, 0.2, 0.25))
    label = Label.objects.get(region=region)
    assert (label.verdict, label.origin, label.user) == (Verdict.YES, Origin.DRAWN, bob)


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": "nan"},
        {"x": "inf"},
        {"w": "-inf"},
        {"x": "-0.1"},
        {"x": "1e309"},
        {"y": "left"},
        {"w": ""},
        {"w": "0.009"},
        {"h": "0"},
        {"x": "0.9"},  # and 0.2 wide: it leaves the photo
        {"h": "0.51"},
        {"photo": "nowhere"},
        {"replaces": "nowhere"},
        {"client_uuid": "x"},
    ],
)
def test_boxes_that_are_none_are_refused(
    wrong: dict[str, str], here: str, client_of: ClientOf, bob: User, box: dict[str, Any]
) -> None:
    response = background(client_of(bob), f"{here}/draw", box | wrong)
    assert response.status_code == 422
    assert response.json()["sentence"]
    assert not Region.objects.filter(origin=Region.Origin.PERSON).exists()


def test_a_redrawn_box_stands_instead_and_is_no_longer_answered(
    here: str,
    client_of: ClientOf,
    bob: User,
    box: dict[str, Any],
    face: Region,
    sent: dict[str, Any],
) -> None:
    browser = client_of(bob)
    background(browser, f"{here}/draw", box | {"replaces": face.public_id})
    face.refresh_from_db()
    assert face.replaced_by
    late = background(browser, f"{here}/answer", sent)
    assert late.status_code == 422
    assert late.json()["error"] == "replaced"
    elsewhere = Region.objects.filter(replaced_by=None).latest("id")
    other = box | {"replaces": elsewhere.public_id, "client_uuid": str(uuid4())}
    other["photo"] = Photo.objects.exclude(picture=elsewhere.picture).latest("id").public_id
    assert background(browser, f"{here}/draw", other).status_code == 422


def test_who_redraws_too_much_is_named_and_the_owner_undoes_all_of_it(
    here: str,
    client_of: ClientOf,
    alice: User,
    bob: User,
    box: dict[str, Any],
    face: Region,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page's other answers are not held up: no 429."""
    monkeypatch.setitem(LIMITS, "redraw", Limit(1, 3600, trusted=5))
    member, owner = client_of(bob), client_of(alice)
    redraw = box | {"replaces": face.public_id}
    assert background(member, f"{here}/draw", redraw).status_code == 200
    face.refresh_from_db()
    better = face.replaced_by
    assert better
    again = {"replaces": better.public_id, "client_uuid": str(uuid4())}
    refused = background(member, f"{here}/draw", box | again)
    assert (refused.status_code, refused.json()["error"]) == (422, "too-many")
    assert (
        background(member, f"{here}/draw", box | {"client_uuid": str(uuid4())}).status_code == 200
    )
    named = AuditEvent.objects.get(action="region.redrawn")
    assert (named.actor, named.target, named.data) == (bob, f"region:{face.pk}", {"by": better.pk})

    undo = f"{here}/members/{bob.public_id}/redrawn/undo"
    assert member.post(undo).status_code == 403
    assert "Undo all boxes" not in member.get(f"{here}/members/{bob.public_id}").text
    assert "1 face was drawn again" in owner.get(f"{here}/members/{bob.public_id}").text
    assert "1 box is undone." in owner.post(undo, follow=True).text
    face.refresh_from_db()
    assert face.replaced_by is None
    put_back = AuditEvent.objects.get(action="regions.put-back")
    assert (put_back.actor, put_back.target) == (alice, f"user:{bob.pk}")
    assert "Better boxes" not in owner.get(f"{here}/members/{bob.public_id}").text
    owner.post(undo)
    assert AuditEvent.objects.filter(action="regions.put-back").count() == 1


def test_whose_answers_do_not_count_redraws_nothing(
    here: str, client_of: ClientOf, bob: User, box: dict[str, Any], face: Region
) -> None:
    Membership.objects.filter(user=bob).update(counts=False)
    told = background(client_of(bob), f"{here}/draw", box | {"replaces": face.public_id})
    assert (told.status_code, told.json()["error"]) == (409, "not-counted")
    assert background(client_of(bob), f"{here}/draw", box).status_code == 200


def test_no_usable_face_tags_the_photo_and_settles_the_face_asked(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any], face: Region
) -> None:
    browser = client_of(bob)
    background(browser, f"{here}/no-usable-face", sent)
    background(browser, f"{here}/no-usable-face", sent)
    whole = Label.objects.get(region__origin=Region.Origin.PHOTO)
    assert whole.verdict == Verdict.YES
    assert Label.objects.get(region=face).verdict == Verdict.CANT_TELL
    assert Answer.objects.count() == 2
    back = background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})
    assert back.json()["undone"] == 2
    assert face.public_id in back.json()["question"]
    assert not Label.objects.exists()


# Review -----------------------------------------------------------------------------------------
@pytest.fixture
def matches(project: Project, alice: User) -> list[Region]:
    """Five faces of marie are confirmed, so that the other three are likely."""
    faces = list(Region.objects.filter(x=0).order_by("id"))
    for region in faces[:5]:
        photo = Photo.objects.get(picture=region.picture)
        answers.answer(project, region, photo, alice, Verdict.YES, Origin.ASK, uuid4())
    learn(project)
    return faces[5:]


def test_the_review_says_how_many_more_answers_it_needs(
    here: str, client_of: ClientOf, bob: User
) -> None:
    Project.objects.update(rule=Project.Rule.CENTROID)
    page = client_of(bob).get(f"{here}/review").content.decode()
    assert "5 more Yes" in page
    assert "0 of 5 faces are confirmed" in page


def test_approves_what_is_ticked_and_takes_it_back_at_once(
    here: str, client_of: ClientOf, bob: User, matches: list[Region]
) -> None:
    browser = client_of(bob)
    uuids = [str(uuid4()), str(uuid4())]
    deed = {
        "deed": "approve",
        "client_uuid": str(uuid4()),
        "region": [region.public_id for region in matches[:2]],
        "uuid": uuids,
    }
    first = background(browser, f"{here}/review/answer", deed)
    assert background(browser, f"{here}/review/answer", deed).json() == first.json()
    assert first.json()["filters"]["matches"] == 1
    assert Label.objects.filter(origin=Origin.REVIEW, verdict=Verdict.YES).count() == 2
    undo = {"client_uuid": str(uuid4()), "target": uuids}
    undone = background(browser, f"{here}/undo", undo).json()
    assert undone["undone"] == 2
    assert undone["filters"]["matches"] == 3, "before the learner has run, too"
    assert not Label.objects.filter(origin=Origin.REVIEW).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"deed": "destroy"},
        {"deed": ""},
        {"region": []},
        {"region": ["nowhere"]},
        {"region": ["x"] * 1001},
        {"client_uuid": "x"},
        {"uuid": ["x"]},
        {"uuid": [str(uuid4()), str(uuid4())]},
    ],
)
def test_wrong_reviews_are_refused(
    wrong: dict[str, Any], here: str, client_of: ClientOf, bob: User, matches: list[Region]
) -> None:
    deed = {
        "deed": "reject",
        "client_uuid": str(uuid4()),
        "region": [matches[0].public_id],
    }
    response = background(client_of(bob), f"{here}/review/answer", deed | wrong)
    assert response.status_code == 422
    assert response.json()["sentence"]
    assert not Label.objects.filter(origin=Origin.REVIEW).exists()


def test_the_gallery_goes_on_by_key(
    here: str,
    client_of: ClientOf,
    bob: User,
    matches: list[Region],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("classify.review.views.review.PAGE", 2)
    browser, seen = client_of(bob), []
    address = f"{here}/review"
    while address:
        page = browser.get(address).content.decode()
        seen += re.findall(r'class="tile" data-region="([^"]+)"', page)
        found = re.search(r'data-more href="([^"]+)"', page)
        address = f"{here}/review{found[1].replace('&amp;', '&')}" if found else ""
    assert len(seen) == len(set(seen)) == len(matches)
    for nonsense in ("after=x", "after=nan:1", "after=1:99999999999999999999", "which=x&order=y"):
        assert browser.get(f"{here}/review?{nonsense}").status_code == 200


# Without script ---------------------------------------------------------------------------------
def form_of(page: str, action: str) -> dict[str, Any]:
    """The hidden fields of the form that posts to `action`."""
    [form] = re.findall(rf'<form method="post" action="{action}"[^>]*>(.*?)</form>', page, re.S)
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(value)
    return fields


def test_plain_forms_answer_skip_and_undo(here: str, client_of: ClientOf, bob: User) -> None:
    browser = client_of(bob)
    page = browser.get(f"{here}/ask").content.decode()
    fields = form_of(page, f"{here}/answer")
    [first] = fields["region"]
    for _ in range(2):  # a double click
        response = browser.post(f"{here}/answer", fields | {"verdict": "yes"})
        assert response.status_code == 302
        assert response["Location"] == f"{here}/ask"
    assert Label.objects.get().region.public_id == first
    page = browser.get(f"{here}/ask").content.decode()
    assert "Your answer is kept." in page
    assert form_of(page, f"{here}/answer")["region"] != [first]
    undone = browser.post(f"{here}/undo", form_of(page, f"{here}/undo"), follow=True)
    assert form_of(undone.content.decode(), f"{here}/answer")["region"] == [first]
    assert not Label.objects.exists()


def test_plain_forms_review_a_screen_and_take_it_back(
    here: str, client_of: ClientOf, bob: User, matches: list[Region]
) -> None:
    browser = client_of(bob)
    page = browser.get(f"{here}/review").content.decode()
    fields = form_of(page, f"{here}/review/answer")
    assert sorted(fields["shown"]) == sorted(region.public_id for region in matches)
    response = browser.post(f"{here}/review/answer", fields | {"deed": "approve-all"}, follow=True)
    page = response.content.decode()
    assert "3 faces approved." in page
    assert "Nothing to review" in page
    undone = browser.post(f"{here}/undo", form_of(page, f"{here}/undo"), follow=True)
    assert "3 answers taken back." in undone.content.decode()
    assert not Label.objects.filter(origin=Origin.REVIEW).exists()


def test_plain_forms_come_back_only_to_our_own_pages(
    here: str, client_of: ClientOf, bob: User, sent: dict[str, Any]
) -> None:
    response = client_of(bob).post(f"{here}/answer", sent | {"next": "https://example.org/"})
    assert response["Location"] == f"{here}/ask"


def test_the_tray_shows_photos_without_a_face_until_they_have_a_word(
    here: str, client_of: ClientOf, bob: User, project: Project
) -> None:
    photo, _ = add_photo(project, [])
    browser = client_of(bob)
    page = browser.get(f"{here}/tray").content.decode()
    assert f'data-photo="{photo.public_id}"' in page
    fields = form_of(page, f"{here}/no-usable-face")
    response = browser.post(f"{here}/no-usable-face", fields)
    assert response["Location"] == f"{here}/tray"
    assert f'data-photo="{photo.public_id}"' not in browser.get(f"{here}/tray").content.decode()
    browser.post(f"{here}/undo", {"client_uuid": str(uuid4())})
    assert f'data-photo="{photo.public_id}"' in browser.get(f"{here}/tray").content.decode()
    browser.post(f"{here}/not-here", fields | {"client_uuid": str(uuid4())})
    assert f'data-photo="{photo.public_id}"' not in browser.get(f"{here}/tray").content.decode()
    assert not Label.objects.filter(verdict=Verdict.YES).exists()


# Nothing to ask ---------------------------------------------------------------------------------
def why(browser: Client, here: str) -> str:
    [reason] = re.findall(r'data-why="([^"]+)"', browser.get(f"{here}/ask").content.decode())
    return str(reason)


def test_says_why_there_is_nothing_to_ask(
    here: str, project: Project, client_of: ClientOf, alice: User, bob: User
) -> None:
    project.sources.all().delete()  # all of them are read
    browser = client_of(bob)
    Question.objects.all().delete()
    assert why(browser, here) == "enough"
    page = browser.get(f"{here}/ask/next").content.decode()
    assert 'data-again="15"' in page
    Project.objects.update(revision=project.revision + 1)
    assert why(browser, here) == "learning"
    Project.objects.update(state=Project.State.PAUSED)
    assert why(browser, here) == "paused"


def test_a_new_project_polls_every_second(
    client_of: ClientOf, alice: User, make_project: MakeProject
) -> None:
    fresh = make_project(alice, "Q76")
    page = client_of(alice).get(f"/p/{fresh.public_id}/ask").content.decode()
    assert 'data-why="looking"' in page
    assert 'data-again="1"' in page
    assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in page


# What one has skipped ---------------------------------------------------------------------------
def skip_all(browser: Client, address: str) -> list[str]:
    """Skip what the page asks about, until it asks no more; what that was, in its order."""
    skipped: list[str] = []
    for _ in range(30):
        before, _button, after = (
            browser.get(address).content.decode().partition('data-do="skip" data-op')
        )
        if not after:
            return skipped
        form = re.findall(r'name="(\w+)" value="([^"]+)"', before.rpartition("<form")[2])
        sent = {name: [each for key, each in form if key == name] for name, _value in form}
        skipped += sent.get("shown", []) or sent["region"]
        [skip] = re.findall(r'^="\w+" formaction="([^"]+)"', after)
        assert background(browser, skip, sent).status_code == 200
    pytest.fail("round and round")


@pytest.mark.long
@pytest.mark.parametrize("way", ["ask", "grid?way=auto", "grid?way=grid"])
def test_who_has_skipped_all_that_is_left_is_told_so_and_may_look_again(
    way: str, make_project: MakeProject, cast: Cast, client_of: ClientOf, alice: User, bob: User
) -> None:
    project = make_project(alice, members=[bob])
    for _ in range(3):
        add_photo(project, [cast.face("marie"), cast.face("pierre")])
    learn(project)
    here = f"/p/{project.public_id}"
    browser = client_of(bob)
    asked = set(Question.objects.values_list("region__public_id", flat=True))
    assert set(skip_all(browser, f"{here}/{way}")) == asked
    learn(project)
    page = browser.get(f"{here}/{way}").content.decode()
    for _ in range(2):  # and so after each round
        assert 'data-why="skipped"' in page
        assert "You skipped all that is left" in page
        assert f'href="{here}/review"' in page
        assert 'href="/projects">Other projects' in page
        [anew] = re.findall(r'class="button primary" href="([^"]+)">Look at them again', page)
        anew = anew.replace("&amp;", "&")
        assert set(skip_all(browser, anew)) == asked, way
        learn(project)
        page = browser.get(anew).content.decode()
    assert 'data-why="skipped"' not in client_of(alice).get(f"{here}/{way}").content.decode()


@pytest.mark.long
def test_what_comes_next_on_a_page_of_skipped_faces_is_one_of_them(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    skip_all(browser, f"{here}/ask")
    learn(project)
    page = browser.get(f"{here}/ask").content.decode()
    [anew] = re.findall(r'href="([^"]+)">Look at them again', page)
    [following] = re.findall(r'data-url-next="([^"]+)"', browser.get(anew).content.decode())
    assert "data-one" in browser.get(following).content.decode()
    [plain] = re.findall(r'data-url-next="([^"]+)"', page)
    Question.objects.update(leased_to=None, leased_until=None)
    assert 'data-why="skipped"' in browser.get(plain).content.decode()


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 30, "9" * 5000, "1e9", "٣"])
def test_any_time_since_which_faces_are_skipped_is_answered(
    since: str, here: str, client_of: ClientOf, bob: User
) -> None:
    assert client_of(bob).get(f"{here}/ask", {"anew": since}).status_code == 200


def test_who_skipped_some_is_told_when_others_hold_the_rest(
    here: str, project: Project, client_of: ClientOf, alice: User, bob: User
) -> None:
    first, *rest = (each.region for each in Question.objects.order_by("rank", "id"))
    answers.skip(project, first, bob)
    learn(project)
    Question.objects.filter(region__in=rest).update(
        leased_to=alice, leased_until=timezone.now() + timedelta(minutes=1)
    )
    assert 'data-why="skipped"' in client_of(bob).get(f"{here}/ask").content.decode()
    Question.objects.update(leased_to=None, leased_until=None)
    assert "data-one" in client_of(bob).get(f"{here}/ask").content.decode()


@pytest.mark.parametrize("button", ["answer", "skip", "no-usable-face"])
def test_each_field_may_be_missing_or_broken(
    project: Project,
    client_of: ClientOf,
    here: str,
    sent: dict[str, Any],
    button: str,
    subtests: pytest.Subtests,
) -> None:
    browser = client_of(project.owner)
    for field in ("region", "photo", "client_uuid", "verdict"):
        for value in (None, "", "\x00", "x" * 300, "AAAAAAAAAAA"):
            with subtests.test(field=field, value=value):
                form = {key: each for key, each in sent.items() if key != field}
                form |= {} if value is None else {field: value}
                status = background(browser, f"{here}/{button}", form).status_code
                assert status < 500
                assert status != 429
