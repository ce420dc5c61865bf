"""A process that has loaded everything and forks a worker for each job: one that may be killed.

A fresh interpreter for each run would cost a second. This one holds no connection, neither to the
database nor to the wiki, so that nothing is shared with the forks. Jobs and their ends go by
lines: `crash-point=marker budget` in, the exit code out (-9: killed).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Self


class WarmWorker:
    """The handle of the process, for the test."""

    def __init__(self, folder: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": folder},
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)

    def work(self, budget: float, crash_at: str = "", workers: int = 1) -> list[int]:
        """Run the write task in so many processes at once; returns how they ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{workers} {budget} {crash_at}\n")
        self.process.stdin.flush()
        return [int(code) for code in self.process.stdout.readline().split()]


def serve() -> None:
    import django

    django.setup()

    from django.conf import settings

    from sdc.watch import recheck
    from sdc.writing import scheduler
    from wiki import transport

    assert transport
    settings.EDITS_A_MINUTE = 6000
    settings.READS_A_MINUTE = 60000
    settings.FIRST_BATCH = 0
    for line in sys.stdin:
        workers, budget, *crash_at = line.split()
        born = []
        for _worker in range(int(workers)):
            pid = os.fork()
            if not pid:
                os.environ["WIKIVISAGE_CRASH_AT"] = "".join(crash_at)
                try:
                    scheduler.work(float(budget))
                    recheck.work(float(budget))
                except BaseException:
                    sys.excepthook(*sys.exc_info())
                    os._exit(1)
                os._exit(0)
            born.append(pid)
        ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in born]
        sys.stdout.write(" ".join(map(str, ends)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
