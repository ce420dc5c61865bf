"""Recognise a database whose migrations are of an earlier history than the code's.

Migrations were put together to one an app, under names that such a database does not know, so no
command can bring it up to date. A database that is newer than the code has the code's first
migrations and is not meant: old code works beside the next schema.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APPS = frozenset({"projects", "crawler", "classify", "sdc", "wikivisage"})
# First migrations of earlier histories, some of which recorded today's names as well.
EARLIER_ROOTS = frozenset(
    {
        ("projects", "0001_squashed_0006_words"),
        ("crawler", "0001_squashed_0005_learning"),
        ("classify", "0001_squashed_0005_frames"),
        ("sdc", "0001_squashed_0002_careful_writing"),
        ("wikivisage", "0001_reached"),
    }
)
SENTENCE = (
    "This data was made by an earlier version of WikiVisage that this one can't bring up to date:"
    " name another DATA_DIR, or an empty database in DATABASE_URL."
)


def is_earlier(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the database records an earlier history of our apps. Raises DatabaseError."""
    recorded = {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in APPS}
    roots = _list_roots()
    rootless = {app for app, _name in recorded} - {app for app, _name in recorded & roots}
    return bool(rootless or recorded & EARLIER_ROOTS)


def _list_roots() -> set[tuple[str, str]]:
    """The first migration of each of our apps on disk, and what it replaces."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    roots: set[tuple[str, str]] = set()
    for (app, name), migration in loader.disk_migrations.items():
        if app in APPS and all(parent[0] != app for parent in migration.dependencies):
            roots |= {(app, name), *migration.replaces}
    return roots
