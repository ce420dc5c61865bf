"""Every recorded request of a module we use is answered as the real wiki answered it."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.contract.recorded_world import RECORDINGS
from tests.contract.replay import Player, gaps, load, names, replayable
from tests.contract.scenes import prepare
from tests.contract.shapes import differences

GAPS = {gap["recording"]: gap for gap in gaps()["gap"]}


def answer_differences(player: Player, name: str) -> list[str]:
    """What differs between the live and the recorded answer."""
    recording = load(name)
    with prepare(recording, player):
        answer = player.play(recording)
    return differences(recording, answer, player.running.url)


def rows() -> list[Any]:
    """Return the names to replay; where edits raced, the sandbox waits to let them."""
    names = [name for name in replayable() if name not in GAPS]
    race = pytest.mark.waits
    return [pytest.param(name, marks=race) if "/race-" in name else name for name in names]


@pytest.mark.parametrize("name", rows())
def test_the_sandbox_answers_as_recorded(player: Player, name: str) -> None:
    assert answer_differences(player, name) == []


@pytest.mark.parametrize("name", sorted(GAPS))
def test_a_known_gap_is_still_one_and_no_wider(player: Player, name: str) -> None:
    found = answer_differences(player, name)
    assert found, f"{name} holds now: take it off known_gaps.toml"
    assert [line for line in found if not line.startswith(GAPS[name]["differs"])] == []


def test_every_recording_is_sent_or_left_out_with_a_reason() -> None:
    """713 in all: 533 are sent, 8 of them known gaps; 43 are left out; OAuth has 137 of its own."""
    rows = gaps()["left_out"]
    for row in rows:
        assert len([name for name in names() if fnmatch(name, row["recordings"])]) == row["count"]
    assert len(replayable()) == 533
    assert sum(row["count"] for row in rows) == 43
    assert len(list((RECORDINGS / "oauth").glob("*.json"))) == 137
    assert len(list(RECORDINGS.glob("*/*.json"))) == 533 + 43 + 137


def test_each_surprise_has_a_test_of_its_own() -> None:
    tests = Path(__file__).parents[1]
    files = (*tests.glob("contract/test_surprises_*.py"), tests / "sandbox" / "test_oauth.py")
    found = {
        int(number)
        for file in files
        for number in re.findall(r"^def test_(\d\d)_", file.read_text(), re.MULTILINE)
    }
    assert found == {*range(1, 52)} - {int(number) for number in gaps()["surprises_left_out"]}
    assert len(gaps()["surprises_left_out"]) <= 1


def test_the_lists_only_shrink_and_give_their_reasons() -> None:
    assert len(GAPS) <= 8
    assert set(GAPS) <= set(replayable())
    told = gaps()
    assert all(
        len(row["reason"]) > 20 for row in (*told["gap"], *told["left_out"], *told["unverified"])
    )
