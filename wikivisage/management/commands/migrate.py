"""`manage.py migrate`: Django's own, which first refuses data of an earlier history."""

from __future__ import annotations

from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import connections

from wikivisage.ops import schema_history


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if schema_history.is_earlier(connections[options["database"]]):
            raise CommandError(schema_history.SENTENCE)
        super().handle(*args, **options)
