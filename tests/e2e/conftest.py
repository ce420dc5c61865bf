"""The whole system, run once as `make run` runs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.browser import CHROMIUM
from bench.system import System


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Web server, workers and sandbox wiki on fresh data and free ports.

    With the engine that misses faces, so that there are some to draw and photos without any.
    """
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt install chromium")
    with System(environment={"EDITS_A_MINUTE": "6000", "ENGINE": "dlib"}) as running:
        yield running
