"""What is written down of a face: its place in per cent of the picture."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from crawler.models import Region
from sdc.files.statements import depicts, place_of, read_statement, same
from wiki.json_tree import Node

WRITTEN = depicts("M1$x", "Q7186", "pct:1.0,2.0,3.0,4.0")


def test_a_box_is_left_top_width_height_in_per_cent() -> None:
    assert place_of(Region(x=0.25, y=0.1, w=0.2, h=0.3)) == "pct:25.0,10.0,20.0,30.0"


@pytest.mark.parametrize("edge", [0.00049, 0.0005, 0.12345, 0.5, 0.66666, 0.99951])
def test_no_rounding_takes_a_box_out_of_the_picture(edge: float) -> None:
    place = place_of(Region(x=edge, y=edge, w=1 - edge, h=1 - edge))
    assert place
    left, top, width, height = map(float, place.removeprefix("pct:").split(","))
    assert round(left + width, 1) == round(top + height, 1) == 100.0
    assert min(width, height) > 0


def test_the_photo_as_a_whole_has_no_place() -> None:
    assert place_of(Region(origin=Region.Origin.PHOTO, x=0, y=0, w=1, h=1)) is None


def _as_the_wiki_gives_it() -> dict[str, Any]:
    found = copy.deepcopy(WRITTEN)
    found["mainsnak"]["hash"] = "0" * 40
    del found["mainsnak"]["datavalue"]["value"]["numeric-id"]
    found["qualifiers"]["P2677"][0]["hash"] = "1" * 40
    return found


def test_what_the_wiki_adds_by_itself_changes_nothing() -> None:
    assert same(WRITTEN, read_statement(Node(_as_the_wiki_gives_it())))


@pytest.mark.parametrize(
    "change",
    [
        {"rank": "preferred"},
        {"qualifiers": {}},
        {"qualifiers": depicts("M1$x", "Q7186", "pct:1.0,2.0,3.0,5.0")["qualifiers"]},
        {"mainsnak": depicts("M1$x", "Q937", None)["mainsnak"]},
        {"mainsnak": {"snaktype": "somevalue", "property": "P180"}},
        {"references": [{"snaks": {}, "snaks-order": []}]},
    ],
)
def test_what_people_changed_is_not_as_we_wrote_it(change: dict[str, Any]) -> None:
    assert not same(WRITTEN, read_statement(Node(_as_the_wiki_gives_it() | change)))
