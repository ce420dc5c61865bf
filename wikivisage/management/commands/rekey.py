"""`manage.py rekey`: seals tokens, vectors and objections with the first key of SEALING_KEYS.

Everything may run meanwhile. It is the third of the steps that docs/operations.md ("Rotating the
keys") tells, so that nothing is ever shut.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from wikivisage.ops import rotate_keys


class Command(BaseCommand):
    help = (
        "Seals tokens, vectors and objections anew with the first key of SEALING_KEYS, while"
        " everything runs. Before: (1) add the new key as the last one and restart every process;"
        " (2) put it first and restart every process. Then (3) run this until it says that the old"
        " key may go, take that away and restart once more. With commands for each place:"
        " docs/operations.md, Rotating the keys."
    )
    requires_system_checks = ()  # it must run whatever is wrong with pages

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--batch", type=int, default=rotate_keys.BATCH, help="rows at once")
        parser.add_argument("--pause", type=float, default=0, help="seconds between batches")

    def handle(self, *args: Any, **options: Any) -> None:
        told: Counter[str] = Counter()
        dry = options["dry_run"]
        if not dry:
            for column in rotate_keys.SEALED:
                told += rotate_keys.reseal_all(column, options["batch"], options["pause"])
            self.stdout.write(
                f"{told['done']} values sealed anew with key {rotate_keys.first_key()}."
            )
        left = self._say_what_is_left()
        others = [number for number in settings.SEALING_KEYS if number != rotate_keys.first_key()]
        if dry:
            would = sum(left[number] for number in others)
            self.stdout.write(
                f"{would} values would be sealed anew with key {rotate_keys.first_key()}."
            )
        for number in others:
            again = "without --dry-run" if dry else "again"
            needed = f"is needed for {left[number]} values: run it {again}."
            may_go = f"may go, once every process runs with key {rotate_keys.first_key()} first."
            self.stdout.write(f"Key {number} {needed if left[number] else may_go}")
        unknown = sorted(left.keys() - settings.SEALING_KEYS.keys())
        if unknown or told["no key"]:
            raise CommandError(
                f"Some values open with no key of SEALING_KEYS (numbers {unknown or 'known'}): "
                "was one taken away too early, or changed?"
            )

    def _say_what_is_left(self) -> Counter[int]:
        every: Counter[int] = Counter()
        for column in rotate_keys.SEALED:
            counts = rotate_keys.left(column)
            every += counts
            keys = ", ".join(f"key {number}: {n}" for number, n in sorted(counts.items()))
            self.stdout.write(f"{column}: {keys or 'nothing'}")
        return every
