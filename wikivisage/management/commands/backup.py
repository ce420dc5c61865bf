"""`manage.py backup`: the database without face vectors and sessions. See docs/backup.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from wikivisage.ops import backup


class Command(BaseCommand):
    help = "Writes the database, without face vectors and sessions, to a compressed file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="unless named, DATA_DIR/backup/wikivisage-<when>.gz"
        )
        parser.add_argument(
            "--keep", type=int, metavar="N", help="then delete all but the last N of that folder"
        )

    def handle(self, *args: Any, file: Path | None, keep: int | None, **options: Any) -> None:
        folder = settings.DATA_DIR / "backup"
        if keep is not None and (keep < 1 or file):
            raise CommandError("--keep is 1 or more, and goes without a FILE.")
        try:
            if file:
                backup.write(file)
            else:
                file = backup.write_dated(folder)
            if keep:
                backup.keep_last(folder, keep)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The backup can't be written: {error.strerror}.") from error
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")
