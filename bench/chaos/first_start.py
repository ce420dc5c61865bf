"""The first start of `manage.py run` on a disk that is too small, and the next one on a larger."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.chaos.system import mount
from bench.system import ROOT, System

PATIENCE = 120  # seconds in which the first start succeeds or says why not


def start_on_full_disk(megabytes: int) -> None:
    """Start the tool where its data do not fit, then give it space and start it again.

    Raises AssertionError where the first start ends in a traceback, or the second one fails.
    """
    with TemporaryDirectory(prefix="wikivisage-first-") as folder:
        if not mount(Path(folder), megabytes):
            raise PermissionError("no disk can be mounted")
        try:
            system = System(demo=True, environment={"DATA_DIR": folder})
            lines = first_lines(system)
            assert not any("Traceback" in line for line in lines), "\n".join(lines[-60:])
            subprocess.run(["mount", "-o", "remount,size=512m", folder], check=True)
            system.start()
            system.stop()
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def first_lines(system: System) -> list[str]:
    """Return what the first start says until it ends or is ready."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run"],
        cwd=ROOT, env=system.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lines: list[str] = []
    timer = threading.Timer(PATIENCE, process.terminate)
    timer.start()
    try:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            if line.startswith("ready"):
                process.terminate()
        process.wait(30)
    finally:
        timer.cancel()
        process.kill()
    return lines
