"""The review in a real browser: crowded, by mouse, by keyboard alone, by touch, empty."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from classify import answers
from classify.models import Label, Origin, Score, Verdict
from classify.tasks import infer
from crawler.models import Photo, Region
from projects.models import Project, User
from tests.pages.harness import PHONE, Axe, Visit, Window, eventually, everywhere
from tests.pages.review_crowd import add_faces, say

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
]

FACES = 480


@pytest.fixture
def crowded(real_project: Project, bob: User) -> Project:
    """Marie Curie's, with 480 faces more: 60 of them bob said Yes of, 12 alice No."""
    photos = Photo.objects.filter(project_photos__project=real_project).select_related("picture")
    faces = add_faces(real_project, FACES, list(photos))
    say(real_project, bob, faces[:60], Verdict.YES)
    say(real_project, real_project.owner, faces[60:72], Verdict.NO)
    copies = [faces[80].pk, faces[81].pk]
    Region.objects.filter(pk__in=copies).update(phash="ab" * 16)
    Score.objects.filter(region__in=[faces[1].pk]).update(doubt=3.0)
    return real_project


def review(visit: Visit, project: Project, query: str = "", **options: Any) -> Window:
    return visit(f"/p/{project.public_id}/review{query}", user=project.owner, **options)


def tiles(page: Page) -> Locator:
    return page.locator("#tiles > .tile")


def names(some: Locator) -> list[str]:
    found: list[str] = some.evaluate_all("(all) => all.map((tile) => tile.dataset.region)")
    return found


def words(region: str) -> str:
    label = Label.objects.filter(region__public_id=region).first()
    return label.verdict if label else ""


def expect_word(page: Page, region: str, word: str) -> None:
    """The server has it: nothing waits in the outbox any more."""
    page.wait_for_function("() => !Object.keys(localStorage).some((k) => k.includes(':review:'))")
    assert words(region) == word


def test_a_long_gallery_stays_small_and_one_chooses_with_the_mouse(
    visit: Visit, crowded: Project
) -> None:
    window = review(visit, crowded)
    page = window.page
    total = int(page.locator("h1 [data-filter=matches]").inner_text())
    assert total > 400
    expect(tiles(page)).to_have_count(47)
    expect(page.locator(".copies")).to_have_text("2 copies")
    first = names(tiles(page))[0]
    seen: set[str] = set()
    while page.locator("[data-more]").count():
        seen |= set(names(tiles(page)))
        assert tiles(page).count() <= 420, "what scrolled away leaves the page"
        page.locator("[data-more]").scroll_into_view_if_needed()
        page.wait_for_function(
            "(last) => !document.querySelector('[data-more]') ||"
            " [...document.querySelectorAll('#tiles > .tile')].at(-1).dataset.region !== last",
            arg=names(tiles(page))[-1],
        )
    seen |= set(names(tiles(page)))
    assert len(seen) == total - 1, "all of them, two of which are a stack"
    assert tiles(page).count() < total - 1
    expect(page.locator("#tiles > .gap")).to_have_count(1)
    page.keyboard.press("Home")
    page.evaluate("() => scrollTo(0, 0)")
    expect(page.locator(f".tile[data-region='{first}']")).to_be_visible()

    # a rectangle from beside the second face to the third of the next row
    page.evaluate("() => scrollTo(0, 0)")
    columns = page.evaluate(
        "() => { const t = [...document.querySelectorAll('#tiles > .tile')];"
        " return t.filter((each) => each.offsetTop === t[0].offsetTop).length; }"
    )
    left, top, _w, _h = window.where(tiles(page).nth(1))
    x, y, w, h = window.where(tiles(page).nth(columns + 2))
    window.drag((left - 8, top + 20), (x + w / 2, y + h / 3))
    expect(page.locator("[data-selected]")).to_have_text("4")
    page.keyboard.press("Escape")
    expect(page.locator("[data-selected]")).to_have_text("0")
    tiles(page).nth(0).locator("label").click()
    tiles(page).nth(3).locator("label").click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("4")
    chosen = names(tiles(page))[:4]
    window.press(".review-bar [data-do=approve]")
    expect(page.locator(".toast")).to_contain_text("4 faces approved")
    expect_word(page, chosen[3], "yes")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(tiles(page).nth(3)).to_have_attribute("data-region", chosen[3])
    expect_word(page, chosen[3], "")


def test_filters_combine_and_the_page_is_fit_for_everybody(
    visit: Visit, crowded: Project, axe: Axe
) -> None:
    window = review(visit, crowded, "?which=confirmed")
    page = window.page
    assert everywhere(window) == []
    window.press(page.locator("#by-way a", has_text="A grid"))
    expect(page.locator("h1")).to_have_text(re.compile(r"Confirmed\s+30"))
    window.press(page.locator("#by-size a", has_text="Large"))
    expect(tiles(page)).to_have_count(10)
    expect(page.locator("h1")).to_have_text(re.compile(r"Confirmed\s+10"))
    expect(page.locator("#by-way a", has_text="Review")).to_contain_text("5")
    expect(page.locator(".tile-caption", has_text="Bob")).to_have_count(10)
    window.press(page.locator("#by-way [aria-current]"))
    expect(tiles(page)).to_have_count(20)
    window.press(page.locator(".review-tools a", has_text="Photos"))
    expect(page.locator("#tiles.photos .boxed")).to_have_count(20)
    window.press("#order summary")
    window.press(page.locator("#order a", has_text="Newest first"))
    assert "size=large" in page.url
    assert "view=photos" in page.url
    assert "order=newest" in page.url
    assert axe(window) == []
    page.goto(page.url.split("?")[0] + "?which=confirmed&size=large&year=1492")
    expect(page.get_by_role("heading", name="None with these filters")).to_be_visible()
    assert everywhere(window) == []


@pytest.mark.parametrize("page", ["review", "tray"])
def test_it_is_said_where_there_is_nothing_to_undo(
    page: str, visit: Visit, real_project: Project
) -> None:
    window = visit(f"/p/{real_project.public_id}/{page}", user=real_project.owner)
    window.page.keyboard.press("z")
    expect(window.page.locator(".toast")).to_contain_text("There is nothing to undo.")


def test_one_reviews_by_keys_alone(visit: Visit, crowded: Project, axe: Axe) -> None:
    window = review(visit, crowded)
    page = window.page
    press = page.keyboard.press
    first, second, third = names(tiles(page))[:3]
    press("ArrowRight")
    press("Space")
    expect(page.locator("[data-selected]")).to_have_text("1")
    press("Shift+ArrowRight")
    expect(page.locator("[data-selected]")).to_have_text("2")
    press("c")
    expect(page.locator("#sheet[open] .compare-side")).to_have_count(2)
    assert axe(window) == []
    sides = page.locator("#sheet .compare-side > .crop")
    assert sides.nth(0).bounding_box()["width"] == sides.nth(1).bounding_box()["width"]  # type: ignore[index]
    page.locator("#sheet [data-one=reject]").first.focus()
    press("Enter")
    expect_word(page, first, "no")
    press("Escape")
    press("Escape")  # nothing is chosen now
    press("ArrowLeft")
    press("ArrowRight")
    page.locator(f"#face-{second}").focus()
    press("Enter")
    dialog = page.locator("#large[open]")
    expect(dialog).to_be_focused()  # and no button of it, which an Enter that is held would press
    expect(dialog.locator(".boxed svg .line")).to_be_visible()
    expect(dialog).to_contain_text("Nobody has said anything of this face yet.")
    assert axe(window) == []
    press("a")
    expect_word(page, second, "yes")
    expect(dialog.locator(f"[data-region='{third}']")).to_be_visible()
    press("w")
    expect(page.locator("#sheet[open] .else")).to_be_visible()
    page.keyboard.type("nobody at all")
    press("Enter")
    expect(page.locator("#else-projects")).to_contain_text("No project for")
    assert axe(window) == []
    press("Escape")  # empties the field first
    press("Escape")
    expect(page.locator("#sheet[open]")).to_have_count(0)
    expect(page.locator(f"#face-{third}")).to_be_focused()
    press("Control+a")
    n = int(page.locator("[data-selected]").inner_text())
    assert 5 < n < 60, "those on the screen"
    press("z")
    expect_word(page, second, "")
    press("z")
    expect_word(page, first, "")
    press("Escape")  # nothing is chosen now
    words = {"b": "background", "p": "artwork", "f": "not-a-face", "t": "cant-tell"}
    for key, verdict in words.items():
        page.locator(f"#face-{first}").focus()
        press(key)
        expect_word(page, first, verdict)
        press("z")
        expect_word(page, first, "")
    press("?")
    expect(page.locator("#keys[open]")).to_contain_text("Compare two faces")
    expect(page.locator("#keys[open]")).to_contain_text("An artwork of the person")


def test_one_says_who_else_it_is_and_takes_it_back(
    visit: Visit, crowded: Project, charlie: User, make_project: Any
) -> None:
    other = make_project(charlie, "Q37463", joining=Project.Joining.OPEN)
    window = review(visit, crowded, screen=PHONE)
    page = window.page
    region = names(tiles(page))[0]
    tiles(page).nth(0).locator(".check").tap()
    window.press(".review-bar [data-do=else]")
    window.press(page.locator(f".else-project[value='{other.public_id}']"))
    expect(page.locator(".toast")).to_contain_text("No here, Yes there")
    expect(page.locator(f".tile[data-region='{region}']")).to_have_count(0)
    expect_word_in(page, {crowded: "no", other: "yes"}, region)
    page.locator(".toast").get_by_role("button", name="Undo").tap()
    expect(page.locator(f".tile[data-region='{region}']")).to_be_visible()
    expect_word_in(page, {crowded: "", other: ""}, region)


def expect_word_in(page: Page, wanted: dict[Project, str], region: str) -> None:
    page.wait_for_function("() => !Object.keys(localStorage).some((k) => k.includes(':review:'))")
    for project, word in wanted.items():
        label = Label.objects.filter(subject=project.subject, region__public_id=region).first()
        assert (label.verdict if label else "") == word


def test_a_finger_holds_to_choose_and_taps_to_look(visit: Visit, crowded: Project) -> None:
    window = review(visit, crowded, screen=PHONE)
    page = window.page
    labels = tiles(page).locator(".crop > label")
    labels.nth(1).tap()
    expect(page.locator("#large[open] .boxed")).to_be_visible()
    shown = ("#large .boxed > img", ".face-facts", "[data-large=reject]")
    photo, facts, button = map(window.where, shown)
    assert photo[1] + photo[3] <= facts[1], "what is known of the face stands below the photo"
    assert facts[1] + facts[3] <= button[1], "and the buttons below that"
    page.locator("[data-large=close]").tap()
    x, y, w, h = window.where(labels.nth(0))
    place = {"x": x + w / 2, "y": y + h / 2}
    fingers = page.context.new_cdp_session(page)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
    expect(page.locator("[data-selected]")).to_have_text("1")
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    labels.nth(1).tap()
    expect(page.locator("[data-selected]")).to_have_text("2")
    labels.nth(1).tap()
    expect(page.locator("[data-selected]")).to_have_text("1")
    region = names(tiles(page))[0]
    window.press("#words-menu summary")
    window.press("#words-menu [data-do=background]")
    expect_word(page, region, "background")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE.width


def pause(region: str) -> None:
    photos = Photo.objects.filter(picture__regions__public_id=region)
    assert photos.update(paused_until=timezone.now() + timedelta(days=7)) == 1


def test_a_paused_face_is_shown_and_neither_chosen_nor_judged(
    visit: Visit, crowded: Project
) -> None:
    window = review(visit, crowded, "?which=confirmed")
    page, press = window.page, window.page.keyboard.press
    paused, after = names(tiles(page))[2:4]
    pause(paused)
    page.reload()
    tile = page.locator(f".tile[data-region='{paused}']")
    expect(tile.locator(".chip")).to_have_text("Paused")
    expect(tile.locator("input")).to_have_count(0)
    columns = page.evaluate(
        "() => { const t = [...document.querySelectorAll('#tiles > .tile')];"
        " return t.filter((each) => each.offsetTop === t[0].offsetTop).length; }"
    )
    left, top, _w, _h = window.where(tiles(page).nth(1))
    x, y, w, h = window.where(tiles(page).nth(columns + 2))
    window.drag((left - 8, top + 20), (x + w / 2, y + h / 3))
    expect(page.locator("[data-selected]")).to_have_text("3")  # of four under the rectangle
    press("Escape")

    tile.locator("[data-open]").focus()
    for key in ("a", "r", "w", "d", "b"):
        press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    tile.locator("[data-open]").click()
    dialog = page.locator("#large[open]")
    expect(dialog.locator(".boxed")).to_be_visible()
    for deed in ("reject", "approve", "else", "redraw"):
        expect(dialog.locator(f"[data-large={deed}]")).to_be_disabled()
    for key in ("a", "r", "w", "d"):
        press(key)
    expect(dialog.locator(f"[data-region='{paused}']")).to_be_visible()
    press("ArrowRight")
    expect(dialog.locator(f"[data-region='{after}']")).to_be_visible()
    expect(dialog.locator("[data-large=approve]")).to_be_enabled()
    press("r")
    expect_word(page, after, "no")
    expect(page.locator(".toast.bad")).to_have_count(0)
    assert words(paused) == "yes"


def test_a_finger_that_holds_a_paused_face_chooses_nothing(visit: Visit, crowded: Project) -> None:
    window = review(visit, crowded, "?which=confirmed", screen=PHONE)
    page = window.page
    paused = names(tiles(page))[0]
    pause(paused)
    page.reload()
    fingers = page.context.new_cdp_session(page)
    for number, chosen in enumerate(("0", "1")):
        x, y, w, h = window.where(tiles(page).nth(number).locator(".crop > label"))
        place = {"x": x + w / 2, "y": y + h / 2}
        fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [place]})
        page.wait_for_timeout(800)  # longer than one has to hold
        fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(page.locator("[data-selected]")).to_have_text(chosen)
    expect(page.locator("#large[open]")).to_have_count(0)


def test_what_does_not_get_through_is_kept_and_what_is_refused_is_said(
    visit: Visit, crowded: Project
) -> None:
    window = review(visit, crowded)
    page = window.page
    first, second = names(tiles(page))[:2]
    page.context.set_offline(True)
    page.locator(f"#face-{first}").focus()
    page.keyboard.press("r")
    expect(page.locator("#net")).to_contain_text("1 answer is kept here")
    page.context.set_offline(False)  # and it is sent by itself
    expect_word(page, first, "no")
    Photo.objects.filter(picture__regions__public_id=second).update(state=Photo.State.WITHDRAWN)
    page.locator(f"#face-{second}").focus()
    page.keyboard.press("a")
    expect(page.locator(".toast.bad")).to_contain_text("withdrawn")
    assert words(second) == ""


def test_without_a_session_nothing_is_claimed_until_one_is_logged_in(
    visit: Visit, real_project: Project
) -> None:
    owner, face = real_project.owner, Region.objects.filter(origin=Region.Origin.DETECTOR)[0]
    photo = Photo.objects.filter(picture=face.picture_id)[0]
    answers.answer(real_project, face, photo, owner, Verdict.YES, Origin.REVIEW, uuid4())
    window = review(visit, real_project, "?which=approved")
    page, context = window.page, window.page.context
    expect(tiles(page)).to_have_count(1)
    session: Any = context.cookies()
    context.clear_cookies()
    page.locator(f"#face-{face.public_id}").focus()
    page.keyboard.press("r")
    expect(page.locator("#signed-out")).to_contain_text("1 answer is kept here")
    expect(page.locator(".toast")).to_have_count(0)
    expect(tiles(page)).to_have_count(0)  # what a visitor sees is old
    context.add_cookies(session)  # what logging in does, as in another tab
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect_word(page, face.public_id, "no")
    expect(page.locator("#gallery .empty")).to_be_visible()
    expect(page.locator("#signed-out")).to_be_hidden()


def test_an_empty_review_says_what_to_do(visit: Visit, real_project: Project) -> None:
    Score.objects.all().delete()
    window = review(visit, real_project)
    page = window.page
    card = page.locator("#gallery .empty")
    expect(card).to_be_visible()
    assert everywhere(window) == []
    box = card.bounding_box()
    assert box
    buttons = [each.bounding_box() for each in card.locator(".button").all()]
    left = min(each["x"] for each in buttons if each) - box["x"]
    right = box["x"] + box["width"] - max(each["x"] + each["width"] for each in buttons if each)
    assert left == pytest.approx(right, abs=2), "its buttons stand in the middle"


# Rows of controls in the side and in the tools: tops that do not overlap, of what is to be seen.
ROWS = """() => {
    const all = document.querySelectorAll(
        ".review-side :is(a, summary), .review-tools :is(a, button, summary)");
    const boxes = [...all].filter((one) => one.checkVisibility({contentVisibilityAuto: true}))
        .map((one) => one.getBoundingClientRect()).filter((box) => box.height > 1)
        .sort((a, b) => a.top - b.top);
    let rows = 0, bottom = -Infinity;
    for (const box of boxes) {
        if (box.top >= bottom - 1) { rows += 1; bottom = box.bottom; }
    }
    return rows;
}"""


@pytest.mark.parametrize("script", [True, False])
def test_on_a_phone_three_rows_stand_above_the_faces_and_filters_open_over_them(
    visit: Visit, crowded: Project, script: bool
) -> None:
    window = review(visit, crowded, screen=PHONE, java_script_enabled=script)
    page, summary = window.page, window.page.locator("#facets > summary")
    small, whole = page.locator("#by-size a", has_text="Small"), window.where("#gallery")[1]
    assert whole < 380
    expect(small).not_to_be_visible()
    if script:
        assert page.evaluate(ROWS) == 3
    window.press(summary)
    expect(small).to_be_visible()
    expect(page.locator("#facets .review-links a").last).to_be_in_viewport()
    assert window.where("#gallery")[1] == whole, "it opens over the page"
    if script:
        assert everywhere(window) == []
        page.keyboard.press("Escape")
        expect(small).not_to_be_visible()
        expect(summary).to_be_focused()
        page.keyboard.press("Enter")
    window.press(small)
    page.wait_for_url(re.compile("size=small"))
    expect(small).not_to_be_visible()
    expect(page.locator("#facets .count")).to_have_text("1")


def test_beside_a_wide_gallery_all_filters_stand_open(visit: Visit, crowded: Project) -> None:
    page = review(visit, crowded).page
    expect(page.locator("#facets > summary")).not_to_be_visible()
    expect(page.locator("#by-size a").first).to_be_visible()
    expect(page.locator(".review-links a").last).to_be_visible()


def test_a_box_is_drawn_better_and_all_that_was_seen_is_approved_at_once(
    real_project: Project, visit: Visit
) -> None:
    mine = Project.objects.filter(pk=real_project.pk)
    mine.update(rule=Project.Rule.CENTROID)  # which needs five Yes, and takes many for the person
    mine.tell_learner()
    infer()
    page = review(visit, real_project).page
    assert "more Yes" in page.locator("h2").first.inner_text()
    confirm(real_project, 5)
    page.reload()
    found = tiles(page).count()
    assert found > 3
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector("#large[open] .boxed")
    page.keyboard.press("d")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    eventually(lambda: Region.objects.exclude(replaced_by=None).exists())
    eventually(lambda: tiles(page).count() == found - 1)

    approve, everything = (page.locator(f".review-bar [data-do={do}]") for do in ("approve", "all"))
    assert approve.is_hidden()
    tiles(page).nth(0).locator("label").click()
    assert approve.is_enabled()
    assert everything.is_hidden()
    page.locator("[data-do=clear]").click()

    infer()
    look_at_all(tiles(page))
    everything.click()
    eventually(lambda: Label.objects.filter(origin=Origin.REVIEW).count() == found - 1)
    page.wait_for_selector("#gallery .empty")
    assert "is learning" in page.locator("#gallery .empty").inner_text()
    page.keyboard.press("z")
    eventually(lambda: tiles(page).count() == found - 1)
    assert page.locator("h1 [data-filter=matches]").inner_text() == str(found - 1)

    everything.click()
    page.wait_for_selector("#gallery .empty")
    infer()
    eventually(lambda: "is learning" not in page.locator("#gallery").inner_text())


def look_at_all(some: Locator) -> None:
    """What was not on the screen is not approved."""
    for tile in some.all():
        tile.scroll_into_view_if_needed()
        eventually(lambda: tile.get_attribute("data-seen") is not None)  # noqa: B023


def confirm(project: Project, n: int) -> None:
    """Alice confirms n faces of the likeliest photos, as the ask page would."""
    for _ in range(n):
        question = answers.next_question(project, project.owner)
        assert question
        answers.answer(
            project, question.region, question.photo, project.owner, "yes", Origin.ASK, uuid4()
        )
    infer()
