"""Hands the cases of a corpus over, as badly as they want it: `/upload/<number>/<name>`."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from crawler.models import Photo
from tests.hostile.corpus import Case

PIECES = 1000  # at most, of what never ends


def path_of(number: int, case: Case) -> str:
    return f"/upload/{number}/{quote(case.name, safe='')}"[: Photo.thumb_path.field.max_length]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self.close_connection = True
        case = self.server.cases[int(self.path.split("/")[2])]
        if case.manner == "silent":
            return
        with contextlib.suppress(OSError):  # the other side has had enough
            self._head(case)
            self._body(case)

    def _head(self, case: Case) -> None:
        headers = {"Content-Length": str(len(case.body))} | case.headers
        if case.manner in ("endless", "trickle"):
            del headers["Content-Length"]
        if case.mime is not None:
            headers["Content-Type"] = case.mime
        lines = [f"HTTP/1.1 {case.status} So it is", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def _body(self, case: Case) -> None:
        self.wfile.write(case.body)
        if case.manner == "endless":
            for _ in range(PIECES):
                self.wfile.write(bytes(65_536))
        if case.manner == "trickle":
            for _ in range(PIECES):
                self.wfile.write(b"\0")
                time.sleep(0.1)

    def log_message(self, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 50
    cases: list[Case]

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def serve(cases: list[Case]) -> Iterator[str]:
    """The address at which they are had."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.cases = cases
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
