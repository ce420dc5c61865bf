"""One SQLite file behind the sandbox: schema, pooled readers, one writer at a time."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS page (
  wiki TEXT NOT NULL, id INTEGER NOT NULL, ns INTEGER NOT NULL, title TEXT NOT NULL,
  latest INTEGER NOT NULL, redirect_to TEXT, deleted INTEGER NOT NULL DEFAULT 0,
  protection TEXT NOT NULL DEFAULT '{}', content_model TEXT NOT NULL, touched TEXT NOT NULL,
  PRIMARY KEY (wiki, id));
CREATE UNIQUE INDEX IF NOT EXISTS page_title ON page (wiki, title) WHERE deleted = 0;
CREATE INDEX IF NOT EXISTS page_ns ON page (wiki, ns, title);
CREATE TABLE IF NOT EXISTS revision (
  wiki TEXT NOT NULL, id INTEGER NOT NULL, page_id INTEGER NOT NULL, parent INTEGER NOT NULL,
  timestamp TEXT NOT NULL, user TEXT NOT NULL, comment TEXT NOT NULL, tags TEXT NOT NULL,
  minor INTEGER NOT NULL DEFAULT 0, wikitext TEXT NOT NULL, entity TEXT,
  PRIMARY KEY (wiki, id));
CREATE INDEX IF NOT EXISTS revision_page ON revision (wiki, page_id, id);
CREATE INDEX IF NOT EXISTS revision_user ON revision (wiki, user, id);
CREATE TABLE IF NOT EXISTS file (
  id INTEGER PRIMARY KEY AUTOINCREMENT, wiki TEXT NOT NULL, page_id INTEGER NOT NULL,
  timestamp TEXT NOT NULL, user TEXT NOT NULL, sha1 TEXT NOT NULL, size INTEGER NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, mime TEXT NOT NULL, mediatype TEXT NOT NULL,
  path TEXT NOT NULL, orientation INTEGER NOT NULL DEFAULT 1,
  metadata TEXT NOT NULL DEFAULT '{}', comment TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS file_page ON file (wiki, page_id, id);
CREATE INDEX IF NOT EXISTS file_sha1 ON file (wiki, sha1);
CREATE INDEX IF NOT EXISTS file_user ON file (wiki, user, timestamp);
CREATE TABLE IF NOT EXISTS category_member (
  wiki TEXT NOT NULL, category_title TEXT NOT NULL, page_id INTEGER NOT NULL,
  type INTEGER NOT NULL, sortkey TEXT NOT NULL, prefix TEXT NOT NULL, timestamp TEXT NOT NULL,
  PRIMARY KEY (wiki, category_title, page_id));
CREATE INDEX IF NOT EXISTS category_order
  ON category_member (wiki, category_title, type, sortkey, page_id);
CREATE INDEX IF NOT EXISTS category_of_page ON category_member (wiki, page_id, category_title);
CREATE TABLE IF NOT EXISTS statement (
  wiki TEXT NOT NULL, page_id INTEGER NOT NULL, key TEXT NOT NULL,
  PRIMARY KEY (wiki, key, page_id));
CREATE INDEX IF NOT EXISTS statement_page ON statement (wiki, page_id);
CREATE TABLE IF NOT EXISTS term (
  wiki TEXT NOT NULL, page_id INTEGER NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
  text TEXT NOT NULL, folded TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS term_page ON term (wiki, page_id);
CREATE INDEX IF NOT EXISTS term_text ON term (wiki, language, folded);
CREATE TABLE IF NOT EXISTS change (
  wiki TEXT NOT NULL, id INTEGER NOT NULL, type TEXT NOT NULL, page_id INTEGER NOT NULL,
  ns INTEGER NOT NULL, title TEXT NOT NULL, revid INTEGER NOT NULL, old_revid INTEGER NOT NULL,
  user TEXT NOT NULL, timestamp TEXT NOT NULL, comment TEXT NOT NULL, tags TEXT NOT NULL,
  minor INTEGER NOT NULL DEFAULT 0, log_type TEXT NOT NULL DEFAULT '',
  log_action TEXT NOT NULL DEFAULT '', log_params TEXT NOT NULL DEFAULT '{}',
  log_id INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (wiki, id));
CREATE INDEX IF NOT EXISTS change_time ON change (wiki, timestamp, id);
CREATE INDEX IF NOT EXISTS change_log ON change (wiki, log_id);
CREATE INDEX IF NOT EXISTS change_title ON change (wiki, title);
CREATE TABLE IF NOT EXISTS user (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, sub TEXT NOT NULL UNIQUE,
  groups TEXT NOT NULL DEFAULT '[]', editcount INTEGER NOT NULL DEFAULT 0,
  registered TEXT NOT NULL, blocked TEXT, rights TEXT NOT NULL DEFAULT '[]');
CREATE TABLE IF NOT EXISTS oauth_client (
  id TEXT PRIMARY KEY, secret TEXT NOT NULL, name TEXT NOT NULL,
  confidential INTEGER NOT NULL DEFAULT 1, redirect_uris TEXT NOT NULL DEFAULT '[]',
  grants TEXT NOT NULL DEFAULT '[]', approved INTEGER NOT NULL DEFAULT 1,
  owner_only INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS oauth_code (
  code TEXT PRIMARY KEY, client_id TEXT NOT NULL, user_id INTEGER NOT NULL,
  redirect_uri TEXT NOT NULL DEFAULT '', scopes TEXT NOT NULL DEFAULT '[]',
  challenge TEXT NOT NULL DEFAULT '', challenge_method TEXT NOT NULL DEFAULT '',
  expires REAL NOT NULL, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS oauth_token (
  id TEXT PRIMARY KEY, client_id TEXT NOT NULL, user_id INTEGER NOT NULL,
  access TEXT NOT NULL UNIQUE, refresh TEXT UNIQUE, scopes TEXT NOT NULL DEFAULT '[]',
  issued REAL NOT NULL, access_expires REAL NOT NULL, refresh_expires REAL NOT NULL DEFAULT 0,
  revoked INTEGER NOT NULL DEFAULT 0);
"""

Params = Sequence[Any]


class Store:
    """Thread-safe access to the file.

    Readers come from a pool and see what is committed; writers take turns. Inside
    `transaction()` the same thread's reads see its own writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = self._connect()
        self._writer.execute("PRAGMA journal_mode=WAL")
        self._writer.executescript(SCHEMA)
        self._lock = threading.RLock()
        self._writing: int | None = None
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA cache_size=-16000")
        return db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; nested calls join the outer one."""
        with self._lock:
            if self._writing:
                yield self._writer
                return
            self._writing = threading.get_ident()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            else:
                self._writer.execute("COMMIT")
            finally:
                self._writing = None

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        if self._writing == threading.get_ident():
            yield self._writer
            return
        try:
            db = self._idle.get_nowait()
        except queue.Empty:
            db = self._connect()
        try:
            yield db
        finally:
            self._idle.put(db)

    def rows(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._reader() as db:
            return db.execute(sql, params).fetchall()

    def row(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
        """The first row, or None."""
        with self._reader() as db:
            found: sqlite3.Row | None = db.execute(sql, params).fetchone()
            return found

    def value(self, sql: str, params: Params = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, params)
        return None if found is None else found[0]

    @property
    def changes(self) -> int:
        """How many rows this process has written so far."""
        return self._writer.total_changes

    def close(self) -> None:
        """Closes every connection; the object is of no use afterwards."""
        with self._lock:
            self._writer.close()
            while not self._idle.empty():
                self._idle.get_nowait().close()
