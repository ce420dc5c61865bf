"""Every page of the site, for its owner and for a visitor: axe, width, heading, big text, focus.

A new address stands either in PAGES or in NOT_PAGES, or the first test says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import urlencode
from playwright.sync_api import expect
from pytest_django import Settings

from classify.models import Label, Question, Score, Verdict
from projects.members import services as members
from projects.models import Membership, Project, User
from projects.privacy import objections
from sandbox import RunningSandbox
from sdc.batches import services as batches
from sdc.models import ClaimAttempt, EditBatch
from tests.classify_pages.screens import lay_out
from tests.pages.harness import (
    ALL,
    CROSSWISE,
    DESK,
    PHONE,
    TOO_WIDE,
    Visit,
    Window,
    everywhere,
)
from tests.sdc.conftest import send_to_the_end
from tests.wikivisage.conftest import give

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
]

# What stands in the address of a page, of the project that is walked; `query` is what follows it.
Kwargs = Callable[[Project], dict[str, Any]]


def nothing(project: Project) -> dict[str, Any]:
    return {}


def of_project(project: Project) -> dict[str, Any]:
    return {"project_id": project.public_id}


def of_batch(project: Project) -> dict[str, Any]:
    return of_project(project) | {"code": EditBatch.objects.get(state="running").code}


def of_sent(project: Project) -> dict[str, Any]:
    return {"code": project.batches.get(kind=EditBatch.Kind.ADD, state="done").code}


def of_sent_edit(project: Project) -> dict[str, Any]:
    code = of_sent(project)
    written = ClaimAttempt.objects.filter(
        batch__code=code["code"], outcome=ClaimAttempt.Outcome.WRITTEN
    )
    return code | {"attempt_id": written.order_by("pk")[0].pk}


def of_invite(project: Project) -> dict[str, Any]:
    return {"code": project.invites.get().code}


def of_user(project: Project) -> dict[str, Any]:
    return {"user_id": project.owner.public_id}


def of_member(project: Project) -> dict[str, Any]:
    other = project.memberships.exclude(user=project.owner).get()
    return of_project(project) | {"user_id": other.user.public_id}


def of_face(project: Project) -> dict[str, Any]:
    return of_project(project) | {"region_id": _faces(project)[0]}


def of_objection(project: Project) -> dict[str, Any]:
    return {"code": objections.lodge(project.person.qid, "person", "Please").code}


def of_unknown_person(project: Project) -> dict[str, Any]:
    return {"qid": "Q990000041"}


def of_two_faces(project: Project) -> dict[str, Any]:
    return of_project(project) | {"query": {"region": _faces(project)[:2]}}


def _faces(project: Project) -> list[str]:
    said = Label.objects.filter(
        subject=project.subject, verdict=Verdict.YES, region__origin="detector"
    )
    return list(said.order_by("pk").values_list("region__public_id", flat=True))


PAGES: dict[str, Kwargs] = {
    "home": nothing,
    "projects": nothing,
    "how": nothing,
    "help": nothing,
    "about": nothing,
    "privacy": nothing,
    "object": nothing,
    "objection": of_objection,
    "offline": nothing,
    "style": nothing,
    "login": nothing,
    "account_logout": nothing,
    "account_inactive": nothing,
    "project-new": nothing,
    "join": nothing,
    "join-code": of_invite,
    "leaderboard": nothing,
    "contributor": of_user,
    "account": nothing,
    "account-delete": nothing,
    "sessions": nothing,
    "admission": of_unknown_person,
    "keys": nothing,
    "notifications": nothing,
    "my-edits": nothing,
    "project": of_project,
    "members": of_project,
    "member": of_member,
    "member-statements": of_member,
    "hand-over": of_member,
    "sources": of_project,
    "set-aside": of_project,
    "project-settings": of_project,
    "project-delete": of_project,
    "threshold": of_project,
    "ask": of_project,
    "grid": of_project,
    "review": of_project,
    "review-face": of_face,
    "review-compare": of_two_faces,
    "review-else": of_two_faces,
    "again": of_project,
    "tray": of_project,
    "preview": of_project,
    "batches": of_project,
    "batch": of_batch,
    "batch-undo": of_batch,
    "second-looks": of_project,
    "export": of_project,
}
# Of a batch that was sent, by its code alone: for who may not see its project.
OUTSIDE: dict[str, Kwargs] = {
    "sent-batch": of_sent,
    "sent-batch-undo": of_sent,
    "sent-edit-undo": of_sent_edit,
}
# Looked at in each theme at each width; the others in one of the two.
MAIN = {"home", "project-new", "project", "ask", "grid", "review", "style"}
FOR_VISITORS = (
    "home", "projects", "login", "leaderboard", "project", "members", "sources",
    "set-aside", "review", "review-face", "batches", "batch",
)  # fmt: skip
# Parts that scripts ask for, deeds, ways to somewhere else, and files.
NOT_PAGES = {
    "account_login", "mediawiki_login", "mediawiki_callback", "local-login", "answer-now",
    "health", "health-live", "health-ready", "metrics", "robots", "sitemap", "favicon", "manifest",
    "service-worker", "tours", "language",
    "theme", "person-search", "category-search", "place-count", "new-sum", "account-visibility",
    "member-change", "member-counts", "invite-new", "invite-revoke", "project-join",
    "project-ask", "project-leave", "project-state", "project-status", "project-figures",
    "notifications-wanted", "notifications-read", "notification", "source-add",
    "source-suggestions", "source-change", "crop", "photo-retry", "photo-leave-out", "recrawl",
    "question-next", "questions-keep", "grid-next", "grid-answer", "grid-skip", "answer", "skip",
    "undo", "draw", "no-usable-face", "not-here", "review-answer", "review-reassign", "again-next",
    "again-keep", "again-answer", "again-rest", "preview-choose", "attempt-exclude",
    "attempt-ask", "batch-status", "batch-confirm", "batch-looked", "batch-hand-over",
    "batch-take-back-hand-over", "batch-pause", "batch-resume", "batch-stop", "edit-undo",
    "batch-check", "account-data", "project-wake", "second-look-undo", "second-look",
    "export-labels", "export-labels-json", "member-names", "hand-over-to", "box-release",
    "put-back-all", "redrawn-undo", "sent-batch-stop", "sent-batch-pause", "sent-batch-resume",
    "sent-batch-status",
    "sessions-end", "export-claims", "export-claims-json", "export-quickstatements",
}  # fmt: skip
SECRET = "Our secret list"  # the name of a private project
BIG_TEXT = "(size) => { document.documentElement.style.fontSize = size; }"
NARROWEST = {"width": 320, "height": 640}  # WCAG 1.4.10: a desk's window at 400 %
# Everything that can be reached by Tab shows that it is there; asked after a Tab, so that the
# browser takes the focus for the keyboard's.
UNSEEN_FOCUS = """() => {
    const reached = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const ring = (e) => {
        const style = getComputedStyle(e);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    };
    const unseen = [];
    for (const element of document.querySelectorAll(reached)) {
        if (element.disabled || !element.checkVisibility({visibilityProperty: true})) continue;
        element.focus({preventScroll: true});
        if (document.activeElement !== element) continue;
        let shown = false;
        const around = [element.parentElement, element.nextElementSibling,
            element.nextElementSibling?.firstElementChild, element.labels?.[0],
            element.parentElement?.parentElement];
        for (const place of [element, ...around]) shown ||= Boolean(place) && ring(place);
        if (!shown) unseen.push(element.outerHTML.slice(0, 120));
    }
    return unseen;
}"""
MOVING = "() => document.getAnimations().map((motion) => motion.animationName ?? 'transition')"


def names(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            if pattern.name:
                yield pattern.name
        elif pattern.namespace != "admin":
            yield from names(pattern.url_patterns)


def test_every_address_is_in_one_of_the_lists() -> None:
    pages = PAGES.keys() | OUTSIDE.keys()
    known = pages | NOT_PAGES
    assert not pages & NOT_PAGES
    found = set(names(get_resolver().url_patterns))
    assert sorted(found ^ known) == [], "a new page belongs into PAGES, else into NOT_PAGES"


@pytest.fixture
def world(real_project: Project, bob: User) -> Project:
    """A project in which something stands on every page: some of its faces answered, others still
    asked, a batch that waits for its worker, a draft, an invite, another member."""
    owner = real_project.owner
    Membership.objects.create(project=real_project, user=bob)
    asked = list(Question.objects.filter(subject=real_project.subject).order_by("rank")[:8])
    yes, no = [one.region for one in asked[:6]], [one.region for one in asked[6:]]
    give(real_project, owner, Verdict.YES, *yes)
    give(real_project, owner, Verdict.NO, *no)
    scored = Score.objects.filter(subject=real_project.subject).exclude(region__in=[*yes, *no])
    left = [score.region for score in scored.order_by("unlikely").select_related("region")]
    lay_out(real_project, [left[:8]], nearest=yes[:3])
    members.invite(real_project, owner)
    batches.confirm(batches.prepare_batch(real_project, owner), owner)
    return real_project


def test_every_page_of_an_owner(world: Project, visit: Visit) -> None:
    """Loading a page is what costs, so all is looked at on the same."""
    faults: list[str] = []
    window = visit("/how", user=world.owner)
    for name, kwargs in PAGES.items():
        faults += _in_every_way(window, name, kwargs(world))
    _open(window, "project", {"project_id": "nobody"})  # not found
    faults += [f"not found: {fault}" for fault in _with_big_text(window)]
    faults += everywhere(window, CROSSWISE)
    assert not faults, "\n".join(faults)


def test_every_page_of_a_visitor(world: Project, visit: Visit) -> None:
    faults: list[str] = []
    window = visit("/how", screen=PHONE)
    for name in FOR_VISITORS:
        _open(window, name, PAGES[name](world))
        assert "/login/" not in window.page.url or name == "login", f"{name} is closed to visitors"
        faults += everywhere(window, CROSSWISE)
    assert not faults, "\n".join(faults)


@pytest.fixture
def sent(world: Project, fresh_sandbox: RunningSandbox, settings: Settings) -> EditBatch:
    """The world's batch, sent; its project is private and has a name of its own."""
    settings.EDITS_A_MINUTE, settings.READS_A_MINUTE, settings.FIRST_BATCH = 6000, 60000, 0
    batch = send_to_the_end(EditBatch.objects.get(state="running"))
    assert batch.state == EditBatch.State.DONE
    Project.objects.update(visibility=Project.Visibility.PRIVATE, name=SECRET)
    return batch


def test_a_sent_batch_of_a_private_project_for_a_visitor(
    world: Project, sent: EditBatch, visit: Visit
) -> None:
    window = visit("/how", screen=PHONE)
    faults = _in_every_way(window, "sent-batch", of_sent(world))
    page = window.page
    assert page.url.endswith(f"/batch/{sent.code}"), "open without a login"
    written = sent.attempts.filter(outcome=ClaimAttempt.Outcome.WRITTEN)
    expect(page.locator(".batch-rows > li")).to_have_count(written.count())
    expect(page.locator(".batch-rows a.diff").first).to_be_visible()
    for deed in ("pause", "resume", "stop", "undo"):
        expect(page.locator(f"#{deed}")).to_have_count(0)
    assert SECRET not in page.content()
    assert not faults, "\n".join(faults)


def test_a_patroller_undoes_a_batch_of_a_private_project(
    world: Project, sent: EditBatch, pat: User, visit: Visit
) -> None:
    window = visit("/how", user=pat)
    page = window.page
    faults: list[str] = []
    for name, kwargs in OUTSIDE.items():
        faults += _in_every_way(window, name, kwargs(world))
        assert SECRET not in page.content()
    _open(window, "sent-batch", of_sent(world))
    window.press("#undo")
    page.locator("#reason").fill("y" * 256)
    window.press("#undo-now")
    expect(page.locator("main")).to_contain_text("Shorten it to 255")
    expect(page.locator("#reason")).to_have_value("y" * 256)
    assert all("422" in each for each in window.complaints)
    window.complaints.clear()
    page.locator("#reason").fill("these are her sister")
    window.press("#undo-now")
    undo = EditBatch.objects.get(kind=EditBatch.Kind.UNDO)
    expect(page.locator("h1")).to_contain_text(undo.code)
    assert page.url.endswith(f"/batch/{undo.code}")
    for deed, appears in (("pause", "resume"), ("resume", "pause")):
        faults += everywhere(window, CROSSWISE)
        window.press(f"#{deed}")
        expect(page.locator(f"#{appears}")).to_be_visible()
    window.press("#stop")
    expect(page.locator("#stop")).to_have_count(0)
    undo.refresh_from_db()
    assert (undo.user, undo.state) == (pat, EditBatch.State.STOPPED)
    assert SECRET not in page.content()
    assert not faults, "\n".join(faults)


def _in_every_way(window: Window, name: str, kwargs: dict[str, Any]) -> list[str]:
    """Open a page; return what is wrong with it by keyboard, in big text, and at each width."""
    window.page.emulate_media(reduced_motion="reduce")
    _open(window, name, kwargs)
    faults = [f"{name}: {fault}" for fault in _without_motion(window)]
    faults += [f"{name}: {fault}" for fault in _with_big_text(window)]
    faults += [f"{name}: {fault}" for fault in _too_wide(window)]
    window.page.emulate_media(reduced_motion="no-preference")
    return faults + everywhere(window, ALL if name in MAIN else CROSSWISE)


def _open(window: Window, name: str, kwargs: dict[str, Any]) -> None:
    window.page.goto(_at(window, name, kwargs))


def _at(window: Window, name: str, kwargs: dict[str, Any]) -> str:
    kwargs = dict(kwargs)
    query = urlencode(kwargs.pop("query", {}), doseq=True)
    origin: str = window.page.evaluate("() => location.origin")
    return f"{origin}{reverse(name, kwargs=kwargs)}{'?' if query else ''}{query}"


def _without_motion(window: Window) -> Iterator[str]:
    """For who goes by keyboard, too."""
    page = window.page
    page.keyboard.press("Tab")
    yield from (f"no focus on {each}" for each in page.evaluate(UNSEEN_FOCUS))
    yield from (f"{motion} moves" for motion in page.evaluate(MOVING))
    page.evaluate("() => document.activeElement.blur()")


def _with_big_text(window: Window) -> Iterator[str]:
    """And in a narrow window."""
    page = window.page
    page.evaluate(BIG_TEXT, "200%")
    yield from (f"text at 200 %: {fault}" for fault in window.faults())
    page.set_viewport_size({"width": PHONE.width, "height": PHONE.height})
    faults = [*window.faults(), *page.evaluate(TOO_WIDE)]
    yield from (f"text at 200 % on a phone: {fault}" for fault in faults)
    page.evaluate(BIG_TEXT, "")
    page.set_viewport_size(NARROWEST)  # type: ignore[arg-type]
    yield from (f"narrow: {fault}" for fault in window.faults())
    page.set_viewport_size({"width": DESK.width, "height": DESK.height})


def _too_wide(window: Window) -> Iterator[str]:
    page = window.page
    for screen in (PHONE, DESK):
        page.set_viewport_size({"width": screen.width, "height": screen.height})
        yield from (f"at {screen.name}: {fault}" for fault in page.evaluate(TOO_WIDE))
