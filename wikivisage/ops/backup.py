"""What is kept outside this machine, and how it comes back: `manage.py backup` and `restore`.

A backup is the database without face vectors and without sessions. Vectors are biometric data and
can be made again from the pictures; whoever restores a backup lets the workers do so, and people
log in again. Sealing keys and SECRET_KEY are not in it: without them the sealed tokens and texts
in a backup can't be read, so keep them elsewhere.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, models

from core.work import end_all_leases
from crawler import retention as crawler_retention
from crawler.models import Embedding
from sdc.writing import outcomes
from wikivisage.ops import heartbeats

LEFT_OUT: tuple[type[models.Model], ...] = (Embedding, Session, UserSession)
DATED = "wikivisage-%Y-%m-%dT%H%M.gz"
ALL_DATED = "wikivisage-????-??-??T????.gz"
CLIENT = {"user": "USER", "host": "HOST", "port": "PORT"}  # options of MariaDB's programs


SQLITE = b"SQLite format 3\0"  # how a file of it begins
HALF = "What came of it so far is in the database: make that empty again before you try again."


class BackupError(Exception):
    """The backup can't be made or taken back; the text says what to do."""


def write_dated(folder: Path) -> Path:
    """Write a backup whose name says when, in UTC, into a folder that its owner alone can open."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"{datetime.now(UTC):{DATED}}"
    write(target)
    return target


def keep_last(folder: Path, number: int) -> None:
    """Delete all dated backups of the folder but so many of the youngest; no other file."""
    for old in sorted(folder.glob(ALL_DATED), reverse=True)[number:]:
        old.unlink()


def write(target: Path) -> None:
    """Write the database, compressed, to a file that is whole or not there at all.

    Work may go on meanwhile: it is a snapshot of one moment. Raises BackupError, OSError.
    """
    if not target.parent.is_dir():
        raise BackupError(f"There is no folder {target.parent}. Make it first.")
    part = target.with_name(target.name + ".part")
    try:
        part.touch(0o600)
        with gzip.open(part, "wb") as packed:
            _dump_sqlite(packed) if connection.vendor == "sqlite" else _dump_mysql(packed)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def read(source: Path) -> None:
    """Fill an empty database from a backup, bring its schema up to date, let the workers make
    again what a backup does not hold, and see what was sent since before they send anything.
    Raises BackupError, OSError."""
    if not source.is_file():
        raise BackupError(f"There is no file {source}.")
    if connection.introspection.table_names():
        raise BackupError("The database is not empty. Name a new, empty one in DATABASE_URL.")
    try:
        with gzip.open(source, "rb") as packed:
            _check_kind(packed.read(len(SQLITE)))
            packed.seek(0)
            _load_sqlite(packed) if connection.vendor == "sqlite" else _load_mysql(packed)
    except (OSError, EOFError, sqlite3.DatabaseError) as error:
        raise BackupError(f"{source} is not a whole backup ({error}). {HALF}") from error
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except CommandError as error:
        raise BackupError(f"{error} {HALF}") from error
    outcomes.doubt_all()
    end_all_leases()
    heartbeats.forget()
    crawler_retention.look_anew()


def _dump_sqlite(packed: gzip.GzipFile) -> None:
    with _private_folder() as folder:
        copy = folder / "copy.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(copy)])
        with closing(sqlite3.connect(copy)) as small:
            for model in LEFT_OUT:
                small.execute(f'DELETE FROM "{model._meta.db_table}"')  # noqa: S608
            small.commit()
            small.execute("VACUUM")  # else the deleted bytes stay in the file
        with copy.open("rb") as file:
            shutil.copyfileobj(file, packed)


def _load_sqlite(packed: Any) -> None:
    with _private_folder() as folder:
        copy = folder / "copy.sqlite3"
        with copy.open("wb") as file:
            shutil.copyfileobj(packed, file)
        connection.ensure_connection()
        with closing(sqlite3.connect(copy)) as source:
            source.backup(connection.connection)


def _dump_mysql(packed: gzip.GzipFile) -> None:
    name = _setting("NAME")
    left_out = [f"--ignore-table-data={name}.{model._meta.db_table}" for model in LEFT_OUT]
    command = ["mariadb-dump", "--single-transaction", "--quick", *left_out, name]
    with _client(command, stdout=subprocess.PIPE) as process:
        shutil.copyfileobj(process.stdout, packed)


def _load_mysql(packed: Any) -> None:
    try:
        with _client(["mariadb", _setting("NAME")], stdin=subprocess.PIPE) as process:
            shutil.copyfileobj(packed, process.stdin)
    except BackupError as error:
        raise BackupError(f"{error} {HALF}") from error


def _check_kind(head: bytes) -> None:
    """Raises BackupError for a backup of the other kind of database."""
    kind = "sqlite" if head == SQLITE else "mysql" if head[:2] in (b"/*", b"--") else ""
    if kind and kind != connection.vendor:
        names = {"sqlite": "SQLite", "mysql": "MariaDB"}
        raise BackupError(
            f"This is a backup of {names[kind]}, and DATABASE_URL names {names[connection.vendor]}."
            " A backup can't move from one to the other."
        )


@contextmanager
def _client(command: list[str], **pipes: int) -> Iterator[Any]:
    """A client of MariaDB, running; its password stands in no list of processes."""
    program, *arguments = command
    if not shutil.which(program):
        raise BackupError(f"{program} is not installed (Debian: apt install mariadb-client).")
    where = [f"--{option}={_setting(key)}" for option, key in CLIENT.items() if _setting(key)]
    environment = os.environ | {"MYSQL_PWD": _setting("PASSWORD")}
    command = [program, *_encryption(), *where, *arguments]
    with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
        yield process
    if process.returncode:
        raise BackupError(f"{program} failed; what it said stands above.")


def _encryption() -> list[str]:
    """As the driver: with `ssl_ca` for nobody but the server of that name. Without it nothing is
    checked, which newer clients refuse (ToolsDB has no certificate that they know) or warn of on
    standard error, which cron would mail each night."""
    ssl = connection.settings_dict["OPTIONS"].get("ssl")
    if ssl:
        return [f"--ssl-ca={ssl['ca']}", "--ssl-verify-server-cert"]
    return ["--skip-ssl-verify-server-cert"]


def _setting(key: str) -> str:
    return str(connection.settings_dict[key])


@contextmanager
def _private_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wikivisage-backup-") as folder:
        yield Path(folder)
