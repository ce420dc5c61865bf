"""A wiki whose pictures come when the test lets them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from sandbox import RunningSandbox

PATIENCE = 30  # seconds until what doesn't come is an error


class Gate:
    """Before the sandbox's pictures, for whoever is no browser. Counts those that are asked for."""

    def __init__(self, app: Any) -> None:
        self._answer = app.wsgi_app
        self._open = threading.Event()
        self._asked = threading.Semaphore(0)
        self.count = 0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        is_ours = "requests/" in environ.get("HTTP_USER_AGENT", "")
        if is_ours and environ["PATH_INFO"].startswith("/upload/"):
            self.count += 1
            self._asked.release()
            assert self._open.wait(PATIENCE)
        answer: Iterable[bytes] = self._answer(environ, start)
        return answer

    def open(self) -> None:
        self._open.set()

    def wait_until_asked(self) -> None:
        assert self._asked.acquire(timeout=PATIENCE)


@pytest.fixture
def gate(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    made = Gate(sandbox.app)
    monkeypatch.setattr(sandbox.app, "wsgi_app", made)
    yield made
    made.open()
