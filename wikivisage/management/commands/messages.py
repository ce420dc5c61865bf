"""`manage.py messages`: what is marked for translation, into the message files and back.

Needs Babel, which the development set-up installs; running the tool does not. The way of a
translator is in docs/translating.md.
"""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Extracts messages, updates the files of all languages and compiles them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        ways = parser.add_subparsers(dest="way")
        ways.add_parser("update", help="Extract, update and compile (what happens without a word)")
        ways.add_parser("check", help="Find untranslated and unmarked strings")
        ways.add_parser("unmarked", help="Find strings that are not marked for translation")
        todo = ways.add_parser("todo", help="Write what a language lacks into JSON files")
        todo.add_argument("language")
        todo.add_argument("folder", type=Path)
        todo.add_argument("--size", type=int, default=100, help="entries in a file (100)")
        merge = ways.add_parser("merge", help="Take in translations from JSON files")
        merge.add_argument("language")
        merge.add_argument("files", nargs="+", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from wikivisage.messages import catalogs
        except ImportError as error:
            raise CommandError(f"This needs the development set-up (make setup): {error}")
        if (language := options.get("language")) and language not in catalogs.LANGUAGES:
            raise CommandError(f"No such language here: {language}. See docs/translating.md.")
        getattr(self, f"do_{options['way'] or 'update'}")(**options)

    def do_update(self, **_: Any) -> None:
        from wikivisage.messages import catalogs

        template = catalogs.extracted()
        catalogs.save(catalogs.SOURCE, template)
        for language in catalogs.LANGUAGES:
            catalogs.update(template, language)
        self.stdout.write(f"{len(template)} messages in {len(catalogs.LANGUAGES)} languages")

    def do_check(self, **_: Any) -> None:
        from wikivisage.messages import catalogs, checks

        template, lines = catalogs.extracted(), []
        for language in catalogs.LANGUAGES:
            found = checks.problems(catalogs.read(language), template)
            lines += [f"{language} {problem}" for problem in found]
        self._say(lines + self._unmarked())

    def do_unmarked(self, **_: Any) -> None:
        self._say(self._unmarked())

    def do_todo(self, language: str, folder: Path, size: int, **_: Any) -> None:
        from wikivisage.messages import exchange

        for path in exchange.write_todo(language, folder, size):
            self.stdout.write(str(path))

    def do_merge(self, language: str, files: list[Path], **_: Any) -> None:
        from wikivisage.messages import exchange

        for path in files:
            taken, refused = exchange.merge(language, json.loads(path.read_text()))
            self.stdout.write(f"{path}: {taken} taken, {len(refused)} refused")
            for line in refused:
                self.stdout.write(f"  {line}")

    @staticmethod
    def _unmarked() -> list[str]:
        from wikivisage.messages import unmarked

        return [str(found) for found in unmarked.everywhere()]

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        if lines:
            self.stderr.write(f"{len(lines)} found")
            sys.exit(1)
