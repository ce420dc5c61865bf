"""Data of an earlier `make run` or backup, whose migrations have other names, is refused."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from tests.environment import free_port
from wikivisage.ops import health, probes, schema_history
from wikivisage.ops.backup import HALF
from wikivisage.ops.schema_history import SENTENCE

# As a database before "Squash the migrations to one an app" has them, at its beginning.
EARLIER = [
    ("auth", "0012_alter_user_first_name_max_length"),
    ("projects", "0001_initial"),
    ("projects", "0001_squashed_0006_words"),
    ("crawler", "0001_initial"),
    ("crawler", "0001_squashed_0005_learning"),
    ("classify", "0001_squashed_0005_frames"),
    ("sdc", "0001_squashed_0002_careful_writing"),
    ("wikivisage", "0001_reached"),
]


def make_database(path: Path, names: list[tuple[str, str]]) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY AUTOINCREMENT,"
            " app varchar(255), name varchar(255), applied datetime)"
        )
        rows = [(*name, "2026-11-25 00:00:00") for name in names]
        sql = "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)"
        database.executemany(sql, rows)
        database.commit()
    return path


def run(database: Path, *command: str) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": f"sqlite://{database}", "REDIS_URL": "", "PORT": str(free_port())}
    own |= {"DATA_DIR": str(database.parent)}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *command],
        cwd=settings.BASE_DIR, env=os.environ | own, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("command", [["migrate"], ["run", "--no-demo"]])
def test_earlier_data_ends_a_command_with_the_sentence(command: list[str], tmp_path: Path) -> None:
    database = make_database(tmp_path / "data.sqlite3", EARLIER)
    ended = run(database, *command)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"CommandError: {SENTENCE}"


@pytest.mark.process
def test_a_backup_of_earlier_data_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = make_database(tmp_path / "old.sqlite3", EARLIER)
    backup = tmp_path / "wikivisage.gz"
    backup.write_bytes(gzip.compress(old.read_bytes()))
    ended = run(tmp_path / "new.sqlite3", "restore", str(backup))
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"CommandError: {SENTENCE} {HALF}"


@pytest.fixture
def recorded(db: None) -> Iterator[MigrationRecorder]:
    """The records of the test's own database, which come back."""
    with transaction.atomic():
        yield MigrationRecorder(connection)
        transaction.set_rollback(True)


def test_todays_data_and_newer_data_are_not_refused(recorded: MigrationRecorder) -> None:
    assert not schema_history.is_earlier(connection)
    for app in schema_history.APPS:
        recorded.record_applied(app, "0002_of_a_later_version")
    assert not schema_history.is_earlier(connection)
    call_command("migrate", verbosity=0)


@pytest.mark.parametrize("app", sorted(schema_history.APPS))
def test_data_without_the_first_migration_of_an_app_is_refused(
    app: str, recorded: MigrationRecorder
) -> None:
    recorded.record_unapplied(app, "0001_rooms")
    assert not schema_history.is_earlier(connection), "nothing of this app was made yet"
    recorded.record_applied(app, "0007_of_an_earlier_version")
    with pytest.raises(CommandError, match="earlier version"):
        call_command("migrate", verbosity=0)


def test_health_and_doctor_say_the_same_sentence(
    recorded: MigrationRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.record_unapplied("wikivisage", "0001_rooms")
    recorded.record_applied("wikivisage", "0001_reached")
    cache.delete(health.APPLIED)
    part = health.migrations()
    assert (part.status, part.says) == (health.FAILED, SENTENCE)
    [finding] = [each for each in probes.database() if each.about == "migrations"]
    assert (finding.status, finding.says, finding.do) == (probes.FAIL, SENTENCE, "")


def test_an_unfinished_update_is_told_with_its_command(recorded: MigrationRecorder) -> None:
    recorded.record_unapplied("wikivisage", "0001_rooms")
    cache.delete(health.APPLIED)
    assert "manage.py migrate" in health.migrations().says
