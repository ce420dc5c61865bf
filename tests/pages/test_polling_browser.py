"""A page that moves by itself asks ever more seldom, and never in a tab that nobody looks at."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from projects.models import User
from tests import factories
from tests.pages.harness import Visit
from tests.wikivisage.conftest import finish_crawl

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(120),
]

# The next time is set only when the page has taken in what the server said.
COUNT_ANSWERS = """() => {
    const count = (event) => { event.currentTarget.dataset.answers = ++answers; };
    let answers = 0;
    document.body.addEventListener("htmx:afterRequest", count);
}"""


def look(page: Page, hidden: bool) -> None:
    """As when somebody goes to another tab, or comes back."""
    page.evaluate(
        """hidden => {
            Object.defineProperty(document, "hidden", {get: () => hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_polls_slow_down_stop_in_hidden_tabs_and_go_on_at_once(visit: Visit, alice: User) -> None:
    project = factories.make_project(alice)
    window = visit(f"/p/{project.public_id}/", user=alice)
    page = window.page
    page.clock.install(time=0)
    page.clock.pause_at(1)  # a slow machine makes no time pass
    page.reload()
    page.evaluate(COUNT_ANSWERS)
    polls: list[str] = []
    page.on("request", lambda sent: polls.extend([sent.url] * ("/status" in sent.url)))

    def passes(seconds: float) -> int:
        """So much time of the page; how often it has asked by then."""
        page.clock.run_for(round(1000 * seconds))
        return len(polls)

    def asks_after(seconds: float) -> int:
        with page.expect_response(lambda response: "/status" in response.url) as answer:
            page.clock.run_for(round(1000 * seconds))
        expect(page.locator("body")).to_have_attribute("data-answers", str(len(polls)))
        return answer.value.status

    # nothing changes: two seconds, three, four and a half, …
    for wait in (2, 3, 4.5, 6.75):
        before = len(polls)
        assert passes(wait - 0.5) == before
        assert asks_after(0.6) == 204
        assert len(polls) == before + 1
    assert all("ticket=" in url for url in polls)

    look(page, hidden=True)
    before = len(polls)
    assert passes(600) == before, "nobody looks"

    # somebody comes back: at once, and what changed meanwhile is there
    finish_crawl(project)
    with page.expect_response(lambda response: "/status" in response.url) as answer:
        look(page, hidden=False)
    assert answer.value.status == 200
    expect(page.get_by_role("heading", name="No photo was found")).to_be_visible()
    assert asks_after(2.1) == 204, "soon again after a change"
