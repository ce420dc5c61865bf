"""The site's pages in a real browser: they fit a phone, boxes fit, the page moves by itself."""

from __future__ import annotations

from urllib.parse import urljoin
from uuid import uuid4

import pytest

from classify import services
from classify.models import Answer, Question
from projects import people
from projects.models import Project
from tests.classify_pages.conftest import (  # noqa: F401
    OpenPage,
    open_page,
    real_project,
    web,
)
from tests.wikivisage.conftest import add_source

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = ("/", "/projects", "/how", "/style", "/leaderboard", "/account", "/join/", "/nowhere")
OF_PROJECT = ("", "members", "settings")
TOO_WIDE = """[...document.body.querySelectorAll("*")]
    .filter((e) => !e.closest(".table-scroll, .places, .visually-hidden, svg"))
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.tagName + "." + e.className)"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(
    width: int,
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    people.invite(real_project, real_project.owner)
    own = [f"/p/{real_project.public_id}/{path}" for path in OF_PROJECT]
    page = open_page("/", width=width, touch=width == 390)
    for path in (*PAGES, *own):
        page.goto(urljoin(page.url, path))
        assert page.evaluate(TOO_WIDE) == [], path


def test_a_visitor_tries_a_question_and_nothing_is_saved(
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    before = Answer.objects.count()
    page = open_page("/", width=390, touch=True)
    page.wait_for_function("document.querySelector('#try image').getBBox().width > 0")
    frame = page.locator("#try .window").bounding_box()
    box = page.locator("#try rect.line").bounding_box()
    assert frame["x"] - 2 <= box["x"]
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 2
    assert frame["y"] - 2 <= box["y"]
    page.click("#try-yes")
    page.wait_for_selector("text=You said Yes. Nothing was saved")
    assert page.url.endswith("/"), "the page itself stays"
    assert Answer.objects.count() == before
    assert not Question.objects.exclude(leased_to=None).exists()


def test_boxes_lie_over_the_photo(
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    for width in (390, 1280):
        page = open_page(f"/p/{real_project.public_id}/ask", width=width)
        page.wait_for_selector(".boxed > svg")
        photo = page.locator(".q-frame .boxed > img").first.bounding_box()
        drawn = page.locator(".q-frame .boxed > svg").first.bounding_box()
        assert drawn == pytest.approx(photo, abs=1)


def test_the_projects_page_moves_by_itself_and_keeps_the_focus(
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    add_source(real_project, "Somewhere else")  # nobody reads it: it "moves" for as long as we look
    page = open_page(f"/p/{real_project.public_id}/")
    page.focus("#next-button")
    question = services.next_question(real_project, real_project.owner)
    assert question
    before = page.inner_text(".states")
    services.answer(
        real_project, question.region, question.photo, real_project.owner, "no", "ask", uuid4()
    )
    page.wait_for_function(
        "(before) => document.querySelector('.states').innerText != before", arg=before
    )
    assert page.evaluate("document.activeElement.id") == "next-button"
    page.wait_for_function("() => document.getElementById('said').innerText == 'Listing photos.'")


def test_the_menu_opens_and_closes_with_the_keyboard(
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    page = open_page("/how")
    page.focus(".site-header summary")
    page.keyboard.press("Enter")
    assert page.is_visible("text=Your account")
    page.keyboard.press("Escape")
    assert not page.is_visible("text=Your account")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_copying_an_invite_link_says_so(
    real_project: Project,  # noqa: F811
    open_page: OpenPage,  # noqa: F811
) -> None:
    code = people.invite(real_project, real_project.owner).code
    page = open_page(f"/p/{real_project.public_id}/members")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("[data-copy]")
    page.wait_for_selector(".toast >> text=Link copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/join/{code}")
