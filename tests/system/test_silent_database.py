"""A database that is silent instead of closed: the web server gives it up and answers 503.

The real gunicorn reaches MariaDB through a proxy that stops to pass anything on, as a frozen server
or a network that drops everything does.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.system.test_front import Gunicorn

THREADS = 4  # of that Gunicorn


class Proxy:
    """`with Proxy(host, port):` passes bytes on while `passing` is set."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.passing = threading.Event()
        self.passing.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.passing.set()
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _address = self.listener.accept()
                server = socket.create_connection(self.target)
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(65_536):
                self.passing.wait()
                sink.sendall(data)
            with suppress(OSError):
                sink.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(shared_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Between MariaDB and the processes that the test starts."""
    parts = urlsplit(shared_database)
    with Proxy(parts.hostname or "127.0.0.1", parts.port or 3306) as proxy:
        user = parts.netloc.rpartition("@")[0]
        through = parts._replace(netloc=f"{user}@127.0.0.1:{proxy.port}")
        monkeypatch.setenv("DATABASE_URL", through.geturl())
        yield proxy


@pytest.mark.mariadb
@pytest.mark.timeout(180)
def test_a_silent_database_is_given_up_and_comes_back(proxy: Proxy, tmp_path: Path) -> None:
    with (
        Gunicorn(tmp_path, LOG_FORMAT="json", DATABASE_URL=os.environ["DATABASE_URL"]) as gunicorn,
        ThreadPoolExecutor(2 * THREADS) as pool,
    ):

        def get(path: str) -> tuple[int, str | None]:
            answer = requests.get(f"http://127.0.0.1:{gunicorn.port}{path}", timeout=60)
            return answer.status_code, answer.headers.get("Retry-After")

        def get_many() -> set[tuple[int, str | None]]:
            return set(pool.map(get, ["/projects"] * 2 * THREADS))

        for _ in range(3):  # each thread then has a connection that it keeps
            assert get_many() == {(200, None)}
        proxy.passing.clear()
        assert get_many() == {(503, "10")}, "those that had a connection, and those that want one"
        assert get_many() == {(503, "10")}
        assert get("/health/live") == (200, None)
        proxy.passing.set()
        assert get_many() == {(200, None)}
        assert "Traceback" not in (tmp_path / "web.log").read_text()
