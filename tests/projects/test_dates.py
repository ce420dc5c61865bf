"""Wikibase's time values become ranges."""

from datetime import date

import pytest

from wiki.dates import Time, span_of


@pytest.mark.parametrize(
    ("time", "precision", "start", "end"),
    [
        ("+1867-11-07T00:00:00Z", 11, date(1867, 11, 7), date(1867, 11, 7)),
        ("+1896-02-00T00:00:00Z", 10, date(1896, 2, 1), date(1896, 2, 29)),
        ("+1964-00-00T00:00:00Z", 9, date(1964, 1, 1), date(1964, 12, 31)),
        ("+1890-00-00T00:00:00Z", 8, date(1890, 1, 1), date(1899, 12, 31)),
        ("+1801-00-00T00:00:00Z", 7, date(1801, 1, 1), date(1900, 12, 31)),
        ("+1900-00-00T00:00:00Z", 7, date(1801, 1, 1), date(1900, 12, 31)),
        ("+2000-00-00T00:00:00Z", 6, date(1001, 1, 1), date(2000, 12, 31)),
    ],
)
def test_a_date_is_a_range(time: str, precision: int, start: date, end: date) -> None:
    span = span_of([Time(time, precision)])
    assert span
    assert (span.start, span.end, span.precision) == (start, end, precision)


def test_several_dates_are_covered_by_one_range() -> None:
    span = span_of([Time("+1818-02-14T00:00:00Z", 11), Time("+1817-00-00T00:00:00Z", 9)])
    assert span
    assert (span.start, span.end, span.precision) == (date(1817, 1, 1), date(1818, 2, 14), 9)


@pytest.mark.parametrize(
    "bad",
    [
        Time("-0384-00-00T00:00:00Z", 9),
        Time("+1900-00-00T00:00:00Z", 5),
        Time("+1999-02-30T00:00:00Z", 11),
        Time("+20260-01-01T00:00:00Z", 11),
    ],
)
def test_what_is_no_day_of_our_calendar_is_left_out(bad: Time) -> None:
    assert span_of([bad]) is None
    assert span_of([bad, Time("+1900-01-01T00:00:00Z", 11)])
