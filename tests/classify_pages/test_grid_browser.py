"""The grid in a real Chromium: marks by tap and by key, confirm, undo, offline, no script."""

from __future__ import annotations

from time import sleep
from typing import Any

import pytest

from classify.models import Answer, Label, Origin, Question, Skip
from crawler.models import Region
from projects.live.pulse import beat
from projects.models import Project
from tests.classify_pages.screens import ask_about, lay_out
from tests.pages.harness import PHONE, Visit, eventually, word_on

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SCREEN = 4


@pytest.fixture
def faces(real_project: Project) -> list[Region]:
    """Real faces, on screens of four: all marked."""
    found = Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id")[: 3 * SCREEN]
    faces = list(found)
    lay_out(real_project, [faces[at : at + SCREEN] for at in range(0, len(faces), SCREEN)])
    return faces


def shown_on(page: Any) -> list[str]:
    regions: list[str] = page.evaluate(
        "[...document.querySelectorAll('#main [name=shown]')].map((input) => input.value)"
    )
    return regions


def wait_for(page: Any, faces: list[Region]) -> None:
    page.wait_for_selector(f"#main .face[data-region='{faces[0].public_id}']")
    page.wait_for_timeout(550)  # a screen is looked at before it is answered


def tap(face: Any) -> None:
    """Where the machine is busy a touch may last so long that it is a hold: then once more."""
    face.tap()
    if face.page.locator("#zoom[open]").count():
        face.page.locator("[data-zoom=close]").tap()
        face.tap()


def words_on(project: Project, faces: list[Region]) -> list[str]:
    return [word_on(project, face.public_id) for face in faces]


def button(page: Any) -> str:
    return str(page.locator("[data-confirm]").inner_text())


def test_marks_and_confirms_with_keys_and_takes_a_screen_back(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    first, second = faces[:SCREEN], faces[SCREEN : 2 * SCREEN]
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    wait_for(page, first)
    assert button(page) == "Confirm 4"
    page.keyboard.press("ArrowRight")  # from the first, which is in focus
    page.keyboard.press("Space")
    assert button(page) == "Confirm 3 · 1 is somebody else"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    assert button(page) == "Confirm 2 · 1 is somebody else · 1 other"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    page.keyboard.press("b")  # the same key takes it back
    page.keyboard.press("Enter")
    wait_for(page, second)
    eventually(lambda: words_on(real_project, first) == ["yes", "no", "artwork", "yes"])
    assert page.locator("[data-count=answered]").first.inner_text() == "4"

    page.keyboard.press("z")
    wait_for(page, first)
    eventually(lambda: words_on(real_project, first) == [""] * SCREEN)
    assert button(page) == "Confirm 2 · 1 is somebody else · 1 other", "as it was marked"
    page.keyboard.press("s")
    wait_for(page, second)
    eventually(lambda: Skip.objects.count() == SCREEN)
    page.keyboard.press("z")
    wait_for(page, first)
    page.keyboard.press("e")
    page.wait_for_selector("#zoom[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")

    page.keyboard.press("Enter")
    wait_for(page, second)
    eventually(lambda: Answer.objects.filter(origin=Origin.GRID).count() == 2 * SCREEN)
    page.reload()  # what was done before is taken back by the server's memory
    wait_for(page, second)
    page.locator("[data-do=undo]").click()
    wait_for(page, first)
    eventually(lambda: words_on(real_project, first) == [""] * SCREEN)


def test_marks_and_confirms_with_taps(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    first, second = faces[:SCREEN], faces[SCREEN : 2 * SCREEN]
    phone = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner, screen=PHONE).page
    wait_for(phone, first)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    tiles = phone.locator(".face label")
    tap(tiles.nth(0))
    tap(tiles.nth(3))
    phone.locator("[data-do=canttell]").tap()
    tap(tiles.nth(1))
    tap(tiles.nth(1))  # back again
    tap(tiles.nth(2))
    phone.locator("[data-do=notaface]").tap()
    assert not phone.locator(".face-yes").nth(2).is_checked()
    tap(tiles.nth(2))  # Yes, after all
    assert button(phone) == "Confirm 2 · 1 is somebody else · 1 other"
    hold(phone, 2)
    phone.wait_for_selector("#zoom[open]")
    phone.locator("[data-zoom=close]").tap()
    assert button(phone) == "Confirm 2 · 1 is somebody else · 1 other", "holding is no tap"
    phone.locator("[data-do=confirm]").tap()
    wait_for(phone, second)
    eventually(lambda: words_on(real_project, first) == ["no", "yes", "yes", "cant-tell"])
    phone.locator("[data-do=none]").tap()
    eventually(lambda: words_on(real_project, second) == ["no"] * SCREEN)


def test_one_tap_among_those_seen_most_often_is_enough(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    first, second = faces[:SCREEN], faces[SCREEN : 2 * SCREEN]
    lay_out(real_project, [first, second], Question.Kind.COMMON, marked=False)
    phone = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner, screen=PHONE).page
    wait_for(phone, first)
    tap(phone.locator(".face label").nth(1))
    eventually(lambda: words_on(real_project, first) == ["", "yes", "", ""])
    phone.wait_for_selector(".no-question[data-again]")
    assert not Question.objects.exists(), "the screen that was fetched ahead is asked no more"
    lay_out(real_project, [second])  # as the worker does once it has learned
    beat(real_project.pk)
    wait_for(phone, second)
    phone.locator("[data-do=undo]").tap()
    wait_for(phone, first)
    eventually(lambda: words_on(real_project, first) == [""] * SCREEN)


def hold(page: Any, place: int) -> None:
    """A finger that stays on a face, as Chromium itself makes touches."""
    box = page.locator(".face .crop").nth(place).bounding_box()
    touch = page.context.new_cdp_session(page)
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    page.wait_for_timeout(700)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_double_click_confirms_one_screen(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    wait_for(page, faces)
    page.wait_for_load_state("networkidle")  # the next screen is here
    page.locator("[data-do=confirm]").dblclick()
    eventually(lambda: Label.objects.count() == SCREEN)
    page.wait_for_timeout(500)
    assert Answer.objects.filter(subject=real_project.subject, origin=Origin.GRID).count() == SCREEN


def test_switches_between_the_grid_and_one_face(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    wait_for(page, faces)
    page.keyboard.press("Enter")
    page.keyboard.press("g")
    page.wait_for_url("**/ask")  # the next screen may be a single face, too
    page.wait_for_selector(".question h1")
    eventually(lambda: words_on(real_project, faces[:SCREEN]) == ["yes"] * SCREEN)
    page.keyboard.press("y")
    page.keyboard.press("g")
    page.wait_for_url("**/grid?way=grid")
    page.wait_for_selector(".screen")
    eventually(lambda: Answer.objects.filter(origin=Origin.ASK).count() == 1)
    assert not set(shown_on(page)) & {face.public_id for face in faces[:SCREEN]}
    assert page.locator(".ask-head [data-way=ask]").is_visible()


def test_keeps_screens_while_server_or_session_are_away_and_sends_them_once(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    wait_for(page, faces)
    page.wait_for_load_state("networkidle")  # the next screen is here
    page.context.set_offline(True)
    page.keyboard.press("Enter")
    wait_for(page, faces[SCREEN:])
    page.keyboard.press("Enter")
    page.wait_for_selector("#main .no-question.late")
    assert "8 answers are kept here" in page.locator("#net").inner_text()
    assert not Answer.objects.filter(origin=Origin.GRID).exists()
    page.context.set_offline(False)
    page.reload()
    eventually(lambda: Answer.objects.filter(origin=Origin.GRID).count() == 2 * SCREEN)
    wait_for(page, faces[2 * SCREEN :])
    assert page.locator("#net").is_hidden()
    # and so where the session has ended
    session: Any = page.context.cookies()
    page.context.clear_cookies()
    page.keyboard.press("Enter")
    page.locator("#signed-out").wait_for()
    page.context.add_cookies(session)
    page.reload()
    eventually(lambda: words_on(real_project, faces[2 * SCREEN :]) == ["yes"] * SCREEN)


def test_a_page_made_before_the_last_answer_arrived_does_not_ask_again(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    wait_for(page, faces)
    page.wait_for_load_state("networkidle")
    held: list[Any] = []

    def answer_it_before_the_page_is_here(route: Any) -> None:
        made_before = route.fetch()
        held.pop().continue_()
        eventually(lambda: Answer.objects.filter(origin=Origin.GRID).count() == SCREEN)
        sleep(0.5)  # the page that is left reads that its answer has arrived
        route.fulfill(response=made_before)

    page.route("**/grid/answer", lambda route: held.append(route))
    page.keyboard.press("Enter")
    wait_for(page, faces[SCREEN:])
    page.route(page.url, answer_it_before_the_page_is_here)
    page.reload()
    wait_for(page, faces[SCREEN:])
    assert Answer.objects.filter(origin=Origin.GRID).count() == SCREEN


def test_keys_rest_for_a_moment_when_the_way_of_asking_changes_by_itself(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    lay_out(real_project, [faces[:SCREEN]])
    ask_about(real_project, faces[SCREEN : SCREEN + 1], number=1, kind=Question.Kind.ONE)
    page = visit(f"/p/{real_project.public_id}/grid?way=auto", user=real_project.owner).page
    wait_for(page, faces)
    page.wait_for_load_state("networkidle")  # the single face is here
    page.keyboard.press("n")  # None of them
    page.wait_for_selector("#main [data-one]")
    page.keyboard.press("ArrowRight")  # was meant for the next face of the screen
    page.wait_for_timeout(900)
    assert page.locator(f"#main [data-region='{faces[SCREEN].public_id}']").count()
    page.keyboard.press("ArrowRight")
    eventually(lambda: words_on(real_project, faces[: SCREEN + 1]) == ["no"] * SCREEN + ["yes"])


def test_a_single_face_looks_like_a_question_and_has_its_keys(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    lay_out(real_project, [faces[:1], faces[1:3], faces[3:4]], kind=Question.Kind.ONE)
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    for answered, key, word in ((faces[:1], "y", "yes"), (faces[1:3], "n", "no")):
        page.wait_for_selector(f"#main [data-region='{answered[0].public_id}']", state="attached")
        page.wait_for_timeout(550)
        assert "Is this" in page.locator("#main h1").inner_text()
        page.keyboard.press("Enter")
        page.keyboard.press(key)
        eventually(lambda: words_on(real_project, answered) == [word] * len(answered))  # noqa: B023
    page.wait_for_selector(f"#main [data-region='{faces[3].public_id}']", state="attached")
    page.wait_for_timeout(550)
    page.keyboard.press("b")
    eventually(lambda: words_on(real_project, faces[3:4]) == ["background"])


def test_a_screen_weighs_little(real_project: Project, faces: list[Region], visit: Visit) -> None:
    every = list(Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id")[:20])
    lay_out(real_project, [every])
    page = visit(f"/p/{real_project.public_id}/grid", user=real_project.owner).page
    page.wait_for_load_state("networkidle")
    crops = page.evaluate(
        """performance.getEntriesByType("resource").filter((each) => each.name.includes("/crop"))
            .map((each) => each.encodedBodySize)"""
    )
    assert len(crops) >= len(every)
    assert sum(crops) <= 200_000


def test_the_form_works_without_script(
    real_project: Project, faces: list[Region], visit: Visit
) -> None:
    address = f"/p/{real_project.public_id}/grid"
    bare = visit(address, user=real_project.owner, java_script_enabled=False).page
    first, second = faces[:SCREEN], faces[SCREEN : 2 * SCREEN]
    assert bare.locator(".face").count() == SCREEN
    bare.locator(".face label").nth(1).click()
    bare.locator(".face select").nth(2).select_option("artwork")
    bare.locator("[data-do=confirm]").click()
    bare.wait_for_selector(f".face[data-region='{second[0].public_id}']")
    assert words_on(real_project, first) == ["yes", "no", "artwork", "yes"]
    assert "4 answers are kept." in bare.locator("body").inner_text()
    bare.locator("[data-do=undo]").click()
    bare.wait_for_selector(f".face[data-region='{first[0].public_id}']")
    assert words_on(real_project, first) == [""] * SCREEN
