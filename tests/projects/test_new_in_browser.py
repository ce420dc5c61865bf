"""The page of a new project by keyboard, in a real browser."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from projects import categories
from projects.forms import DEPTH
from projects.models import Project, User
from sandbox import RunningSandbox
from tests.conftest import ClientOf

pytestmark = pytest.mark.browser


@pytest.fixture
def page(
    chromium: Browser,
    live_server: object,
    sandbox: RunningSandbox,
    alice: User,
    client_of: ClientOf,
) -> Iterator[Page]:
    """Alice's browser on the page; an error in its console fails the test."""
    cookie = client_of(alice).cookies[settings.SESSION_COOKIE_NAME]
    context = chromium.new_context()
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": str(live_server)}])
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    # htmx calls it an error, too, when typing on ends a search that is under way
    aborted = ("htmx:sendAbort", "htmx:afterRequest")
    page.on(
        "console",
        lambda said: (
            problems.append(said.text)
            if said.type == "error" and not said.text.startswith(aborted)
            else None
        ),
    )
    page.goto(f"{live_server}/projects/new")
    yield page
    context.close()
    assert problems == []


def test_a_project_is_started_by_keyboard_alone(page: Page) -> None:
    expect(page.get_by_role("combobox").first).to_be_focused()
    page.keyboard.type("albert e", delay=20)
    options = page.locator("#who-list").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")  # round to the first
    page.keyboard.press("Enter")
    expect(page.locator(".chosen")).to_contain_text("Q937")
    expect(page.get_by_role("checkbox", name="Albert Einstein")).to_be_checked()
    lacking = categories.count("Albert Einstein", "Q937", DEPTH).lacking
    expect(page.locator("[data-sum=lacking]")).to_have_text(str(lacking))

    page.locator("#add").focus()
    page.keyboard.type("marie cur", delay=20)
    expect(page.locator("#add-list").get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#add-list")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".source")).to_have_count(2)
    page.get_by_role("button", name="Start looking").press("Enter")
    page.wait_for_url("**/p/*/")
    assert str(Project.objects.get()) == "Albert Einstein"


def test_the_sum_follows_ticks_and_depths(page: Page) -> None:
    page.keyboard.type("Q937")
    page.keyboard.press("Enter")
    lacking = page.locator("[data-sum=lacking]")
    deep, flat = (categories.count("Albert Einstein", "Q937", depth) for depth in (DEPTH, 0))
    assert deep.lacking > flat.lacking
    expect(lacking).to_have_text(str(deep.lacking))
    page.get_by_label("Subcategories").select_option("0")
    expect(lacking).to_have_text(str(flat.lacking))
    page.get_by_role("checkbox", name="Albert Einstein").uncheck()
    expect(page.locator("#sum")).to_be_hidden()


def test_a_misspelt_category_is_mended_by_one_click(page: Page) -> None:
    page.locator("#add").fill("Mari Curie")
    page.locator("#add").press("Enter")
    page.get_by_role("button", name="Marie Curie", exact=True).click()
    expect(page.get_by_role("checkbox", name="Marie Curie")).to_be_checked()
    expect(page.locator("#add")).to_have_value("")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator(".source")).to_have_count(0)
