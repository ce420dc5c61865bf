"""Recognise a database whose migrations are of an earlier history than the code's.

When the migrations are put together to one an app, the new one gets a new name. A database that
records others of the app but not this one can't be brought up to date by any command. A database
that is newer than the code records it: old code works beside the next schema.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

APPS = frozenset({"core", "projects", "crawler", "classify", "sdc", "wikivisage"})
SENTENCE = (
    "This data was made by an earlier version of WikiVisage that this one can't bring up to date:"
    " name another DATA_DIR, or an empty database in DATABASE_URL."
)


def is_earlier(connection: BaseDatabaseWrapper) -> bool:
    """Return whether the database records an earlier history of our apps. Raises DatabaseError."""
    recorded = {key for key in MigrationRecorder(connection).applied_migrations() if key[0] in APPS}
    with_root = {app for app, _name in recorded & _list_roots()}
    return not with_root.issuperset(app for app, _name in recorded)


def _list_roots() -> set[tuple[str, str]]:
    """The first migration of each of our apps on disk."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return {
        (app, name)
        for (app, name), migration in loader.disk_migrations.items()
        if app in APPS and all(parent[0] != app for parent in migration.dependencies)
    }
