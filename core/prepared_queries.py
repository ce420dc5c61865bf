"""Queries that are built and compiled once in a process.

Django builds the SQL of a query anew each time, which for the queries that people wait for between
two faces takes several times as long as the database needs to answer them. Such a query is written
as a function of plain values that returns a QuerySet:

    @prepared
    def _of_somebody(user: Any, since: Any) -> QuerySet[Answer]:
        return Answer.objects.filter(user=user, created_at__gte=since)

    answers = _of_somebody(user.pk, since)  # a list

The function is called with placeholders, once for each combination of kinds of values; for a
sequence, with one that `__in` takes. A None, a bool or an Enum is no placeholder, so the function
may branch on it, and on an empty sequence. It must depend on nothing else.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache, wraps
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Expression,
    Field,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.query import ModelIterable

VARIANTS = 64  # kept of each query: sequences are of 1, 2, 4, 8 … values
FIELDS: dict[type, Field[Any, Any]] = {
    int: BigIntegerField(),
    str: CharField(),
    datetime: DateTimeField(),
    UUID: UUIDField(),
}
Kind = Any  # the type of a value, its length with that of a sequence, or the value itself


class Placeholder(Value):
    """Where a value goes: its parameter is the placeholder itself."""

    def __init__(self, place: tuple[int, int], kind: type) -> None:
        super().__init__(place, output_field=FIELDS[kind])
        self.place = place

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Placeholders(Expression):
    """Where the values of a sequence go, for `__in`."""

    def __init__(self, every: list[Placeholder]) -> None:
        super().__init__(output_field=every[0].output_field)
        self.every = every

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return f"({', '.join(['%s'] * len(self.every))})", self.every


@dataclass(frozen=True)
class Compiled:
    queryset: QuerySet[Any]
    compiler: Any  # of Django, after it has made the SQL
    sql: str  # empty where no row can be found
    parameters: tuple[Any, ...]

    def rows(self, values: Sequence[Sequence[Any]]) -> list[Any]:
        if not self.sql:
            return []
        connection = connections[self.queryset.db]
        bound = tuple(
            each.output_field.get_db_prep_value(values[each.place[0]][each.place[1]], connection)
            if isinstance(each, Placeholder)
            else each
            for each in self.parameters
        )
        compiler = copy.copy(self.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_arguments, **_options: (self.sql, bound)
        asked: Any = SimpleNamespace(
            db=self.queryset.db,
            model=self.queryset.model,
            query=SimpleNamespace(get_compiler=lambda using: compiler),
            _known_related_objects={},
        )
        return list(ModelIterable(asked))


def prepared(build: Callable[..., QuerySet[Any]]) -> Callable[..., list[Any]]:
    """The rows that the QuerySet has for these values; `build` takes them by their places."""

    @lru_cache(maxsize=VARIANTS)
    def compiled(kinds: tuple[Kind, ...], alias: str) -> Compiled:
        queryset = build(*(_stand_in(place, kind) for place, kind in enumerate(kinds)))
        compiler = queryset.query.get_compiler(alias)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            sql, parameters = "", ()
        return Compiled(queryset, compiler, sql, tuple(parameters))

    @wraps(build)
    def ask(*values: Any) -> list[Any]:
        lists = [_padded(value) for value in values]
        kinds = tuple(_kind(value, some) for value, some in zip(values, lists, strict=True))
        return compiled(kinds, DEFAULT_DB_ALIAS).rows(lists)

    return ask


def _padded(value: Any) -> Sequence[Any]:
    """The values of a sequence, and the last one again and again up to a power of two."""
    if not isinstance(value, (list, tuple, set, frozenset)):
        return (value,)
    some = list(value)
    wanted = 1 << (len(some) - 1).bit_length() if some else 0
    return some + some[-1:] * (wanted - len(some))


def _kind(value: Any, some: Sequence[Any]) -> Kind:
    if value is None or isinstance(value, (bool, Enum)):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return (type(some[0]) if some else None, len(some))
    return type(value)


def _stand_in(place: int, kind: Kind) -> Any:
    if isinstance(kind, tuple):
        every = [Placeholder((place, number), kind[0]) for number in range(kind[1])]
        return Placeholders(every) if every else []
    return Placeholder((place, 0), kind) if isinstance(kind, type) else kind
