"""Whoever ships a photo says whose it is, and under which licence everybody may use it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.conf import settings

DATA: Path = settings.BASE_DIR / "sandbox" / "data"
FREE = ("CC0", "CC-BY-", "PD-")  # CC-BY-SA with the second; neither NC nor ND


@pytest.mark.parametrize("manifest", ["manifest.csv", "awkward.csv"])
def test_each_photo_is_free_and_says_whose_it_is(manifest: str) -> None:
    with (DATA / manifest).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["author"], row
        assert row["source"], row
        assert row["licence"].startswith(FREE), row
        assert not {"NC", "ND"} & set(row["licence"].split("-")), row


def test_each_photo_stands_in_the_manifest() -> None:
    with (DATA / "manifest.csv").open(newline="") as file:
        named = {row["file"] for row in csv.DictReader(file)}
    shipped = {path.name for path in (DATA / "photos").iterdir()}
    assert shipped == named
