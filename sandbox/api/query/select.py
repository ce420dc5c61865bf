"""A query put together condition by condition, for the list modules."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.api.call import Call


@dataclass
class Select:
    """`SELECT … FROM … WHERE …` to which conditions are added."""

    sql: str
    args: list[Any] = field(default_factory=list)

    def where(self, condition: str, *args: Any) -> None:
        """Adds a condition with its values."""
        self.sql += f" AND {condition}"
        self.args += args

    def among(self, column: str, values: Sequence[Any]) -> None:
        """Adds that a column has one of the values; no values are no condition."""
        if values:
            self.where(f"{column} IN ({','.join('?' * len(values))})", *values)

    def between(self, column: str, start: str, end: str, *, down: bool) -> None:
        """Adds the bounds of an enumeration that goes up or down; empty ones are none."""
        for bound, condition in ((start, "<=" if down else ">="), (end, ">=" if down else "<=")):
            if bound:
                self.where(f"{column} {condition} ?", bound)

    def onward(self, keys: Sequence[str], start: Sequence[Any], *, down: bool) -> None:
        """Adds that rows begin at a place, given by the values of the keys they are sorted by."""
        marks = ", ".join("?" * len(keys))
        self.where(f"({', '.join(keys)}) {'<=' if down else '>='} ({marks})", *start)

    def rows(
        self, call: Call, keys: Sequence[str], limit: int, *, down: bool
    ) -> tuple[list[sqlite3.Row], sqlite3.Row | None]:
        """The rows in order of the keys, and the row at which the next page begins."""
        order = ", ".join(f"{key} DESC" if down else key for key in keys)
        found = call.world.store.rows(
            f"{self.sql} ORDER BY {order} LIMIT ?", [*self.args, limit + 1]
        )
        return found[:limit], found[limit] if len(found) > limit else None
