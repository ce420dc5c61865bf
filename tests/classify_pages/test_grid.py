"""The grid over Django's client: whose screen it is, what is refused, one deed for undo."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from classify import answers
from classify.asking import screens
from classify.models import Answer, Label, Learner, Look, Origin, Question, Skip, Verdict
from crawler.models import Photo, Region
from projects.models import Membership, Project, User
from tests.classify.faces import Cast, add_photo, learn
from tests.classify_pages.conftest import background
from tests.classify_pages.screens import lay_out
from tests.classify_pages.test_views import form_of
from tests.conftest import ClientOf, MakeProject


@pytest.fixture
def here(project: Project) -> str:
    return f"/p/{project.public_id}"


@pytest.fixture
def faces(project: Project) -> list[Region]:
    """Sixteen faces, on two screens of six and one of four."""
    faces = list(Region.objects.order_by("id"))
    lay_out(project, [faces[:6], faces[6:12], faces[12:]])
    return faces


def sent(faces: list[Region], yes: list[Region], **more: Any) -> dict[str, Any]:
    """A screen as the page sends it."""
    return {
        "client_uuid": str(uuid4()),
        "shown": [face.public_id for face in faces],
        "yes": [face.public_id for face in yes],
        **more,
    }


def shown_in(page: str) -> list[str]:
    return re.findall(r'name="shown" value="([^"]+)"', page)


def shown_to(project: Project, user: User, *exclude: Region) -> list[Region]:
    held = Question.objects.filter(region__in=exclude).values_list("public_id", flat=True)
    screen = screens.next_screen(project, user, list(held))
    return [face.region for face in screen.faces] if screen else []


# Whose screen it is -----------------------------------------------------------------------------
def test_two_people_never_get_the_same_face(
    project: Project, faces: list[Region], alice: User, bob: User
) -> None:
    assert shown_to(project, alice) == faces[:6]
    assert shown_to(project, bob) == faces[6:12]
    assert shown_to(project, alice, *faces[:6]) == faces[12:], "ahead"
    assert shown_to(project, bob, *faces[6:12]) == []
    single = answers.next_question(project, bob)
    assert single
    assert single.region in faces[6:12], "one face at a time, too"


def test_a_reload_brings_the_same_screen_back(
    project: Project, faces: list[Region], alice: User
) -> None:
    assert shown_to(project, alice) == faces[:6]
    assert shown_to(project, alice, *faces[:6]) == faces[6:12]
    assert shown_to(project, alice) == faces[:6]


def test_a_screen_left_alone_for_two_minutes_is_another_s(
    project: Project, faces: list[Region], alice: User, bob: User
) -> None:
    shown_to(project, alice)
    Question.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert shown_to(project, bob) == faces[:6]
    assert shown_to(project, alice) == faces[6:12]


def test_faces_asked_one_at_a_time_are_not_on_anybody_else_s_screen(
    project: Project, faces: list[Region], alice: User, bob: User
) -> None:
    single = answers.next_question(project, alice)
    assert single
    assert shown_to(project, bob) == [face for face in faces[:6] if face != single.region]


def test_a_skipped_screen_comes_last_to_the_one_and_next_to_the_other(
    project: Project, faces: list[Region], alice: User, bob: User
) -> None:
    answers.skip_screen(project, shown_to(project, alice), alice)
    assert shown_to(project, alice) == faces[6:12]
    assert shown_to(project, bob) == faces[:6]
    Question.objects.update(leased_to=None, leased_until=None)
    answers.skip_screen(project, faces[6:12], alice)
    answers.skip_screen(project, faces[12:], alice)
    assert shown_to(project, alice) == faces[:6], "the one skipped longest ago"


def test_a_face_skipped_alone_is_left_out_of_the_screen(
    project: Project, faces: list[Region], alice: User
) -> None:
    answers.skip(project, faces[2], alice)
    assert faces[2] not in shown_to(project, alice)


def test_photos_left_alone_and_archived_projects_are_not_asked(
    project: Project, faces: list[Region], alice: User
) -> None:
    Photo.objects.filter(picture=faces[0].picture).update(state=Photo.State.DENIED)
    assert shown_to(project, alice) == faces[2:6], "two faces are on that photo"
    project.state = Project.State.ARCHIVED
    assert shown_to(project, alice) == []


def test_what_is_asked_a_third_time_is_a_screen_of_its_own(
    project: Project, faces: list[Region], alice: User
) -> None:
    Question.objects.filter(region=faces[3]).update(kind=Question.Kind.THIRD, rank=-1)
    assert shown_to(project, alice) == [faces[3]]


def test_untrusted_faces_stand_alone(project: Project, faces: list[Region], alice: User) -> None:
    lay_out(project, [faces[:1]], kind=Question.Kind.ONE)
    screen = screens.next_screen(project, alice)
    assert screen
    assert screen.is_one


def test_copies_of_one_picture_are_told_as_such(
    project: Project, faces: list[Region], alice: User
) -> None:
    for face, phash in zip(faces, ("f" * 32, "f" * 31 + "7", "0" * 32), strict=False):
        Region.objects.filter(pk=face.pk).update(phash=phash)
    screen = screens.next_screen(project, alice)
    assert screen
    assert [face.is_copy for face in screen.faces] == [False, True, False, False, False, False]


def test_a_full_screen_takes_as_many_queries_as_a_small_one(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    def queries(some: list[Region]) -> int:
        lay_out(project, [some], nearest=faces[14:])
        with CaptureQueriesContext(connection) as made:
            page = client_of(bob).get(f"{here}/grid/next").content.decode()
        assert len(shown_in(page)) == len(some)
        return len(made)

    queries(faces[:2])
    assert queries(faces[:14]) == queries(faces[:2]) <= 40


def test_a_project_is_answered_screen_by_screen_until_nothing_is_worth_asking(
    here: str, project: Project, client_of: ClientOf, bob: User
) -> None:
    """What the worker itself prepares: marie is on the left of each photo, pierre on the right."""
    project.sources.all().delete()  # all of them are read
    browser, sent_screens = client_of(bob), 0
    while shown := shown_in(page := browser.get(f"{here}/grid").content.decode()):
        faces = list(Region.objects.filter(public_id__in=shown))
        form = sent(faces, [face for face in faces if face.x == 0])
        assert background(browser, f"{here}/grid/answer", form).status_code == 200
        learn(project)
        sent_screens += 1
        assert sent_screens < 10
    assert 'data-why="enough"' in page or 'data-why="all-answered"' in page
    assert Label.objects.filter(verdict=Verdict.YES, region__x=0).count() == 8


# Answers ----------------------------------------------------------------------------------------
def test_marks_are_yes_the_rest_is_no_and_words_outweigh_both(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    words = ["", "", "", "artwork", "background", "cant-tell"]
    form = sent(faces[:6], faces[:2] + faces[3:4], word=words)
    browser = client_of(bob)
    assert background(browser, f"{here}/grid/answer", form).status_code == 200
    assert browser.get(f"{here}/ask/keep").json()["answered"] == 6
    labels = Label.objects.filter(region__in=faces[:6]).order_by("region")
    said = [label.verdict for label in labels]
    assert said == ["yes", "yes", "no", "artwork", "background", "cant-tell"]
    assert {label.origin for label in labels} == {Origin.GRID}
    assert not Question.objects.filter(region__in=faces[:6]).exists()


def test_one_yes_among_those_seen_most_often_says_nothing_of_the_others(
    project: Project, faces: list[Region], client_of: ClientOf, here: str, alice: User, bob: User
) -> None:
    lay_out(project, [faces[:6], faces[6:12], faces[12:]], Question.Kind.COMMON, marked=False)
    browser = client_of(alice)
    assert 'data-rest="open"' in browser.get(f"{here}/grid").content.decode()
    screens.next_screen(project, bob)  # holds the second one
    found = sent(faces[:6], faces[2:3], word=["", "", "", "background", "", ""], rest="open")
    assert background(browser, f"{here}/grid/answer", found).status_code == 200
    said = dict(Label.objects.filter(subject=project.subject).values_list("region", "verdict"))
    assert said == {faces[2].pk: Verdict.YES, faces[3].pk: Verdict.BACKGROUND}
    asked = set(Question.objects.values_list("region", flat=True))
    assert asked == {face.pk for face in faces[6:12]}, "what was to be found out is asked no more"
    nobody = sent(faces[12:], [], rest="open")
    assert background(browser, f"{here}/grid/answer", nobody).status_code == 200
    rejected = Label.objects.filter(subject=project.subject, verdict=Verdict.NO)
    assert set(rejected.values_list("region", flat=True)) == {face.pk for face in faces[12:]}


def test_all_is_said_of_every_face_without_a_word(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    form = sent(faces[:3], faces[:3], word=["", "not-a-face", ""], all="no")
    background(client_of(bob), f"{here}/grid/answer", form)
    said = Label.objects.order_by("region").values_list("verdict", flat=True)
    assert list(said) == ["no", "not-a-face", "no"]


def test_a_screen_sent_twice_is_one(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser, form = client_of(bob), sent(faces[:6], faces[:5])
    first = background(browser, f"{here}/grid/answer", form)
    assert background(browser, f"{here}/grid/answer", form).json() == first.json()
    assert Answer.objects.count() == 6


def test_a_screen_of_somebody_else_s_uuids_is_refused(
    here: str, faces: list[Region], client_of: ClientOf, alice: User, bob: User
) -> None:
    form = sent(faces[:6], faces[:5])
    background(client_of(alice), f"{here}/grid/answer", form)
    refused = background(client_of(bob), f"{here}/grid/answer", form)
    assert (refused.status_code, refused.json()["error"]) == (409, "used-twice")


@pytest.mark.parametrize(
    "wrong",
    [
        {"shown": []},
        {"shown": ["nowhere"]},
        {"shown": ["x"] * 2},
        {"shown": [f"x{n}" for n in range(101)]},
        {"yes": ["nowhere"]},
        {"word": ["artwork"]},
        {"word": ["yes", "", "", "", "", ""]},
        {"word": ["maybe", "", "", "", "", ""]},
        {"all": "maybe"},
        {"uuid": ["x"] * 6},
        {"uuid": [str(uuid4())]},
        {"uuid": [str(uuid4())] * 6},
        {"client_uuid": ""},
        {"client_uuid": "x"},
    ],
)
def test_wrong_screens_are_refused(
    wrong: dict[str, Any], here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    form = sent(faces[:6], faces[:1]) | wrong
    if "shown" in wrong:
        form["yes"] = []
    response = background(client_of(bob), f"{here}/grid/answer", form)
    assert response.status_code == 422
    assert response.json()["sentence"]
    assert not Answer.objects.exists()


def test_faces_of_another_project_are_refused(
    here: str,
    faces: list[Region],
    cast: Cast,
    client_of: ClientOf,
    alice: User,
    make_project: MakeProject,
) -> None:
    _, theirs = add_photo(make_project(alice, "Q937"), [cast.face("albert")])
    for path in ("grid/answer", "grid/skip"):
        form = sent([*faces[:2], *theirs], [])
        assert background(client_of(alice), f"{here}/{path}", form).status_code == 422
    assert not Answer.objects.exists()
    assert not Skip.objects.exists()


def test_what_is_gone_meanwhile_is_no_face_to_judge(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    Region.objects.filter(pk=faces[0].pk).update(replaced_by=faces[1])
    Photo.objects.filter(picture=faces[2].picture).update(state=Photo.State.WITHDRAWN)
    kept = background(client_of(bob), f"{here}/grid/answer", sent(faces[:6], faces[:6]))
    assert kept.status_code == 200
    answered = set(Label.objects.values_list("region", flat=True))
    assert answered == {faces[1].pk, faces[4].pk, faces[5].pk}


def test_an_archived_project_takes_no_screen(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    Project.objects.update(state=Project.State.ARCHIVED)
    form = sent(faces[:6], [])
    refused = background(client_of(bob), f"{here}/grid/answer", form)
    assert (refused.status_code, refused.json()["error"]) == (409, "archived")
    assert 'data-why="paused"' in client_of(bob).get(f"{here}/grid").content.decode()


# Undo -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("named", [True, False])
def test_undo_takes_a_screen_back_as_one_deed_and_shows_it_again(
    named: bool,
    here: str,
    project: Project,
    faces: list[Region],
    client_of: ClientOf,
    alice: User,
    bob: User,
) -> None:
    browser, uuids = client_of(bob), [str(uuid4()) for _ in range(6)]
    browser.get(f"{here}/grid/next")
    background(browser, f"{here}/grid/answer", sent(faces[:6], faces[:4], uuid=uuids))
    undo = {"client_uuid": str(uuid4())} | ({"target": uuids} if named else {})
    assert background(browser, f"{here}/undo", undo).json()["undone"] == 6
    assert not Label.objects.exists()
    again = screens.next_screen(project, bob)
    assert again
    assert [face.region for face in again.faces] == faces[:6]
    assert [face.marked for face in again.faces] == [True] * 4 + [False] * 2
    assert shown_to(project, alice) == faces[6:12], "it is bob's"
    assert background(browser, f"{here}/undo", undo).json()["undone"] in (0, 6)
    assert Answer.objects.filter(origin=Origin.UNDO).count() == 6, "sent twice it is one undo"


def test_undo_of_a_screen_takes_as_many_queries_as_that_of_two_faces(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser, taken = client_of(bob), []
    for some in (faces[:2], faces[2:16]):
        background(browser, f"{here}/grid/answer", sent(some, some[:1]))
        with CaptureQueriesContext(connection) as queries:
            background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_undo_goes_back_screen_by_screen(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    for some in (faces[:6], faces[6:12]):
        background(browser, f"{here}/grid/answer", sent(some, some))
    for left, some in ((6, faces[6:12]), (0, faces[:6])):
        background(browser, f"{here}/undo", {"client_uuid": str(uuid4())})
        assert Label.objects.count() == left
        assert shown_to(project, bob) == some, "the screen taken back last"


# The page ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("change", ["grid/answer", "grid/skip"])
def test_only_members_change_anything(
    change: str,
    here: str,
    project: Project,
    faces: list[Region],
    client_of: ClientOf,
    bob: User,
    charlie: User,
    mona: User,
) -> None:
    form = sent(faces[:6], [])
    assert client_of(bob).get(f"{here}/{change}").status_code == 405
    assert background(client_of(None), f"{here}/{change}", form).status_code == 401
    assert background(client_of(charlie), f"{here}/{change}", form).status_code == 403
    assert background(client_of(mona), f"{here}/{change}", form).status_code == 403
    Membership.objects.filter(project=project, user=bob).update(state=Membership.State.BANNED)
    assert background(client_of(bob), f"{here}/{change}", form).status_code == 404
    assert (Answer.objects.count(), Skip.objects.count()) == (0, 0)


def test_strangers_read_how_to_join(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User, charlie: User
) -> None:
    assert f"/login/?next={here}/grid" in client_of(None).get(f"{here}/grid").content.decode()
    assert "by invitation" in client_of(charlie).get(f"{here}/grid").content.decode()
    assert client_of(charlie).get(f"{here}/grid/next").status_code == 403
    assert not Question.objects.exclude(leased_to=None).exists(), "nothing is kept for them"
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    assert client_of(charlie).get(f"{here}/grid").status_code == 404
    Membership.objects.filter(project=project, user=bob).update(state=Membership.State.BANNED)
    assert client_of(bob).get(f"{here}/grid").status_code == 404


SENTENCES = [
    ("likely", True, "Are these all <bdi>Marie Curie</bdi>?"),
    ("others", False, "Nobody here seems to be <bdi>Marie Curie</bdi>."),
    ("common", False, "They are seen most often."),
    ("one", False, "Is this <bdi>Marie Curie</bdi>?"),
    ("third", True, "People&#x27;s answers differ here"),
]


@pytest.mark.parametrize(("kind", "marked", "sentence"), SENTENCES)
def test_each_kind_of_screen_has_its_sentence(
    kind: str,
    marked: bool,
    sentence: str,
    here: str,
    project: Project,
    faces: list[Region],
    client_of: ClientOf,
    bob: User,
) -> None:
    lay_out(project, [faces[:6]], kind=kind, marked=marked)
    page = client_of(bob).get(f"{here}/grid").content.decode()
    assert sentence in page
    assert len(shown_in(page)) == 6
    assert page.count(" checked") == 6 * marked
    assert "style=" not in page


def test_the_next_screen_leaves_out_what_the_page_holds(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    held = shown_in(browser.get(f"{here}/grid").content.decode())
    ahead = browser.get(f"{here}/grid/next", {"exclude": [*held, "nonsense"]}).content.decode()
    assert shown_in(ahead) == [face.public_id for face in faces[6:12]]
    assert "<html" not in ahead


def test_a_form_without_script_answers_goes_on_and_takes_back(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    page = browser.get(f"{here}/grid").content.decode()
    fields = form_of(page.replace(' autocomplete="off"', ""), f"{here}/grid/answer")
    assert fields["shown"] == [face.public_id for face in faces[:6]]
    words = ["", "artwork", "", "", "", ""]
    ticked = fields | {"yes": fields["shown"][:3], "word": words}
    for _ in range(2):  # a double click
        response = browser.post(f"{here}/grid/answer", ticked)
        assert response["Location"] == f"{here}/grid"
    page = browser.get(f"{here}/grid").content.decode()
    assert "6 answers are kept." in page
    assert shown_in(page) == [face.public_id for face in faces[6:12]]
    said = Label.objects.order_by("region").values_list("verdict", flat=True)
    assert list(said) == ["yes", "artwork", "yes", "no", "no", "no"]
    undone = browser.post(f"{here}/undo", form_of(page, f"{here}/undo"), follow=True)
    assert "6 answers taken back." in undone.content.decode()
    assert shown_in(undone.content.decode()) == fields["shown"]


def test_the_head_says_how_many_answers_are_worth_giving(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    Learner.objects.filter(project=project).update(worth=41.7)
    browser = client_of(bob)
    assert '<b data-count="worth">42</b>' in browser.get(f"{here}/grid").content.decode()
    background(browser, f"{here}/grid/answer", sent(faces[:6], []))
    assert 'data-worth="42"' in browser.get(f"{here}/grid/next").content.decode()


def test_says_when_nothing_more_is_worth_asking(
    here: str, project: Project, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    project.sources.all().delete()  # all of them are read
    Question.objects.all().delete()
    page = client_of(bob).get(f"{here}/grid").content.decode()
    assert "That is enough" in page
    assert "16 faces are left that nobody looked at" in page
    assert f"{here}/again" not in page
    photo = Photo.objects.get(picture=faces[0].picture)
    round_ = project.subject.rounds.create(about="approved", frame=1, revision=1)
    Look.objects.create(
        subject=project.subject, round=round_, photo=photo, region=faces[0], why="sampled", rank=0
    )
    page = client_of(bob).get(f"{here}/grid").content.decode()
    assert "1 second look waits" in page
    assert f"{here}/again" in page


@pytest.mark.parametrize("verdict", [Verdict.BACKGROUND, Verdict.ARTWORK])
def test_one_face_at_a_time_has_the_same_words(
    verdict: str, here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)
    page = browser.get(f"{here}/ask").content.decode()
    assert f'name="verdict" value="{verdict}"' in page
    browser.post(f"{here}/answer", form_of(page, f"{here}/answer") | {"verdict": verdict})
    assert Label.objects.get().verdict == verdict


def test_the_way_used_last_is_where_the_project_leads(
    here: str, faces: list[Region], client_of: ClientOf, bob: User
) -> None:
    browser = client_of(bob)

    def leads_to() -> str:
        [button] = re.findall(
            r'href="([^"]+)" id="next-button"|id="next-button" href="([^"]+)"',
            browser.get(f"{here}/").content.decode(),
        )
        return str(button[0] or button[1])

    assert leads_to() == f"{here}/grid"
    browser.get(f"{here}/ask")
    assert leads_to() == f"{here}/ask"
    browser.get(f"{here}/grid")
    assert leads_to() == f"{here}/grid"


def test_others_are_named_only_where_others_answer(
    project: Project,
    here: str,
    faces: list[Region],
    client_of: ClientOf,
    alice: User,
    bob: User,
) -> None:
    project.sources.all().delete()  # all of them are read
    lay_out(project, [faces[:6]])
    held = shown_in(client_of(alice).get(f"{here}/grid").content.decode())
    revision = Project.objects.get(pk=project.pk).revision
    Learner.objects.update_or_create(project=project, defaults={"revision": revision})
    page = client_of(alice).get(f"{here}/grid/next", {"exclude": held}).content.decode()
    assert 'data-why="learning"' in page
    page = client_of(bob).get(f"{here}/grid/next").content.decode()
    assert 'data-why="others-answer"' in page
