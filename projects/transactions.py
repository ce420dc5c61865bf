"""What the database ends for no fault of ours, and that goes well when it is done once more.

Two transactions that wait for each other are a deadlock: MariaDB rolls one of them back, and
whoever ran it has to run it again. While it restarts, all of them fail. Neither says anything of
the work itself, so it must not count as a failed try.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import Error, connection

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TIMES, PAUSE = 5, 0.05  # tries, and seconds before the second one
# https://mariadb.com/docs/server/reference/error-codes
COLLIDED = {1213, 1205, 1020}  # deadlock, waited too long for a lock, row changed meanwhile
AWAY = {1053, 1927, 2002, 2003, 2005, 2006, 2013}  # shutting down, killed, not there, lost


def is_collision(error: BaseException) -> bool:
    """Whether another transaction was in the way; the own one is rolled back."""
    return _code(error) in COLLIDED or "database is locked" in str(error)


def is_transient(error: BaseException) -> bool:
    """Whether the database failed, and not what was asked of it."""
    return isinstance(error, Error) and (is_collision(error) or _code(error) in AWAY)


def retried(work: Callable[P, R]) -> Callable[P, R]:
    """Runs `work`, a whole transaction, again when another one was in its way. Within a
    transaction it leaves that to whoever began it."""

    @wraps(work)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for number in range(1, TIMES):
            try:
                return work(*args, **kwargs)
            except Error as error:
                if connection.in_atomic_block or not is_collision(error):
                    raise
                log.info("%s is tried again: %s", work.__name__, error)
            time.sleep(PAUSE * number**2)
        return work(*args, **kwargs)

    return wrapper


def _code(error: BaseException) -> int:
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0
