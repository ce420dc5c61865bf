"""Charts as SVG that the server writes: no script, no inline style, colours by the theme.

Lengths across are in % and text is in px, so that a chart fits any width and its words stay
readable. What a chart shows stands in a table below it, too; there are the links for keyboards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

register = template.Library()

TOP, PLOT, FOOT = 14, 120, 22  # px: above, the plot, the words below it
ACROSS = 87.0  # % of the width that the plot takes; the scale stands beside it
TICKS, LETTERS = 6, 30  # words below a chart at most, and of so many letters: they fit a phone
COLOURS = ("yes", "act", "face", "warn", "bad", "not", "other")

Row = tuple[Any, ...]  # (label, value), (…, address), or (…, address, part of the value)
Point = tuple[float, ...]  # (x, y) or (x, y, low, high)


@dataclass(frozen=True)
class Bar:
    """One bar, in % across and px down; `part` of it is drawn in full colour."""

    label: str
    said: str  # the value as text
    href: str
    tick: bool  # its label stands below the chart
    x: str
    middle: str
    width: str
    y: str
    height: str
    part_y: str
    part_height: str
    press: str  # where what can be pressed begins, and its width
    room: str


@dataclass(frozen=True)
class Line:
    name: str
    colour: str
    said: str  # where it stands now
    points: str
    band: str  # outline of low to high; empty without
    end_x: str
    end_y: str


@register.inclusion_tag("_chart_bars.html")
def bars(
    rows: Sequence[Row], title: str = "", unit: str = "", part: str = "", colour: str = "act"
) -> dict[str, Any]:
    """A bar for each of `rows`: (label, value), (label, value, address) or (label, value,
    address, part). `unit` says what is counted (“statements”), `part` what its part is (“found”).
    The heading is the page's own; `title` names the chart for screen readers."""
    top = _round_up(max((row[1] for row in rows), default=0))
    room = ACROSS / max(len(rows), 1)
    longest = max((len(str(row[0])) for row in rows), default=1)
    ticks = max(2, min(TICKS, LETTERS // max(longest, 1)))
    every = -(-len(rows) // ticks)
    drawn = [_bar(row, at, room, top, every, len(rows)) for at, row in enumerate(rows)]
    return {
        "bars": drawn,
        "title": title,
        "unit": unit,
        "part": part,
        "colour": _colour(colour),
        "linked": any(bar.href for bar in drawn),
        "scale": _scale(top),
        **_frame(),
    }


@register.inclusion_tag("_chart_lines.html")
def lines(
    series: Sequence[tuple[str, str, Sequence[Point]]],
    title: str = "",
    unit: str = "",
    percent: bool = False,
) -> dict[str, Any]:
    """A line for each of `series`: (name, colour, [(x, y, low, high), …]) with rising x; low and
    high may be left out. `unit` says what x counts (“answers”); with `percent`, y is 0–1."""
    every = [point for _name, _token, points in series for point in points]
    left, right = min((p[0] for p in every), default=0), max((p[0] for p in every), default=0)
    top = 1.0 if percent else _round_up(max((max(p[1:]) for p in every), default=0))
    drawn = [
        _line(name, token, points, left, right, top, percent)
        for name, token, points in series
        if points
    ]
    return {
        "lines": drawn,
        "title": title,
        "unit": unit,
        "scale": _scale(top, percent),
        "first": number_format(left, force_grouping=True),
        "last": number_format(right, force_grouping=True),
        "rows": _table(series, percent),
        **_frame(),
    }


def _frame() -> dict[str, Any]:
    """Numbers as text, so that no locale writes them otherwise into an SVG attribute."""
    return {
        "height": str(TOP + PLOT + FOOT),
        "top": str(TOP),
        "plot": str(PLOT),
        "base": str(TOP + PLOT),
        "below": str(TOP + PLOT + 16),
        "across": f"{ACROSS:g}%",
    }


def _bar(row: Row, at: int, room: float, top: float, every: int, count: int) -> Bar:
    label, value = row[:2]
    href, part = row[2] if len(row) > 2 else "", row[3] if len(row) > 3 else None
    full = PLOT * value / top if top else 0
    share = full if part is None else PLOT * min(part, value) / top if top else 0
    if value:
        full = max(full, 2)  # a single one among thousands is seen, too
    width = min(room * 0.72, 6.0)
    first = every // 2 if every > 2 else 0  # in the middle of those that it speaks for
    whole = {"whole": _said(value), "part": _said(part or 0)}
    return Bar(
        label=str(label),
        said=_said(value) if part is None else _("%(part)s of %(whole)s") % whole,
        href=str(href or ""),
        tick=at % every == first and (at == first or count - at >= every / 2),
        x=f"{at * room + (room - width) / 2:.2f}%",
        middle=f"{(at + 0.5) * room:.2f}%",
        width=f"{width:.2f}%",
        y=f"{TOP + PLOT - full:.1f}",
        height=f"{full:.1f}",
        part_y=f"{TOP + PLOT - share:.1f}",
        part_height=f"{share:.1f}",
        press=f"{at * room:.2f}%",
        room=f"{room:.2f}%",
    )


def _line(
    name: str,
    token: str,
    points: Sequence[Point],
    left: float,
    right: float,
    top: float,
    percent: bool,
) -> Line:
    """In a plot of 1000 × PLOT that is stretched to its width."""
    span = right - left or 1

    def across(x: float) -> float:
        return 1000 * (x - left) / span

    def down(y: float) -> float:
        return PLOT * (1 - y / top) if top else PLOT

    whole = [point for point in points if len(point) > 3 and None not in point[2:4]]
    outline = [(p[0], p[3]) for p in whole] + [(p[0], p[2]) for p in reversed(whole)]
    last = points[-1]
    return Line(
        name=str(name),
        colour=_colour(token),
        said=_said(last[1], percent),
        points=" ".join(f"{across(p[0]):.1f},{down(p[1]):.1f}" for p in points),
        band=" ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in outline),
        end_x=f"{across(last[0]) / 1000 * ACROSS:.2f}%",
        end_y=f"{TOP + down(last[1]):.1f}",
    )


def _table(
    series: Sequence[tuple[str, str, Sequence[Point]]], percent: bool
) -> list[tuple[str, list[str]]]:
    """For each x its values: twelve rows at most, the last one among them."""
    at = sorted({point[0] for _name, _token, points in series for point in points})
    every = -(-len(at) // 12) or 1
    found = [{point[0]: point[1] for point in points} for _name, _token, points in series if points]
    return [
        (
            number_format(x, force_grouping=True),
            [_said(values[x], percent) if x in values else "–" for values in found],
        )
        for x in reversed(at[::-1][::every])
    ]


def _scale(top: float, percent: bool = False) -> list[tuple[str, str, str]]:
    """Lines across the plot: (y of the line, y of its word, word)."""
    steps = (0.5, 1.0) if percent or top >= 2 else (1.0,)
    return [
        (f"{TOP + PLOT * (1 - step):.1f}", f"{TOP + PLOT * (1 - step) + 4:.1f}",
         _said(top * step, percent))
        for step in steps
        if top
    ]  # fmt: skip


def _said(value: float, percent: bool = False) -> str:
    if percent:
        return _("%(n)s %%") % {"n": number_format(floor(100 * value + 0.5))}
    places = 0 if float(value).is_integer() else 1
    return number_format(value, places, force_grouping=True)


def _round_up(value: float) -> float:
    """To a number whose half is whole: 2, 4, 6, 8, 10, 20, 30, 40 … (or to 1)"""
    if value <= 0:
        return 0
    unit = 10.0 ** floor(log10(value))
    steps = (1, 2, 4, 6, 8, 10) if unit < 10 else (1, 2, 3, 4, 6, 8, 10)
    return next(step * unit for step in steps if step * unit >= value)


def _colour(token: str) -> str:
    if token not in COLOURS:
        raise ValueError(f"unknown colour {token!r}")
    return token
