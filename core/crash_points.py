"""Named points at which a test kills or freezes the process, to prove that nothing is lost.

`WIKIVISAGE_CRASH_AT="detect:before-commit=/some/file"` kills the process with SIGKILL the first
time it passes that point; the file is made first, so that it happens once.

`WIKIVISAGE_FAULTS=/some/folder` does it while the system runs: a file there that is named as the
point holds the name of a signal (SIGKILL, SIGSTOP). The first process that passes takes the file
away and gets the signal. With both unset, a point costs two dictionary look-ups.
"""

import os
import signal
from pathlib import Path


def crash_point(name: str) -> None:
    if folder := os.environ.get("WIKIVISAGE_FAULTS"):
        _obey(Path(folder) / name)
    wanted, _, marker = os.environ.get("WIKIVISAGE_CRASH_AT", "").partition("=")
    if wanted != name:
        return
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _obey(order: Path) -> None:
    """Whoever takes the order away is the one that it is for."""
    mine = order.with_name(f".{os.getpid()}.{order.name}")
    try:
        order.rename(mine)
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.Signals[mine.read_text().strip()])
