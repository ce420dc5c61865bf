"""Dates of Wikidata as ranges: a birth in 1867 is some day of that year."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

# Precision of Wikibase's time values -> years that one value stands for
YEARS = {6: 1000, 7: 100, 8: 10, 9: 1}
MONTH, DAY = 10, 11
_TIME = re.compile(r"\+(\d{4,})-(\d\d)-(\d\d)T")


class Time(NamedTuple):
    """A time value of Wikibase: “+1867-11-07T00:00:00Z”, and its precision (9 year, 11 day …)."""

    time: str
    precision: int


@dataclass(frozen=True)
class Span:
    """From `start` to `end`, both included; `precision` is Wikibase's (9 year, 11 day …)."""

    start: date
    end: date
    precision: int


def span_of(values: Sequence[Time]) -> Span | None:
    """The range that covers all values (a disputed date has several); None without a usable one.

    Dates before our era and precisions coarser than a millennium are not usable.
    """
    spans = [span for value in values if (span := _span(value))]
    if not spans:
        return None
    return Span(
        min(span.start for span in spans),
        max(span.end for span in spans),
        min(span.precision for span in spans),
    )


def _span(value: Time) -> Span | None:
    found, precision = _TIME.match(value.time), value.precision
    if not found:
        return None
    try:
        year, month, day = (int(part) for part in found.groups())
        if precision >= DAY:
            return Span(date(year, month, day), date(year, month, day), DAY)
        if precision == MONTH:
            last = monthrange(year, month)[1]
            return Span(date(year, month, 1), date(year, month, last), MONTH)
        first, last_year = _years(year, precision)
        return Span(date(first, 1, 1), date(last_year, 12, 31), precision)
    except (ValueError, KeyError, OverflowError):
        return None


def _years(year: int, precision: int) -> tuple[int, int]:
    """First and last year: the 1890s are 1890 to 1899, the 19th century is 1801 to 1900."""
    length = YEARS[precision]
    first = year - year % length if precision >= 8 else (year - 1) // length * length + 1
    return first, first + length - 1
