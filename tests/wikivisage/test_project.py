"""A project's page: who sees it, the one next thing, the steps, and the polled part."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from classify.learner import bootstrap
from classify.models import Learner
from core.work import WorkState
from crawler.models import Picture, Region
from projects.members import services as members
from projects.models import Project, User
from sdc.models import EditBatch
from tests.classify.crowd import look_at_all
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf, MakeProject
from tests.wikivisage.conftest import add_source, finish_crawl, give
from wikivisage.pages import project as project_view
from wikivisage.pages.overview import SOON, Next, overview

PRIVATE = Project.Visibility.PRIVATE


def fresh(project: Project) -> Project:
    return Project.objects.with_subject().get(pk=project.pk)


def address(project: Project, path: str = "") -> str:
    return f"/p/{project.public_id}/{path}"


def test_who_sees_what(
    project: Project,
    faces: list[Region],
    alice: User,
    bob: User,
    charlie: User,
    mona: User,
    client_of: ClientOf,
) -> None:
    def page(user: User | None) -> str:
        return client_of(user).get(address(project)).content.decode()

    assert "Settings" in page(alice)
    assert "Answer the first questions" in page(alice)
    assert "Settings" not in page(bob)
    assert "Answer the first questions" in page(bob)
    assert "Ask to join" in page(charlie)
    assert "Ask to join" in page(mona)
    assert "Log in to help" in page(None)
    for visitor in (charlie, mona, None):
        assert "Answer the first questions" not in page(visitor)
    Project.objects.update(joining=Project.Joining.OPEN)
    assert ">Join</button>" in page(charlie)


def test_a_private_project_is_there_for_members_and_moderators(
    project: Project, bob: User, charlie: User, mona: User, client_of: ClientOf
) -> None:
    Project.objects.update(visibility=PRIVATE)
    for path in ("", "status"):
        assert client_of(bob).get(address(project, path)).status_code == 200
        assert client_of(mona).get(address(project, path)).status_code == 200
        assert client_of(charlie).get(address(project, path)).status_code == 404
    assert client_of(None).get(address(project))["Location"].startswith("/login/?next=/p/")
    polled = client_of(None).get(address(project, "status"), headers={"HX-Request": "true"})
    assert polled.status_code == 401


def test_a_banned_member_finds_nothing(
    project: Project, alice: User, bob: User, client_of: ClientOf
) -> None:
    members.ban(project, alice, bob)
    assert client_of(bob).get(address(project)).status_code == 404


def test_the_next_thing_follows_the_state(
    project: Project, faces: list[Region], alice: User
) -> None:
    assert overview(fresh(project)).next == Next.FIRST
    give(project, alice, "yes", *faces[:5])
    view = overview(fresh(project))
    assert (view.next, view.faces.matches) == (Next.ASK, 3)
    assert ("send", 5) in view.also
    assert "review" not in dict(view.also), "the likely ones are those that are asked about"
    give(project, alice, "yes", *faces[5:])
    view = overview(fresh(project))
    assert (view.next, view.sure.wanted.approved) == (Next.AGAIN, 8)
    look_at_all(project, alice, lambda region: True)
    assert overview(fresh(project)).next == Next.SEND


def test_by_the_centroid_rule_five_are_confirmed_and_matches_are_reviewed(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    Project.objects.update(rule=Project.Rule.CENTROID)
    give(project, alice, "yes", faces[0])
    assert overview(fresh(project)).next == Next.FIRST
    assert "4 more confirmed faces" in client_of(alice).get(address(project)).content.decode()
    give(project, alice, "yes", *faces[1:5])
    view = overview(fresh(project))
    assert (view.next, view.faces.matches) == (Next.REVIEW, 3)


def test_says_how_many_answers_are_worth_giving(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:5])
    Learner.objects.filter(project=project).update(worth=12.4)
    page = client_of(alice).get(address(project)).content.decode()
    assert "About 12 answers are worth giving" in page
    assert f'href="{address(project, "grid")}"' in page
    assert "more confirmed" not in page


def test_faces_beside_a_confirmed_one_are_told_apart_from_those_that_are_left(
    project: Project, cast: Cast, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    _, [hers, *_others] = add_photo(project, [cast.face(name) for name in ("marie", "a", "b")])
    give(project, alice, "yes", hers, *faces)
    view = overview(fresh(project))
    assert (view.faces.unanswered, view.learner.left, view.beside) == (2, 0, 2)
    page = client_of(alice).get(address(project)).content.decode()
    assert "2 faces without an answer are in photos that are known to show" in page
    grid = client_of(alice).get(address(project, "grid")).content.decode()
    assert "That is enough" in grid
    assert "faces are left" not in grid
    assert 'data-left="0"' in grid


def test_before_anything_is_listed_it_says_so(
    alice: User, make_project: MakeProject, client_of: ClientOf
) -> None:
    project = make_project(alice)
    assert overview(fresh(project)).next == Next.LISTING
    page = client_of(alice).get(address(project)).content.decode()
    assert "Listing the photos" in page
    assert "button primary" not in page, "nothing to press yet"
    assert "within seconds" in page
    finish_crawl(project)
    assert overview(fresh(project)).next == Next.NO_PHOTOS
    assert "No photo was found" in client_of(alice).get(address(project)).content.decode()


def test_it_promises_seconds_for_half_a_minute_only(
    alice: User, make_project: MakeProject, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_view, "PROMISED", 0)
    project, browser = make_project(alice), client_of(alice)
    found = browser.get(address(project)).context
    known = {"seen": found["seen"], "ticket": found["ticket"]}
    assert browser.get(address(project, "status"), known).status_code == 204
    Project.objects.update(active_at=timezone.now() - SOON)  # and nothing else happens
    answer = browser.get(address(project, "status"), known)
    assert answer.status_code == 200
    assert "It takes longer than usual." in answer.content.decode()
    assert "within seconds" not in answer.content.decode()


def test_while_pictures_wait_it_looks(project: Project) -> None:
    photo, _ = add_photo(project, [])
    Picture.objects.filter(pk=photo.picture_id).update(state=WorkState.QUEUED)
    view = overview(fresh(project))
    assert view.next == Next.LOOKING
    assert view.moves
    step = view.steps[1]
    assert (step.value, step.whole, step.pace) == (0, 1, "moving")


def test_a_paused_project_promises_nothing(
    project: Project, client_of: ClientOf, alice: User
) -> None:
    photo, _ = add_photo(project, [])
    Picture.objects.filter(pk=photo.picture_id).update(state=WorkState.QUEUED)
    Project.objects.update(state=Project.State.PAUSED)
    assert overview(fresh(project)).next == Next.PAUSED
    page = client_of(alice).get(address(project)).content.decode()
    assert "Resting" in page


def test_photos_without_a_face_come_last(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    from tests.classify.faces import learn

    add_photo(project, [])
    learn(project)
    assert overview(fresh(project)).next == Next.TRAY
    assert "In 1 photo no face was found" in client_of(alice).get(address(project)).content.decode()


def test_a_running_batch_comes_first(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    batch = EditBatch.objects.create(
        project=project,
        user=alice,
        wiki=project.person.wiki,
        state=EditBatch.State.RUNNING,
        summary="s",
        confirmed_at=timezone.now(),
    )
    page = client_of(alice).get(address(project)).content.decode()
    assert "Sending to Commons" in page
    assert address(project, f"batch/{batch.code}") in page
    assert "Batch 1" in page


def test_faces_by_state_add_up_to_all_faces(
    project: Project, faces: list[Region], cast: Cast, alice: User
) -> None:
    _, others = add_photo(project, [cast.face("somebody"), cast.face("else")])
    give(project, alice, "yes", *faces[:5])
    give(project, alice, "no", others[0])
    view = overview(fresh(project))
    assert sum(count for _word, count, _colour in view.bar) == view.faces.faces == 10


def test_there_is_one_blue_button(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    for answered in (0, 5, 8):
        give(project, alice, "yes", *faces[max(0, answered - 5) : answered])
        page = client_of(alice).get(address(project)).content.decode()
        assert page.count("button primary") == 1


def test_photos_set_aside_are_shown_with_their_reason_and_a_way_on(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    photo, _ = add_photo(project, [])
    Picture.objects.filter(pk=photo.picture_id).update(
        state=WorkState.ASIDE, error=Picture.Error.BROKEN
    )
    page = client_of(alice).get(address(project)).content.decode()
    assert "1 photo set aside" in page
    assert "Damaged file" in page
    assert "Try again" in page
    visitor = client_of(None).get(address(project)).content.decode()
    assert "Damaged file" in visitor
    assert "Try again" not in visitor


def test_the_polled_part_comes_only_when_it_changed(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    browser = client_of(alice)
    seen = browser.get(address(project)).context["seen"]
    assert browser.get(address(project, "status"), {"seen": seen}).status_code == 204
    give(project, alice, "yes", faces[0])
    answer = browser.get(address(project, "status"), {"seen": seen})
    assert answer.status_code == 200
    fragment = answer.content.decode()
    assert "<html" not in fragment
    assert answer.context["seen"] != seen


def test_what_a_screen_reader_hears_is_coarse(project: Project) -> None:
    assert overview(fresh(project)).said == "Up to date."
    add_source(project, "Somewhere else")
    assert overview(fresh(project)).said == "Listing photos."


@pytest.mark.parametrize(
    ("state", "sentence"), [("paused", "Paused by its owner"), ("archived", "is archived")]
)
def test_a_stopped_project_says_so(
    state: str,
    sentence: str,
    project: Project,
    faces: list[Region],
    alice: User,
    client_of: ClientOf,
) -> None:
    Project.objects.update(state=state)
    page = client_of(alice).get(address(project)).content.decode()
    assert sentence in page
    assert not overview(fresh(project)).moves
    if state == "archived":
        assert "button primary" not in page


def test_a_big_project_takes_no_more_queries(
    project: Project,
    faces: list[Region],
    cast: Cast,
    alice: User,
    client_of: ClientOf,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(40):
        add_photo(project, [cast.face("marie"), cast.face("somebody")])
    give(project, alice, "yes", *faces[:6])
    batches = [
        EditBatch(
            project=project,
            user=alice,
            wiki="sandbox",
            state="done",
            summary="s",
            confirmed_at=timezone.now() + timedelta(seconds=n),
        )
        for n in range(20)
    ]
    EditBatch.objects.bulk_create(batches)
    browser = client_of(alice)
    with django_assert_max_num_queries(50):
        page = browser.get(address(project)).content.decode()
    assert "Batch 20" in page
    assert "Batch 15" not in page


def test_a_wiki_that_does_not_answer_is_said_with_the_next_try(
    project: Project, alice: User, client_of: ClientOf
) -> None:
    source = add_source(project, "Curie family")
    soon = timezone.now() + timedelta(seconds=20)
    source.steps.create(title=source.value, error="http-503", due_at=soon)
    said = "The wiki did not answer."
    page = client_of(alice).get(address(project, "status")).content.decode()
    assert said in page
    assert f"We try again at {soon:%H:%M:%S} UTC" in page
    Project.objects.update(state=Project.State.PAUSED)
    assert said not in client_of(alice).get(address(project, "status")).content.decode()


def test_the_tile_says_how_fast_it_looks_and_how_long_it_takes(project: Project) -> None:
    Picture.objects.update(looked_at=None)
    ago = timezone.now() - timedelta(seconds=30)
    for n in range(3):
        photo, _regions = add_photo(project, [])
        picture = Picture.objects.filter(pk=photo.picture_id)
        picture.update(looked_at=ago) if n else picture.update(state=WorkState.QUEUED)
    look = overview(fresh(project)).steps[1]
    assert look.note == "4 a minute, 15 seconds left"


def test_what_only_a_statement_says_is_no_answer_that_was_learned_from(
    project: Project, cast: Cast, alice: User
) -> None:
    add_photo(project, [cast.face("marie")], already_depicts=True)
    _, [face] = add_photo(project, [cast.face("marie")])
    learn(project)
    bootstrap.label_tagged(project)
    learn(project)

    def step() -> tuple[int, str]:
        learn_step = overview(fresh(project)).steps[2]
        return learn_step.count, learn_step.word

    assert step() == (0, "answers")
    give(project, alice, "yes", face)
    assert step() == (1, "answer")
