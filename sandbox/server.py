"""The threaded HTTP server around the Flask app."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox import seed as seeding
from sandbox.app import create_app
from sandbox.faults import Faults
from sandbox.world import World

_POLL_SECONDS = 0.05  # how long `close()` waits at most for the server to notice


class _QuietHandler(WSGIRequestHandler):
    """No Nagle's delay, so that an answer takes milliseconds; no log lines."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing: the sandbox counts requests instead."""

    def finish(self) -> None:
        """Lets a connection go that a fault has cut."""
        with contextlib.suppress(ConnectionError):
            super().finish()


@dataclass
class RunningSandbox:
    """A sandbox that answers at `url` until `close()`."""

    url: str
    world: World
    faults: Faults
    app: Flask
    _server: BaseWSGIServer
    _thread: threading.Thread = field(repr=False)

    def close(self) -> None:
        """Stops the server and closes the state file."""
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        self.world.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(
    data_dir: Path | str,
    port: int = 0,
    seed: bool = True,
    *,
    host: str = "127.0.0.1",
    url: str | None = None,
    photos: Path | None = None,
) -> RunningSandbox:
    """Starts a sandbox in a thread of this process.

    `data_dir` keeps state and thumbnails; port 0 takes a free one. An empty world is seeded
    unless `seed` is False. `url` is the address that answers are to mention, when it is not
    http://host:port. Raises OSError when the port is taken.
    """
    world = World(Path(data_dir))
    faults = Faults()
    app = create_app(world, faults)
    try:
        server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler)
    except (OSError, SystemExit) as error:
        world.close()
        raise OSError(f"Port {port} on {host} is taken.") from error
    world.base_url = (url or f"http://{host}:{server.server_port}").rstrip("/")
    if seed and world.is_empty():
        seeding.seed(world, photos or seeding.PHOTOS)
    thread = threading.Thread(
        target=server.serve_forever, args=(_POLL_SECONDS,), name="sandbox", daemon=True
    )
    thread.start()
    return RunningSandbox(world.base_url, world, faults, app, server, thread)
