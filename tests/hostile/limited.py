"""Work in a child under the limits of a worker, watched by a parent that outlives it."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from celery_app import limit_memory

Look = Callable[[int], str]  # by number, to how it ended
HUNG, DIED = "hung", "died"
_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class End:
    """How one number ended, and the most memory (MB) that the child had had by then."""

    number: int
    outcome: str
    memory: int = 0


def ends(look: Look, count: int, *, patience: float, until: float = float("inf")) -> Iterator[End]:
    """`look(0)`, `look(1)` … up to `count`, or to a time of the monotonic clock.

    A child that dies, or that says nothing for `patience` seconds, ends that number alone: the
    next child goes on behind it.
    """
    start = 0
    while start < count:
        ours, theirs = _fork.Pipe(duplex=False)
        child = _fork.Process(target=_work, args=(look, start, count, until, theirs), daemon=True)
        child.start()
        theirs.close()
        silent = False
        while True:
            if silent := not ours.poll(patience):
                child.kill()
                break
            try:
                end: End = ours.recv()
            except EOFError:
                break
            yield end
            start = end.number + 1
        child.join()
        if not silent and child.exitcode == 0:
            return
        yield End(start, HUNG if silent else f"{DIED}: {child.exitcode}")
        start += 1


def _work(look: Look, start: int, count: int, until: float, pipe: Connection) -> None:
    limit_memory()
    for number in range(start, count):
        if time.monotonic() > until:
            break
        try:
            outcome = look(number)
        except BaseException as error:
            outcome = f"escaped: {type(error).__name__}: {error}"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        pipe.send(End(number, outcome, memory))
    pipe.close()
