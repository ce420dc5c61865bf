"""`manage.py restore FILE`: fills an empty database from a backup. See docs/backup.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from wikivisage.ops import backup


class Command(BaseCommand):
    help = "Fills an empty database from a file that `manage.py backup` wrote."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            backup.read(file)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror}.") from error
        self.stdout.write(
            "Restored. Start nothing yet. Run `manage.py reconcile --repair`: it enters edits made"
            " after the backup. Then start web, and enter again what was decided since: deny-list,"
            " stops, deletions (docs/backup.md says where to find them). Start the workers last:"
            " they make the face vectors again."
        )
