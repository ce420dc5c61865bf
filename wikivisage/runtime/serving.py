"""The worker of gunicorn, named in gunicorn.conf.py: no client holds one of its threads for long.

gunicorn itself waits without limit for the rest of a request, and two seconds in its main loop for
a client to close. A proxy in front that reads requests whole is still needed against many slow
clients (SECURITY.md): here they take turns at the threads instead of keeping them.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

FIRST_BYTE_SECONDS = 0.05  # without any by then, a connection waits outside the threads
REQUEST_SECONDS = 15.0  # from the first byte to the last


class Worker(ThreadWorker):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.began: dict[TConn, float] = {}

    def handle(self, conn: TConn) -> Any:
        """Read a request and answer it, in a thread; return whether to keep the connection."""
        if not (conn.initialized or conn.wait_for_data(FIRST_BYTE_SECONDS)):
            return _DEFER
        self.began[conn] = time.monotonic()
        try:
            keep = super().handle(conn)
        finally:
            del self.began[conn]
        if not keep:
            conn.close(graceful=True)  # in this thread, since it waits for the client
            conn.close = _do_nothing  # the main loop closes it once more
        return keep

    def murder_pending(self) -> None:
        """End what waits for too long; gunicorn's main loop calls this every second.

        Only reading ends: whoever was read in time still gets the answer.
        """
        super().murder_pending()
        latest = time.monotonic() - REQUEST_SECONDS
        for conn, began in list(self.began.items()):
            if began < latest:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RD)


def _do_nothing(graceful: bool = False) -> None:
    """Stand in for the `close` of a connection that is closed."""
