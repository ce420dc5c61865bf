"""Transactions that collide are run again, whoever began them; none costs a row a try."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection, transaction

from core.models import WikiPace
from core.transactions import atomic, is_transient
from core.work import WorkState
from crawler.models import Picture

DEADLOCK = OperationalError(1213, "Deadlock found when trying to get lock")
APPS = ("core", "wiki", "projects", "crawler", "classify", "sdc", "wikivisage")
# Who may begin a transaction without `atomic`, and why.
EXCEPTIONS = {
    "core/transactions.py": "`atomic` itself",
    "projects/accounts/tokens.py _read": "reads one row; durable: no HTTP in a transaction",
    "classify/learner/run.py _infer": "the learner's memory would be ahead: its row is given back",
    "classify/learner/run.py _draw": "as _infer",
    "classify/learner/run.py _save_scores": "as _infer",
    "classify/learner/census.py count": "the next run counts again",
}


def test_all_transactions_are_begun_by_atomic() -> None:
    begun = {
        name
        for app in APPS
        for path in sorted((settings.BASE_DIR / app).rglob("*.py"))
        for name in _bare_transactions(path)
    }
    allowed = {name for name in begun if name.split()[0] in EXCEPTIONS or name in EXCEPTIONS}
    assert begun - allowed == set(), "use core.transactions.atomic"
    used = {line for line in EXCEPTIONS if any(name.startswith(line) for name in begun)}
    assert used == set(EXCEPTIONS), "there is no such transaction any more"


def _bare_transactions(path: Path) -> Iterator[str]:
    """`file function` for each function that names Django's own ways to begin a transaction."""
    where = str(path.relative_to(settings.BASE_DIR))

    def visit(node: ast.AST, function: str) -> Iterator[str]:
        if isinstance(node, ast.FunctionDef):
            function = node.name
        names_it = isinstance(node, ast.Attribute) and ast.unparse(node) in (
            "transaction.atomic",
            "transaction.set_autocommit",
            "transaction.non_atomic_requests",
        )
        imports_it = isinstance(node, ast.ImportFrom) and node.module == "django.db.transaction"
        if names_it or imports_it:
            yield f"{where} {function}".strip()
        for child in ast.iter_child_nodes(node):
            yield from visit(child, function)

    yield from visit(ast.parse(path.read_text()), "")


@pytest.mark.waits
@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_collided_is_run_again() -> None:
    runs: list[int] = []
    committed: list[int] = []

    @atomic
    def work() -> int:
        WikiPace.objects.create(wiki="sandbox", lane=f"run {len(runs)}")
        runs.append(1)
        transaction.on_commit(lambda: committed.append(len(runs)))
        if len(runs) < 3:
            raise DEADLOCK
        return len(runs)

    assert work() == 3
    assert WikiPace.objects.count() == 1, "the first two were rolled back"
    assert committed == [3], "what waits for the commit happens once"
    runs.clear()
    with pytest.raises(OperationalError), transaction.atomic():
        work()
    assert len(runs) == 1, "within a transaction that is for whoever began it"


@pytest.mark.waits
@pytest.mark.django_db(transaction=True)
def test_a_new_try_begins_with_its_models_as_they_were() -> None:
    seen: list[tuple[int | None, str, bool]] = []

    @atomic
    def save(row: WikiPace, *, others: list[tuple[WikiPace, str]]) -> None:
        seen.append((row.pk, row.reason, row._state.adding))
        assert others[0][0].pk is None
        row.reason = "changed"
        row.save()
        others[0][0].save()
        if len(seen) < 2:
            raise DEADLOCK

    row, other = (WikiPace(wiki="sandbox", lane=lane, reason="") for lane in "ab")
    save(row, others=[(other, "")])
    assert seen == [(None, "", True)] * 2
    assert set(WikiPace.objects.values_list("pk", "reason")) == {
        (row.pk, "changed"),
        (other.pk, ""),
    }


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_two_in_each_others_way_both_get_their_turn(shared_database: str) -> None:
    """On MariaDB this is a deadlock: each holds the row that the other wants."""
    a, b = (WikiPace.objects.create(wiki="sandbox", lane=lane).pk for lane in "ab")
    both = threading.Barrier(2)
    met: list[int] = []

    @atomic
    def take(first: int, second: int) -> None:
        WikiPace.objects.filter(pk=first).update(reason=first)
        if len(met) < 2:
            met.append(first)
            both.wait(30)
        WikiPace.objects.filter(pk=second).update(reason=first)

    assert failures(lambda: take(a, b), lambda: take(b, a)) == []


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
def test_a_statement_outside_of_transactions_is_run_again(shared_database: str) -> None:
    row = WikiPace.objects.create(wiki="sandbox", lane="a")
    held, gave_up = threading.Event(), threading.Event()

    @atomic
    def hold() -> None:
        WikiPace.objects.filter(pk=row.pk).update(reason="held")
        held.set()
        assert gave_up.wait(30)

    def change() -> None:
        def note(execute: Any, sql: str, *more: Any) -> Any:
            try:
                return execute(sql, *more)
            except OperationalError as error:
                if error.args[0] == 1205:  # waited too long for a lock
                    gave_up.set()
                raise

        assert held.wait(30)
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
        connection.execute_wrappers.append(note)
        WikiPace.objects.filter(pk=row.pk).update(reason="changed")

    assert failures(hold, change) == []
    assert gave_up.is_set()
    row.refresh_from_db()
    assert row.reason == "changed"


def failures(*works: Callable[[], object]) -> list[BaseException]:
    """Run all at once, each with a connection of its own; return what they raised."""
    failed: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


@pytest.mark.django_db
def test_what_the_database_failed_at_costs_a_row_no_try() -> None:
    row = Picture.objects.create(sha1="a" * 40, width=1, height=1, mime="image/jpeg")
    assert row.take(timedelta(minutes=1))
    assert row.tries == 1
    assert row.give_back()
    row.refresh_from_db()
    assert (row.state, row.tries, row.attempt) == (WorkState.QUEUED, 0, 1)
    assert is_transient(DEADLOCK)
    assert is_transient(OperationalError("database or disk is full"))
    assert not is_transient(OperationalError(1366, "Incorrect string value"))
    assert not is_transient(ValueError("the picture's own"))
