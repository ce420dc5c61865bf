"""Pages in a real browser: `web`, `visit`, `axe` and a small project on real photos.

`chromium` is started once a module; each visit has a context, thus a browser, of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django import Settings

from bench.browser import DESK, Screen, Window
from projects.models import User
from tests.classify_pages.conftest import real_project, web
from tests.conftest import ClientOf
from tests.pages import harness
from tests.pages.harness import Visit

__all__ = ["real_project", "web"]


@pytest.fixture
def visit(chromium: Browser, web: str, client_of: ClientOf, settings: Settings) -> Iterator[Visit]:
    """Opens a page in a window of its own. Its script errors, what breaks its CSP and what the
    server fails at fail the test."""
    settings.ALLOWED_HOSTS = ["*"]
    windows: list[Window] = []

    def visit(
        path: str,
        user: User | None = None,
        screen: Screen = DESK,
        theme: Any = "light",
        language: str = "en",
        **more: Any,
    ) -> Window:
        window = Window(
            chromium,
            screen,
            color_scheme=theme,
            extra_http_headers={"Accept-Language": language},
            **more,
        )
        windows.append(window)
        cookies = {settings.LANGUAGE_COOKIE_NAME: language}
        if user:
            name = settings.SESSION_COOKIE_NAME
            cookies[name] = client_of(user).cookies[name].value
        window.page.context.add_cookies(
            [{"name": name, "value": value, "url": web} for name, value in cookies.items()]
        )
        window.page.goto(web + path)
        return window

    yield visit
    complaints = [line for window in windows for line in window.complaints if _is_ours(line)]
    for window in windows:
        window.close()
    assert complaints == []


@pytest.fixture
def axe() -> harness.Axe:
    """`axe(window) == []`: nothing against WCAG 2.2 AA in the page as it is now."""
    return harness.violations


def _is_ours(complaint: str) -> bool:
    """Not a refusal or an aborted request, which tests bring about on purpose."""
    return complaint.startswith(("script:", "5")) or "Content Security Policy" in complaint
