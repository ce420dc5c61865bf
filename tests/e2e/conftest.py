"""The whole system, run once as `make run` runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.browser import CHROMIUM
from bench.system import System


@pytest.fixture(scope="module")
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Web server, workers and sandbox wiki on fresh data and free ports, with the engine that
    the test names."""
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium")
    engine: str = request.param
    with System(environment={"EDITS_A_MINUTE": "6000", "ENGINE": engine}) as running:
        yield running
