"""One face at a time in a real browser: what stands beside it, keys of one's own, a phone, no
network, no session, two tabs, two clicks."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Count, F
from playwright.sync_api import Page, Route, expect

from classify import answers
from classify.models import Answer, Label, Learner, Question, Skip
from crawler.models import Photo, Region
from projects.members import services as members
from projects.models import Project, User
from tests import factories
from tests.classify_pages.screens import lay_out
from tests.pages.harness import (
    PHONE,
    Axe,
    Visit,
    Window,
    eventually,
    everywhere,
    violations,
    word_on,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

COVERED = """() => {
    const told = document.querySelector(".toast").getBoundingClientRect();
    return [...document.querySelectorAll(".ask-head > *, .q-caption > *, .q-faces, .q-answer")]
        .filter((e) => {
            const {left, right, top, bottom} = e.getBoundingClientRect();
            return left < told.right && right > told.left && top < told.bottom && bottom > told.top;
        }).map((e) => e.textContent.trim());
}"""
KNOWN = 7  # faces that are confirmed before somebody comes
ALL_SENT = r"() => !Object.keys(localStorage).some((key) => /:\d{10,}:[0-9a-f-]{36}$/.test(key))"


@pytest.fixture
def faces(real_project: Project) -> list[Region]:
    """Real faces that are asked about one after the other, and before them KNOWN confirmed ones."""
    every = list(Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id"))
    known, asked = every[:KNOWN], every[KNOWN : KNOWN + 8]
    for face in known:
        say(real_project, face, real_project.owner, "yes")
    lay_out(real_project, [[face] for face in asked], Question.Kind.ONE, nearest=known[:6])
    Question.objects.filter(subject=real_project.subject).update(chance=0.83)
    return asked


@pytest.fixture
def here(real_project: Project) -> str:
    return f"/p/{real_project.public_id}"


def say(project: Project, face: Region, user: User, verdict: str) -> None:
    photo = Photo.objects.filter(picture=face.picture_id).earliest("id")
    answers.answer(project, face, photo, user, verdict, "ask", uuid4())


def place_on(page: Page, x: float, y: float) -> tuple[float, float]:
    """In the window, of a place in 0–1 of the photo."""
    photo = page.locator(".question .boxed > img").bounding_box()
    assert photo
    return photo["x"] + x * photo["width"], photo["y"] + y * photo["height"]


def asked_on(window: Window) -> str:
    return str(window.page.locator(".question").get_attribute("data-region"))


def lies_over_the_photo(page: Page) -> bool:
    """The drawing with the boxes."""
    photo = page.locator(".q-frame .boxed > img").first.bounding_box()
    return photo == pytest.approx(page.locator(".q-frame .boxed > svg").first.bounding_box(), abs=1)


def expect_face(window: Window, face: Region) -> None:
    asked = window.page.locator(f".question[data-region='{face.public_id}']")
    expect(asked).to_have_count(1)


def test_by_keyboard_alone_with_what_is_known_beside_it(
    here: str, real_project: Project, faces: list[Region], visit: Visit, axe: Axe, bob: User
) -> None:
    factories.make_person("Q37463", labels={"en": "Pierre Curie"})
    other = factories.make_project(bob, "Q37463")
    named = Answer.objects.create(
        subject=other.subject,
        region=faces[0],
        photo=Photo.objects.earliest("id"),
        verdict="yes",
        user=bob,
    )
    Label.objects.create(
        subject=other.subject,
        region=faces[0],
        photo=named.photo,
        answer=named,
        verdict="yes",
        user=bob,
    )
    window = visit(f"{here}/ask", user=real_project.owner)
    page = window.page
    assert everywhere(window) == []

    assert lies_over_the_photo(page)

    told = page.locator(".q-told")
    expect(told).to_contain_text(
        "Somebody said in another project: Pierre Curie. That speaks for No."
    )
    thinks = told.get_by_text("83% likely")
    expect(thinks).to_be_hidden()  # so as not to lead
    page.keyboard.press("t")
    expect(thinks).to_be_visible()
    assert page.locator(".q-nearest img").count() == 5

    # a screen reader hears the next question, and the focus is where it was
    page.locator("[data-do=yes]").focus()
    held: list[Route] = []
    page.route(
        "**/answer", lambda route: held.append(route)
    )  # what comes back brings the server's own figures
    page.keyboard.press("Enter")
    expect_face(window, faces[1])
    left = page.locator("#tally").inner_text()
    expect(page.locator("#announce")).to_contain_text(re.compile(f"Is this .* {re.escape(left)}"))
    assert page.evaluate("document.activeElement.dataset.do") == "yes"
    held.pop().continue_()
    page.unroute("**/answer")
    eventually(lambda: word_on(real_project, faces[0].public_id) == "yes")

    # keys of one's own
    page.keyboard.press("?")
    field = page.get_by_label("Yes", exact=True)
    field.focus()
    page.keyboard.press("n")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#wrong-yes")).to_have_text("“No” has this key, too.")
    page.locator(".keys-form").evaluate("form => form.dataset.mine = 1")
    page.keyboard.press("Enter")
    expect(page.locator(".keys-form:not([data-mine], .htmx-added, .htmx-settling)")).to_have_count(
        1
    )  # the server's answer
    expect(page.locator("#wrong-yes")).to_have_text("“No” has this key, too.")
    assert real_project.owner.keys == {}
    page.get_by_label("Yes", exact=True).focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#keys [role=status]")).to_have_text("Your keys are saved.")
    assert axe(window) == []
    page.keyboard.press("Escape")
    expect(page.locator(".question [data-do=yes] kbd")).to_have_text("J")
    page.keyboard.press("y")
    page.keyboard.press("j")
    expect_face(window, faces[2])
    expect(page.locator(".question [data-do=yes] kbd")).to_have_text("J")
    page.keyboard.press("ArrowLeft")  # arrows go on as they were
    expect_face(window, faces[3])
    page.keyboard.press("z")
    expect_face(window, faces[2])
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect_face(window, faces[0])
    eventually(lambda: not any(word_on(real_project, each.public_id) for each in faces))
    page.keyboard.press("s")
    expect_face(window, faces[1])
    page.keyboard.press("z")
    expect_face(window, faces[0])


def test_one_handed_on_a_phone(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    window = visit(f"{here}/ask", user=real_project.owner, screen=PHONE)
    page = window.page
    assert lies_over_the_photo(page)
    window.swipe(".q-pair", 150, 0)
    expect_face(window, faces[1])
    toast, title = window.where(".toast"), window.where(".question h1")
    assert toast[1] + toast[3] < title[1]  # what is said of the last covers nothing of the next
    for name in ("no", "yes", "background", "canttell", "skip"):
        left, top, width, height = window.where(f".question [data-do={name}]")
        assert min(width, height) >= 44
        assert top > PHONE.height / 2  # in the thumb's reach
        assert 0 <= left <= left + width <= PHONE.width
    window.press(".toast .action")  # Undo
    expect_face(window, faces[0])
    window.press("[data-do=zoom]")
    expect(page.locator("#zoom")).to_be_visible()
    window.press("#zoom [data-zoom=close]")
    # a page at 200 %, a phone on its side: the face is seen whole above or beside the answer
    for width, height in ((640, 400), (844, 390)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("scrollTo(0, 0)")
        face = page.locator(".q-pair .crop").first.bounding_box()
        question = page.locator(".question h1").bounding_box()
        yes = page.locator(".question [data-do=yes]").bounding_box()
        assert face
        assert question
        assert yes
        assert face["y"] + face["height"] <= question["y"]
        assert yes["y"] + yes["height"] <= height
    page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})
    # a finger that draws swipes nothing
    window.press("[data-do=draw]")
    window.drag(place_on(page, 0.2, 0.3), place_on(page, 0.8, 0.9))
    drawn = page.locator(".question .drawing-box").bounding_box()
    assert drawn
    begin, end = place_on(page, 0.2, 0.3), place_on(page, 0.8, 0.9)
    assert (drawn["x"], drawn["y"]) == pytest.approx(begin, abs=4)
    assert (drawn["width"], drawn["height"]) == pytest.approx(
        (end[0] - begin[0], end[1] - begin[1]), abs=8
    )
    page.locator("[data-draw=cancel]").click()
    # two taps at once are one answer
    page.locator(".question [data-do=no]").dblclick()
    expect_face(window, faces[1])
    eventually(lambda: word_on(real_project, faces[0].public_id) == "no")
    assert asked_on(window) == faces[1].public_id
    # right for yes, left for no, down to skip
    for swiped, following, across, down, word in (
        (faces[1], faces[2], 150, 0, "yes"),
        (faces[2], faces[3], -150, 0, "no"),
        (faces[3], faces[4], 0, 200, ""),
    ):
        window.swipe(".q-pair", across, down)
        expect_face(window, following)
        eventually(lambda: word_on(real_project, swiped.public_id) == word)  # noqa: B023
    left, top, width, height = window.where(".q-answer [data-do=skip]")
    for surface in (".q-pair", ".q-frame"):  # a tap counts right after a swipe
        skipped = Skip.objects.count()
        window.swipe(surface, 150, 0)
        page.touchscreen.tap(left + width / 2, top + height / 2)
        eventually(lambda: Skip.objects.count() == skipped + 1)  # noqa: B023


def test_a_number_or_a_tap_says_which_of_several_faces_it_is(
    here: str, real_project: Project, visit: Visit
) -> None:
    every = Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("x", "pk")
    pictures = every.order_by().values("picture").annotate(n=Count("pk")).order_by("picture")
    picture = pictures.filter(n__gt=1, n__lt=6)[0]["picture"]
    several = list(every.filter(picture=picture))
    after = every.exclude(picture=picture)[0]
    lay_out(real_project, [[each] for each in (*several, after)], Question.Kind.ONE)
    window = visit(f"{here}/ask", user=real_project.owner, screen=PHONE)
    page = window.page
    page.wait_for_load_state("networkidle")  # the other faces of the photo are here, too
    assert everywhere(window) == []

    def words() -> list[str]:
        return [word_on(real_project, each.public_id) for each in several]

    page.keyboard.press("2")
    expect(page.locator(".toast")).to_contain_text("Face 2 is ")
    expect_face(window, after)  # and none of the photo's
    eventually(lambda: words() == ["no", "yes", *["no"] * (len(several) - 2)])
    page.keyboard.press("z")
    expect_face(window, several[0])
    eventually(lambda: not any(words()))
    page.locator(".number[data-number='1']").tap()
    expect_face(window, after)
    eventually(lambda: words() == ["yes", *["no"] * (len(several) - 1)])
    window.press(".ask-head [data-do=undo]")
    expect_face(window, several[0])
    window.press("[data-do=choose0]")
    expect_face(window, after)
    eventually(lambda: words() == ["no"] * len(several))


def test_answers_outlive_the_network_the_tab_and_the_session(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    window = visit(f"{here}/ask", user=real_project.owner)
    page, context = window.page, window.page.context
    page.wait_for_load_state("networkidle")  # what comes next is here
    context.set_offline(True)
    page.keyboard.press("y")
    page.keyboard.press("n")
    expect(page.locator("#net")).to_contain_text("2 answers are kept here until they")
    expect_face(window, faces[2])
    page.keyboard.press("z")
    expect(page.locator("#net")).to_contain_text("1 answer is kept here until it can be sent.")
    page.keyboard.press("n")
    expect(page.locator("#net")).to_contain_text("2 answers are kept")
    expect_face(window, faces[2])
    page.close()
    context.set_offline(False)
    # whatever page of ours comes next sends them
    again = context.new_page()
    again.goto(page.url.replace(f"{here}/ask", "/projects"))
    eventually(lambda: word_on(real_project, faces[1].public_id) == "no")
    assert word_on(real_project, faces[0].public_id) == "yes"
    again.wait_for_function(ALL_SENT)  # it strikes out what the server has as it hears of it

    session: Any = context.cookies()
    again.goto(page.url)
    expect(again.locator(f".question[data-region='{faces[2].public_id}']")).to_have_count(1)
    context.clear_cookies()
    again.keyboard.press("y")
    expect(again.locator("#signed-out")).to_contain_text("1 answer is kept here")
    way_on = again.locator("#signed-out a")
    expect(way_on).to_have_attribute("href", re.compile(rf"/login/\?next=.*{here}/ask"))
    context.add_cookies(session)  # what logging in does
    again.goto(page.url)
    eventually(lambda: word_on(real_project, faces[2].public_id) == "yes")
    expect(again.locator("#signed-out")).to_be_hidden()
    said = Answer.objects.filter(region__in=faces[:3])
    assert said.count() == 5  # with the one that was taken back, and its undo

    # until nothing is left of what is here
    again.wait_for_load_state("networkidle")
    context.set_offline(True)
    away, given = again.locator("#main [data-waits=away]"), 0
    while again.locator(".question").count():
        again.keyboard.press("y")
        given += 1
    expect(away).to_contain_text("The network is away")
    expect(away).to_contain_text("Your answers are kept")
    expect(again.locator("#main [data-waits=near]")).to_be_hidden()
    expect(again.locator("#net")).to_contain_text(f"{given} answers are kept here")
    assert Answer.objects.filter(region__in=faces).count() == 5
    context.set_offline(False)
    again.reload()
    eventually(lambda: Answer.objects.filter(region__in=faces).count() == 5 + given)
    expect(again.locator(".question, .no-question").first).to_be_visible()
    expect(again.locator("#net")).to_be_hidden()


def test_two_tabs_do_not_ask_what_is_answered(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    window = visit("/style", user=real_project.owner)
    window.page.clock.install()
    window.page.goto(window.page.url.replace("/style", f"{here}/ask"))
    expect_face(window, faces[0])
    window.page.wait_for_load_state("networkidle")
    # in the other tab
    say(real_project, faces[0], real_project.owner, "no")
    say(real_project, faces[1], real_project.owner, "no")
    window.page.clock.fast_forward(81_000)
    expect_face(window, faces[2])
    expect(window.page.locator(".toast")).to_contain_text("That is not asked any more")
    window.page.go_back()
    window.page.go_forward()
    expect_face(window, faces[2])


def test_a_tab_says_where_its_word_replaces_that_of_another(
    here: str, real_project: Project, faces: list[Region], visit: Visit
) -> None:
    window = visit(f"{here}/ask", user=real_project.owner)
    expect_face(window, faces[0])
    say(real_project, faces[0], real_project.owner, "no")  # in the other tab, a moment ago
    window.page.keyboard.press("y")
    expect(window.page.locator(".toast")).to_contain_text("You had answered 1 face differently")
    assert word_on(real_project, faces[0].public_id) == "yes"


def test_who_is_shut_out_meanwhile_reads_that_the_answer_was_not_taken(
    here: str, real_project: Project, faces: list[Region], visit: Visit, bob: User
) -> None:
    real_project.memberships.create(user=bob)
    Project.objects.update(visibility=Project.Visibility.PRIVATE)
    window = visit(f"{here}/ask", user=bob)
    page = window.page
    page.wait_for_load_state("networkidle")
    members.ban(real_project, real_project.owner, bob)
    page.keyboard.press("y")
    expect(page.locator(".toast.bad")).to_contain_text("no longer a member of this project")
    expect(page.locator("#main h1")).to_have_text("This project is closed to you")
    assert not Answer.objects.filter(user=bob).exists()
    assert violations(window) == []
    window.press(page.get_by_role("link", name="Notifications"))
    expect(page.locator("main")).to_contain_text("You are no member of")


def test_says_what_else_is_useful_while_others_answer(
    here: str, real_project: Project, faces: list[Region], visit: Visit, bob: User
) -> None:
    real_project.memberships.create(user=bob)
    real_project.sources.all().delete()  # all of them are read
    mine = Question.objects.filter(subject=real_project.subject)
    for _ in faces:
        answers.next_question(
            real_project, bob, mine.exclude(leased_to=None).values_list("public_id", flat=True)
        )
    revision = Project.objects.get(pk=real_project.pk).revision
    Learner.objects.filter(project=real_project).update(revision=revision)
    window = visit(f"{here}/ask", user=real_project.owner)
    expect(window.page.locator("h1")).to_have_text("Others are answering the last faces")
    assert window.page.locator(".no-question a").count() >= 3
    assert everywhere(window) == []


def test_the_words_around_a_count_are_those_of_its_number(
    here: str, real_project: Project, visit: Visit
) -> None:
    """English has the same words for one and for several: another language's stand there."""
    every = Region.objects.exclude(origin=Region.Origin.PHOTO).order_by("id")
    high = every.filter(picture__height__gt=F("picture__width"))  # as far down as photos reach
    lay_out(real_project, [[face] for face in high[:4]], Question.Kind.ONE, nearest=[])
    window = visit(f"{here}/ask", user=real_project.owner)
    words = window.page.locator("[data-one]:has(> [data-count=answered])")
    expect(words).to_have_text("0 answered")
    words.evaluate("(it) => Object.assign(it.dataset, {one: 'gitt {n} svar', other: '{n} gitte'})")
    for said in ("gitt 1 svar", "2 gitte"):  # what is told beside it covers nothing
        asked = asked_on(window)
        window.page.keyboard.press("y")
        expect(words).to_have_text(said)
        expect(window.page.locator(f"[data-region='{asked}'].question")).to_have_count(0)
        expect(window.page.locator(".toast")).to_be_visible()
        assert window.page.evaluate(COVERED) == []
    window.page.keyboard.press("z")
    expect(words).to_have_text("gitt 1 svar")


def test_a_missed_face_is_drawn_with_the_mouse_and_by_keys(
    here: str, real_project: Project, visit: Visit
) -> None:
    page = visit(f"{here}/ask", user=real_project.owner).page
    drawn = Region.objects.filter(origin=Region.Origin.PERSON)
    page.keyboard.press("d")
    photo = page.locator(".question .boxed > svg").bounding_box()
    assert photo
    corner = (photo["x"] + photo["width"] * 0.45, photo["y"] + photo["height"] * 0.1)
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 60, corner[1] + 80, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    eventually(lambda: drawn.count() == 1)
    box = drawn.get()
    shown = page.locator(".question .boxed > svg").evaluate(
        "(svg) => [svg.getScreenCTM().a, svg.viewBox.baseVal.width]"
    )
    assert box.w == pytest.approx(60 / shown[0] / shown[1], rel=0.02)
    assert word_on(real_project, box.public_id) == "yes"
    page.keyboard.press("z")
    eventually(lambda: word_on(real_project, box.public_id) == "")

    page.keyboard.press("d")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    moved = place(page)
    assert moved[:2] == [42, 31]
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert place(page) == [42, 31, moved[2] + 1, moved[3] + 1]
    page.keyboard.press("Enter")
    eventually(lambda: drawn.count() == 2)
    by_keys = drawn.latest("id")
    assert (by_keys.x, by_keys.y) == pytest.approx((0.42, 0.31))
    page.keyboard.press("d")
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.wait_for_selector("#zoom[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    assert drawn.count() == 2


def place(page: Page) -> list[int]:
    """What a screen reader hears of the box that is drawn: left, top, width, height in per cent."""
    heard = page.locator("[data-draw=place]").inner_text()
    return [int(number) for number in re.findall(r"\d+", heard)]
