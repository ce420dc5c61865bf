"""How many answers are still worth giving: every page says the same, and no more than is true."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from classify import answers
from classify.asking import queue as asking_queue
from classify.models import Forecast, Learner, Origin, Question
from crawler.models import ProjectPhoto, Region
from projects.models import Project, User
from tests.classify.faces import Cast, add_photo, learn
from tests.conftest import ClientOf
from tests.wikivisage.conftest import give
from wikivisage.pages.overview import Next, overview

LEFT = re.compile(
    r"About \S+ (more )?answers? (is|are) worth giving|to ask about|to ask<|faces? waits? for"
)


def fresh(project: Project) -> Project:
    return Project.objects.with_subject().get(pk=project.pk)


def pages(project: Project, user: User | None, client_of: ClientOf) -> dict[str, str]:
    """Those that say what waits, without their scripts' words."""
    here, browser = project.get_absolute_url(), client_of(user)
    found = {"home": "/", "projects": f"/projects?state={project.state}", "project": here}
    if user:
        found |= {"ask": f"{here}ask", "grid": f"{here}grid"}
    return {name: browser.get(path).content.decode() for name, path in found.items()}


def shown(page: str) -> str:
    """The figure in the head of a page on which one answers, where it is not hidden."""
    found = re.search(r'data-(?:worth|left)>.*?data-count="(?:worth|left)">(.*?)</b>', page, re.S)
    return found.group(1) if found else ""


def test_every_page_says_the_same_number(
    project: Project, faces: list[Region], alice: User, charlie: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:5])
    Learner.objects.update(worth=12.4)
    found = pages(project, alice, client_of)
    for name in ("home", "projects", "project"):
        assert "About 12 answers are worth giving" in found[name], name
    for name in ("ask", "grid"):
        assert shown(found[name]) == "12", name
    visitors = client_of(charlie).get(project.get_absolute_url()).content.decode()
    assert "About 12 more answers are worth giving." in visitors
    assert "wait for somebody" not in visitors


def test_a_face_that_is_not_asked_about_is_no_answer_that_is_left(
    project: Project, cast: Cast, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    """It may well be the person; but for one face alone nobody is asked to look on."""
    others = [add_photo(project, [cast.face("pierre")])[1][0] for _ in range(5)]
    hers, his = cast.face("marie"), cast.face("pierre")
    add_photo(project, [0.42 * hers + 0.58 * his])
    learn(project)
    give(project, alice, "yes", *faces)
    give(project, alice, "no", *others)
    thought = Forecast.objects.latest("answers").worth
    assert thought == 1, "an answer, were it asked for"
    assert (Question.objects.count(), Learner.objects.get().left) == (0, 1)
    assert asking_queue.worth(fresh(project)) == 0
    assert overview(fresh(project)).next == Next.AGAIN
    for name, page in pages(project, alice, client_of).items():
        assert not LEFT.search(page), name
        assert shown(page) == "", name
    assert (
        "That is enough"
        in client_of(alice).get(f"{project.get_absolute_url()}ask").content.decode()
    )


def told(project: Project, user: User, client_of: ClientOf) -> list[int]:
    """By the heads of both ways to answer, and on the project's page."""
    found = pages(project, user, client_of)
    step = next(each for each in overview(fresh(project)).steps if each.name == "Ask")
    heads = [int(shown(found[way]) or 0) for way in ("ask", "grid")]
    Question.objects.update(leased_to=None, leased_until=None)
    return [*heads, step.count]


@pytest.mark.long
def test_it_falls_face_by_face_as_one_answers_alone(
    project: Project, cast: Cast, alice: User, client_of: ClientOf
) -> None:
    add_photo(project, [cast.face("marie")], is_portrait=True)
    hers = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(6)]
    for number in range(10):
        add_photo(project, [cast.face(f"stranger {number}")])
    learn(project)
    assert told(project, alice, client_of) == [7] * 3, "her portrait is asked about, too"
    for done, face in enumerate(hers, 1):
        give(project, alice, "yes", face)
        assert told(project, alice, client_of) == [7 - done] * 3


def test_it_falls_by_a_screen_as_one_answers_many(
    project: Project, cast: Cast, alice: User, client_of: ClientOf
) -> None:
    hers = [add_photo(project, [cast.face("marie")])[1][0] for _ in range(31)]
    for number in range(10):
        add_photo(project, [cast.face(f"stranger {number}")])
    learn(project)
    give(project, alice, "yes", hers[0])
    assert told(project, alice, client_of) == [30] * 3
    give(project, alice, "yes", *hers[1:21])
    assert told(project, alice, client_of) == [10] * 3


def test_what_was_skipped_is_not_counted(
    project: Project, faces: list[Region], alice: User
) -> None:
    give(project, alice, "yes", faces[0])
    before = asking_queue.worth(fresh(project))
    answers.skip(project, faces[-1], alice)
    give(project, alice, "yes", faces[1])
    assert asking_queue.worth(fresh(project)) == before - 2


def test_an_hour_has_more_answers_on_screens_than_one_by_one(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:5])
    Learner.objects.update(worth=120)
    browser, here = client_of(alice), project.get_absolute_url()
    page = browser.get(here).content.decode()
    assert "About 2 minutes." in page
    browser.get(f"{here}ask")
    assert "About 6 minutes." in browser.get(here).content.decode()


def test_after_the_last_answer_none_is_left_before_anything_is_learned_from_it(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces[:-1])
    assert "About 1 answer is worth giving" in pages(project, alice, client_of)["project"]
    photo = ProjectPhoto.objects.get(project=project, photo__picture=faces[-1].picture).photo
    answers.answer(project, faces[-1], photo, alice, "yes", Origin.ASK, uuid4())
    assert Learner.objects.get().worth >= 1, "it has yet to learn"
    for name, page in pages(project, alice, client_of).items():
        assert not LEFT.search(page), name
        assert shown(page) == "", name


def test_a_face_that_is_asked_about_a_third_time_is_an_answer_more(
    project: Project, faces: list[Region], alice: User, client_of: ClientOf
) -> None:
    give(project, alice, "yes", *faces)
    photo = ProjectPhoto.objects.get(project=project, photo__picture=faces[0].picture).photo
    Question.objects.create(
        subject=project.subject, region=faces[0], photo=photo, rank=-1, kind=Question.Kind.THIRD
    )
    assert "About 1 answer is worth giving" in pages(project, alice, client_of)["project"]


@pytest.mark.parametrize("state", [Project.State.COMPLETED, Project.State.ARCHIVED])
def test_where_nothing_is_asked_no_page_lists_faces_to_ask_about(
    state: Project.State,
    project: Project,
    faces: list[Region],
    cast: Cast,
    alice: User,
    charlie: User,
    client_of: ClientOf,
) -> None:
    give(project, alice, "yes", *faces[:5])
    Learner.objects.update(worth=12.4)
    Project.objects.update(state=state)
    assert Question.objects.exists(), "they are kept, should it be opened again"
    assert asking_queue.worth(fresh(project)) == 0
    for user in (alice, charlie, None):
        for name, page in pages(project, user, client_of).items():
            tally = page.split('id="tally"')
            assert len(tally) == 1 or tally[1].startswith(" hidden"), name
            assert not LEFT.search(tally[0]), name
    left = client_of(None).get("/projects?sort=left").content.decode()
    assert "worth giving" not in left
