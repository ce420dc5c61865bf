"""Charts that templates write: what is drawn, and the table that says the same."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.template import Context, Template
from django.utils import translation

from core.templatetags import charts


def drawn(tag: str, **context: object) -> BeautifulSoup:
    return BeautifulSoup(
        Template("{% load charts %}" + tag).render(Context(context)), "html.parser"
    )


def test_bars_are_as_high_as_their_values_and_lead_on() -> None:
    rows = [("1911", 8, "/a", 2), ("1912", 4, "", 0), ("<b>", 0, "", 0)]
    page = drawn('{% bars rows title="Photos" part="found" %}', rows=rows)
    heights = [float(str(bar["height"])) for bar in page.select("rect.chart-bar")]
    assert heights == [120, 30, 60, 0, 0, 0]
    assert [row.get_text(" ", strip=True) for row in page.select("tr")] == [
        "1911 2 of 8 found",
        "1912 0 of 4 found",
        "<b> 0 of 0 found",
    ]
    assert [link["href"] for link in page.select("td a, th a")] == ["/a"]
    assert all(link["tabindex"] == "-1" for link in page.select("svg a")), "keys use the table"
    assert not page.select("[style], style, script")


def test_numbers_in_svg_have_points_whatever_the_language() -> None:
    with translation.override("nb"):
        page = drawn("{% bars rows %}", rows=[("a", 1234.5), ("b", 3)])
    assert "," not in "".join(str(bar["height"]) for bar in page.select("rect"))
    assert "1234,5" in page.get_text().replace("\xa0", "")


def test_lines_have_a_key_an_end_and_a_band() -> None:
    course = [(n, n / 10, n / 20, min(1, n / 8)) for n in range(1, 10)]
    series = [("Precision", "act", course), ("Recall", "yes", [(1, 0.5), (9, 0.755)])]
    page = drawn('{% lines series unit="answers" percent=True %}', series=series)
    assert [key.get_text(" ", strip=True) for key in page.select(".legend li")] == [
        "Precision 90 %",
        "Recall 76 %",
    ]
    assert len(page.select("polygon.chart-band")) == 1
    points = str(page.select("polyline")[1]["points"]).split()
    assert points == ["0.0,60.0", "1000.0,29.4"]
    cells = [cell.get_text() for cell in page.select("tbody tr")[-1].select("td, th")]
    assert cells == ["9", "90 %", "76 %"]


@pytest.mark.parametrize("rows", [[], [("only", 0)]])
def test_nothing_is_drawn_of_nothing(rows: list[tuple[str, int]]) -> None:
    page = drawn("{% bars rows %}{% lines none %}", rows=rows, none=[])
    assert len(page.select("tbody tr")) == len(rows)


def test_the_scale_ends_at_a_number_that_halves_well() -> None:
    values = (1, 2, 3, 7, 11, 21, 2140, 9999)
    assert [charts._round_up(value) for value in values] == [1, 2, 4, 8, 20, 30, 3000, 10000]


def test_an_unknown_colour_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="pink"):
        charts._colour("pink")
