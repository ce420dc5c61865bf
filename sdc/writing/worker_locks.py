"""Whether the worker that has a user's turn still lives, so that no dead one's lease is waited out.

A process that writes holds a lock on a file of its own for as long as it lives; the kernel drops
the lock with the process, however that ends. Whoever can lock another one's file knows that it is
gone. Of a process of another machine only the lease tells, even on a shared disk, whose locks can
be lost with the network. So the names begin with the machine's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
import uuid
from functools import cache
from pathlib import Path
from typing import IO

from django.conf import settings

OLD = 24 * 3600  # seconds after which the file of one that is gone tells nothing any more
_own: tuple[int, str, IO[str]] | None = None


def own() -> str:
    """The name of this process, which is taken for living from now on."""
    global _own
    if _own is None or _own[0] != os.getpid():  # a forked child has a name of its own
        _clear_away()
        name = _machine() + secrets.token_hex(5)
        file = open(_path(name), "w")  # noqa: SIM115 - held as long as the process lives
        fcntl.flock(file, fcntl.LOCK_EX)
        _own = os.getpid(), name, file
    return _own[1]


def is_gone(name: str) -> bool:
    """Whether the process of that name has ended for certain."""
    return name.startswith(_machine()) and _is_free(_path(name))


@cache
def _machine() -> str:
    """Six hex digits of the machine as long as it runs; containers on it are the same machine."""
    try:
        known = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        known = str(uuid.getnode())
    return hashlib.sha256(known.encode()).hexdigest()[:6]


def _is_free(path: Path) -> bool:
    try:
        with open(path, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or not of this machine
        return False
    return True


def _path(name: str) -> Path:
    folder = settings.DATA_DIR / "desks"
    folder.mkdir(exist_ok=True)
    return Path(folder / name)


def _clear_away() -> None:
    for path in _path("").glob(f"{_machine()}*"):
        if path.stat().st_mtime < time.time() - OLD and _is_free(path):
            path.unlink(missing_ok=True)
