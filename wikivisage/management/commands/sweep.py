"""`manage.py sweep`: take away what is kept too long; beat does the same. See docs/privacy.md."""

from __future__ import annotations

import json
from typing import Any

from django.core.management import BaseCommand, CommandParser

from wikivisage.ops import retention as ops_retention


class Command(BaseCommand):
    help = "Takes away what is kept no longer: vectors, crops, deleted projects, closed objections."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would go")
        parser.add_argument("--json", action="store_true", help="the counts as JSON")
        parser.add_argument("--seconds", type=float, default=3600, help="stop after about so long")

    def handle(self, *args: Any, **options: Any) -> None:
        dry = options["dry_run"]
        counts = ops_retention.due() if dry else ops_retention.sweep(options["seconds"])
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": dry, "counts": counts}))
            return
        for name, count in counts.items():
            self.stdout.write(f"{count:8}  {name}{' would go' if dry else ''}")
