"""`python -m sandbox`: the sandbox wiki for people and for the development set-up."""

from __future__ import annotations

import argparse
import errno
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from sandbox.server import serve


def main() -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder for state and thumbnails")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--photos", type=Path, help="folder of photos to seed from")
    parser.add_argument("--url", help="address that answers mention, if not http://HOST:PORT")
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        running = serve(
            options.data,
            options.port,
            host=options.host,
            url=options.url,
            photos=options.photos,
        )
    except sqlite3.OperationalError as error:
        print(f"Nothing can be written to {options.data}: {error}.", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print(f"There is no room left for {options.data}.", file=sys.stderr)
            return 1
        print(f"{error} Choose another with --port.", file=sys.stderr)
        return 1
    print(f"sandbox wiki ready at {running.url}", flush=True)
    stop.wait()
    running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
