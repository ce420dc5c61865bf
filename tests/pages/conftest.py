"""Pages in a real browser: `axe` and a small project on real photos, beside `visit`."""

from __future__ import annotations

import pytest

from tests.classify_pages.conftest import real_project
from tests.pages import harness

__all__ = ["real_project"]


@pytest.fixture
def axe() -> harness.Axe:
    """`axe(window) == []`: nothing against WCAG 2.2 AA in the page as it is now."""
    return harness.violations
