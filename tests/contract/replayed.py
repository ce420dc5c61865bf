"""A tiny HTTP server that answers with recorded bytes, to feed recordings to our own client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

FOLDER = Path(__file__).parent / "recordings"
OURS = {"Content-Length", "Content-Encoding", "Transfer-Encoding", "Connection"}

Recorded = dict[str, Any]
Choose = Callable[[dict[str, str]], Recorded]  # the parameters of a request -> its recording


@cache
def recording(name: str) -> Recorded:
    loaded: Recorded = json.loads((FOLDER / f"{name}.json").read_text())
    return loaded


def parameters(recorded: Recorded) -> dict[str, str]:
    form = recorded["request"]["form"]
    return {**(recorded["request"]["query"] or {}), **(form if isinstance(form, dict) else {})}


def names_of(*actions: str, folders: tuple[str, ...]) -> list[str]:
    """Every recording of these API actions, as folder/name."""
    paths = sorted(path for folder in folders for path in (FOLDER / folder).glob("*.json"))
    names = [f"{path.parent.name}/{path.stem}" for path in paths]
    return [name for name in names if parameters(recording(name)).get("action") in actions]


def codes_of(recorded: Recorded) -> list[str]:
    """The error codes that the wiki's header names, in its order."""
    header = recorded["response"]["headers"].get("MediaWiki-API-Error", "")
    return [code.strip() for code in header.split(",") if code.strip()]


def body_bytes(recorded: Recorded) -> bytes:
    body = recorded["response"]["body"]
    if body is None:
        return b""
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()


class _Server(ThreadingHTTPServer):
    choose: Choose


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer({key: values[0] for key, values in parse_qs(raw).items()})

    def _answer(self, form: dict[str, str]) -> None:
        query = parse_qs(urlsplit(self.path).query)
        recorded = self.server.choose({key: values[0] for key, values in query.items()} | form)
        body = body_bytes(recorded)
        self.send_response(recorded["response"]["status"])
        for key, value in recorded["response"]["headers"].items():
            if key not in OURS:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@cache
def _server() -> _Server:
    """One for all tests of this process."""
    server = _Server(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def _nothing(given: dict[str, str]) -> Recorded:
    raise AssertionError(f"asked when nobody replays: {given}")


@contextmanager
def replaying(choose: Choose) -> Iterator[str]:
    """Serve what `choose` picks; yields the server's address."""
    server = _server()
    server.choose = choose
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.choose = _nothing
