"""A database, and with MariaDB a part of Redis, that a test has for its processes alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def fresh_database(connection: Any, folder: Path) -> Iterator[dict[str, str]]:
    """Settings of an empty database beside the one that the test run uses."""
    if connection.vendor != "mysql":
        yield {"DATABASE_URL": f"sqlite://{folder}/fresh.sqlite3", "REDIS_URL": ""}
        return
    name = f"wikivisage_system_{os.getpid()}"
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        try:
            yield {
                "DATABASE_URL": f"{server}/{name}",
                "REDIS_URL": os.environ.get("REDIS_URL", ""),
                "REDIS_PREFIX": f"{name}:",
            }
        finally:
            cursor.execute(f"DROP DATABASE {name}")
