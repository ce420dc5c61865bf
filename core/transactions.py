"""Transactions that survive what other transactions do to them.

Two transactions that wait for each other are a deadlock: MariaDB rolls one of them back, and the
program has to run it again. While the database restarts, all of them fail. Neither says anything
about the work itself, so neither may count as a failed try, or reach a person as an error.

`atomic` is how our code begins a transaction; tests/projects/test_transactions.py holds all apps
to that. A statement outside of transactions is one of its own: `repeat_single_statements`.
"""

from __future__ import annotations

import copy
import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import Error, connection, transaction
from django.db.models import Model

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

TRIES, PAUSE = 6, 0.05  # and seconds before the second try, more before each later one
# https://mariadb.com/docs/server/reference/error-codes
COLLISIONS = {1213, 1205, 1020}  # deadlock, waited too long for a lock, row changed meanwhile
# no room on the disk, too many connections (of the server, of the user), shutting down, killed, not
# there, lost
ABSENCES = {1021, 1040, 1053, 1203, 1226, 1927, 2002, 2003, 2005, 2006, 2013}
# What SQLite says of the file itself.
OF_THE_DISK = ("unable to open database file", "database or disk is full", "disk I/O error")


def is_collision(error: BaseException) -> bool:
    """Return whether another transaction was in the way; the own one is rolled back."""
    return isinstance(error, Error) and (
        _code(error) in COLLISIONS or "database is locked" in str(error)
    )


def is_transient(error: BaseException) -> bool:
    """Return whether the database failed rather than what was asked of it: try again later."""
    return is_collision(error) or (
        isinstance(error, Error)
        and (_code(error) in ABSENCES or any(words in str(error) for words in OF_THE_DISK))
    )


def atomic(work: Callable[P, R]) -> Callable[P, R]:
    """Run `work` as one transaction, again from its start when another one was in its way.

    Before each new try the models among its arguments are as they were at first. What it does
    outside of the database is done again, too: no HTTP in it, no messages to the person.
    Within another transaction it is a savepoint, and the outermost function is run again.
    """

    @wraps(work)
    def run_atomic(*args: P.args, **kwargs: P.kwargs) -> R:
        def run_once() -> R:
            with transaction.atomic():
                return work(*args, **kwargs)

        if connection.in_atomic_block:
            return run_once()
        restore = _remember((*args, *kwargs.values()))
        return _repeat(run_once, work.__name__, before_again=restore)

    return run_atomic


def repeat_single_statements(
    execute: Callable[..., R], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> R:
    """Run a statement outside of transactions again, too; an execute wrapper of each connection."""
    if context["connection"].in_atomic_block:
        return execute(sql, params, many, context)
    return _repeat(lambda: execute(sql, params, many, context), "a statement")


def watch_connection(*, connection: Any, **_kwargs: Any) -> None:
    """Have a new connection repeat its single statements (receiver of `connection_created`)."""
    if repeat_single_statements not in connection.execute_wrappers:
        connection.execute_wrappers.append(repeat_single_statements)


def _repeat(run: Callable[[], R], name: str, before_again: Callable[[], None] | None = None) -> R:
    for number in range(1, TRIES):
        try:
            return run()
        except Error as error:
            if not is_collision(error):
                raise
            log.info("%s is tried again: %s", name, _code(error) or "database is locked")
        if before_again:
            before_again()
        time.sleep(PAUSE * number**2 * random.uniform(0.5, 1.5))  # noqa: S311
    return run()


def _remember(values: Iterable[object]) -> Callable[[], None]:
    """Return a function that makes the models among `values` what they are now."""
    kept = [(model, copy.copy(model)) for model in _models_in(values)]

    def restore() -> None:
        for model, as_it_was in kept:
            model.__dict__ = as_it_was.__getstate__()

    return restore


def _models_in(values: Iterable[object]) -> Iterator[Model]:
    for value in values:
        if isinstance(value, Model):
            yield value
        elif isinstance(value, list | tuple):
            yield from _models_in(value)


def _code(error: BaseException) -> int:
    code = error.args[0] if error.args else 0
    return code if isinstance(code, int) else 0
