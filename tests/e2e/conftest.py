"""The whole system, run once as `make run` runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.browser import CHROMIUM
from bench.system import System


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Web server, workers and sandbox wiki on fresh data and free ports."""
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium")
    with System(environment={"EDITS_A_MINUTE": "6000"}) as running:
        yield running
